#include "sim/plan.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/model/derived.h"
#include "core/model/feature.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "support/plan_fixture.h"

#define MAGIC       1
#define HEADER_SIZE 27
#define GIANT_SIZE  120 /* of a text; ordinary ones are shorter */

const char *const sim_topic_names[SIM_TOPIC_COUNT] = {
    "calls", "purchases", "erasures", "changelog", "tasks", "dlq", "alerts",
};

static struct fixture fixture;
static const struct rf_customer_codec *codec;

static uint32_t feature(const char *name, enum rf_feature_kind kind, rf_span_ms window,
                        const struct rf_type *state_type)
{
    return fixture_feature(&fixture, (struct rf_feature){.name = name,
                                                         .kind = kind,
                                                         .window = window,
                                                         .bucket = RF_HOUR_MS,
                                                         .half_life = 6 * RF_HOUR_MS,
                                                         .state_type = state_type});
}

static void add_features(void)
{
    struct fixture *f = &fixture;
    uint32_t dropped = 0;
    uint32_t spend = 0;
    uint32_t texts = 0;
    uint32_t rate = 0;
    uint32_t last = 0;
    uint32_t all = 0;
    uint32_t call = 0;

    dropped = feature("dropped", RF_FEATURE_COUNT, RF_DAY_MS, NULL);
    fixture_listen(f, dropped, SIM_CALLS, fixture_expr(f, "event.flag", NULL), NULL);
    spend = feature("spend", RF_FEATURE_SUM, 2 * RF_DAY_MS, &rf_type_double);
    fixture_listen(f, spend, SIM_PURCHASES, NULL, fixture_expr(f, "event.amount", NULL));
    texts = feature("texts", RF_FEATURE_COUNT_DISTINCT, 0, NULL);
    fixture_listen(f, texts, SIM_CALLS, NULL, fixture_expr(f, "event.natural % 7u", NULL));
    fixture_listen(f, texts, SIM_PURCHASES, NULL, fixture_expr(f, "event.natural % 7u", NULL));
    rate = feature("rate", RF_FEATURE_DECAY, 0, NULL);
    fixture_listen(f, rate, SIM_CALLS, NULL, NULL);
    last = feature("last", RF_FEATURE_LAST, 0, &rf_type_string);
    fixture_listen(f, last, SIM_CALLS, NULL, fixture_expr(f, "event.text", NULL));
    fixture_listen(f, last, SIM_PURCHASES, NULL, fixture_expr(f, "event.text", NULL));
    all = feature("all", RF_FEATURE_COUNT, 0, NULL);
    fixture_listen(f, all, SIM_CALLS, NULL, NULL);
    fixture_listen(f, all, SIM_PURCHASES, NULL, NULL);
    call = feature("call", RF_FEATURE_LAST, 0, &rf_type_timestamp);
    fixture_listen(f, call, SIM_CALLS, NULL, fixture_expr(f, "event.instant", NULL));
    f->features[rate].reads_now = true;
}

static void read_by(struct rf_rule *rule, uint32_t feature)
{
    rule->reads.bits[feature / 64] |= UINT64_C(1) << (feature % 64);
}

static void add_rules(void)
{
    static const uint32_t dropped[] = {0, 3};
    static const uint32_t spend[] = {1, 2};
    static const uint32_t call[] = {6};
    struct fixture *f = &fixture;
    struct rf_rule busy = {
        .name = "busy",
        .when = fixture_expr(f, "dropped >= 2 && rate > 1.5", &rf_type_bool),
        .because = fixture_expr(f, "'last: ' + (last == null ? 'none' : last)", &rf_type_string),
        .cooldown = 3 * RF_HOUR_MS,
        .reason_features = dropped,
        .reason_count = 2};
    struct rf_rule spender = {.name = "spender",
                              .when = fixture_expr(f, "spend > 20.0 && texts > 1", &rf_type_bool),
                              .reason_features = spend,
                              .reason_count = 2};

    struct rf_rule quiet = {
        .name = "quiet",
        .when = fixture_expr(f, "call != null && now - call > duration('5h')", &rf_type_bool),
        .because = fixture_expr(f, "'last: ' + (last == null ? 'none' : last)", &rf_type_string),
        .reason_features = call,
        .reason_count = 1};
    struct rf_rule fading = {.name = "fading",
                             .when = fixture_expr(f, "rate < 0.6", &rf_type_bool),
                             .clear_when = fixture_expr(f, "rate > 1.2", &rf_type_bool),
                             .reason_features = dropped + 1,
                             .reason_count = 1};

    struct rf_rule tried = {.name = "tried",
                            .mode = RF_MODE_SHADOW,
                            .hold = RF_HOUR_MS,
                            .when = fixture_expr(f, "rate < 0.8", &rf_type_bool),
                            .clear_when = fixture_expr(f, "dropped >= 2", &rf_type_bool),
                            .reason_features = dropped + 1,
                            .reason_count = 1};

    read_by(&busy, 0);
    read_by(&busy, 3);
    read_by(&spender, 1);
    read_by(&spender, 2);
    fixture_rule(f, busy);
    fixture_rule(f, spender);
    read_by(&quiet, 6);
    fixture_rule(f, quiet);
    read_by(&fading, 3);
    fixture_rule(f, fading);
    read_by(&tried, 0);
    read_by(&tried, 3);
    fixture_rule(f, tried);
}

