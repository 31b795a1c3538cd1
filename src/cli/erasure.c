#include "cli/erasure.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/runtime.h"
#include "core/base/assert.h"
#include "core/codec/avro_decoder.h"
#include "core/codec/avro_encode.h"
#include "core/codec/decoders.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/variables.h"
#include "core/task/admission.h"
#include "edge/formats/json_decoder.h"
#include "edge/sys/clock.h"

#define ARENA_CHUNK (16U * 1024)

bool rf_erasure_source(const struct rf_config *config, const struct rf_source **source,
                       struct rf_error *err)
{
    for (size_t i = 0; i < config->plan->source_count; i++) {
        if (config->plan->sources[i].role == RF_ROLE_ERASE) {
            *source = &config->plan->sources[i];
            return true;
        }
    }
    return rf_error_set(
        err, RF_ERROR_CONFIG, 0,
        "%s has no source for erasures; write under sources, for example, 'erasures:"
        " { topic: %s.erasures, format: json, schema: erasure.avsc, kind: erase }'"
        " (schemas/erasure.avsc is such a schema), create the topic with 'topics"
        " create', and restart the instances",
        config->file, config->plan->app);
}

/* ---- fields ---- */

struct making {
    const struct rf_source *source;
    struct rf_arena *arena;
    struct rf_bytes customer;
    rf_ms now;
    struct rf_value *fields; /* of the source's event_type: the schema's come first */
    bool *is_set;
};

/* The field that an expression is, as in `event.customer_id`; the schema's count where it is none. */
static size_t field_of(const struct rf_source *source, const struct rf_expr *expr)
{
    size_t count = 0;
    const struct rf_expr_read *reads = expr == NULL ? NULL : rf_expr_reads(expr, &count);

    for (size_t i = 0; i < count; i++) {
        if (reads[i].variable == RF_VARIABLE_EVENT && reads[i].depth == 1 &&
            reads[i].path[0] < source->schema->count)
            return reads[i].path[0];
    }
    return source->schema->count;
}

static void set(struct making *making, size_t field, struct rf_value value)
{
    if (field == making->source->schema->count)
        return;
    making->fields[field] = value;
    making->is_set[field] = true;
}

/* The instant in the form of the field: a number is taken for milliseconds. */
static struct rf_value instant(const struct rf_type *type, rf_ms now)
{
    return type->kind == RF_TYPE_INT ? rf_value_int(now) : rf_value_timestamp_ms(now);
}

/* What nobody asked for has its default, is null, says when it was made or names it. */
static bool fill(struct making *making, size_t field, struct rf_error *err)
{
    const struct rf_schema_field *wanted = &making->source->schema->fields[field];
    const struct rf_type *type = making->source->event_type->fields[field].type;

    if (making->is_set[field])
        return true;
    if (wanted->has_default)
        set(making, field, wanted->default_value);
    else if (type->nullable)
        set(making, field, rf_value_null());
    else if (type->kind == RF_TYPE_TIMESTAMP)
        set(making, field, rf_value_timestamp_ms(making->now));
    else if (type->kind == RF_TYPE_STRING && wanted->type->kind == RF_SCHEMA_STRING)
        set(making, field,
            rf_value_string(rf_bytes_of_text(rf_arena_printf(
                making->arena, "ringfold-%" PRId64 "-%ld", making->now, (long)getpid()))));
    else
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "the schema of source %s wants a field %s without a default, which only"
                            " you can fill: write the event to %s yourself",
                            making->source->name, wanted->name, making->source->topic);
    return true;
}

static bool fill_all(struct making *making, struct rf_error *err)
{
    const struct rf_source *source = making->source;
    size_t time = field_of(source, source->time);

    set(making, field_of(source, source->customer), rf_value_string(making->customer));
    if (time < source->schema->count)
        set(making, time, instant(source->event_type->fields[time].type, making->now));
    for (size_t i = 0; i < source->schema->count; i++) {
        if (!fill(making, i, err))
            return false;
    }
    return true;
}

/* ---- bytes ---- */

static void encode_json(const struct making *making, struct rf_buffer *value)
{
    const struct rf_record_type type = {.name = "event",
                                        .field_count = making->source->schema->count,
                                        .fields = making->source->event_type->fields};
    const struct rf_record record = {.type = &type, .fields = making->fields};

    rf_value_print_json(value, rf_value_record(&record));
}

static bool find_id(const struct rf_config *config, const struct rf_source *source,
                    struct rf_registry *registry, struct rf_arena *arena, uint32_t *id,
                    struct rf_error *err)
{
    const char *subject = rf_arena_printf(arena, "%s-value", source->topic);
    struct rf_bytes text = rf_bytes_of_text(source->schema_text);
    bool found = false;

