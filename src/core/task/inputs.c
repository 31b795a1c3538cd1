#include "core/task/inputs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/source.h"

/* There is one of these a partition: what a burst needed is given back. */
#define CHUNK     (64U * 1024)
#define KEEP_MAX  (128U * 1024)
#define ITEMS_MIN 1024

void rf_inputs_init(struct rf_inputs *inputs)
{
    memset(inputs, 0, sizeof *inputs);
    rf_arena_init(&inputs->arena, CHUNK);
    rf_arena_init(&inputs->standby, CHUNK);
}

void rf_inputs_deinit(struct rf_inputs *inputs)
{
    free(inputs->items);
    free(inputs->arranged);
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
        inputs->capacity = inputs->capacity == 0 ? ITEMS_MIN : inputs->capacity * 2;
        inputs->items = realloc(inputs->items, inputs->capacity * sizeof *inputs->items);
        rf_assert(inputs->items != NULL);
    }
    kept = &inputs->items[inputs->count++];
    *kept = *input;
    kept->key = copy(&inputs->arena, input->key);
    kept->value = copy(&inputs->arena, input->value);
    kept->headers = copy(&inputs->arena, input->headers);
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

#define NONE SIZE_MAX

/* The next pending input of `source` from `from` on. */
static size_t next_of(const struct rf_input *pending, size_t count, uint32_t source, size_t from)
{
    while (from < count && pending[from].source != source)
        from++;
    return from < count ? from : NONE;
}

static bool is_of_one_source(const struct rf_input *pending, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (pending[i].source != pending[0].source)
            return false;
    }
    return true;
}

static uint32_t find_heads(const struct rf_input *pending, size_t count,
                           size_t heads[RF_SOURCES_MAX])
{
    uint32_t sources = 0;

    for (uint32_t s = 0; s < RF_SOURCES_MAX; s++)
        heads[s] = NONE;
    for (size_t i = count; i > 0; i--) {
        rf_assert(pending[i - 1].source < RF_SOURCES_MAX);
        heads[pending[i - 1].source] = i - 1;
        if (pending[i - 1].source >= sources)
            sources = pending[i - 1].source + 1;
    }
    return sources;
}

/* Is the a-th pending one, of an earlier source, to be folded before the b-th? Of equal times the earlier source is
 * first, whichever was polled first. Without times, in replay, they stay as they came: their reader has merged
 * them by event time. */
static bool is_before(const struct rf_input *pending, size_t a, size_t b)
{
    if (pending[a].broker_time == RF_MS_MIN && pending[b].broker_time == RF_MS_MIN)
        return a < b;
    return pending[a].broker_time <= pending[b].broker_time;
}

/* The source whose head is to be folded first. */
static uint32_t earliest(const struct rf_input *pending, const size_t *heads, uint32_t sources)
{
    uint32_t found = sources;

    for (uint32_t s = 0; s < sources; s++) {
        if (heads[s] != NONE && (found == sources || !is_before(pending, heads[found], heads[s])))
            found = s;
    }
    return found;
}

static void reserve_arranged(struct rf_inputs *inputs, size_t count)
{
    if (count <= inputs->arranged_capacity)
        return;
    inputs->arranged_capacity = inputs->capacity;
    inputs->arranged =
        realloc(inputs->arranged, inputs->arranged_capacity * sizeof *inputs->arranged);
    rf_assert(inputs->arranged != NULL);
}

/* A source that is behind and has nothing here would come before anything: then nothing can be folded. */
static bool waits_for_a_missing_one(const size_t *heads, uint64_t behind)
{
    for (uint32_t s = 0; s < RF_SOURCES_MAX; s++) {
        if ((behind >> s & 1) != 0 && heads[s] == NONE)
            return true;
    }
    return false;
}

size_t rf_inputs_arrange(struct rf_inputs *inputs, uint64_t behind)
{
    size_t count = rf_inputs_pending(inputs);
    struct rf_input *pending = inputs->items + inputs->folded;
    size_t heads[RF_SOURCES_MAX];
    uint32_t sources = 0;
    size_t ready = 0;
    bool open = true; /* nothing that is still to come belongs before what was arranged so far */

    if (count == 0 || (behind == 0 && is_of_one_source(pending, count)))
        return count;
    reserve_arranged(inputs, count);
    sources = find_heads(pending, count, heads);
    open = !waits_for_a_missing_one(heads, behind);
    for (size_t i = 0; i < count; i++) {
        uint32_t source = earliest(pending, heads, sources);

        inputs->arranged[i] = pending[heads[source]];
        heads[source] = next_of(pending, count, source, heads[source] + 1);
        ready += open;
        open = open && (heads[source] != NONE || (behind >> source & 1) == 0);
    }
    memcpy(pending, inputs->arranged, count * sizeof *pending);
    return ready;
}

void rf_inputs_folded(struct rf_inputs *inputs)
{
    rf_assert(inputs->folded < inputs->count);
    inputs->folded++;
}

static void give_back(struct rf_inputs *inputs)
{
    free(inputs->arranged);
    inputs->arranged = NULL;
    inputs->arranged_capacity = 0;
    if (inputs->capacity > 4 * ITEMS_MIN && inputs->count <= ITEMS_MIN) {
        inputs->capacity = ITEMS_MIN;
        inputs->items = realloc(inputs->items, inputs->capacity * sizeof *inputs->items);
        rf_assert(inputs->items != NULL);
    }
}

void rf_inputs_commit(struct rf_inputs *inputs)
{
    size_t pending = rf_inputs_pending(inputs);
    struct rf_arena old = inputs->arena;

    for (size_t i = 0; i < pending; i++) {
        struct rf_input input = inputs->items[inputs->folded + i];

        input.key = copy(&inputs->standby, input.key);
        input.value = copy(&inputs->standby, input.value);
        input.headers = copy(&inputs->standby, input.headers);
        inputs->items[i] = input;
    }
    inputs->count = pending;
    inputs->folded = 0;
    inputs->arena = inputs->standby;
    inputs->standby = old;
    rf_arena_reset(&inputs->standby, KEEP_MAX);
    give_back(inputs);
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
    give_back(inputs);
}

size_t rf_inputs_bytes(const struct rf_inputs *inputs)
{
    return rf_arena_used(&inputs->arena) + inputs->count * sizeof *inputs->items;
}

const struct rf_input *rf_inputs_oldest(const struct rf_inputs *inputs, uint32_t source)
{
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].source == source)
            return &inputs->items[i];
    }
    return NULL;
}
