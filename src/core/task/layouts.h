/* Which schema wrote a stored customer record, and how the plan of today reads it. */
#pragma once
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/codec/customer_codec.h"
#include "core/codec/schemas.h"
#include "core/codec/wire.h"
#include "core/task/store.h"

struct rf_layouts;

/* Schema text to schema: edge/formats behind it. */
struct rf_schema_reader {
    void *self; /* not owned */
    bool (*read)(void *self, struct rf_bytes text, struct rf_arena *arena,
                 const struct rf_schema **schema, struct rf_error *err);
};

struct rf_layouts_options {
    const struct rf_customer_codec *codec;
    struct rf_wire own; /* what stands before the records that are written now */
    struct rf_store
        store; /* not owned: its notes hold the texts of the schemas that wrote its records */
    struct rf_schemas schemas; /* where a note is missing; ops may be NULL */
    struct rf_schema_reader reader;
};

struct rf_layouts *rf_layouts_open(const struct rf_layouts_options *options);
void rf_layouts_close(struct rf_layouts *layouts);

/* Splits a stored record and finds the layout for its body. Errors: STATE (damaged), RETRY (its schema is not
 * to be had now). */
bool rf_layouts_find(struct rf_layouts *layouts, struct rf_bytes record,
                     const struct rf_customer_layout **layout, struct rf_bytes *body,
                     struct rf_error *err) RF_MUST_CHECK;

/* A schema's text, as the tasks topic has it: noted in the store. `name`: what rf_layouts_name gives. */
void rf_layouts_note(struct rf_layouts *layouts, struct rf_bytes name, struct rf_bytes text);

/* The name of the note, and of the record in the tasks topic, about the schema that is written now. */
#define RF_LAYOUT_NAME_MAX 32
size_t rf_layouts_name(const struct rf_wire *wire, char name[RF_LAYOUT_NAME_MAX]);

/* Begins a record that is written now. */
void rf_layouts_begin(const struct rf_layouts *layouts, struct rf_buffer *out);
