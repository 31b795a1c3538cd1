/* Reads cases from standard input and writes what the decode program makes of each: the subject of
 * differential.py. A case is a line {"writer": schema, "reader": schema, "body": "hex"}; the answer is the record
 * as a line of JSON, or {"!": "message"}. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/avro_program.h"
#include "core/codec/value_json.h"
#include "edge/formats/avro_schema.h"

static const struct rf_schema *schema_of(struct rf_arena *arena, json_t *json, struct rf_error *err)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    const struct rf_schema *schema = NULL;
    bool ok = rf_avro_schema_parse(arena, rf_bytes_of_text(text), NULL, 0, &schema, err);

    free(text);
    return ok ? schema : NULL;
}

static struct rf_bytes bytes_of(struct rf_arena *arena, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *room = rf_arena_alloc_bytes(arena, size);

    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        room[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return rf_bytes_of(room, size);
}

static bool answer(struct rf_arena *arena, json_t *json, struct rf_buffer *out,
                   struct rf_error *err)
{
    const struct rf_schema *writer = schema_of(arena, json_object_get(json, "writer"), err);
    const struct rf_schema *reader = NULL;
    const struct rf_avro_program *program = NULL;
    struct rf_value *fields = NULL;
    struct rf_record record = {0};

    if (writer == NULL)
        return false;
    reader = schema_of(arena, json_object_get(json, "reader"), err);
    if (reader == NULL || !rf_avro_compile(arena, writer, reader, NULL, NULL, &program, err))
        return false;
    fields = rf_arena_alloc(arena, reader->count * sizeof *fields);
    if (!rf_avro_decode(program, bytes_of(arena, json_string_value(json_object_get(json, "body"))),
                        arena, fields, err))
        return false;
    record.type = rf_schema_type(arena, reader)->record;
    record.fields = fields;
    rf_value_print_json(out, rf_value_record(&record));
    return true;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    struct rf_arena arena;
    struct rf_buffer out;

    rf_arena_init(&arena, 1U << 16);
    rf_buffer_init(&out, 1U << 26);
    while (getline(&line, &capacity, stdin) > 0) {
        json_error_t error;
        json_t *json = json_loads(line, 0, &error);
        struct rf_error err = {0};

        if (json == NULL) {
            fprintf(stderr, "a case is no JSON: %s\n", error.text);
            return EXIT_FAILURE;
        }
        rf_arena_reset(&arena, 1U << 20);
        rf_buffer_clear(&out);
        if (!answer(&arena, json, &out, &err)) {
            rf_buffer_clear(&out);
            rf_buffer_append_text(&out, "{\"!\":");
            rf_json_print_text(&out, rf_bytes_of_text(err.message));
            rf_buffer_append_byte(&out, '}');
        }
        printf("%.*s\n", (int)out.size, (const char *)out.data);
        json_decref(json);
    }
    free(line);
    rf_buffer_deinit(&out);
    rf_arena_deinit(&arena);
    return EXIT_SUCCESS;
}
