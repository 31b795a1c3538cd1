/* core/codec/customer_codec: what is written is read back, by us and by any Avro reader; plans may change
 * between writing and reading; damaged bytes are found or harmless, never fatal. */
#include <avro.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/model/feature.h"
#include "core/model/rule.h"
#include "edge/formats/avro_schema.h"
#include "support/plan_fixture.h"

#define START 1700000000000

static struct fixture f;
static struct rf_arena arena;
static uint64_t seed;

static void add_value_features(void)
{
    static const struct {
        const char *name;
        const struct rf_type *type;
    } all[] = {
        {"last_bool", &rf_type_bool},           {"last_int", &rf_type_int},
        {"last_uint", &rf_type_uint},           {"last_double", &rf_type_double},
        {"last_string", &rf_type_string},       {"last_bytes", &rf_type_bytes},
        {"last_timestamp", &rf_type_timestamp}, {"last_duration", &rf_type_duration},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        fixture_feature(&f, (struct rf_feature){.name = all[i].name,
                                                .kind = RF_FEATURE_LAST,
                                                .state_type = all[i].type});
}

static void add_features(void)
{
    fixture_feature(&f, (struct rf_feature){.name = "calls", .kind = RF_FEATURE_COUNT});
    fixture_feature(&f, (struct rf_feature){.name = "calls_7d",
                                            .kind = RF_FEATURE_COUNT,
                                            .window = 7 * RF_DAY_MS,
                                            .bucket = RF_HOUR_MS});
    fixture_feature(&f, (struct rf_feature){.name = "minutes_28d_ago",
                                            .kind = RF_FEATURE_SUM,
                                            .state_type = &rf_type_double,
                                            .window = 28 * RF_DAY_MS,
                                            .offset = 28 * RF_DAY_MS,
                                            .bucket = RF_DAY_MS});
    fixture_feature(&f, (struct rf_feature){.name = "latest_7d",
                                            .kind = RF_FEATURE_MAX,
                                            .state_type = &rf_type_timestamp,
                                            .window = 7 * RF_DAY_MS,
                                            .bucket = RF_DAY_MS});
    fixture_feature(&f, (struct rf_feature){.name = "longest",
                                            .kind = RF_FEATURE_MAX,
                                            .state_type = &rf_type_duration});
    fixture_feature(&f, (struct rf_feature){
                            .name = "rate", .kind = RF_FEATURE_DECAY, .half_life = 7 * RF_DAY_MS});
    fixture_feature(&f, (struct rf_feature){.name = "cells", .kind = RF_FEATURE_COUNT_DISTINCT});
    fixture_feature(&f, (struct rf_feature){.name = "cells_7d",
                                            .kind = RF_FEATURE_COUNT_DISTINCT,
                                            .window = 7 * RF_DAY_MS});
    add_value_features();
}

static void setup(void)
{
    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    seed = 1;
    fixture_source(&f, "calls", 0);
    add_features();
    fixture_rule(&f, (struct rf_rule){.name = "service-failure"});
    fixture_rule(&f, (struct rf_rule){.name = "gone-quiet"});
    fixture_rule(&f, (struct rf_rule){.name = "win-back"});
}

static void teardown(void)
{
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

static int64_t random_long(void)
{
    return (int64_t)(fixture_random(&seed) >> (1 + fixture_random_below(&seed, 63)));
}

static struct rf_value random_value(const struct rf_type *type)
{
    uint8_t *bytes = rf_arena_alloc_bytes(&arena, 40);
    size_t size = fixture_random_below(&seed, 40);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)('a' + fixture_random_below(&seed, 26));
    if (type->kind == RF_TYPE_BOOL)
        return rf_value_bool(fixture_random_below(&seed, 2) == 1);
    if (type->kind == RF_TYPE_INT)
        return rf_value_int(-random_long());
    if (type->kind == RF_TYPE_UINT)
        return rf_value_uint(fixture_random(&seed));
    if (type->kind == RF_TYPE_DOUBLE)
        return rf_value_double((double)random_long() / 1000.0);
    if (type->kind == RF_TYPE_STRING)
        return rf_value_string(rf_bytes_of(bytes, size));
    if (type->kind == RF_TYPE_BYTES)
        return rf_value_bytes(rf_bytes_of(bytes, size));
    if (type->kind == RF_TYPE_TIMESTAMP)
        return rf_value_timestamp_ms(START + (int64_t)fixture_random_below(&seed, 1000000));
    ck_assert_int_eq(type->kind, RF_TYPE_DURATION);
    return rf_value_duration(-(int64_t)fixture_random_below(&seed, 1000), -500000000);
}

static void random_buckets(const struct rf_feature *feature, struct rf_feature_state *state)
{
    uint32_t count = (uint32_t)fixture_random_below(&seed, 12);
    int64_t index = START / feature->bucket - 30;

    state->buckets = rf_arena_alloc(&arena, (count + 1) * sizeof *state->buckets);
    state->count = count;
    state->capacity = count + 1;
    for (uint32_t i = 0; i < count; i++) {
        index += 1 + (int64_t)fixture_random_below(&seed, 2);
        state->buckets[i].index = index;
        if (feature->state_type->kind == RF_TYPE_DOUBLE)
            state->buckets[i].as.number = (double)random_long() / 8;
        else
            state->buckets[i].as.integer = START - (int64_t)fixture_random_below(&seed, 100000);
    }
}

static void random_distinct(const struct rf_feature *feature, struct rf_feature_state *state)
{
    uint32_t count = (uint32_t)fixture_random_below(&seed, 20);
    uint64_t hash = 0;

    if (feature->window == 0 && fixture_random_below(&seed, 4) == 0) {
        state->sketch = rf_arena_alloc_zero(&arena, RF_SKETCH_SIZE);
        for (size_t i = 0; i < RF_SKETCH_SIZE; i++)
            state->sketch[i] = (uint8_t)fixture_random_below(&seed, 56);
        return;
    }
    state->distinct = rf_arena_alloc(&arena, (count + 1) * sizeof *state->distinct);
    state->count = count;
    state->capacity = count + 1;
    for (uint32_t i = 0; i < count; i++) {
        hash += 1 + (fixture_random(&seed) >> 6);
        state->distinct[i].hash = hash;
        state->distinct[i].last = feature->window == 0 ? 0 : START - random_long() % 1000;
    }
}

static void random_state(const struct rf_feature *feature, struct rf_feature_state *state)
{
    if (fixture_random_below(&seed, 4) == 0)
        return;
    if (feature->shape == RF_STATE_BUCKETS)
        random_buckets(feature, state);
    if (feature->shape == RF_STATE_DISTINCT)
        random_distinct(feature, state);
    if (feature->shape != RF_STATE_VALUE)
        return;
    state->set = true;
    state->value = random_value(feature->state_type);
    if (feature->kind == RF_FEATURE_LAST || feature->kind == RF_FEATURE_DECAY)
        state->at = START - (int64_t)fixture_random_below(&seed, 1000);
}

static void random_rule(size_t i, struct rf_rule_state *rule)
{
    if (fixture_random_below(&seed, 2) == 0)
        rule->held_since = START - (rf_ms)fixture_random_below(&seed, 1000);
    if (fixture_random_below(&seed, 2) == 0)
        return;
    rule->fired_count = (int64_t)i + 1;
    rule->last_fired = START - (rf_ms)i;
    if (fixture_random_below(&seed, 2) == 0)
        rule->told = START - 7;
    rule->raised = fixture_random_below(&seed, 2) == 0;
    if (rule->raised) {
        rule->told_hash = fixture_random(&seed);
        rule->id = (struct rf_hash128){fixture_random(&seed), fixture_random(&seed)};
    }
}

static void random_customer(struct rf_customer *customer)
{
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), customer);
    customer->first_seen = START - 90 * RF_DAY_MS;
    customer->as_of = START;
    customer->event_count = random_long() / 2;
    if (fixture_random_below(&seed, 2) == 0)
        customer->due = START + 5;
    for (size_t i = 0; i < f.plan.feature_count; i++)
        random_state(&f.features[i], &customer->features[i]);
    for (size_t i = 0; i < f.plan.rule_count; i++) {
        random_rule(i, &customer->rules[i]);
    }
    customer->seen_count = customer->seen_capacity = (uint32_t)fixture_random_below(&seed, 9);
    customer->seen = rf_arena_alloc(&arena, customer->seen_count * sizeof *customer->seen);
    for (uint32_t i = 0; i < customer->seen_count; i++)
        customer->seen[i] =
            (struct rf_seen){.hash = fixture_random(&seed), .time = START - 100 + (rf_ms)i};
}

