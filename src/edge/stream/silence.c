/* Time where nothing comes: when a partition is silent, its time goes on by the clock on the wall.
 *
 * Silent is a partition whose sources were read to their true ends, an open transaction's records included, and to
 * which nothing has come for a moment. Whether it is so is asked of the brokers each time something is due: a partition
 * with a backlog, or one whose broker does not answer, is never moved by the wall. Its events say what time it is.
 *
 * Here too a store of another plan is swept: when every customer is due, worked out anew between transactions. */
#include "edge/stream/silence.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/task_progress.h"
#include "core/task/task_time.h"
#include "edge/stream/worker.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define SILENT_AFTER_MS      500
#define WATERMARK_TIMEOUT_MS 2000
#define ASK_AGAIN_MS         200
#define UNREACHABLE_MS       5000 /* no broker that does not answer is asked again before */
#define SWEEP_CUSTOMERS      2000 /* a turn; some milliseconds */
#define SWEEP_RETRY_MS       1000

void rf_silence_begin(struct rf_slot *slot)
{
    for (size_t i = 0; i < RF_SOURCES_MAX; i++)
        slot->end_seen[i] = -1;
    slot->fed = false;
    slot->fed_ms = rf_clock_monotonic_ms();
    slot->silence_retry_ms = 0;
    slot->sweep_began_ms = 0;
    slot->sweep_retry_ms = 0;
}

void rf_silence_end(struct rf_worker *worker, const rd_kafka_message_t *message)
{
    const struct rf_plan *plan = worker->options->plan;
    struct rf_slot *slot = &worker->slots[message->partition];

    for (size_t i = 0; i < plan->source_count; i++) {
        if (strcmp(plan->sources[i].topic, rd_kafka_topic_name(message->rkt)) == 0 &&
            message->offset > slot->end_seen[i])
            slot->end_seen[i] = message->offset;
    }
}

/* Asks for the true ends: what an open transaction has written counts, what control records take does too. Each
 * question that is not answered holds the whole worker up. */
static bool is_at_the_ends(struct rf_worker *worker, const struct rf_slot *slot)
{
    const struct rf_plan *plan = worker->options->plan;

    for (size_t i = 0; i < plan->source_count; i++) {
        int64_t low = 0;
        int64_t high = 0;
        rd_kafka_resp_err_t code =
            rd_kafka_query_watermark_offsets(worker->observer, plan->sources[i].topic,
                                             slot->partition, &low, &high, WATERMARK_TIMEOUT_MS);

        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            worker->silence_retry_ms = rf_clock_monotonic_ms() + UNREACHABLE_MS;
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR || slot->end_seen[i] < high)
            return false;
    }
    return true;
}

static bool is_silent(struct rf_worker *worker, struct rf_slot *slot)
{
    bool silent = false;

    if (rf_clock_monotonic_ms() - slot->fed_ms < SILENT_AFTER_MS ||
        rf_clock_monotonic_ms() < slot->silence_retry_ms ||
        rf_clock_monotonic_ms() < worker->silence_retry_ms)
        return false;
    for (size_t i = 0; i < worker->options->plan->source_count; i++) {
        if (slot->end_seen[i] < 0)
            return false;
    }
    rf_worker_wait_begin(worker);
    silent = is_at_the_ends(worker, slot);
    rf_worker_wait_end(worker);
    if (!silent)
        slot->silence_retry_ms = rf_clock_monotonic_ms() + ASK_AGAIN_MS;
    return silent;
}

rf_ms rf_silence_clock(struct rf_worker *worker, struct rf_slot *slot)
{
    rf_span_ms lateness = worker->options->plan->lateness;
    rf_ms clock = rf_clock_wall_ms() - (lateness == RF_LATENESS_NONE ? 0 : lateness);

    if (slot->fed) {
        slot->fed = false;
        slot->fed_ms = rf_clock_monotonic_ms();
    }
    if (!worker->options->idle_by_wall || rf_task_pending(slot->task) > 0 ||
        !rf_task_is_due(slot->task, clock) || !is_silent(worker, slot))
        return RF_MS_MIN;
    return clock;
}

/* ---- the sweep ---- */

static void tell_begin(struct rf_slot *slot)
{
    if (slot->sweep_began_ms != 0)
        return;
    slot->sweep_began_ms = rf_clock_monotonic_ms();
    rf_log_info(
        RF_FIELDS(rf_field_int("partition", slot->partition)),
        "when the customers are due is worked out anew; until then some timers may be late");
}

static void tell_end(struct rf_slot *slot)
{
    rf_log_info(
        RF_FIELDS(rf_field_int("partition", slot->partition),
                  rf_field_int("milliseconds", rf_clock_monotonic_ms() - slot->sweep_began_ms)),
        "when the customers are due is known");
    slot->sweep_began_ms = 0;
}

bool rf_silence_sweep(struct rf_worker *worker, struct rf_slot *slot, struct rf_error *err)
{
    rf_assert(worker->transaction.state == RF_TRANSACTION_IDLE);
    if (rf_task_is_swept(slot->task) || rf_clock_monotonic_ms() < slot->sweep_retry_ms)
        return true;
    tell_begin(slot);
    if (rf_task_sweep(slot->task, SWEEP_CUSTOMERS, err)) {
        if (rf_task_is_swept(slot->task))
            tell_end(slot);
        return true;
    }
    if (err->kind == RF_ERROR_STATE)
        return false;
    rf_log_warning(RF_FIELDS(rf_field_int("partition", slot->partition),
                             rf_field_text("reason", err->message)),
                   "when the customers are due cannot be worked out yet");
    slot->sweep_retry_ms = rf_clock_monotonic_ms() + SWEEP_RETRY_MS;
    return true;
}

bool rf_silence_is_swept(const struct rf_worker *worker)
{
    for (int32_t i = 0; i < worker->shared->partition_count; i++) {
        const struct rf_slot *slot = &worker->slots[i];

        if (slot->state == RF_SLOT_RUNNING && !rf_task_is_swept(slot->task) &&
            rf_clock_monotonic_ms() >= slot->sweep_retry_ms)
            return false;
    }
    return true;
}
