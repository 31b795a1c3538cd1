#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

struct rf_arena_chunk {
    struct rf_arena_chunk *next;
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

void rf_arena_init(struct rf_arena *arena, size_t chunk_size)
{
    rf_assert(chunk_size > 0);
    memset(arena, 0, sizeof *arena);
    arena->chunk_size = chunk_size;
}

static void free_chunks(struct rf_arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct rf_arena_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
}

void rf_arena_deinit(struct rf_arena *arena)
{
    free_chunks(arena->first);
    memset(arena, 0, sizeof *arena);
}

void rf_arena_reset(struct rf_arena *arena, size_t keep_max)
{
    struct rf_arena_chunk **link = &arena->first;
    size_t kept = 0;

    while (*link != NULL && kept + (*link)->size <= keep_max) {
        kept += (*link)->size;
        link = &(*link)->next;
    }
    free_chunks(*link);
    *link = NULL;
    arena->reserved = kept;
    arena->current = arena->first;
    arena->used_in_current = 0;
    arena->used_before = 0;
}

void rf_arena_adopt(struct rf_arena *arena, struct rf_arena *from)
{
    struct rf_arena_chunk *last = from->first;

    rf_assert(arena != from);
    if (last == NULL)
        return;
    while (last->next != NULL)
        last = last->next;
    /* In front of the current chunk, where what is full stands. */
    last->next = arena->first;
    arena->first = from->first;
    arena->used_before += rf_arena_used(from);
    arena->reserved += from->reserved;
    if (arena->current == NULL) {
        arena->current = last;
        arena->used_in_current = last->size;
    }
    rf_arena_init(from, from->chunk_size);
}

size_t rf_arena_used(const struct rf_arena *arena)
{
    return arena->used_before + arena->used_in_current;
}

/* Makes a chunk with room for `size` bytes the current one: the next kept one if it is large enough. */
static void next_chunk(struct rf_arena *arena, size_t size)
{
    struct rf_arena_chunk **link = arena->current == NULL ? &arena->first : &arena->current->next;
    struct rf_arena_chunk *chunk = *link;

    if (chunk == NULL || chunk->size < size) {
        size_t data_size = size > arena->chunk_size ? size : arena->chunk_size;

        chunk = malloc(sizeof *chunk + data_size);
        rf_assert(chunk != NULL);
        chunk->size = data_size;
        chunk->next = *link;
        *link = chunk;
        arena->reserved += data_size;
    }
    arena->used_before += arena->used_in_current;
    arena->current = chunk;
    arena->used_in_current = 0;
}

static void *allocate(struct rf_arena *arena, size_t size, size_t alignment)
{
    size_t start = (arena->used_in_current + alignment - 1) & ~(alignment - 1);

    if (arena->current == NULL || start > arena->current->size ||
        size > arena->current->size - start) {
        next_chunk(arena, size);
        start = 0;
    }
    arena->used_in_current = start + size;
    return arena->current->data + start;
}

void *rf_arena_alloc(struct rf_arena *arena, size_t size)
{
    return allocate(arena, size, alignof(max_align_t));
}

void *rf_arena_alloc_zero(struct rf_arena *arena, size_t size)
{
    void *room = rf_arena_alloc(arena, size);

    memset(room, 0, size);
    return room;
}

uint8_t *rf_arena_alloc_bytes(struct rf_arena *arena, size_t size)
{
    return allocate(arena, size, 1);
}

struct rf_bytes rf_arena_copy(struct rf_arena *arena, struct rf_bytes bytes)
{
    uint8_t *copy = rf_arena_alloc_bytes(arena, bytes.size + 1);

    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = 0;
    return rf_bytes_of(copy, bytes.size);
}

char *rf_arena_copy_text(struct rf_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = (char *)rf_arena_alloc_bytes(arena, size);

    memcpy(copy, text, size);
    return copy;
}

char *rf_arena_printf(struct rf_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int needed = 0;
    char *text = NULL;

    va_start(arguments, format);
    va_copy(again, arguments);
    needed = vsnprintf(NULL, 0, format, arguments);
    rf_assert(needed >= 0);
    text = (char *)rf_arena_alloc_bytes(arena, (size_t)needed + 1);
    vsnprintf(text, (size_t)needed + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}
