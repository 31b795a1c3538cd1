/* Events of a test: whose, when, and the payload.
 *
 * A test says `customer` and `at`; a source takes them from the fields of its events by expressions. Where such an
 * expression reads one field and the test does not write it, the field is given what makes the expression come out as the
 * test says, and whether it does is asked of the expression itself. So is the `id`, which is given a new one. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/codec/value_json.h"
#include "core/model/plan.h"
#include "core/model/schema.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/test_reader.h"
#include "edge/formats/json_decoder.h"

#define REPEAT_MAX  10000
#define ARENA_CHUNK 4096

enum {
    IMPLIED_CUSTOMER,
    IMPLIED_TIME,
    IMPLIED_ID
};

/* One entry of `given` or `when`. */
struct entry {
    const struct rf_yaml_node *node, *at, *customer_node;
    struct rf_bytes customer;
    rf_ms time;
    int64_t times;
    rf_span_ms every;
    struct rf_test_payload payload;
};

/* What the source makes of a payload. */
struct outcome {
    rf_ms time;
    struct rf_bytes customer;
};

/* ---- what is implied ---- */

/* The one field that an expression reads; false where it reads none, several, or the event as a whole. */
static bool find_path(const struct rf_source *source, const struct rf_expr *expr,
                      const struct rf_expr_read **read)
{
    size_t count = 0;
    const struct rf_expr_read *reads = NULL;

    if (expr == NULL)
        return false;
    reads = rf_expr_reads(expr, &count);
    *read = NULL;
    for (size_t i = 0; i < count; i++) {
        if (reads[i].variable != RF_VARIABLE_EVENT)
            continue;
        if (*read != NULL || reads[i].depth == 0 || reads[i].path[0] >= source->schema->count)
            return false;
        *read = &reads[i];
    }
    return *read != NULL;
}

/* The schema at the end of a path, without null; NULL where it cannot be told. */
static const struct rf_schema *schema_at(const struct rf_schema *schema,
                                         const struct rf_expr_read *read)
{
    for (uint32_t i = 0; i <= read->depth; i++) {
        const struct rf_schema *only = schema;

        if (schema->kind == RF_SCHEMA_UNION && schema->count == 2)
            only = schema->branches[schema->branches[0]->kind == RF_SCHEMA_NULL ? 1 : 0];
        if (i == read->depth)
            return only;
        if (only->kind != RF_SCHEMA_RECORD || read->path[i] >= only->count)
            return NULL;
        schema = only->fields[read->path[i]].type;
    }
    return NULL;
}

static const char *quoted(struct rf_test_file *file, struct rf_bytes text)
{
    struct rf_buffer out;
    const char *json = NULL;

    rf_buffer_init(&out, 8 * text.size + 8);
    rf_json_print_text(&out, text);
    json = (const char *)rf_arena_copy(file->arena, rf_buffer_bytes(&out)).data;
    rf_buffer_deinit(&out);
    return json;
}

static bool is_number(const struct rf_schema *schema)
{
    return schema->kind == RF_SCHEMA_INT || schema->kind == RF_SCHEMA_LONG ||
           schema->kind == RF_SCHEMA_FLOAT || schema->kind == RF_SCHEMA_DOUBLE;
}

/* Sets a field that is not written; `path` stays NULL where it is, or where there is none. */
static const struct rf_schema *imply(const struct entry *entry, const struct rf_expr *expr,
                                     struct rf_test_implied *implied)
{
    const struct rf_expr_read *read = NULL;

    *implied = (struct rf_test_implied){0};
    if (!find_path(entry->payload.source, expr, &read) ||
        rf_test_is_written(&entry->payload, read->path, read->depth))
        return NULL;
    implied->path = read->path;
    implied->depth = read->depth;
    return schema_at(entry->payload.source->schema, read);
}

static void imply_customer(struct rf_test_file *file, struct entry *entry)
{
    struct rf_test_implied *implied = &entry->payload.implied[IMPLIED_CUSTOMER];
    const struct rf_schema *schema = imply(entry, entry->payload.source->customer, implied);
    int64_t number = 0;

    if (schema == NULL)
        implied->path = NULL;
    else if (is_number(schema) && rf_int64_parse(entry->customer, &number))
        implied->json = (const char *)rf_arena_copy(file->arena, entry->customer).data;
    else
        implied->json = quoted(file, entry->customer);
}