static struct rf_value *random_values(void)
{
    struct rf_value *values = rf_arena_alloc_zero(&arena, f.plan.feature_count * sizeof *values);

    for (size_t i = 0; i < f.plan.feature_count; i++) {
        if (fixture_random_below(&seed, 4) > 0)
            values[i] = random_value(f.features[i].type);
    }
    return values;
}

static struct rf_bytes encode(const struct rf_customer_codec *codec,
                              const struct rf_customer *customer, const struct rf_value *values)
{
    struct rf_buffer out;
    struct rf_bytes bytes;

    rf_buffer_init(&out, 1U << 20);
    rf_buffer_append_text(&out, "wire header");
    rf_customer_encode(codec, customer, values, &out);
    ck_assert(!out.overflow);
    bytes = rf_arena_copy(&arena, rf_bytes_of(out.data + 11, out.size - 11));
    ck_assert_mem_eq(out.data, "wire header", 11);
    rf_buffer_deinit(&out);
    return bytes;
}

static const struct rf_customer_layout *layout_of(const struct rf_customer_codec *codec,
                                                  const struct rf_schema *writer)
{
    const struct rf_customer_layout *layout = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_customer_layout_make(&f.arena, codec, writer, &layout, &err), "%s",
                  err.message);
    return layout;
}

