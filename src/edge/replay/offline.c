#include "edge/replay/offline.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/model/format.h"
#include "core/task/memory_store.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "core/task/task_time.h"
#include "core/task/transaction.h"
#include "edge/formats/avro_schema.h"

#define RECORDS_MEMORY (SIZE_MAX / 2) /* the store is memory too: nothing is gained by evicting */

struct rf_offline {
    struct rf_offline_options options;
    struct rf_task *task;
    struct rf_transaction transaction;
    int64_t commits; /* what stands for the changelog's offset */
    rf_ms advanced;  /* by rf_offline_advance; RF_MS_MIN: never */
};

static struct rf_task *open_task(const struct rf_offline_options *wanted, struct rf_error *err)
{
    struct rf_task_options options = {
        .plan = wanted->plan,
        .codec = wanted->codec,
        .reader = {.read = rf_avro_schema_read},
        .record_wire = {.format = RF_FORMAT_AVRO_OBJECT,
                        .fingerprint =
                            rf_schema_fingerprint(rf_customer_codec_schema(wanted->codec))},
        .store = rf_memory_store_open(),
        .memory_max = RECORDS_MEMORY,
    };
    struct rf_task *task = rf_task_open(&options, err);

    if (task == NULL)
        options.store.ops->close(options.store.self);
    return task;
}

struct rf_offline *rf_offline_open(const struct rf_offline_options *options, struct rf_error *err)
{
    struct rf_offline *offline = NULL;
    struct rf_task *task = open_task(options, err);

    rf_assert(options->commit_events > 0);
    if (task == NULL)
        return NULL;
    offline = calloc(1, sizeof *offline);
    rf_assert(offline != NULL);
    *offline = (struct rf_offline){.options = *options, .task = task, .advanced = RF_MS_MIN};
    rf_task_set_decoders(task, options->decoders);
    rf_transaction_init(&offline->transaction);
    return offline;
}

void rf_offline_close(struct rf_offline *offline)
{
    if (offline == NULL)
        return;
    rf_task_close(offline->task);
    free(offline);
}

/* ---- the transaction ---- */

static void tell(const struct rf_offline *offline)
{
    const struct rf_offline_listener *listener = &offline->options.listener;
    size_t count = 0;
    const struct rf_out *outbox = rf_task_outbox(offline->task, &count);

    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DERIVED && listener->derived != NULL)
            listener->derived(listener->self, outbox[i].as.derived);
        else if (outbox[i].kind == RF_OUT_DEAD_LETTER && listener->dead_letter != NULL)
            listener->dead_letter(listener->self, outbox[i].as.dead_letter);
    }
}

static enum rf_transaction_input execute(struct rf_offline *offline,
                                         enum rf_transaction_action action)
{
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;
    struct rf_error err = {0}; /* RECORD: a customer's record would be too large */

    switch (action) {
    case RF_ACTION_PRODUCE:
        (void)rf_task_take_outbox(offline->task, &count);
        return rf_task_seal(offline->task, &sealed, &count, &err) ? RF_INPUT_OK
                                                                  : RF_INPUT_ABORTABLE;
    case RF_ACTION_APPLY:
        tell(offline);
        rf_task_committed(offline->task, ++offline->commits);
        return RF_INPUT_OK;
    case RF_ACTION_ABORT:
        rf_task_aborted(offline->task);
        return RF_INPUT_OK;
    case RF_ACTION_BEGIN:
    case RF_ACTION_SEND_OFFSETS:
    case RF_ACTION_COMMIT:
        return RF_INPUT_OK;
    case RF_ACTION_NONE:
    case RF_ACTION_FIND_OUT:
    case RF_ACTION_GIVE_UP:
        break;
    }
    rf_assert(false); /* memory does not fail in these ways */
    return RF_INPUT_UNKNOWN;
}

static void feed_transaction(struct rf_offline *offline, enum rf_transaction_input input)
{
    enum rf_transaction_action action = rf_transaction_step(&offline->transaction, input);

    while (action != RF_ACTION_NONE)
        action = rf_transaction_step(&offline->transaction, execute(offline, action));
}

/* After an abort, once more: what caused it is in quarantine then. */
bool rf_offline_commit(struct rf_offline *offline, struct rf_error *err)
{
    while (rf_task_pending(offline->task) > 0 || rf_task_is_due(offline->task, RF_MS_MIN)) {
        feed_transaction(offline, RF_INPUT_EVENT);
        if (!rf_task_fold(offline->task, err))
            return false;
        rf_assert(!rf_task_is_blocked(offline->task, NULL));
        feed_transaction(offline, RF_INPUT_DUE);
    }
    return true;
}

bool rf_offline_feed(struct rf_offline *offline, const struct rf_input *input, struct rf_error *err)
{
    rf_task_feed(offline->task, input);
    if (rf_task_pending(offline->task) < offline->options.commit_events)
        return true;
    return rf_offline_commit(offline, err);
}

/* As many transactions as it takes: after an abort, and where much is due at once, once more. */
bool rf_offline_advance(struct rf_offline *offline, rf_ms to, struct rf_error *err)
{
    do {
        if (!rf_offline_commit(offline, err))
            return false;
        feed_transaction(offline, RF_INPUT_EVENT);
        if (!rf_task_advance(offline->task, to, err))
            return false;
        feed_transaction(offline, RF_INPUT_DUE);
    } while (rf_task_clock(offline->task) < to || rf_task_is_due(offline->task, to));
    if (to > offline->advanced)
        offline->advanced = to;
    return true;
}

/* ---- questions ---- */

struct rf_task *rf_offline_task(struct rf_offline *offline)
{
    return offline->task;
}

rf_ms rf_offline_now(const struct rf_offline *offline)
{
    rf_ms stream_time = rf_task_stream_time(offline->task);

    return stream_time > offline->advanced ? stream_time : offline->advanced;
}
