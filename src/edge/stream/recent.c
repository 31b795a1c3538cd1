#include "edge/stream/recent.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/derived_codec.h"
#include "core/codec/value_json.h"
#include "core/model/source.h"
#include "core/task/outbox.h"

#define NOTED_MAX                                                                                  \
    32 /* of one task in one transaction: making the text costs a microsecond or two */

void rf_ring_init(struct rf_ring *ring)
{
    memset(ring, 0, sizeof *ring);
    rf_mutex_init(&ring->lock);
    rf_mutex_lock(&ring->lock);
    ring->kept = calloc(RF_RECENT_COUNT_MAX, sizeof *ring->kept);
    rf_assert(ring->kept != NULL);
    rf_mutex_unlock(&ring->lock);
}

void rf_ring_deinit(struct rf_ring *ring)
{
    rf_mutex_lock(&ring->lock);
    for (size_t i = 0; i < RF_RECENT_COUNT_MAX; i++)
        free(ring->kept[i].text);
    free(ring->kept);
    rf_mutex_unlock(&ring->lock);
    rf_mutex_deinit(&ring->lock);
}

static void drop_first(struct rf_ring *ring) RF_REQUIRES(ring->lock)
{
    struct rf_recent_kept *kept = &ring->kept[ring->first];

    rf_assert(ring->count > 0);
    ring->bytes -= kept->size;
    free(kept->text);
    memset(kept, 0, sizeof *kept);
    ring->first = (ring->first + 1) % RF_RECENT_COUNT_MAX;
    ring->count--;
}

void rf_ring_add(struct rf_ring *ring, const struct rf_recent *recent, uint64_t skipped)
{
    struct rf_recent_kept kept = {.committed_at = recent->committed_at,
                                  .kind = recent->kind,
                                  .rule = recent->rule,
                                  .size = recent->text.size};

    if (recent->text.size <= RF_RECENT_TEXT_MAX) {
        kept.text = malloc(recent->text.size + 1);
        rf_assert(kept.text != NULL);
        memcpy(kept.text, recent->text.data, recent->text.size);
    }
    rf_mutex_lock(&ring->lock);
    ring->last += skipped + 1;
    kept.sequence = ring->last;
    if (kept.text != NULL) {
        while (ring->count == RF_RECENT_COUNT_MAX ||
               (ring->count > 0 && ring->bytes + kept.size > RF_RECENT_BYTES_MAX))
            drop_first(ring);
        ring->kept[(ring->first + ring->count) % RF_RECENT_COUNT_MAX] = kept;
        ring->count++;
        ring->bytes += kept.size;
    }
    rf_mutex_unlock(&ring->lock);
}

static void print_text(struct rf_buffer *out, const char *name, struct rf_bytes text)
{
    rf_buffer_printf(out, "\"%s\":", name);
    rf_json_print_text(out, text);
    rf_buffer_append_byte(out, ',');
}

/* The message of an error may quote the input, so it is no longer than an error can be, and nothing else of the input
 * is here. */
static void print_dead_letter(const struct rf_plan *plan, const struct rf_out *out,
                              struct rf_buffer *text)
{
    const struct rf_dead_letter *letter = out->as.dead_letter;
    char time[RF_TIME_TEXT_MAX] = "";

    if (letter->input.broker_time != RF_MS_MIN)
        rf_time_format_ms(time, sizeof time, letter->input.broker_time);
    rf_buffer_append_byte(text, '{');
    print_text(text, "source",
               rf_bytes_of_text(letter->input.source == RF_SOURCE_TIMER
                                    ? RF_TIMER_TOPIC
                                    : plan->sources[letter->input.source].name));
    print_text(text, "topic", rf_bytes_of_text(letter->input.position.topic));
    rf_buffer_printf(text, "\"partition\":%d,\"offset\":%lld,",
                     (int)letter->input.position.partition,
                     (long long)letter->input.position.offset);
    print_text(text, "time", rf_bytes_of_text(time));
    print_text(text, "class", rf_bytes_of_text(letter->error_class));
    rf_buffer_append_text(text, "\"message\":");
    rf_json_print_text(text, rf_bytes_of_text(letter->message));
    rf_buffer_append_byte(text, '}');
}

void rf_ring_note(struct rf_ring *ring, const struct rf_plan *plan, const struct rf_out *outbox,
                  size_t count, rf_ms committed_at)
{
    size_t skipped = count > NOTED_MAX ? count - NOTED_MAX : 0;
    struct rf_buffer text;

    rf_buffer_init(&text, 4 * RF_RECENT_TEXT_MAX);
    for (size_t i = skipped; i < count; i++) {
        const struct rf_out *out = &outbox[i];
        struct rf_recent recent = {.committed_at = committed_at};

        if (out->kind == RF_OUT_TOMBSTONE)
            continue;
        rf_buffer_clear(&text);
        if (out->kind == RF_OUT_DERIVED) {
            recent.kind = RF_RECENT_DERIVED;
            recent.rule = out->as.derived->rule;
            rf_derived_print_json(plan, out->as.derived, &text);
        } else {
            recent.kind = RF_RECENT_DEAD_LETTER;
            print_dead_letter(plan, out, &text);
        }
        while (text.size > 0 && text.data[text.size - 1] == '\n')
            text.size--;
        recent.text = rf_buffer_bytes(&text);
        if (text.overflow)
            recent.text.size = RF_RECENT_TEXT_MAX + 1; /* counted, not kept */
        rf_ring_add(ring, &recent, skipped);
        skipped = 0;
    }
    rf_buffer_deinit(&text);
}

uint64_t rf_ring_last(struct rf_ring *ring)
{
    uint64_t last = 0;

    rf_mutex_lock(&ring->lock);
    last = ring->last;
    rf_mutex_unlock(&ring->lock);
    return last;
}

size_t rf_ring_read(struct rf_ring *ring, uint64_t after, struct rf_recent *recent,
                    size_t count_max, struct rf_arena *arena)
{
    size_t count = 0;

    rf_mutex_lock(&ring->lock);
    for (size_t i = 0; i < ring->count && count < count_max; i++) {
        const struct rf_recent_kept *kept = &ring->kept[(ring->first + i) % RF_RECENT_COUNT_MAX];

        if (kept->sequence <= after)
            continue;
        recent[count++] = (struct rf_recent){
            .sequence = kept->sequence,
            .committed_at = kept->committed_at,
            .kind = kept->kind,
            .rule = kept->rule,
            .text = rf_arena_copy(arena, rf_bytes_of(kept->text, kept->size)),
        };
    }
    rf_mutex_unlock(&ring->lock);
    return count;
}