static void decode(const struct rf_customer_layout *layout, struct rf_bytes body,
                   struct rf_customer *customer)
{
    struct rf_error err = {0};

    ck_assert_msg(rf_customer_decode(layout, body, &arena, customer, &err), "%s", err.message);
}

START_TEST(what_is_written_and_read_is_written_again_as_the_same_bytes)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));

    for (int round = 0; round < 2000; round++) {
        struct rf_customer customer, again;
        const struct rf_value *values = NULL;
        struct rf_bytes bytes;

        random_customer(&customer);
        values = random_values();
        bytes = encode(codec, &customer, values);

        decode(layout, bytes, &again);

        struct rf_bytes bytes_again = encode(codec, &again, values);
        ck_assert(rf_bytes_equal(bytes, bytes_again));
        ck_assert_int_eq(again.event_count, customer.event_count);
        ck_assert(rf_bytes_equal(again.id, customer.id));
        rf_arena_reset(&arena, 1U << 20);
    }
}
END_TEST

/* Reads with Avro-C by the schema's text alone, and writes it again. */
START_TEST(any_avro_reader_reads_the_record_by_the_text_of_its_schema)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const char *text = rf_customer_codec_schema_text(codec);
    avro_schema_t schema = NULL;
    avro_value_iface_t *iface = NULL;

    ck_assert_msg(avro_schema_from_json_length(text, strlen(text), &schema) == 0, "%s\n%s",
                  avro_strerror(), text);
    iface = avro_generic_class_from_schema(schema);
    for (int round = 0; round < 200; round++) {
        struct rf_customer customer;
        struct rf_bytes bytes;
        avro_value_t record, field;
        char copy[8192];

        random_customer(&customer);
        bytes = encode(codec, &customer, random_values());
        avro_generic_value_new(iface, &record);
        avro_reader_t reader = avro_reader_memory((const char *)bytes.data, (int64_t)bytes.size);
        avro_writer_t writer = avro_writer_memory(copy, sizeof copy);

        ck_assert_msg(avro_value_read(reader, &record) == 0, "%s", avro_strerror());

        int64_t as_of = 0;
        ck_assert_int_eq(avro_value_get_by_name(&record, "as_of", &field, NULL), 0);
        avro_value_get_long(&field, &as_of);
        ck_assert_int_eq(as_of, customer.as_of);
        ck_assert_msg(avro_value_write(writer, &record) == 0, "%s", avro_strerror());
        ck_assert_int_eq(avro_writer_tell(writer), (int64_t)bytes.size);
        ck_assert_mem_eq(copy, bytes.data, bytes.size);
        avro_writer_free(writer);
        avro_reader_free(reader);
        avro_value_decref(&record);
        rf_arena_reset(&arena, 1U << 20);
    }
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
}
END_TEST