    if (config->registry.auto_register)
        return rf_registry_register(registry, subject, text, id, err);
    return rf_registry_look_up(registry, subject, text, id, &found, err) &&
           (found || rf_error_set(err, RF_ERROR_CONFIG, 0,
                                  "the registry does not have the schema of source %s under %s, and"
                                  " auto_register is off: register it first",
                                  source->name, subject));
}

static bool encode(const struct rf_config *config, struct making *making,
                   struct rf_registry *registry, struct rf_buffer *value, struct rf_error *err)
{
    const struct rf_source *source = making->source;
    struct rf_wire wire = {.format = source->format};

    if (source->format == RF_FORMAT_JSON) {
        encode_json(making, value);
        return true;
    }
    if (source->format == RF_FORMAT_AVRO &&
        !find_id(config, source, registry, making->arena, &wire.id, err))
        return false;
    wire.fingerprint = rf_schema_fingerprint(source->schema);
    if (source->format != RF_FORMAT_AVRO_RAW)
        rf_wire_write(value, &wire);
    return rf_avro_encode(source->schema, making->fields, value, err);
}

/* ---- the proof ---- */

/* One decoding, with a schema of the registry waited for. */
static bool decode(const struct rf_plan *plan, struct rf_registry *registry, uint32_t source,
                   struct rf_bytes value, struct rf_arena *arena, struct rf_value *fields,
                   struct rf_error *err)
{
    struct rf_schemas schemas = rf_registry_schemas(registry);
    struct rf_avro_decoder *avro = rf_avro_decoder_open(plan, &schemas);
    struct rf_json_decoder *json = rf_json_decoder_open(plan);
    struct rf_decoder ports[RF_SOURCES_MAX];
    bool ok = false;

    rf_decoders_assign(plan, rf_avro_decoder_port(avro), rf_json_decoder_port(json), ports);
    for (int tries = 0; !ok && tries < 100; tries++) {
        rf_error_clear(err);
        ok = ports[source].ops->decode(ports[source].self, source, value, arena, fields, err);
        if (!ok && err->kind != RF_ERROR_RETRY)
            break;
        if (!ok)
            rf_clock_sleep_ms(50);
    }
    rf_avro_decoder_close(avro);
    rf_json_decoder_close(json);
    return ok;
}

/* Read as `run` will read it: does it erase this customer? */
static bool prove(const struct rf_plan *plan, const struct making *making,
                  struct rf_registry *registry, struct rf_bytes value, struct rf_error *err)
{
    const struct rf_source *source = making->source;
    struct rf_input input = {
        .source = (uint32_t)(source - plan->sources),
        .position = {.topic = source->topic},
        .broker_time = making->now,
        .key = making->customer,
        .value = value,
    };
    struct rf_value *fields =
        rf_arena_alloc_zero(making->arena, source->event_type->field_count * sizeof *fields);
    struct rf_event event = {0};
    enum rf_admission admission = RF_FILTERED;

    if (!decode(plan, registry, input.source, value, making->arena, fields, err) ||
        !rf_admit(plan, &input, fields, making->arena, &event, &admission, err))
        return rf_error_wrap(err, "the event that was made for source %s", source->name);
    if (admission == RF_ERASES && rf_bytes_equal(event.customer, making->customer))
        return true;
    return rf_error_set(
        err, RF_ERROR_CONFIG, 0,
        "no event can be made up for source %s that erases this customer: its '%s' is"
        " more than a field; write the event to %s yourself",
        source->name, admission == RF_ERASES ? "customer" : "where", source->topic);
}

bool rf_erasure_make(const struct rf_config *config, const struct rf_source *source,
                     struct rf_bytes customer, rf_ms now, struct rf_buffer *value,
                     struct rf_error *err)
{
    struct rf_registry *registry = rf_runtime_registry_open(config, NULL, NULL, err);
    struct rf_arena arena;
    struct making making = {.source = source, .arena = &arena, .customer = customer, .now = now};
    size_t count = source->event_type->field_count;
    size_t start = value->size;
    bool ok = registry != NULL;

    rf_arena_init(&arena, ARENA_CHUNK);
    making.fields = rf_arena_alloc_zero(&arena, count * sizeof *making.fields);
    making.is_set = rf_arena_alloc_zero(&arena, count * sizeof *making.is_set);
    if (ok && source->format == RF_FORMAT_AVRO_OBJECT)
        ok = rf_registry_add(registry, rf_bytes_of_text(source->schema_text), err);
    ok = ok && fill_all(&making, err) && encode(config, &making, registry, value, err) &&
         prove(config->plan, &making, registry,
               rf_bytes_of(value->data + start, value->size - start), err);
    rf_arena_deinit(&arena);
    if (registry != NULL)
        rf_registry_close(registry);
    return ok;
}
