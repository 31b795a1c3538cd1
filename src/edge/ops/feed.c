#include "edge/ops/feed.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "edge/ops/json.h"
#include "edge/sys/clock.h"

#define ARENA_CHUNK (64U * 1024)
#define RECENTS_MAX 1000
#define FRAME_EXTRA 160 /* of a frame, beside its text */

void rf_feed_init(struct rf_feed *feed, rf_ms life, void (*wake)(void *connection))
{
    memset(feed, 0, sizeof *feed);
    feed->wake = wake;
    feed->life = life;
    for (size_t i = 0; i < RF_FEED_PAST; i++)
        rf_buffer_init(&feed->past[i].tick, RF_FEED_QUEUE_MAX / 2);
    rf_mutex_init(&feed->lock);
}

void rf_feed_begin_life(struct rf_feed *feed, rf_ms life)
{
    rf_mutex_lock(&feed->lock);
    feed->life = life > feed->life ? life : feed->life + 1;
    feed->sent = 0;
    rf_mutex_unlock(&feed->lock);
}

static void wake_reader(struct rf_feed *feed, struct rf_feed_reader *reader)
{
    if (reader->asleep) {
        reader->asleep = false;
        feed->wake(reader->connection);
    }
}

void rf_feed_close(struct rf_feed *feed)
{
    rf_mutex_lock(&feed->lock);
    feed->closed = true;
    for (size_t i = 0; i < RF_FEED_READERS_MAX; i++) {
        if (feed->readers[i].in_use)
            wake_reader(feed, &feed->readers[i]);
    }
    rf_mutex_unlock(&feed->lock);
}

void rf_feed_deinit(struct rf_feed *feed)
{
    rf_assert(feed->reader_count == 0);
    for (size_t i = 0; i < RF_FEED_PAST; i++)
        rf_buffer_deinit(&feed->past[i].tick);
    rf_mutex_deinit(&feed->lock);
}

static void append_recent(struct rf_buffer *out, rf_ms life, const struct rf_recent *recent)
{
    struct rf_json json = {.out = out};

    rf_buffer_printf(out, "event: %s\nid: %" PRId64 "-%" PRIu64 "\ndata: ",
                     recent->kind == RF_RECENT_DERIVED ? "derived" : "dead-letter", life,
                     recent->sequence);
    rf_json_begin(&json, NULL, '{');
    rf_json_count(&json, "sequence", recent->sequence);
    rf_json_time(&json, "committed_at", recent->committed_at);
    rf_json_raw(&json, "event", recent->text);
    rf_json_end(&json, '}');
    rf_buffer_append_text(out, "\n\n");
}

/* Those of `recents` that are told: the newest, no more than readers can take at once. The index of the first. */
static size_t first_told(const struct rf_recent *recents, size_t count)
{
    size_t first = count;
    size_t bytes = 0;

    while (first > 0 && count - first < RF_FEED_BACKLOG) {
        bytes += FRAME_EXTRA + recents[first - 1].text.size;
        if (bytes > RF_FEED_QUEUE_MAX / 2)
            break;
        first--;
    }
    return first;
}

/* What is kept of what came after `after`, oldest first, up to `until`. Returns the number of the newest that there is;
 * `after` where there is none behind it. */
static uint64_t append_recents(struct rf_buffer *out, rf_ms life, const struct rf_inspect *inspect,
                               uint64_t after, uint64_t until)
{
    struct rf_arena arena;
    struct rf_recent *recents = NULL;
    size_t count = 0;
    uint64_t newest = after;

    if (inspect == NULL)
        return after;
    rf_arena_init(&arena, ARENA_CHUNK);
    recents = rf_arena_alloc(&arena, RECENTS_MAX * sizeof *recents);
    count = inspect->ops->recent(inspect->self, after, recents, RECENTS_MAX, &arena);
    rf_assert(count <= RECENTS_MAX);
    if (count > 0)
        newest = recents[count - 1].sequence;
    while (count > 0 && recents[count - 1].sequence > until)
        count--;
    for (size_t i = first_told(recents, count); i < count; i++) {
        append_recent(out, life, &recents[i]);
    }
    rf_arena_deinit(&arena);
    return newest;
}

void rf_feed_keep(struct rf_feed *feed, struct rf_bytes tick)
{
    struct rf_feed_past *past = NULL;

    rf_mutex_lock(&feed->lock);
    past = &feed->past[feed->past_count % RF_FEED_PAST];
    rf_buffer_clear(&past->tick);
    rf_buffer_append(&past->tick, tick.data, tick.size);
    past->at = rf_clock_monotonic_ns();
    feed->past_count++;
    rf_mutex_unlock(&feed->lock);
}

/* The newest that fit into a quarter of a reader's queue, oldest first. Under the lock. */
static void append_past(const struct rf_feed *feed, struct rf_buffer *out)
{
    rf_ns now = rf_clock_monotonic_ns();
    size_t kept = feed->past_count < RF_FEED_PAST ? feed->past_count : RF_FEED_PAST;
    size_t told = 0;
    size_t bytes = 0;

    for (; told < kept; told++) {
        bytes += FRAME_EXTRA + feed->past[(feed->past_count - 1 - told) % RF_FEED_PAST].tick.size;
        if (bytes > RF_FEED_QUEUE_MAX / 4)
            break;
    }
    for (; told > 0; told--) {
        const struct rf_feed_past *past = &feed->past[(feed->past_count - told) % RF_FEED_PAST];

        if (past->tick.overflow)
            continue;
        rf_buffer_printf(out, "event: past\ndata: {\"age\":%" PRId64 ",\"tick\":",
                         (now - past->at) / 1000000000);
        rf_buffer_append(out, past->tick.data, past->tick.size);
        rf_buffer_append_text(out, "}\n\n");
    }
}

