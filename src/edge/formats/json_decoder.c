#include "edge/formats/json_decoder.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"
#include "core/model/source.h"
#include "edge/formats/json_value.h"

#define ARENA_CHUNK 4096
#define STEPS_MAX   200000 /* values of one payload */

struct rf_json_decoder {
    const struct rf_plan *plan;
    struct rf_arena types_arena; /* types of nested records */
    struct rf_buffer types;
};

struct rf_json_decoder *rf_json_decoder_open(const struct rf_plan *plan)
{
    struct rf_json_decoder *decoder = calloc(1, sizeof *decoder);

    rf_assert(decoder != NULL);
    decoder->plan = plan;
    rf_arena_init(&decoder->types_arena, ARENA_CHUNK);
    rf_buffer_init(&decoder->types, SIZE_MAX / 4);
    return decoder;
}

void rf_json_decoder_close(struct rf_json_decoder *decoder)
{
    if (decoder == NULL)
        return;
    rf_buffer_deinit(&decoder->types);
    rf_arena_deinit(&decoder->types_arena);
    free(decoder);
}

static bool read_fields(struct rf_json_decoder *decoder, const struct rf_source *source,
                        json_t *json, struct rf_arena *arena, struct rf_value *fields,
                        struct rf_error *err)
{
    const struct rf_schema *schema = source->schema;
    struct rf_json_reading reading = {
        .arena = arena,
        .types_arena = &decoder->types_arena,
        .types = &decoder->types,
        .depth_left = RF_SCHEMA_DEPTH_MAX,
        .steps_left = STEPS_MAX,
    };

    if (!json_is_object(json))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the payload is no JSON object");
    for (size_t i = 0; i < schema->count; i++) {
        if (source->fields_used != NULL && !source->fields_used[i])
            continue;
        if (!rf_json_field(&reading, &schema->fields[i], json, &fields[i], err))
            return false;
    }
    return true;
}

static bool decode(void *self, uint32_t source, struct rf_bytes payload, struct rf_arena *arena,
                   struct rf_value *fields, struct rf_error *err)
{
    struct rf_json_decoder *decoder = self;
    json_error_t error = {0};
    json_t *json = NULL;
    bool ok = false;

    rf_assert(source < decoder->plan->source_count);
    if (payload.data == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the message has no value");
    if (payload.size > decoder->plan->event_bytes_max)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "a payload of %zu bytes is larger than the limit of %zu", payload.size,
                            decoder->plan->event_bytes_max);
    json = json_loadb((const char *)payload.data, payload.size,
                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "JSON, line %d, column %d: %s", error.line,
                            error.column, error.text);
    ok = read_fields(decoder, &decoder->plan->sources[source], json, arena, fields, err);
    json_decref(json);
    return ok;
}

static const struct rf_decoder_ops ops = {.decode = decode};

struct rf_decoder rf_json_decoder_port(struct rf_json_decoder *decoder)
{
    return (struct rf_decoder){.ops = &ops, .self = decoder};
}
