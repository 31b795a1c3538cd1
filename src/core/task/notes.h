/* Notes put into a store and not yet applied: the same list for every implementation of store.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/bytes.h"

/* A store has a note a schema and a few of its own; more at once is a mistake of the caller: asserted. */
#define RF_NOTES_PENDING_MAX 4096

struct rf_note {
    struct rf_bytes name;  /* owned */
    struct rf_bytes value; /* owned; data == NULL: the note is removed */
};

struct rf_notes {
    struct rf_note *items; /* owned; in the order of rf_bytes_compare, each name once */
    size_t count;
    size_t capacity;
};

void rf_notes_deinit(struct rf_notes *notes); /* a zeroed struct is an empty list */
void rf_notes_clear(struct rf_notes *notes);

/* Copies both. The last value of a name counts. */
void rf_notes_put(struct rf_notes *notes, struct rf_bytes name, struct rf_bytes value);

/* NULL: nothing is pending under that name. */
const struct rf_note *rf_notes_find(const struct rf_notes *notes, struct rf_bytes name);
