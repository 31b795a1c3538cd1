/* The newest derived events and dead letters whose transactions are committed, as text: a ring that workers write and
 * others read. Inside this room only. Any thread. */
#pragma once
#include "core/model/plan.h"
#include "core/task/inspect.h"
#include "core/task/outbox.h"
#include "edge/sys/thread.h"

#define RF_RECENT_COUNT_MAX 1024
#define RF_RECENT_BYTES_MAX (1U << 20)
#define RF_RECENT_TEXT_MAX  (64U << 10) /* a longer one is counted and not kept */

struct rf_recent_kept {
    uint64_t sequence; /* 0: empty */
    rf_ms committed_at;
    enum rf_recent_kind kind;
    uint32_t rule;
    size_t size;
    uint8_t *text; /* owned */
};

struct rf_ring {
    struct rf_mutex lock;
    uint64_t last RF_GUARDED_BY(lock); /* the last sequence number given */
    size_t first, count RF_GUARDED_BY(lock);
    size_t bytes RF_GUARDED_BY(lock);
    struct rf_recent_kept *kept RF_GUARDED_BY(lock); /* owned; RF_RECENT_COUNT_MAX */
};

void rf_ring_init(struct rf_ring *ring);
void rf_ring_deinit(struct rf_ring *ring);

/* `skipped` of them come before it and are not kept. The text is copied. */
void rf_ring_add(struct rf_ring *ring, const struct rf_recent *recent, uint64_t skipped);
/* What a task has emitted, as text: the last few of them; the others are counted. */
void rf_ring_note(struct rf_ring *ring, const struct rf_plan *plan, const struct rf_out *outbox,
                  size_t count, rf_ms committed_at);
uint64_t rf_ring_last(struct rf_ring *ring);
/* As `recent` of core/task/inspect.h. */
size_t rf_ring_read(struct rf_ring *ring, uint64_t after, struct rf_recent *recent,
                    size_t count_max, struct rf_arena *arena);
