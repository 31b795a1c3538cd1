/* Answers to requests, out of what the workers say of themselves (core/task/inspect.h). No socket is known here: the
 * server calls it, tests and the fuzzer do. Any thread. */
#pragma once
#include "core/model/plan.h"
#include "core/task/inspect.h"
#include "edge/ops/json.h"
#include "edge/ops/reply.h"
#include "edge/ops/request.h"

/* What the server counts of itself, for /metrics. */
struct rf_desk_counts {
    uint64_t answers[RF_ROUTE_COUNT][6]; /* by the first digit of the status */
    uint64_t refused;                    /* what was no request of ours */
    uint64_t cut;                        /* connections whose time was up */
    uint64_t made_room;                  /* silent connections that made room for others */
    size_t connections, streams;         /* now */
};

struct rf_desk {
    const char *version; /* of the program */
    const char *app;
    const char *instance;
    const char *state_dir; /* whose disk is watched; NULL: none */
    rf_ms started_at;
    bool lag_aliases; /* also the names of kafka_exporter */
    bool is_tls;      /* of this instance, and so of its siblings */
    bool drops_late;  /* what is too late is dropped, and no dead letter */
    /* A customer as one JSON object, without a newline. */
    void (*print_customer)(const struct rf_plan *plan, const struct rf_customer *customer,
                           const struct rf_value *values, rf_ms now, struct rf_buffer *out);
};

/* What an answer may draw on. */
struct rf_desk_view {
    const struct rf_inspect *inspect; /* NULL: no workers yet, or no more */
    const char *phase;                /* then: why, such as "waiting for kafka" */
    bool leaving;                     /* the process has been asked to stop */
    const struct rf_desk_counts *counts;
};

/* Everything but /events. Asks a worker where a customer is wanted, and may then wait as long as that takes. */
void rf_desk_answer(const struct rf_desk *desk, const struct rf_desk_view *view,
                    const struct rf_request *request, struct rf_reply *reply);

/* metrics.c */
void rf_desk_metrics(const struct rf_desk *desk, const struct rf_desk_view *view,
                     const struct rf_snapshot *snapshot, struct rf_buffer *out);

/* health.c */
struct rf_health {
    bool ready;
    const char *state;  /* "ready", "starting", "joining", "restoring", "blocked", "stopping" */
    const char *reason; /* for people */
    rf_span_ms eta_ms;  /* until it is; -1: not known */
    int64_t remaining;  /* records of changelogs */
    size_t ready_tasks, task_count;
};
/* `snapshot` NULL: there are no workers. */
void rf_health_ready(const struct rf_desk_view *view, const struct rf_snapshot *snapshot,
                     struct rf_health *health);
#define RF_LIVE_TURN_MS INT64_C(30000)
/* NULL: every worker turns; else the first that does not. */
const struct rf_worker_view *rf_health_stuck(const struct rf_snapshot *snapshot);

/* customer.c */
void rf_desk_customer(const struct rf_desk *desk, const struct rf_desk_view *view,
                      const struct rf_request *request, struct rf_reply *reply);

/* tick.c: what the stream of events says each second. */
void rf_desk_tick(const struct rf_desk_view *view, const struct rf_snapshot *snapshot,
                  struct rf_buffer *out);
