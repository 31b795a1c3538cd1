#include "edge/formats/ocf_lzma.h"

#include <avro.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

struct rf_ocf_lzma {
    avro_file_reader_t reader;
    avro_schema_t schema;
    avro_value_iface_t *iface;
    avro_value_t value;
};

/* Within `open` records; bounded, as the parser bounds a schema's nesting. */
struct walk {
    const struct rf_schema *open[RF_SCHEMA_DEPTH_MAX];
    size_t depth;
};

static bool is_safe(struct walk *walk, const struct rf_schema *schema);

static bool is_empty(const struct rf_schema *schema)
{
    if (schema->kind == RF_SCHEMA_RECORD) {
        for (size_t i = 0; i < schema->count; i++) {
            if (!is_empty(schema->fields[i].type))
                return false;
        }
        return true;
    }
    return schema->kind == RF_SCHEMA_NULL ||
           (schema->kind == RF_SCHEMA_FIXED && schema->count == 0);
}

static bool are_parts_safe(struct walk *walk, const struct rf_schema *schema)
{
    if (schema->kind == RF_SCHEMA_ARRAY || schema->kind == RF_SCHEMA_MAP)
        return is_safe(walk, schema->element) && !is_empty(schema->element);
    for (size_t i = 0; schema->kind == RF_SCHEMA_RECORD && i < schema->count; i++) {
        if (!is_safe(walk, schema->fields[i].type))
            return false;
    }
    for (size_t i = 0; schema->kind == RF_SCHEMA_UNION && i < schema->count; i++) {
        if (!is_safe(walk, schema->branches[i]))
            return false;
    }
    return true;
}

static bool is_safe(struct walk *walk, const struct rf_schema *schema)
{
    bool safe = false;

    for (size_t i = 0; i < walk->depth; i++) {
        if (walk->open[i] == schema)
            return false;
    }
    if (walk->depth == RF_SCHEMA_DEPTH_MAX)
        return false;
    walk->open[walk->depth++] = schema;
    safe = are_parts_safe(walk, schema);
    walk->depth--;
    return safe;
}

bool rf_ocf_lzma_open(const char *path, const struct rf_schema *schema, struct rf_ocf_lzma **lzma,
                      struct rf_error *err)
{
    struct walk walk = {.depth = 0};
    struct rf_ocf_lzma *made = NULL;

    if (!is_safe(&walk, schema))
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "%s: with the codec lzma a record may not contain itself, nor an array "
                            "items without bytes",
                            path);
    made = calloc(1, sizeof *made);
    rf_assert(made != NULL);
    if (avro_file_reader(path, &made->reader) != 0) {
        free(made);
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "%s: %s", path, avro_strerror());
    }
    made->schema = avro_file_reader_get_writer_schema(made->reader);
    made->iface = avro_generic_class_from_schema(made->schema);
    rf_assert(made->iface != NULL);
    avro_generic_value_new(made->iface, &made->value);
    *lzma = made;
    return true;
}

void rf_ocf_lzma_close(struct rf_ocf_lzma *lzma)
{
    if (lzma == NULL)
        return;
    avro_value_decref(&lzma->value);
    avro_value_iface_decref(lzma->iface);
    avro_schema_decref(lzma->schema);
    avro_file_reader_close(lzma->reader);
    free(lzma);
}

static bool write_value(struct rf_ocf_lzma *lzma, struct rf_buffer *datum, struct rf_error *err)
{
    avro_writer_t writer = NULL;
    uint8_t *room = NULL;
    size_t size = 0;
    int failed = avro_value_sizeof(&lzma->value, &size);

    if (failed == 0)
        room = rf_buffer_reserve(datum, size + 1);
    if (room == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "a datum is too large");
    writer = avro_writer_memory((const char *)room, (int64_t)size);
    failed = avro_value_write(writer, &lzma->value);
    avro_writer_free(writer);
    if (failed != 0)
        return rf_error_set(err, RF_ERROR_RECORD, failed, "a datum cannot be written: %s",
                            avro_strerror());
    rf_buffer_advance(datum, size);
    return true;
}

bool rf_ocf_lzma_next(struct rf_ocf_lzma *lzma, struct rf_buffer *datum, bool *end,
                      struct rf_error *err)
{
    int result = 0;

    rf_buffer_clear(datum);
    avro_value_reset(&lzma->value);
    result = avro_file_reader_read_value(lzma->reader, &lzma->value);
    *end = result == EOF;
    if (*end)
        return true;
    if (result != 0)
        return rf_error_set(err, RF_ERROR_RECORD, result, "the file is damaged: %s",
                            avro_strerror());
    return write_value(lzma, datum, err);
}