static void imply_id(struct rf_test_file *file, struct entry *entry)
{
    struct rf_test_implied *implied = &entry->payload.implied[IMPLIED_ID];
    const struct rf_schema *schema = imply(entry, entry->payload.source->id, implied);

    if (schema == NULL)
        implied->path = NULL;
    else if (is_number(schema))
        implied->json = rf_arena_printf(file->arena, "%zu", file->event_count);
    else
        implied->json = rf_arena_printf(file->arena, "\"test-%zu\"", file->event_count);
}

/* A number that stands for an instant may be in milliseconds or in seconds: the source's expression tells. */
static unsigned count_ways(struct entry *entry)
{
    const struct rf_schema *schema =
        imply(entry, entry->payload.source->time, &entry->payload.implied[IMPLIED_TIME]);

    return schema != NULL && schema->logical == RF_LOGICAL_NONE && is_number(schema) ? 2 : 1;
}

static void imply_time(struct rf_test_file *file, struct entry *entry, unsigned way)
{
    struct rf_test_implied *implied = &entry->payload.implied[IMPLIED_TIME];
    const struct rf_schema *schema = imply(entry, entry->payload.source->time, implied);
    rf_ms number = way == 0 ? entry->time : rf_floor_div(entry->time, RF_SECOND_MS);
    char text[RF_TIME_TEXT_MAX];

    if (schema == NULL) {
        implied->path = NULL;
        return;
    }
    text[rf_time_format_ms(text, sizeof text, entry->time)] = '\0';
    if (schema->logical == RF_LOGICAL_DATE)
        text[strlen("2026-01-01")] = '\0';
    if (schema->logical != RF_LOGICAL_NONE || !is_number(schema))
        implied->json = rf_arena_printf(file->arena, "\"%s\"", text);
    else
        implied->json = rf_arena_printf(file->arena, "%lld", (long long)number);
}

/* ---- what comes out ---- */

static bool evaluate(const struct rf_expr *expr, struct rf_value *fields,
                     const struct rf_source *source, struct rf_arena *arena, struct rf_value *value,
                     struct rf_error *err)
{
    const struct rf_record record = {.type = source->event_type, .fields = fields};
    struct rf_value variables[RF_VARIABLE_FEATURE] = {[RF_VARIABLE_EVENT] =
                                                          rf_value_record(&record)};
    struct rf_expr_scratch scratch = {.arena = arena};

    return rf_expr_eval(expr, variables, &scratch, value, err);
}

/* As admission does it (core/task/admission.c): the kind, the source, the time, then the rest. */
static bool look(struct rf_test_file *file, const struct entry *entry, struct rf_arena *arena,
                 struct outcome *outcome, struct rf_error *err)
{
    const struct rf_source *source = entry->payload.source;
    struct rf_decoder decoder = rf_json_decoder_port(file->decoder);
    uint32_t index = (uint32_t)(source - file->plan->sources);
    struct rf_value *fields =
        rf_arena_alloc_zero(arena, source->event_type->field_count * sizeof *fields);
    struct rf_value value = rf_value_null();

    *outcome = (struct outcome){.time = entry->time, .customer = entry->customer};
    if (!decoder.ops->decode(decoder.self, index, rf_buffer_bytes(&file->payload), arena, fields,
                             err))
        return false;
    if (source->kind_field >= 0)
        fields[source->kind_field] = rf_value_string(rf_bytes_of_text(source->kind));
    if (source->source_field >= 0)
        fields[source->source_field] = rf_value_string(rf_bytes_of_text(source->name));
    if (source->time != NULL) {
        if (!evaluate(source->time, fields, source, arena, &value, err))
            return rf_error_wrap(err, "the source's time");
        if (value.kind == RF_VALUE_TIMESTAMP) /* null: a dead letter, in time */
            outcome->time = rf_value_to_ms(value);
    }
    if (source->time_field >= 0)
        fields[source->time_field] = rf_value_timestamp_ms(outcome->time);
    if (source->customer != NULL) {
        if (!evaluate(source->customer, fields, source, arena, &value, err))
            return rf_error_wrap(err, "the source's customer");
        if (value.kind == RF_VALUE_STRING)
            outcome->customer = value.as.text;
    }
    return true;
}