START_TEST(the_text_and_the_schema_are_the_same_schema)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const char *text = rf_customer_codec_schema_text(codec);
    const struct rf_schema *parsed = NULL;
    struct rf_customer customer, again;
    struct rf_error err = {0};

    ck_assert_msg(rf_avro_schema_parse(&arena, rf_bytes_of_text(text), NULL, 0, &parsed, &err),
                  "%s", err.message);

    ck_assert_uint_eq(rf_schema_fingerprint(parsed),
                      rf_schema_fingerprint(rf_customer_codec_schema(codec)));
    random_customer(&customer);
    const struct rf_value *values = random_values();
    struct rf_bytes bytes = encode(codec, &customer, values);
    decode(layout_of(codec, parsed), bytes, &again);
    ck_assert(rf_bytes_equal(encode(codec, &again, values), bytes));
}
END_TEST

START_TEST(a_record_with_every_state_reads_back_value_by_value)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_customer customer, again;
    struct rf_bucket buckets[] = {{.index = 472221, .as.integer = 2},
                                  {.index = 472222, .as.integer = -9}};
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("zoë"), &customer);
    customer.first_seen = START - 1;
    customer.as_of = START;
    customer.event_count = 3;
    customer.features[0] = (struct rf_feature_state){.set = true, .value = rf_value_int(INT64_MIN)};
    customer.features[1] = (struct rf_feature_state){.count = 2, .buckets = buckets};
    customer.rules[2] = (struct rf_rule_state){.fired_count = 7, .last_fired = START};

    struct rf_bytes bytes = encode(codec, &customer, random_values());
    decode(layout_of(codec, rf_customer_codec_schema(codec)), bytes, &again);

    ck_assert_mem_eq(again.id.data, "zoë", 4);
    ck_assert_int_eq(again.first_seen, START - 1);
    ck_assert_int_eq(again.as_of, START);
    ck_assert_int_eq(again.features[0].value.as.integer, INT64_MIN);
    ck_assert_uint_eq(again.features[1].count, 2);
    ck_assert_int_eq(again.features[1].buckets[1].as.integer, -9);
    ck_assert_int_eq(again.rules[0].fired_count, 0);
    ck_assert_int_eq(again.rules[0].last_fired, RF_MS_MIN);
    ck_assert_int_eq(again.rules[2].fired_count, 7);
    ck_assert_int_eq(again.rules[2].last_fired, START);
}
END_TEST

START_TEST(a_customer_of_before_1970_reads_back)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_customer customer, again;
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &customer);
    customer.first_seen = customer.as_of = -5 * RF_DAY_MS;
    customer.event_count = 1;
    customer.features[0] = (struct rf_feature_state){.set = true, .value = rf_value_int(1)};
    customer.features[5] =
        (struct rf_feature_state){.set = true, .at = customer.as_of, .value = rf_value_double(1)};

    struct rf_bytes bytes = encode(codec, &customer, random_values());
    decode(layout_of(codec, rf_customer_codec_schema(codec)), bytes, &again);

    ck_assert_int_eq(again.as_of, -5 * RF_DAY_MS);
    ck_assert_int_eq(again.features[0].value.as.integer, 1);
    ck_assert_int_eq(again.features[5].at, -5 * RF_DAY_MS);
}
END_TEST

