#include "edge/formats/csv.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/source.h"
#include "edge/formats/text_value.h"

#define ARENA_CHUNK 4096
#define NO_COLUMN   SIZE_MAX

struct binding {
    size_t column_count; /* 0: not bound */
    char separator;
    size_t *columns;    /* by field of the schema */
    const char **names; /* by column */
};

struct rf_csv_decoder {
    const struct rf_plan *plan;
    struct rf_arena arena;    /* the bindings */
    struct binding *bindings; /* owned; by source */
    struct rf_bytes *cells;   /* owned; of the row at hand */
};

/* A cell in quotes: from behind the first one. Returns where it got to, NULL where the last one is missing. */
static const uint8_t *split_quoted(const uint8_t *at, const uint8_t *end, struct rf_arena *arena,
                                   struct rf_bytes *cell)
{
    uint8_t *room = rf_arena_alloc_bytes(arena, (size_t)(end - at));
    size_t size = 0;

    for (; at < end; at++) {
        if (*at == '"') {
            at++;
            if (at == end || *at != '"') {
                *cell = rf_bytes_of(room, size);
                return at;
            }
        }
        room[size++] = *at;
    }
    return NULL;
}

static const uint8_t *split_plain(const uint8_t *at, const uint8_t *end, char separator,
                                  struct rf_bytes *cell)
{
    const uint8_t *next = memchr(at, separator, (size_t)(end - at));

    if (next == NULL)
        next = end;
    *cell = rf_bytes_of(at, (size_t)(next - at));
    return next;
}

bool rf_csv_split(struct rf_bytes row, char separator, struct rf_arena *arena,
                  struct rf_bytes *cells, size_t cell_max, size_t *cell_count, struct rf_error *err)
{
    const uint8_t *at = row.data;
    const uint8_t *end = at + row.size;
    size_t count = 0;

    rf_assert(row.size > 0);
    for (;;) {
        if (count == cell_max)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "the row has more than %zu columns",
                                cell_max);
        at = at < end && *at == '"' ? split_quoted(at + 1, end, arena, &cells[count])
                                    : split_plain(at, end, separator, &cells[count]);
        count++;
        if (at == NULL)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "column %zu: its quote is not closed",
                                count);
        if (at == end)
            break;
        if (*at != (uint8_t)separator)
            return rf_error_set(err, RF_ERROR_RECORD, 0,
                                "column %zu: text follows the closing quote", count);
        at++;
    }
    *cell_count = count;
    return true;
}

struct rf_csv_decoder *rf_csv_decoder_open(const struct rf_plan *plan)
{
    struct rf_csv_decoder *decoder = calloc(1, sizeof *decoder);

    rf_assert(decoder != NULL);
    decoder->plan = plan;
    rf_arena_init(&decoder->arena, ARENA_CHUNK);
    decoder->bindings = calloc(plan->source_count + 1, sizeof *decoder->bindings);
    decoder->cells = calloc(RF_CSV_COLUMNS_MAX, sizeof *decoder->cells);
    rf_assert(decoder->bindings != NULL);
    rf_assert(decoder->cells != NULL);
    return decoder;
}

void rf_csv_decoder_close(struct rf_csv_decoder *decoder)
{
    if (decoder == NULL)
        return;
    rf_arena_deinit(&decoder->arena);
    free(decoder->bindings);
    free(decoder->cells);
    free(decoder);
}

static size_t find_column(const struct rf_bytes *cells, size_t count,
                          const struct rf_schema_field *field)
{
    for (size_t i = 0; i < count; i++) {
        if (rf_bytes_equal(cells[i], rf_bytes_of_text(field->name)))
            return i;
    }
    for (size_t i = 0; i < field->alias_count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (rf_bytes_equal(cells[j], rf_bytes_of_text(field->aliases[i])))
                return j;
        }
    }
    return NO_COLUMN;
}

static bool bind_fields(struct rf_csv_decoder *decoder, const struct rf_source *source,
                        size_t count, size_t *columns, struct rf_error *err)
{
    for (size_t i = 0; i < source->schema->count; i++) {
        const struct rf_schema_field *field = &source->schema->fields[i];
        bool is_used = source->fields_used == NULL || source->fields_used[i];

        columns[i] = find_column(decoder->cells, count, field);
        if (is_used && columns[i] == NO_COLUMN && !field->has_default)
            return rf_error_set(err, RF_ERROR_CONFIG, 0,
                                "there is no column %s, and the field has no default", field->name);
    }
    return true;
}

bool rf_csv_decoder_bind(struct rf_csv_decoder *decoder, uint32_t source, struct rf_bytes header,
                         char separator, struct rf_error *err)
{
    const struct rf_schema *schema = decoder->plan->sources[source].schema;
    size_t *columns = rf_arena_alloc(&decoder->arena, schema->count * sizeof *columns);
    const char **names = NULL;
    size_t count = 0;

    rf_assert(source < decoder->plan->source_count);
    if (!rf_csv_split(header, separator, &decoder->arena, decoder->cells, RF_CSV_COLUMNS_MAX,
                      &count, err)) {
        err->kind = RF_ERROR_CONFIG;
        return rf_error_wrap(err, "the header row");
    }
    if (!bind_fields(decoder, &decoder->plan->sources[source], count, columns, err))
        return false;
    names = rf_arena_alloc(&decoder->arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = (const char *)rf_arena_copy(&decoder->arena, decoder->cells[i]).data;
    decoder->bindings[source] = (struct binding){
        .column_count = count, .separator = separator, .columns = columns, .names = names};
    return true;
}

static bool read_field(const struct rf_csv_decoder *decoder, const struct binding *binding,
                       const struct rf_schema_field *field, size_t column, struct rf_value *value,
                       struct rf_error *err)
{
    bool is_empty = column == NO_COLUMN || decoder->cells[column].size == 0;

    /* an empty cell is null or an empty text where the type has one of them, the default otherwise */
    if (column == NO_COLUMN) {
        *value = field->default_value;
        return true;
    }
    if (rf_text_value(field->type, decoder->cells[column], value, err))
        return true;
    if (is_empty && field->has_default) {
        rf_error_clear(err);
        *value = field->default_value;
        return true;
    }
    return rf_error_wrap(err, "column %zu (%s)", column + 1, binding->names[column]);
}

static bool decode(void *self, uint32_t source_index, struct rf_bytes payload,
                   struct rf_arena *arena, struct rf_value *fields, struct rf_error *err)
{
    struct rf_csv_decoder *decoder = self;
    const struct rf_source *source = &decoder->plan->sources[source_index];
    const struct binding *binding = &decoder->bindings[source_index];
    size_t count = 0;

    rf_assert(source_index < decoder->plan->source_count);
    rf_assert(binding->column_count > 0);
    if (payload.size == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the row is empty");
    if (!rf_csv_split(payload, binding->separator, arena, decoder->cells, RF_CSV_COLUMNS_MAX,
                      &count, err))
        return false;
    if (count != binding->column_count)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the row has %zu columns, the header %zu",
                            count, binding->column_count);
    for (size_t i = 0; i < source->schema->count; i++) {
        if (source->fields_used != NULL && !source->fields_used[i])
            continue;
        if (!read_field(decoder, binding, &source->schema->fields[i], binding->columns[i],
                        &fields[i], err))
            return false;
    }
    return true;
}

static const struct rf_decoder_ops ops = {.decode = decode};

struct rf_decoder rf_csv_decoder_port(struct rf_csv_decoder *decoder)
{
    return (struct rf_decoder){.ops = &ops, .self = decoder};
}
