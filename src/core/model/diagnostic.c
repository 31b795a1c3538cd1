#include "core/model/diagnostic.h"

#include <string.h>

#include "core/base/assert.h"

#define NAME_SIZE_MAX    64 /* longer ones are not compared: nobody mistypes them by a letter */
#define EXCERPT_SIZE_MAX 4096

static char *copy_text(struct rf_arena *arena, const char *text, size_t size_max)
{
    size_t size = 0;

    if (text == NULL)
        return NULL;
    size = strnlen(text, size_max);
    /* Not in the middle of a character. */
    while (text[size] != '\0' && size > 0 && ((unsigned char)text[size] & 0xC0U) == 0x80U)
        size--;
    /* NULL-terminated by rf_arena_copy. */
    return rf_arena_printf(arena, "%.*s", (int)size, text);
}

void rf_diagnostics_init(struct rf_diagnostics *diagnostics, struct rf_arena *arena)
{
    rf_assert(arena != NULL);
    diagnostics->arena = arena;
    diagnostics->count = 0;
    diagnostics->error_count = 0;
}

static bool is_known(const struct rf_diagnostics *diagnostics, const struct rf_diagnostic *other)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct rf_diagnostic *known = &diagnostics->items[i];
        if (known->line == other->line && known->column == other->column &&
            known->level == other->level && strcmp(known->message, other->message) == 0)
            return true;
    }
    return false;
}

void rf_diagnostics_add(struct rf_diagnostics *diagnostics, const struct rf_diagnostic *diagnostic)
{
    struct rf_diagnostic *copy = NULL;
    struct rf_arena *arena = diagnostics->arena;

    rf_assert(diagnostic->message != NULL);
    rf_assert(diagnostics->count <= RF_DIAGNOSTICS_MAX);
    if (is_known(diagnostics, diagnostic))
        return;
    if (diagnostic->level == RF_DIAGNOSTIC_ERROR)
        diagnostics->error_count++;
    if (diagnostics->count == RF_DIAGNOSTICS_MAX)
        return;
    copy = &diagnostics->items[diagnostics->count++];
    *copy = *diagnostic;
    copy->file = copy_text(arena, diagnostic->file, EXCERPT_SIZE_MAX);
    copy->message = copy_text(arena, diagnostic->message, EXCERPT_SIZE_MAX);
    copy->excerpt = copy_text(arena, diagnostic->excerpt, EXCERPT_SIZE_MAX);
    copy->hint = copy_text(arena, diagnostic->hint, EXCERPT_SIZE_MAX);
    if (copy->width == 0)
        copy->width = 1;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours cost 1 each. */
static size_t distance(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    size_t rows[3][NAME_SIZE_MAX + 1];
    size_t *before = rows[0], *previous = rows[1], *current = rows[2];

    rf_assert(a_size <= NAME_SIZE_MAX);
    rf_assert(b_size <= NAME_SIZE_MAX);
    for (size_t j = 0; j <= b_size; j++)
        previous[j] = before[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *oldest = before;
        current[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            current[j] = least(least(previous[j], current[j - 1]) + 1, previous[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = least(current[j], before[j - 2] + 1);
        }
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b_size];
}

const char *rf_nearest_name(struct rf_bytes written, const char *const *names, size_t name_count)
{
    const char *nearest = NULL;
    size_t nearest_distance = written.size / 3 + 1;

    if (written.size > NAME_SIZE_MAX)
        return NULL;
    for (size_t i = 0; i < name_count; i++) {
        size_t size = strlen(names[i]);
        size_t apart = 0;
        if (size > NAME_SIZE_MAX)
            continue;
        apart = distance(written.data, written.size, (const uint8_t *)names[i], size);
        if (apart < nearest_distance) {
            nearest = names[i];
            nearest_distance = apart;
        }
    }
    return nearest;
}
