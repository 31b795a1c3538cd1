#include "core/task/layouts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/format.h"

#define LAYOUTS_MAX                                                                                \
    256 /* schemas one store can hold records of; each is a change of the features */
#define ARENA_CHUNK 4096

struct known_layout {
    struct rf_wire wire;
    const struct rf_customer_layout *layout;
};

struct rf_layouts {
    struct rf_arena arena;
    struct rf_layouts_options options;
    size_t count;
    struct known_layout known[LAYOUTS_MAX]; /* the own one first */
};

static bool wires_are_equal(const struct rf_wire *a, const struct rf_wire *b)
{
    return a->format == b->format &&
           (a->format == RF_FORMAT_AVRO ? a->id == b->id : a->fingerprint == b->fingerprint);
}

size_t rf_layouts_name(const struct rf_wire *wire, char name[RF_LAYOUT_NAME_MAX])
{
    int size = 0;

    if (wire->format == RF_FORMAT_AVRO)
        size = snprintf(name, RF_LAYOUT_NAME_MAX, "schema/id/%" PRIu32, wire->id);
    else
        size = snprintf(name, RF_LAYOUT_NAME_MAX, "schema/%016" PRIx64, wire->fingerprint);
    rf_assert(size > 0 && size < RF_LAYOUT_NAME_MAX);
    return (size_t)size;
}

void rf_layouts_note(struct rf_layouts *layouts, struct rf_bytes name, struct rf_bytes text)
{
    layouts->options.store.ops->note_put(layouts->options.store.self, name, text);
}

struct rf_layouts *rf_layouts_open(const struct rf_layouts_options *options)
{
    struct rf_layouts *layouts = calloc(1, sizeof *layouts);
    struct rf_error err = {0};
    char name[RF_LAYOUT_NAME_MAX];
    size_t name_size = rf_layouts_name(&options->own, name);
    bool made = false;

    rf_assert(layouts != NULL);
    rf_assert(options->own.format == RF_FORMAT_AVRO ||
              options->own.format == RF_FORMAT_AVRO_OBJECT);
    rf_arena_init(&layouts->arena, ARENA_CHUNK);
    layouts->options = *options;
    layouts->known[0].wire = options->own;
    made = rf_customer_layout_make(&layouts->arena, options->codec,
                                   rf_customer_codec_schema(options->codec),
                                   &layouts->known[0].layout, &err);
    rf_assert(made); /* a codec reads what it writes */
    layouts->count = 1;
    rf_layouts_note(layouts, rf_bytes_of(name, name_size),
                    rf_bytes_of_text(rf_customer_codec_schema_text(options->codec)));
    return layouts;
}

void rf_layouts_close(struct rf_layouts *layouts)
{
    if (layouts == NULL)
        return;
    rf_arena_deinit(&layouts->arena);
    free(layouts);
}

static bool find_schema(struct rf_layouts *layouts, const struct rf_wire *wire,
                        const struct rf_schema **schema, struct rf_error *err)
{
    const struct rf_layouts_options *options = &layouts->options;
    char name[RF_LAYOUT_NAME_MAX];
    size_t name_size = rf_layouts_name(wire, name);
    struct rf_bytes text = {0};

    if (!options->store.ops->note_get(options->store.self, rf_bytes_of(name, name_size), &text,
                                      err))
        return false;
    if (text.data != NULL)
        return options->reader.read(options->reader.self, text, &layouts->arena, schema, err);
    if (options->schemas.ops == NULL)
        return rf_error_set(err, RF_ERROR_STATE, 0, "the store has no %s", name);
    if (wire->format == RF_FORMAT_AVRO)
        return options->schemas.ops->by_id(options->schemas.self, wire->id, schema, err);
    return options->schemas.ops->by_fingerprint(options->schemas.self, wire->fingerprint, schema,
                                                err);
}

static bool learn(struct rf_layouts *layouts, const struct rf_wire *wire, struct rf_error *err)
{
    const struct rf_schema *writer = NULL;
    struct known_layout *known = &layouts->known[layouts->count];

    if (layouts->count == LAYOUTS_MAX)
        return rf_error_set(err, RF_ERROR_STATE, 0, "customer records of more than %d schemas",
                            LAYOUTS_MAX);
    if (!find_schema(layouts, wire, &writer, err)) {
        if (err->kind != RF_ERROR_RETRY)
            err->kind = RF_ERROR_STATE;
        return rf_error_wrap(err, "finding the schema of a stored customer record");
    }
    if (!rf_customer_layout_make(&layouts->arena, layouts->options.codec, writer, &known->layout,
                                 err))
        return false;
    known->wire = *wire;
    layouts->count++;
    return true;
}

bool rf_layouts_find(struct rf_layouts *layouts, struct rf_bytes record,
                     const struct rf_customer_layout **layout, struct rf_bytes *body,
                     struct rf_error *err)
{
    struct rf_wire wire = {0};
    enum rf_format format =
        record.size > 0 && record.data[0] == 0 ? RF_FORMAT_AVRO : RF_FORMAT_AVRO_OBJECT;

    if (!rf_wire_read(format, record, &wire, body, err)) {
        err->kind = RF_ERROR_STATE;
        return rf_error_wrap(err, "reading a stored customer record");
    }
    for (size_t i = 0; i < layouts->count; i++) {
        if (wires_are_equal(&layouts->known[i].wire, &wire)) {
            *layout = layouts->known[i].layout;
            return true;
        }
    }
    if (!learn(layouts, &wire, err))
        return false;
    *layout = layouts->known[layouts->count - 1].layout;
    return true;
}

void rf_layouts_begin(const struct rf_layouts *layouts, struct rf_buffer *out)
{
    rf_wire_write(out, &layouts->options.own);
}