/* The sequence number in an id of this life of the process; 0: it is of another, or none. */
static uint64_t sequence_of(rf_ms life, const char *id)
{
    const char *dash = id == NULL ? NULL : strchr(id, '-');
    int64_t of = 0;
    uint64_t sequence = 0;

    if (dash == NULL || !rf_int64_parse(rf_bytes_of(id, (size_t)(dash - id)), &of) || of != life ||
        !rf_uint64_parse(rf_bytes_of_text(dash + 1), &sequence))
        return 0;
    return sequence;
}

/* Has there been one of this number? Who claims to have seen what is still to come has seen nothing of ours. */
static bool has_been(const struct rf_inspect *inspect, uint64_t sequence)
{
    struct rf_arena arena;
    struct rf_recent one;
    bool found = false;

    if (inspect == NULL || sequence == 0)
        return false;
    rf_arena_init(&arena, ARENA_CHUNK);
    found = inspect->ops->recent(inspect->self, sequence - 1, &one, 1, &arena) > 0;
    rf_arena_deinit(&arena);
    return found;
}

struct rf_feed_reader *rf_feed_join(struct rf_feed *feed, void *connection, const char *last_id,
                                    const struct rf_inspect *inspect)
{
    struct rf_feed_reader *reader = NULL;
    uint64_t seen = 0;
    uint64_t newest = 0;

    rf_mutex_lock(&feed->lock);
    for (size_t i = 0; i < RF_FEED_READERS_MAX && reader == NULL && !feed->closed; i++) {
        if (!feed->readers[i].in_use)
            reader = &feed->readers[i];
    }
    if (reader != NULL) {
        *reader = (struct rf_feed_reader){.in_use = true, .connection = connection};
        rf_buffer_init(&reader->queue, RF_FEED_QUEUE_MAX);
        rf_buffer_append_text(&reader->queue, "retry: 2000\n\n");
        if (last_id == NULL) /* else it was here, and knows */
            append_past(feed, &reader->queue);
        seen = sequence_of(feed->life, last_id);
        /* What the others do not have yet, this one gets with them. */
        newest =
            append_recents(&reader->queue, feed->life, inspect, has_been(inspect, seen) ? seen : 0,
                           feed->reader_count == 0 ? UINT64_MAX : feed->sent);
        if (feed->reader_count == 0)
            feed->sent = newest;
        feed->reader_count++;
    }
    rf_mutex_unlock(&feed->lock);
    return reader;
}

void rf_feed_leave(struct rf_feed *feed, struct rf_feed_reader *reader)
{
    rf_mutex_lock(&feed->lock);
    rf_assert(reader->in_use);
    rf_assert(feed->reader_count > 0);
    rf_buffer_deinit(&reader->queue);
    reader->in_use = false;
    feed->reader_count--;
    rf_mutex_unlock(&feed->lock);
}

enum rf_feed_read rf_feed_read(struct rf_feed *feed, struct rf_feed_reader *reader, char *out,
                               size_t size_max, size_t *size, void (*sleep)(void *connection))
{
    enum rf_feed_read result = RF_FEED_SOME;

    rf_mutex_lock(&feed->lock);
    rf_assert(reader->in_use);
    *size = reader->queue.size - reader->taken;
    if (*size > size_max)
        *size = size_max;
    if (*size > 0) {
        memcpy(out, reader->queue.data + reader->taken, *size);
        reader->taken += *size;
        if (reader->taken == reader->queue.size) {
            rf_buffer_clear(&reader->queue);
            reader->taken = 0;
        }
    } else if (feed->closed || reader->lost) {
        result = RF_FEED_END;
    } else {
        result = RF_FEED_NONE;
        reader->asleep = true;
        sleep(reader->connection);
    }
    rf_mutex_unlock(&feed->lock);
    return result;
}

/* All of `frames` or, where the queue is full, the end of this reader. */
static void give(struct rf_feed *feed, struct rf_feed_reader *reader, struct rf_bytes frames)
{
    if (reader->taken > 0) {
        size_t left = reader->queue.size - reader->taken;

        memmove(reader->queue.data, reader->queue.data + reader->taken, left);
        reader->queue.size = left;
        reader->taken = 0;
    }
    if (reader->lost)
        return;
    if (reader->queue.size + frames.size > RF_FEED_QUEUE_MAX)
        reader->lost = true;
    else
        rf_buffer_append(&reader->queue, frames.data, frames.size);
    wake_reader(feed, reader);
}

void rf_feed_write(struct rf_feed *feed, const struct rf_inspect *inspect, struct rf_bytes tick)
{
    struct rf_buffer frames;

    rf_buffer_init(&frames, RF_FEED_QUEUE_MAX);
    rf_mutex_lock(&feed->lock);
    if (feed->reader_count > 0 && !feed->closed) {
        feed->sent = append_recents(&frames, feed->life, inspect, feed->sent, UINT64_MAX);
        if (tick.size > 0) {
            rf_buffer_append_text(&frames, "event: tick\ndata: ");
            rf_buffer_append(&frames, tick.data, tick.size);
            rf_buffer_append_text(&frames, "\n\n");
        }
        for (size_t i = 0; i < RF_FEED_READERS_MAX && frames.size > 0; i++) {
            if (feed->readers[i].in_use)
                give(feed, &feed->readers[i], rf_buffer_bytes(&frames));
        }
    }
    rf_mutex_unlock(&feed->lock);
    rf_buffer_deinit(&frames);
}

size_t rf_feed_count(struct rf_feed *feed)
{
    size_t count = 0;

    rf_mutex_lock(&feed->lock);
    count = feed->reader_count;
    rf_mutex_unlock(&feed->lock);
    return count;
}