static void compile(void)
{
    struct fixture *f = &fixture;

    fixture_init(f);
    fixture_source(f, sim_topic_names[SIM_CALLS], 0);
    fixture_source(f, sim_topic_names[SIM_PURCHASES], RF_DAY_MS);
    fixture_source(f, sim_topic_names[SIM_ERASURES], 0);
    for (uint32_t i = 0; i < SIM_SOURCES; i++)
        f->sources[i].time = fixture_expr(f, "event.instant", NULL);
    f->sources[SIM_CALLS].where = fixture_expr(f, "event.amount >= 1.0", &rf_type_bool);
    f->sources[SIM_PURCHASES].id = fixture_expr(f, "event.natural", NULL);
    f->sources[SIM_ERASURES].role = RF_ROLE_ERASE;
    add_features();
    add_rules();
    f->plan.record_bytes_max = SIM_RECORD_BYTES_MAX;
    f->plan.max_ahead = RF_DAY_MS;
    codec = rf_customer_codec_make(&f->arena, &f->plan);
}

void sim_plan_make(struct sim_plan *plan, struct sim_random *random)
{
    if (codec == NULL)
        compile();
    plan->plan = fixture.plan;
    plan->plan.lateness = sim_random_chance(random, 500) ? 3 * RF_HOUR_MS : RF_LATENESS_NONE;
    plan->plan.lifecycle_output = RF_OUTPUT_NONE;
    plan->plan.late = sim_random_chance(random, 500) ? RF_LATE_DROP : RF_LATE_DEAD_LETTER;
    plan->codec = codec;
    plan->wire = (struct rf_wire){.format = RF_FORMAT_AVRO_OBJECT, .fingerprint = 42};
}

/* ---- messages ---- */

static struct rf_bytes make_key(struct rf_arena *arena, struct sim_random *random,
                                int32_t partition)
{
    int64_t customer = sim_random_chance(random, 400) ? 0 : sim_random_below(random, SIM_CUSTOMERS);
    const char *text = rf_arena_printf(arena, "p%d-c%02d", (int)partition, (int)customer);

    if (sim_random_chance(random, 970))
        return rf_bytes_of_text(text);
    switch (sim_random_below(random, 3)) {
    case 0:
        return (struct rf_bytes){0};
    case 1:
        return rf_bytes_of("", 0);
    default:
        return rf_bytes_of("\xff\xfe", 2);
    }
}

static size_t text_size(struct sim_random *random)
{
    static const size_t giants[] = {130, 260, 420, 1900, 2500, 5000};

    if (sim_random_chance(random, 970))
        return (size_t)sim_random_below(random, 20);
    return giants[sim_random_below(random, 6)];
}

static rf_ms event_time(struct sim_random *random, rf_ms broker_time)
{
    if (sim_random_chance(random, 10))
        return broker_time + 2 * RF_DAY_MS; /* refused: too far ahead */
    if (sim_random_chance(random, 50))
        return broker_time - sim_random_below(random, 3 * RF_DAY_MS);
    return broker_time - sim_random_below(random, 4 * RF_HOUR_MS);
}

static struct rf_bytes spoil(struct sim_random *random, uint8_t *data, size_t size)
{
    switch (sim_random_below(random, 4)) {
    case 0:
        return (struct rf_bytes){0};
    case 1:
        return rf_bytes_of(data, 0);
    case 2:
        return rf_bytes_of(data, 5);
    default:
        data[0] = 0xff;
        return rf_bytes_of(data, size);
    }
}