static void complain_time(struct rf_test_file *file, const struct entry *entry, rf_ms time)
{
    char text[RF_TIME_TEXT_MAX];

    text[rf_time_format_ms(text, sizeof text, time)] = '\0';
    rf_test_complain(file, entry->at != NULL ? entry->at : entry->node,
                     "write the fields that the source's `time` reads, and leave out `at`",
                     "by its fields the event of source '%s' is of %s", entry->payload.source->name,
                     text);
}

static void complain_customer(struct rf_test_file *file, const struct entry *entry,
                              struct rf_bytes customer)
{
    rf_test_complain(
        file, entry->customer_node != NULL ? entry->customer_node : entry->node,
        "write the fields that the source's `customer` reads, and leave out `customer`",
        "by its fields the event of source '%s' is customer %.*s's", entry->payload.source->name,
        (int)customer.size, (const char *)customer.data);
}

/* Does the event come out as the test says? What the test does not say is taken from the event. */
static bool agree(struct rf_test_file *file, struct entry *entry, const struct outcome *outcome)
{
    const struct rf_test_implied *implied = entry->payload.implied;

    if (entry->at == NULL && implied[IMPLIED_TIME].path == NULL)
        entry->time = outcome->time;
    if (entry->customer_node == NULL && implied[IMPLIED_CUSTOMER].path == NULL)
        entry->customer = rf_arena_copy(file->arena, outcome->customer);
    if (entry->time != outcome->time)
        complain_time(file, entry, outcome->time);
    else if (!rf_bytes_equal(outcome->customer, entry->customer))
        complain_customer(file, entry, outcome->customer);
    else
        return true;
    return false;
}

/* The payload, in file->payload, whose time and customer are the entry's. */
static bool settle_in(struct rf_test_file *file, struct entry *entry, struct rf_arena *arena)
{
    unsigned ways = count_ways(entry);
    struct outcome outcome = {0};

    for (unsigned way = 0; way < ways; way++) {
        bool last = way + 1 == ways;
        struct rf_error err = {0};

        imply_time(file, entry, way);
        if (!rf_test_write_payload(file, &entry->payload))
            return false;
        if (!look(file, entry, arena, &outcome, &err)) {
            if (!last)
                continue;
            rf_test_complain(file,
                             entry->payload.fields != NULL ? entry->payload.fields : entry->node,
                             NULL, "the event cannot be read: %s", err.message);
            return false;
        }
        if (last || outcome.time == entry->time)
            return agree(file, entry, &outcome);
    }
    return false;
}

static bool settle(struct rf_test_file *file, struct entry *entry)
{
    struct rf_arena arena;
    bool ok = false;

    rf_arena_init(&arena, ARENA_CHUNK);
    imply_customer(file, entry);
    imply_id(file, entry);
    ok = settle_in(file, entry, &arena);
    rf_arena_deinit(&arena);
    return ok;
}

/* ---- the list ---- */

static bool find_source(struct rf_test_file *file, const struct rf_yaml_node *source,
                        const struct rf_yaml_node *kind, const struct rf_yaml_node *node,
                        size_t *index)
{
    const struct rf_plan *plan = file->plan;
    const char *names[RF_SOURCES_MAX];
    size_t found = plan->source_count;

    for (size_t i = 0; i < plan->source_count; i++)
        names[i] = source != NULL ? plan->sources[i].name : plan->sources[i].kind;
    if (source == NULL && kind == NULL) {
        *index = 0;
        if (plan->source_count == 1)
            return true;
        rf_test_complain(file, node, "{ source: SOURCE, at: +1d, fields: { FIELD: VALUE } }",
                         "of which source is the event?");
        return false;
    }
    if (!rf_test_find(file, source != NULL ? source : kind, source != NULL ? "source" : "kind",
                      names, plan->source_count, index))
        return false;
    for (size_t i = *index + 1; source == NULL && i < plan->source_count; i++)
        found = strcmp(names[i], names[*index]) == 0 ? i : found;
    if (found == plan->source_count)
        return true;
    rf_test_complain(file, kind, "source: SOURCE says which one",
                     "sources '%s' and '%s' are of kind '%s'", plan->sources[*index].name,
                     plan->sources[found].name, names[*index]);
    return false;
}

