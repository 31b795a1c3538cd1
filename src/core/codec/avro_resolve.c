#include "core/codec/avro_resolve.h"

#include <string.h>

#include "core/base/assert.h"

static const char *unqualified(const char *name)
{
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(name, '.'))
        name = dot + 1;
    return name;
}

static enum rf_avro_match match_names(const struct rf_schema *writer,
                                      const struct rf_schema *reader)
{
    const char *last = unqualified(writer->name);

    if (strcmp(writer->name, reader->name) == 0)
        return RF_AVRO_MATCH_EXACT;
    if (strcmp(last, unqualified(reader->name)) == 0)
        return RF_AVRO_MATCH_NAME;
    for (size_t i = 0; i < reader->alias_count; i++) {
        if (strcmp(last, unqualified(reader->aliases[i])) == 0)
            return RF_AVRO_MATCH_NAME;
    }
    return RF_AVRO_MATCH_NONE;
}

static bool is_promoted(enum rf_schema_kind writer, enum rf_schema_kind reader)
{
    if (writer >= RF_SCHEMA_INT && writer <= RF_SCHEMA_FLOAT)
        return reader > writer && reader <= RF_SCHEMA_DOUBLE;
    return (writer == RF_SCHEMA_STRING && reader == RF_SCHEMA_BYTES) ||
           (writer == RF_SCHEMA_BYTES && reader == RF_SCHEMA_STRING);
}

enum rf_avro_match rf_avro_match(const struct rf_schema *writer, const struct rf_schema *reader)
{
    rf_assert(writer->kind != RF_SCHEMA_UNION);
    rf_assert(reader->kind != RF_SCHEMA_UNION);
    if (writer->kind != reader->kind)
        return is_promoted(writer->kind, reader->kind) ? RF_AVRO_MATCH_PROMOTED
                                                       : RF_AVRO_MATCH_NONE;
    if (writer->kind == RF_SCHEMA_FIXED && writer->count != reader->count)
        return RF_AVRO_MATCH_NONE;
    if (writer->name != NULL)
        return match_names(writer, reader);
    return RF_AVRO_MATCH_EXACT;
}

const struct rf_schema *rf_avro_find_branch(const struct rf_schema *reader,
                                            const struct rf_schema *writer)
{
    const struct rf_schema *best = NULL;
    enum rf_avro_match best_match = RF_AVRO_MATCH_NONE;

    rf_assert(reader->kind == RF_SCHEMA_UNION);
    for (size_t i = 0; i < reader->count; i++) {
        enum rf_avro_match match = rf_avro_match(writer, reader->branches[i]);

        if (match > best_match) {
            best = reader->branches[i];
            best_match = match;
        }
    }
    return best;
}

static int32_t find_field(const struct rf_schema *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->fields[i].name, name) == 0)
            return (int32_t)i;
    }
    return -1;
}

static bool is_taken(const int32_t *sources, size_t count, int32_t source)
{
    for (size_t i = 0; i < count; i++) {
        if (sources[i] == source)
            return true;
    }
    return false;
}

void rf_avro_match_fields(const struct rf_schema *writer, const struct rf_schema *reader,
                          int32_t *sources)
{
    for (size_t i = 0; i < reader->count; i++)
        sources[i] = find_field(writer, reader->fields[i].name);
    for (size_t i = 0; i < reader->count; i++) {
        const struct rf_schema_field *field = &reader->fields[i];

        for (size_t j = 0; j < field->alias_count && sources[i] < 0; j++) {
            int32_t source = find_field(writer, field->aliases[j]);

            if (source >= 0 && !is_taken(sources, reader->count, source))
                sources[i] = source;
        }
    }
}
