/* Questions to a running instance: the port. edge/stream answers; edge/ops and tests ask. Any thread.
 *
 * Nothing here touches a worker's data: numbers are copies that the workers leave every half second or sooner, and a
 * question about a customer waits in the inbox of each worker until it is between two polls. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/expr/value.h"
#include "core/model/customer.h"
#include "core/model/plan.h"
#include "core/task/snapshot.h"

struct rf_question {
    struct rf_bytes customer;
    rf_span_ms timeout; /* 0: RF_QUESTION_TIMEOUT_MS */
};
#define RF_QUESTION_TIMEOUT_MS INT64_C(2000)
#define RF_CUSTOMER_ID_MAX     1024 /* a longer id is nobody's */

enum rf_answer_kind {
    RF_ANSWER_FOUND,
    RF_ANSWER_UNKNOWN,   /* no partition has it, and all of them are ours */
    RF_ANSWER_ELSEWHERE, /* not ours: ask those in `others`, in that order */
    RF_ANSWER_RESTORING, /* it may be in one of ours that is not brought up to date yet: `restore_eta_ms` */
};

/* Everything is in the arena that was handed in. */
struct rf_answer {
    enum rf_answer_kind kind;

    /* FOUND: as committed, whatever is folded beyond that. */
    const struct rf_plan *plan;
    const struct rf_customer *customer;
    const struct rf_value *features; /* by index in the plan, at the instant `at` */
    rf_ms at; /* the task's stream time, or customer->as_of where that is later */
    int32_t partition;
    int64_t changelog_offset; /* all records before it are in this answer */
    rf_ms committed_at;       /* the task's last commit; RF_MS_MIN: none since the task is ours */
    /* How old this knowledge is: 0: nothing is waiting to be folded; otherwise the lag of the task's sources. -1: not
     * known yet, or the task is restored: it is known no better than `restoring` says. */
    int64_t lag_records;
    rf_span_ms lag_ms;
    /* FOUND: an older state: newer records of the changelog are still to be read. ELSEWHERE, RESTORING: one of ours
     * that is not brought up to date yet may have it. */
    bool restoring;

    rf_span_ms restore_eta_ms; /* where `restoring`; -1: not known yet */

    /* Instances that have partitions which are not ours, the likeliest first: the partition that the partitioners of
     * Kafka's Java client (murmur2) and of librdkafka (CRC32) would choose. Which one a producer used is not known. */
    size_t other_count;
    const struct rf_owner *others;
    size_t unowned_count; /* partitions that nobody has at the moment: it may be in one of them */
};

enum rf_recent_kind {
    RF_RECENT_DERIVED, /* text: the derived event, as `ringfold replay` prints it */
    RF_RECENT_DEAD_LETTER, /* text: {"source","topic","partition","offset","time","class","message"}; no payload */
};

/* A derived event or dead letter whose transaction is committed. */
struct rf_recent {
    uint64_t
        sequence; /* from 1, without gaps over all that was emitted: a gap means that it is no longer kept */
    rf_ms committed_at;
    enum rf_recent_kind kind;
    uint32_t rule;        /* DERIVED */
    struct rf_bytes text; /* JSON, one object, without a newline; holds the customer's id */
};

struct rf_inspect_ops {
    /* Allocates in `arena`; never waits for a worker or for Kafka. */
    void (*snapshot)(void *self, struct rf_arena *arena, struct rf_snapshot *snapshot);

    /* Errors: RETRY (no worker answered in time, or too many questions wait already: the message says which), RECORD
     * (that id cannot be one), STATE, CONFIG (the record cannot be read). */
    bool (*ask)(void *self, const struct rf_question *question, struct rf_arena *arena,
                struct rf_answer *answer, struct rf_error *err);

    /* Of what is kept (the newest thousand, at most 1 MiB), what comes after `after`, oldest first, up to
     * `count_max`. 0: all that is kept. Returns how many. */
    size_t (*recent)(void *self, uint64_t after, struct rf_recent *recent, size_t count_max,
                     struct rf_arena *arena);
};

struct rf_inspect {
    const struct rf_inspect_ops *ops;
    void *self; /* not owned */
};