static bool read_repeat(struct rf_test_file *file, struct entry *entry,
                        const struct rf_yaml_node *times, const struct rf_yaml_node *every)
{
    entry->times = 1;
    if (times != NULL &&
        (times->kind != RF_YAML_SCALAR || !rf_int64_parse(times->text, &entry->times) ||
         entry->times < 1 || entry->times > REPEAT_MAX)) {
        rf_test_complain(file, times, NULL, "'times' is a number from 1 to %d", REPEAT_MAX);
        return false;
    }
    if (every == NULL)
        return true;
    if (every->kind != RF_YAML_SCALAR || !rf_span_parse(every->text, &entry->every)) {
        rf_test_complain(file, every, "every: 1h", "'every' is a length of time such as 90s or 7d");
        return false;
    }
    if (times == NULL) {
        rf_test_complain(file, every, "times: 3, every: 1h", "'every' goes with 'times'");
        return false;
    }
    return true;
}

static bool read_entry(struct rf_test_file *file, const struct rf_yaml_node *node,
                       struct entry *entry)
{
    static const char *const names[] = {"source", "kind",  "customer", "at",
                                        "times",  "every", "fields",   NULL};
    const struct rf_yaml_node *values[7];
    const char *customer = NULL;
    size_t source = 0;

    *entry = (struct entry){.node = node, .customer = file->customer, .time = file->clock};
    if (!rf_test_members(file, node, "an event", names, values) ||
        !find_source(file, values[0], values[1], node, &source) ||
        !read_repeat(file, entry, values[4], values[5]))
        return false;
    entry->at = values[3];
    entry->customer_node = values[2];
    if (values[2] != NULL) {
        customer = rf_test_text(file, values[2], "'customer'");
        if (customer == NULL)
            return false;
        entry->customer = rf_bytes_of_text(customer);
    }
    if (values[3] != NULL && !rf_test_time(file, values[3], file->clock, &entry->time))
        return false;
    entry->payload.source = &file->plan->sources[source];
    entry->payload.event = node;
    entry->payload.fields = values[6];
    entry->payload.defaults = file->defaults[source];
    return true;
}

static bool add_event(struct rf_test_file *file, struct entry *entry, struct rf_test_list *events)
{
    const struct rf_source *source = entry->payload.source;
    struct rf_test_event *event = NULL;

    if (++file->event_count > RF_TEST_EVENTS_MAX) {
        rf_test_complain(file, entry->node, NULL, "a test has %d events at most",
                         RF_TEST_EVENTS_MAX);
        return false;
    }
    entry->payload.time = entry->time;
    if (!settle(file, entry))
        return false;
    event = rf_test_list_add(file, events, sizeof *event);
    *event = (struct rf_test_event){
        .line = rf_test_line(file, entry->node),
        .source = (uint32_t)(source - file->plan->sources),
        .time = entry->time,
        .broker_time = source->time == NULL ? entry->time : RF_MS_MIN,
        .payload = rf_arena_copy(file->arena, rf_buffer_bytes(&file->payload)),
    };
    if (source->customer == NULL)
        event->key = entry->customer;
    if (entry->time > file->clock)
        file->clock = entry->time;
    return true;
}

static bool add_entry(struct rf_test_file *file, const struct rf_yaml_node *node,
                      struct rf_test_list *events)
{
    struct entry entry;
    rf_ms first = 0;

    if (!read_entry(file, node, &entry))
        return false;
    first = entry.time;
    for (int64_t i = 0; i < entry.times; i++) {
        if (entry.every > 0 && i > (RF_MS_MAX - first) / entry.every) {
            rf_test_complain(file, node, NULL, "the event repeats beyond the year 9999");
            return false;
        }
        entry.time = first + i * entry.every;
        if (!add_event(file, &entry, events))
            return false;
    }
    return true;
}

bool rf_test_read_events(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_step *step)
{
    struct rf_test_list events = {0};
    bool ok = true;

    if (node->kind == RF_YAML_LIST) {
        for (size_t i = 0; i < node->count; i++)
            ok = add_entry(file, node->items[i], &events) && ok;
    } else {
        ok = add_entry(file, node, &events);
    }
    step->event_count = events.count;
    step->events = events.items;
    return ok;
}