/* The plan of `setup`, in another order, one feature gone, one redefined, one new; a rule gone, one new. */
static void change_plan(void)
{
    struct rf_feature rate = f.features[5];
    struct rf_feature calls_7d = f.features[1];
    struct rf_feature last_string = f.features[12];

    f.plan.feature_count = 0;
    rate.state_name = "rate_ffffffff";
    f.features[f.plan.feature_count++] = rate;
    f.features[f.plan.feature_count++] = last_string;
    fixture_feature(&f, (struct rf_feature){.name = "new", .kind = RF_FEATURE_COUNT});
    f.features[f.plan.feature_count++] = calls_7d;
    f.plan.rule_count = 0;
    fixture_rule(&f, (struct rf_rule){.name = "new-rule"});
    fixture_rule(&f, (struct rf_rule){.name = "win-back"});
    fixture_rule(&f, (struct rf_rule){.name = "service-failure"});
}

START_TEST(a_changed_plan_keeps_what_it_still_has_and_starts_the_rest_empty)
{
    const struct rf_customer_codec *old = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_customer customer, again;
    struct rf_bucket bucket = {.index = 472221, .as.integer = 2};
    random_customer(&customer);
    customer.features[1] = (struct rf_feature_state){.count = 1, .buckets = &bucket};
    customer.features[5] = (struct rf_feature_state){.set = true, .value = rf_value_double(2)};
    customer.features[12] = (struct rf_feature_state){
        .set = true, .at = 5, .value = rf_value_string(rf_bytes_of_text("roaming"))};
    customer.rules[0] = (struct rf_rule_state){.fired_count = 4, .last_fired = START};
    customer.rules[1] = (struct rf_rule_state){.fired_count = 5, .last_fired = START};
    customer.rules[2] = (struct rf_rule_state){.fired_count = 6, .last_fired = START};
    struct rf_bytes bytes = encode(old, &customer, random_values());
    change_plan();
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);

    decode(layout_of(codec, rf_customer_codec_schema(old)), bytes, &again);

    ck_assert(!again.features[0].set);
    ck_assert(rf_bytes_equal(again.features[1].value.as.text, rf_bytes_of_text("roaming")));
    ck_assert(!again.features[2].set);
    ck_assert_uint_eq(again.features[3].count, 1);
    ck_assert_int_eq(again.features[3].buckets[0].as.integer, 2);
    ck_assert_int_eq(again.rules[0].fired_count, 0);
    ck_assert_int_eq(again.rules[1].fired_count, 6);
    ck_assert_int_eq(again.rules[2].fired_count, 4);
    ck_assert_uint_eq(again.seen_count, customer.seen_count);
}
END_TEST

START_TEST(state_of_a_known_name_and_another_form_is_skipped)
{
    const struct rf_customer_codec *old = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_customer customer, again;
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &customer);
    customer.as_of = START;
    customer.features[0] = (struct rf_feature_state){.set = true, .value = rf_value_int(12)};
    struct rf_bytes bytes = encode(old, &customer, random_values());
    f.features[0].kind = RF_FEATURE_SUM;
    f.features[0].state_type = f.features[0].type = &rf_type_double;
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);

    decode(layout_of(codec, rf_customer_codec_schema(old)), bytes, &again);

    ck_assert(!again.features[0].set);
    ck_assert_int_eq(again.as_of, START);
}
END_TEST

