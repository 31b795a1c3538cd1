#include "core/task/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define CHUNK    (256U * 1024)
#define KEEP_MAX (8U * 1024 * 1024)

void rf_inputs_init(struct rf_inputs *inputs)
{
    memset(inputs, 0, sizeof *inputs);
    rf_arena_init(&inputs->arena, CHUNK);
    rf_arena_init(&inputs->standby, CHUNK);
}

void rf_inputs_deinit(struct rf_inputs *inputs)
{
    free(inputs->items);
    rf_arena_deinit(&inputs->arena);
    rf_arena_deinit(&inputs->standby);
}

static struct rf_bytes copy(struct rf_arena *arena, struct rf_bytes bytes)
{
    uint8_t *room = NULL;

    if (bytes.data == NULL)
        return bytes;
    room = rf_arena_alloc_bytes(arena, bytes.size);
    if (bytes.size > 0)
        memcpy(room, bytes.data, bytes.size);
    return rf_bytes_of(room, bytes.size);
}

void rf_inputs_push(struct rf_inputs *inputs, const struct rf_input *input)
{
    struct rf_input *kept = NULL;

    if (inputs->count == inputs->capacity) {
        inputs->capacity = inputs->capacity == 0 ? 1024 : inputs->capacity * 2;
        inputs->items = realloc(inputs->items, inputs->capacity * sizeof *inputs->items);
        rf_assert(inputs->items != NULL);
    }
    kept = &inputs->items[inputs->count++];
    *kept = *input;
    kept->key = copy(&inputs->arena, input->key);
    kept->value = copy(&inputs->arena, input->value);
}

const struct rf_input *rf_inputs_at(const struct rf_inputs *inputs, size_t i)
{
    rf_assert(i < rf_inputs_pending(inputs));
    return &inputs->items[inputs->folded + i];
}

const struct rf_input *rf_inputs_folded_at(const struct rf_inputs *inputs, size_t i)
{
    rf_assert(i < inputs->folded);
    return &inputs->items[i];
}

void rf_inputs_folded(struct rf_inputs *inputs)
{
    rf_assert(inputs->folded < inputs->count);
    inputs->folded++;
}

void rf_inputs_commit(struct rf_inputs *inputs)
{
    size_t pending = rf_inputs_pending(inputs);
    struct rf_arena old = inputs->arena;

    for (size_t i = 0; i < pending; i++) {
        struct rf_input input = inputs->items[inputs->folded + i];

        input.key = copy(&inputs->standby, input.key);
        input.value = copy(&inputs->standby, input.value);
        inputs->items[i] = input;
    }
    inputs->count = pending;
    inputs->folded = 0;
    inputs->arena = inputs->standby;
    inputs->standby = old;
    rf_arena_reset(&inputs->standby, KEEP_MAX);
}

void rf_inputs_rewind(struct rf_inputs *inputs)
{
    inputs->folded = 0;
}

void rf_inputs_forget(struct rf_inputs *inputs)
{
    inputs->count = 0;
    inputs->folded = 0;
    rf_arena_reset(&inputs->arena, KEEP_MAX);
}

size_t rf_inputs_bytes(const struct rf_inputs *inputs)
{
    return rf_arena_used(&inputs->arena) + inputs->count * sizeof *inputs->items;
}
