/* An instance that is not one: the inspect port over numbers that a test writes. Seven customers are known by what is
 * answered for them, everybody else is unknown. */
#pragma once
#include "core/model/plan.h"
#include "core/task/inspect.h"

struct fake_inspect {
    struct rf_snapshot snapshot;
    struct rf_lag lags[4];
    struct rf_task_view tasks[3];
    struct rf_worker_view workers[2];
    struct rf_source_view sources[2];
    struct rf_rule_view rules[2];
    struct rf_owner owners[3];
    struct rf_named_count letters[2];
    struct rf_recent recents[64];
    size_t recent_count;
    uint64_t asked;
    rf_span_ms delay_ms; /* before an answer about a customer */
};

/* Two sources of one topic and one of another, three tasks, of which the last is being restored. */
void fake_inspect_init(struct fake_inspect *fake);
struct rf_inspect fake_inspect_port(struct fake_inspect *fake);
/* `count` more derived events, at most 64 in all. */
void fake_inspect_emit(struct fake_inspect *fake, size_t count);

void fake_print_customer(const struct rf_plan *plan, const struct rf_customer *customer,
                         const struct rf_value *values, rf_ms now, struct rf_buffer *out);

#define FAKE_FOUND     "C-found"
#define FAKE_STALE     "C-stale"     /* found, in a store that is being restored */
#define FAKE_ELSEWHERE "C-elsewhere" /* with b, or with c, who has no address */
#define FAKE_RESTORING "C-restoring"
#define FAKE_HALF      "C-half"   /* in a store of ours that is being restored, or with b */
#define FAKE_ORPHAN    "C-orphan" /* nobody has its partition */
#define FAKE_BUSY      "C-busy"   /* no answer in time */