START_TEST(a_schema_that_is_no_customer_record_is_refused)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const struct rf_schema *good = rf_customer_codec_schema(codec);
    const struct rf_customer_layout *layout = NULL;
    struct rf_schema cut = *good, map = {.kind = RF_SCHEMA_MAP, .element = good};
    struct rf_error err = {0};
    cut.count -= 2; /* `patterns`, which older records do not have, and the one before it */

    ck_assert(!rf_customer_layout_make(&arena, codec, &cut, &layout, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_STATE);
    ck_assert_ptr_nonnull(strstr(err.message, "`seen`"));
    rf_error_clear(&err);
    ck_assert(!rf_customer_layout_make(&arena, codec, &map, &layout, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_STATE);
}
END_TEST

START_TEST(a_record_cut_off_anywhere_is_damaged)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));
    struct rf_customer customer, again;
    random_customer(&customer);
    struct rf_bytes bytes = encode(codec, &customer, random_values());

    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size + 1); /* exactly so long: a sanitizer sees a byte too many */
        struct rf_error err = {0};
        memcpy(copy, bytes.data, size);

        ck_assert(!rf_customer_decode(layout, rf_bytes_of(copy, size), &arena, &again, &err));

        ck_assert_int_eq(err.kind, RF_ERROR_STATE);
        free(copy);
    }
}
END_TEST

/* Some damage is another valid record; what is read must then be one that can be written again. */
START_TEST(bytes_damaged_at_random_are_refused_or_make_a_valid_customer)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    int refused = 0;

    for (int round = 0; round < 20000; round++) {
        const struct rf_customer_layout *layout = layout_of(codec, rf_customer_codec_schema(codec));
        struct rf_customer customer, again;
        struct rf_error err = {0};
        random_customer(&customer);
        struct rf_bytes bytes = encode(codec, &customer, random_values());
        uint8_t *copy = malloc(bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        for (uint64_t i = 1 + fixture_random_below(&seed, 3); i > 0; i--)
            copy[fixture_random_below(&seed, bytes.size)] ^=
                (uint8_t)(1U << fixture_random_below(&seed, 8));

        if (rf_customer_decode(layout, rf_bytes_of(copy, bytes.size), &arena, &again, &err)) {
            (void)encode(codec, &again, random_values());
        } else {
            ck_assert_int_eq(err.kind, RF_ERROR_STATE);
            refused++;
        }

        free(copy);
        rf_arena_reset(&arena, 1U << 20);
    }
    ck_assert_int_gt(refused, 2000);
}
END_TEST

/* A customer with nothing but `calls_7d`, whose buckets are these. */
static struct rf_bytes encode_buckets(const struct rf_customer_codec *codec,
                                      struct rf_bucket *buckets, uint32_t count)
{
    struct rf_customer customer;

    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &customer);
    customer.as_of = START;
    customer.features[1] = (struct rf_feature_state){.count = count, .buckets = buckets};
    return encode(codec, &customer,
                  rf_arena_alloc_zero(&arena, f.plan.feature_count * sizeof(struct rf_value)));
}

static void refuse(const struct rf_customer_codec *codec, struct rf_bytes body, const char *why)
{
    struct rf_customer customer;
    struct rf_error err = {0};

    ck_assert(!rf_customer_decode(layout_of(codec, rf_customer_codec_schema(codec)), body, &arena,
                                  &customer, &err));
    ck_assert_int_eq(err.kind, RF_ERROR_STATE);
    ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
}

START_TEST(buckets_out_of_order_or_of_the_future_are_damage)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    int64_t now = START / RF_HOUR_MS;
    struct rf_bucket good[] = {{.index = now - 1}, {.index = now}};
    struct rf_bucket twice[] = {{.index = now}, {.index = now}};
    struct rf_bucket future[] = {{.index = now}, {.index = now + 1}};
    struct rf_bucket far[] = {{.index = INT64_MAX}};
    struct rf_customer customer;

    decode(layout_of(codec, rf_customer_codec_schema(codec)), encode_buckets(codec, good, 2),
           &customer);
    ck_assert_uint_eq(customer.features[1].count, 2);

    refuse(codec, encode_buckets(codec, twice, 2), "out of order");
    refuse(codec, encode_buckets(codec, future, 2), "later than its as_of");
    refuse(codec, encode_buckets(codec, far, 1), "out of range");
}
END_TEST

