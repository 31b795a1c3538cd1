/* What the tests of the Avro code share: schemas from text, bodies from hexadecimal digits, values as JSON. */
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/avro_encode.h"
#include "core/codec/avro_program.h"
#include "core/codec/value_json.h"
#include "edge/formats/avro_schema.h"

static inline const struct rf_schema *schema_of(struct rf_arena *arena, const char *text)
{
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    ck_assert_msg(rf_avro_schema_parse(arena, rf_bytes_of_text(text), NULL, 0, &schema, &err),
                  "%s: %s", err.message, text);
    return schema;
}

/* "02 61" to the two bytes. */
static inline struct rf_bytes bytes_of(struct rf_arena *arena, const char *hex)
{
    uint8_t *room = rf_arena_alloc_bytes(arena, strlen(hex));
    size_t size = 0;

    for (const char *at = hex; *at != '\0';) {
        char digits[3] = {at[0], at[1], '\0'};

        if (*at == ' ') {
            at++;
            continue;
        }
        room[size++] = (uint8_t)strtoul(digits, NULL, 16);
        at += 2;
    }
    return rf_bytes_of(room, size);
}

/* The wanted fields of a decoded record, as JSON: {"a":1}. */
static inline const char *json_of(struct rf_arena *arena, const struct rf_schema *reader,
                                  const bool *used, const struct rf_value *fields)
{
    struct rf_buffer text;
    const char *copy = NULL;
    const char *comma = "";

    rf_buffer_init(&text, 1U << 24);
    rf_buffer_append_byte(&text, '{');
    for (size_t i = 0; i < reader->count; i++) {
        if (used != NULL && !used[i])
            continue;
        rf_buffer_printf(&text, "%s\"%s\":", comma, reader->fields[i].name);
        rf_value_print_json(&text, fields[i]);
        comma = ",";
    }
    rf_buffer_append_byte(&text, '}');
    copy = (const char *)rf_arena_copy(arena, rf_buffer_bytes(&text)).data;
    rf_buffer_deinit(&text);
    return copy;
}

/* What a reader gets of what a writer wrote: JSON, or "error: message". */
static inline const char *read_as(struct rf_arena *arena, const char *writer_text,
                                  const char *reader_text, struct rf_bytes body)
{
    const struct rf_schema *writer = schema_of(arena, writer_text);
    const struct rf_schema *reader = schema_of(arena, reader_text);
    struct rf_value *fields = rf_arena_alloc_zero(arena, reader->count * sizeof *fields + 1);
    const struct rf_avro_program *program = NULL;
    struct rf_error err = {0};

    if (!rf_avro_compile(arena, writer, reader, NULL, NULL, &program, &err) ||
        !rf_avro_decode(program, body, arena, fields, &err)) {
        ck_assert_int_eq(err.kind, RF_ERROR_RECORD);
        return rf_arena_printf(arena, "error: %s", err.message);
    }
    return json_of(arena, reader, NULL, fields);
}