struct sim_made sim_message_make(struct rf_arena *arena, struct sim_random *random, uint32_t source,
                                 int32_t partition, int64_t number, rf_ms wall)
{
    struct sim_made made = {.key = make_key(arena, random, partition)};
    size_t size = HEADER_SIZE + (source == SIM_ERASURES ? 0 : text_size(random));
    uint8_t *data = rf_arena_alloc_zero(arena, size + 1);
    double amount = (double)sim_random_below(random, 40) / 2.0;
    uint64_t id = (uint64_t)(number - sim_random_below(random, 4)); /* some come twice */
    rf_ms time = 0;

    made.broker_time = wall;
    time = event_time(random, made.broker_time);
    data[0] = MAGIC;
    data[1] = (uint8_t)sim_random_below(random, SIM_SCHEMAS);
    memcpy(data + 2, &time, sizeof time);
    memcpy(data + 10, &amount, sizeof amount);
    memcpy(data + 18, &id, sizeof id);
    data[26] = sim_random_chance(random, 700);
    memset(data + HEADER_SIZE, 'a' + (int)(number % 26), size - HEADER_SIZE);
    made.value = rf_bytes_of(data, size);
    if (sim_random_chance(random, 30))
        made.value = spoil(random, data, size);
    return made;
}

bool sim_message_is_giant(struct rf_bytes value)
{
    return value.size >= HEADER_SIZE + GIANT_SIZE;
}

int sim_customer_index(struct rf_bytes customer)
{
    if (customer.size != 6 || customer.data[0] != 'p')
        return -1;
    return (customer.data[4] - '0') * 10 + customer.data[5] - '0';
}

/* ---- decoding ---- */

static bool decode(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err)
{
    struct sim_decoder *decoder = self;
    uint8_t schema = 0;
    rf_ms time = 0;
    double amount = 0;
    uint64_t id = 0;

    (void)source;
    (void)arena;
    if (payload.size < HEADER_SIZE || payload.data[0] != MAGIC)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the message cannot be read");
    schema = payload.data[1];
    rf_assert(schema < SIM_SCHEMAS);
    if (!decoder->known[schema]) {
        decoder->asked[schema] = true;
        return rf_error_set(err, RF_ERROR_RETRY, 0, "schema %d is not here yet", (int)schema);
    }
    memcpy(&time, payload.data + 2, sizeof time);
    memcpy(&amount, payload.data + 10, sizeof amount);
    memcpy(&id, payload.data + 18, sizeof id);
    fields[FIELD_INSTANT] = rf_value_timestamp_ms(time);
    fields[FIELD_AMOUNT] = rf_value_double(amount);
    fields[FIELD_NATURAL] = rf_value_uint(id);
    fields[FIELD_FLAG] = rf_value_bool(payload.data[26] != 0);
    fields[FIELD_TEXT] =
        rf_value_string(rf_bytes_of(payload.data + HEADER_SIZE, payload.size - HEADER_SIZE));
    return true;
}

static const struct rf_decoder_ops decoder_ops = {.decode = decode};

void sim_decoder_init(struct sim_decoder *decoder)
{
    memset(decoder, 0, sizeof *decoder);
    for (size_t i = 0; i < SIM_SOURCES; i++)
        decoder->ports[i] = (struct rf_decoder){.ops = &decoder_ops, .self = decoder};
}

/* ---- derived events ---- */

static void write_value(struct rf_value value, struct rf_buffer *out)
{
    if (value.kind == RF_VALUE_INT)
        rf_buffer_printf(out, "%lld", (long long)value.as.integer);
    else if (value.kind == RF_VALUE_DOUBLE)
        rf_buffer_printf(out, "%a", value.as.number);
    else
        rf_buffer_printf(out, "kind %d", (int)value.kind);
}

void sim_derived_write(const struct rf_plan *plan, const struct rf_derived *derived,
                       struct rf_buffer *out)
{
    rf_buffer_printf(out, "%s|%s|%lld|%s-%d-%lld|", derived->id, plan->rules[derived->rule].name,
                     (long long)derived->occurred_at, derived->position.topic,
                     (int)derived->position.partition, (long long)derived->position.offset);
    rf_buffer_append(out, derived->customer.data, derived->customer.size);
    rf_buffer_append_byte(out, '|');
    rf_buffer_append(out, derived->because.data, derived->because.size);
    for (size_t i = 0; i < derived->reason_count; i++) {
        rf_buffer_printf(out, "|%s=", derived->reasons[i].name);
        write_value(derived->reasons[i].value, out);
    }
}
