#include "core/task/layouts.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define LAYOUTS_MAX                                                                                \
    256 /* schemas one store can hold records of; each is a change of the features */
#define ARENA_CHUNK 4096

struct known_layout {
    struct rf_wire wire;
    const struct rf_customer_layout *layout;
};

struct rf_layouts {
    struct rf_arena arena;
    const struct rf_customer_codec *codec;
    struct rf_schemas schemas;
    struct rf_wire own;
    size_t count;
    struct known_layout known[LAYOUTS_MAX]; /* the own one first */
};

static bool wires_are_equal(const struct rf_wire *a, const struct rf_wire *b)
{
    return a->format == b->format &&
           (a->format == RF_FORMAT_AVRO ? a->id == b->id : a->fingerprint == b->fingerprint);
}

struct rf_layouts *rf_layouts_open(const struct rf_customer_codec *codec, const struct rf_wire *own,
                                   const struct rf_schemas *schemas)
{
    struct rf_layouts *layouts = calloc(1, sizeof *layouts);
    struct rf_error err = {0};
    bool made = false;

    rf_assert(layouts != NULL);
    rf_assert(own->format == RF_FORMAT_AVRO || own->format == RF_FORMAT_AVRO_OBJECT);
    rf_arena_init(&layouts->arena, ARENA_CHUNK);
    layouts->codec = codec;
    layouts->schemas = *schemas;
    layouts->own = *own;
    layouts->known[0].wire = *own;
    made = rf_customer_layout_make(&layouts->arena, codec, rf_customer_codec_schema(codec),
                                   &layouts->known[0].layout, &err);
    rf_assert(made); /* a codec reads what it writes */
    layouts->count = 1;
    return layouts;
}

void rf_layouts_close(struct rf_layouts *layouts)
{
    if (layouts == NULL)
        return;
    rf_arena_deinit(&layouts->arena);
    free(layouts);
}

static bool learn(struct rf_layouts *layouts, const struct rf_wire *wire, struct rf_error *err)
{
    const struct rf_schema *writer = NULL;
    struct known_layout *known = &layouts->known[layouts->count];
    bool found = false;

    if (layouts->count == LAYOUTS_MAX)
        return rf_error_set(err, RF_ERROR_STATE, 0, "customer records of more than %d schemas",
                            LAYOUTS_MAX);
    if (wire->format == RF_FORMAT_AVRO)
        found = layouts->schemas.ops->by_id(layouts->schemas.self, wire->id, &writer, err);
    else
        found = layouts->schemas.ops->by_fingerprint(layouts->schemas.self, wire->fingerprint,
                                                     &writer, err);
    if (!found) {
        if (err->kind == RF_ERROR_RECORD)
            err->kind = RF_ERROR_STATE;
        return rf_error_wrap(err, "finding the schema of a stored customer record");
    }
    if (!rf_customer_layout_make(&layouts->arena, layouts->codec, writer, &known->layout, err))
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
    rf_wire_write(out, &layouts->own);
}
