/* The stream of server-sent events (/events): one writer, a few readers, each with a queue that has an end.
 *
 *     event: past         for a new reader: {"age": seconds, "tick": ...}, one in five seconds of the last five minutes
 *     event: tick         numbers, each second
 *     event: derived      an alert or offer that is committed; id: LIFE-SEQUENCE, where LIFE is when these workers began
 *     event: dead-letter  likewise
 *
 * A reader that does not keep up is dropped: nobody waits for it, and it costs no more than its queue. */
#pragma once
#include "core/base/buffer.h"
#include "core/task/inspect.h"
#include "edge/sys/thread.h"

#define RF_FEED_READERS_MAX 32
#define RF_FEED_QUEUE_MAX   (256U * 1024) /* of one reader */
#define RF_FEED_BACKLOG     100           /* recent events that a new reader gets */
#define RF_FEED_PAST        60            /* ticks that it gets */

struct rf_feed_reader {
    bool in_use;
    bool lost; /* its queue was full */
    bool asleep;
    void *connection; /* what `wake` is called with */
    struct rf_buffer queue;
    size_t taken; /* of the queue */
};

struct rf_feed_past {
    rf_ns at; /* monotonic */
    struct rf_buffer tick;
};

struct rf_feed {
    void (*wake)(void *connection); /* called under the lock */
    rf_ms life;                     /* which sequence numbers are of; never the same again */
    struct rf_mutex lock;
    bool closed RF_GUARDED_BY(lock);
    size_t reader_count RF_GUARDED_BY(lock);
    uint64_t sent RF_GUARDED_BY(lock); /* the last recent event that readers have */
    struct rf_feed_reader readers[RF_FEED_READERS_MAX] RF_GUARDED_BY(lock);
    size_t past_count RF_GUARDED_BY(lock); /* since the start; the last RF_FEED_PAST are kept */
    struct rf_feed_past past[RF_FEED_PAST] RF_GUARDED_BY(lock);
};

void rf_feed_init(struct rf_feed *feed, rf_ms life, void (*wake)(void *connection));
/* Sequence numbers begin anew from here on: other workers than before. */
void rf_feed_begin_life(struct rf_feed *feed, rf_ms life);
/* Tells readers that it is over; they are woken, and no new one is taken. */
void rf_feed_close(struct rf_feed *feed);
void rf_feed_deinit(struct rf_feed *feed); /* no reader is left */

/* `last_id`: of the last event that the reader has seen; NULL: none. `inspect` may be NULL. NULL: there is no room. */
struct rf_feed_reader *rf_feed_join(struct rf_feed *feed, void *connection, const char *last_id,
                                    const struct rf_inspect *inspect);
void rf_feed_leave(struct rf_feed *feed, struct rf_feed_reader *reader);

enum rf_feed_read {
    RF_FEED_SOME, /* *size bytes were taken */
    RF_FEED_NONE, /* `sleep` was called, under the lock: `wake` will be */
    RF_FEED_END   /* the feed is closed, or the reader was too slow */
};
enum rf_feed_read rf_feed_read(struct rf_feed *feed, struct rf_feed_reader *reader, char *out,
                               size_t size_max, size_t *size, void (*sleep)(void *connection));

/* What came since the last call, to all readers, and `tick` (size 0: none). */
void rf_feed_write(struct rf_feed *feed, const struct rf_inspect *inspect, struct rf_bytes tick);
/* For readers that come later. */
void rf_feed_keep(struct rf_feed *feed, struct rf_bytes tick);
size_t rf_feed_count(struct rf_feed *feed);
