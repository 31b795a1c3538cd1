#include "core/task/notes.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

/* Never NULL, also for no bytes: an empty value is not a removal. */
static struct rf_bytes copy_of(struct rf_bytes bytes)
{
    uint8_t *data = malloc(bytes.size + 1);

    rf_assert(data != NULL);
    if (bytes.size > 0)
        memcpy(data, bytes.data, bytes.size);
    return rf_bytes_of(data, bytes.size);
}

static void free_bytes(struct rf_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

/* Where `name` is, or would be. */
static size_t position_of(const struct rf_notes *notes, struct rf_bytes name)
{
    size_t low = 0;
    size_t high = notes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rf_bytes_compare(notes->items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct rf_notes *notes, size_t position, struct rf_bytes name)
{
    return position < notes->count && rf_bytes_equal(notes->items[position].name, name);
}

void rf_notes_clear(struct rf_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free_bytes(notes->items[i].name);
        free_bytes(notes->items[i].value);
    }
    notes->count = 0;
}

void rf_notes_deinit(struct rf_notes *notes)
{
    rf_notes_clear(notes);
    free(notes->items);
    *notes = (struct rf_notes){0};
}

static void insert(struct rf_notes *notes, size_t position, struct rf_bytes name)
{
    if (notes->count == notes->capacity) {
        notes->capacity = notes->capacity == 0 ? 8 : notes->capacity * 2;
        notes->items = realloc(notes->items, notes->capacity * sizeof *notes->items);
        rf_assert(notes->items != NULL);
    }
    memmove(notes->items + position + 1, notes->items + position,
            (notes->count - position) * sizeof *notes->items);
    notes->items[position] = (struct rf_note){.name = copy_of(name)};
    notes->count++;
    rf_assert(notes->count <= RF_NOTES_PENDING_MAX);
}

void rf_notes_put(struct rf_notes *notes, struct rf_bytes name, struct rf_bytes value)
{
    size_t position = position_of(notes, name);
    struct rf_bytes old = {0};

    rf_assert(name.size > 0);
    if (!is_at(notes, position, name))
        insert(notes, position, name);
    old = notes->items[position].value; /* `value` may point into it */
    notes->items[position].value = value.data == NULL ? (struct rf_bytes){0} : copy_of(value);
    free_bytes(old);
}

const struct rf_note *rf_notes_find(const struct rf_notes *notes, struct rf_bytes name)
{
    size_t position = position_of(notes, name);

    return is_at(notes, position, name) ? &notes->items[position] : NULL;
}
