/* Memory for what dies together: a batch, a transaction, a compiled plan. Nothing in it is freed singly.
 *
 * rf_arena_reset keeps the chunks, so a steady state allocates nothing. An arena belongs to one thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

struct rf_arena_chunk;

struct rf_arena {
    struct rf_arena_chunk *first;   /* owned */
    struct rf_arena_chunk *current; /* chunks after it are empty and kept */
    size_t used_in_current;
    size_t used_before; /* in the chunks before the current one */
    size_t chunk_size;
    size_t reserved; /* bytes in all chunks */
};

/* `chunk_size`: what is asked of malloc at a time; a larger allocation gets a chunk of its own. */
void rf_arena_init(struct rf_arena *arena, size_t chunk_size);
void rf_arena_deinit(struct rf_arena *arena);

/* Forgets all allocations. Keeps up to `keep_max` bytes of chunks for what comes next. */
void rf_arena_reset(struct rf_arena *arena, size_t keep_max);

/* What is in `from` lives as long as `arena` from now on; `from` is as if it were new. */
void rf_arena_adopt(struct rf_arena *arena, struct rf_arena *from);

/* Bytes handed out since the last reset, padding included. */
size_t rf_arena_used(const struct rf_arena *arena);

/* Aligned for any type, not zeroed; never NULL. A size of 0 gives a valid pointer. */
void *rf_arena_alloc(struct rf_arena *arena, size_t size);
void *rf_arena_alloc_zero(struct rf_arena *arena, size_t size);

/* Unaligned room for bytes: packs tighter. */
uint8_t *rf_arena_alloc_bytes(struct rf_arena *arena, size_t size);

/* A copy, with a terminator behind it that is not counted. */
struct rf_bytes rf_arena_copy(struct rf_arena *arena, struct rf_bytes bytes);
char *rf_arena_copy_text(struct rf_arena *arena, const char *text);
char *rf_arena_printf(struct rf_arena *arena, const char *format, ...) RF_PRINTF(2, 3);