/* The record's last bytes: `seen` of nothing, `rules` of nothing, and before them the states. */
START_TEST(counts_beyond_the_bytes_allocate_nothing)
{
    static const uint8_t many[] = {0xfe, 0xff, 0xff, 0xff, 0x0f}; /* 2^31 - 1 items */
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_bytes bytes = encode_buckets(codec, NULL, 0);
    size_t before = arena.reserved;

    for (size_t at = 0; at < bytes.size; at++) {
        struct rf_customer customer;
        struct rf_error err = {0};
        uint8_t *copy = malloc(bytes.size + 4);
        memcpy(copy, bytes.data, at);
        memcpy(copy + at, many, 5);
        memcpy(copy + at + 5, bytes.data + at + 1, bytes.size - at - 1);

        bool ok = rf_customer_decode(layout_of(codec, rf_customer_codec_schema(codec)),
                                     rf_bytes_of(copy, bytes.size + 4), &arena, &customer, &err);

        ck_assert(ok || err.kind == RF_ERROR_STATE);
        free(copy);
    }
    ck_assert_uint_lt(arena.reserved - before, 500000);
}
END_TEST

START_TEST(a_record_beyond_the_limit_overflows_the_buffer_and_nothing_else)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);
    struct rf_customer customer;
    random_customer(&customer);
    const struct rf_value *values = random_values();
    struct rf_bytes bytes = encode(codec, &customer, values);

    for (size_t limit = 1; limit < bytes.size; limit++) {
        struct rf_buffer out;
        rf_buffer_init(&out, limit);

        rf_customer_encode(codec, &customer, values, &out);

        ck_assert(out.overflow);
        ck_assert_uint_le(out.size, limit);
        rf_buffer_deinit(&out);
    }
}
END_TEST

START_TEST(names_in_the_schema_are_avro_names_whatever_the_application_is_called)
{
    f.plan.app = "4 telco.retention-eu";

    const struct rf_customer_codec *codec = rf_customer_codec_make(&f.arena, &f.plan);

    ck_assert_str_eq(rf_customer_codec_schema(codec)->name, "_4_telco_retention_eu.Customer");
    ck_assert_ptr_nonnull(strstr(rf_customer_codec_schema_text(codec),
                                 "\"name\":\"calls_7d\",\"doc\":\"number of events in 7d\""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core/codec/customer_codec");
    TCase *tcase = tcase_create("customer_codec");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_is_written_and_read_is_written_again_as_the_same_bytes);
    tcase_add_test(tcase, any_avro_reader_reads_the_record_by_the_text_of_its_schema);
    tcase_add_test(tcase, the_text_and_the_schema_are_the_same_schema);
    tcase_add_test(tcase, a_record_with_every_state_reads_back_value_by_value);
    tcase_add_test(tcase, a_customer_of_before_1970_reads_back);
    tcase_add_test(tcase, a_changed_plan_keeps_what_it_still_has_and_starts_the_rest_empty);
    tcase_add_test(tcase, state_of_a_known_name_and_another_form_is_skipped);
    tcase_add_test(tcase, a_schema_that_is_no_customer_record_is_refused);
    tcase_add_test(tcase, a_record_cut_off_anywhere_is_damaged);
    tcase_add_test(tcase, bytes_damaged_at_random_are_refused_or_make_a_valid_customer);
    tcase_add_test(tcase, buckets_out_of_order_or_of_the_future_are_damage);
    tcase_add_test(tcase, counts_beyond_the_bytes_allocate_nothing);
    tcase_add_test(tcase, a_record_beyond_the_limit_overflows_the_buffer_and_nothing_else);
    tcase_add_test(tcase, names_in_the_schema_are_avro_names_whatever_the_application_is_called);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
