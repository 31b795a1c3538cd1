#include "edge/replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/engine/engine.h"
#include "core/task/memory_store.h"
#include "core/task/transaction.h"
#include "edge/formats/avro_schema.h"

#define ARENA_CHUNK    (64U * 1024)
#define ARENA_KEEP_MAX (1U << 20)
#define RECORDS_MEMORY (SIZE_MAX / 2) /* the store is memory too: nothing is gained by evicting */
#define PROGRESS_EVERY 4096

struct replay {
    const struct rf_replay_options *options;
    struct rf_merge *merge;
    struct rf_task *task;
    struct rf_transaction transaction;
    struct rf_decoder *decoders; /* by source: all of them the one that splits a payload */
    struct rf_buffer framed;     /* index of the stream, then the payload */
    struct rf_arena arena;       /* for looking ahead */
    rf_ms now;
    uint64_t records;
    size_t customers;
    struct rf_engine *engine; /* for the features at the end */
    struct rf_value *values;
};

/* ---- one decoder for all files: a payload begins with the index of the stream it came from ---- */

static bool decode_framed(void *self, uint32_t source, struct rf_bytes payload,
                          struct rf_arena *arena, struct rf_value *fields, struct rf_error *err)
{
    const struct replay *replay = self;
    uint32_t input = 0;
    struct rf_decoder decoder;

    rf_assert(payload.size >= sizeof input);
    memcpy(&input, payload.data, sizeof input);
    decoder = rf_merge_decoder(replay->merge, input);
    return decoder.ops->decode(
        decoder.self, source, rf_bytes_of(payload.data + sizeof input, payload.size - sizeof input),
        arena, fields, err);
}

static const struct rf_decoder_ops framed_ops = {.decode = decode_framed};

/* ---- the transaction, whose broker never fails ---- */

static void tell(const struct replay *replay)
{
    const struct rf_replay_listener *listener = &replay->options->listener;
    size_t count = 0;
    const struct rf_out *outbox = rf_task_outbox(replay->task, &count);

    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DERIVED && listener->derived != NULL) {
            listener->derived(listener->self, outbox[i].as.derived);
        } else if (outbox[i].kind == RF_OUT_DEAD_LETTER && listener->dead_letter != NULL) {
            struct rf_dead_letter letter = *outbox[i].as.dead_letter;

            letter.input.value.data += sizeof(uint32_t); /* the index is ours */
            letter.input.value.size -= sizeof(uint32_t);
            listener->dead_letter(listener->self, &letter);
        }
    }
}

/* Errors: RECORD, where a customer's record would be too large. */
static enum rf_transaction_input execute(struct replay *replay, enum rf_transaction_action action)
{
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;
    struct rf_error err = {0};

    switch (action) {
    case RF_ACTION_PRODUCE:
        (void)rf_task_take_outbox(replay->task, &count);
        return rf_task_seal(replay->task, &sealed, &count, &err) ? RF_INPUT_OK : RF_INPUT_ABORTABLE;
    case RF_ACTION_APPLY:
        tell(replay);
        rf_task_committed(replay->task, (int64_t)replay->records);
        return RF_INPUT_OK;
    case RF_ACTION_ABORT:
        rf_task_aborted(replay->task);
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
    rf_assert(false); /* files do not fail in these ways */
    return RF_INPUT_UNKNOWN;
}

static void feed_transaction(struct replay *replay, enum rf_transaction_input input)
{
    enum rf_transaction_action action = rf_transaction_step(&replay->transaction, input);

    while (action != RF_ACTION_NONE)
        action = rf_transaction_step(&replay->transaction, execute(replay, action));
}

/* Folds what is pending and commits it; after an abort, once more: what caused it is in quarantine then. */
static bool commit(struct replay *replay, struct rf_error *err)
{
    while (rf_task_pending(replay->task) > 0) {
        feed_transaction(replay, RF_INPUT_EVENT);
        if (!rf_task_fold(replay->task, err))
            return false;
        rf_assert(!rf_task_is_blocked(replay->task, NULL));
        feed_transaction(replay, RF_INPUT_DUE);
    }
    return true;
}

static bool feed_one(struct replay *replay, const struct rf_merged *merged)
{
    struct rf_input record = merged->record;

    rf_buffer_clear(&replay->framed);
    rf_buffer_append(&replay->framed, &merged->input, sizeof merged->input);
    rf_buffer_append(&replay->framed, record.value.data, record.value.size);
    if (replay->framed.overflow)
        return false;
    record.value = rf_buffer_bytes(&replay->framed);
    rf_task_feed(replay->task, &record);
    replay->records++;
    return true;
}

static bool read_all(struct replay *replay, struct rf_error *err)
{
    const struct rf_replay_listener *listener = &replay->options->listener;

    for (;;) {
        struct rf_merged merged;
        bool end = false;

        if (!rf_merge_next(replay->merge, &merged, &end, err))
            return false;
        if (end)
            return commit(replay, err);
        if (!feed_one(replay, &merged))
            return rf_error_set(err, RF_ERROR_CONFIG, 0,
                                "%s:%lld: the record is larger than %zu bytes",
                                merged.record.position.topic,
                                (long long)merged.record.position.offset, replay->framed.size_max);
        if (rf_task_pending(replay->task) >= replay->options->commit_events && !commit(replay, err))
            return false;
        if (listener->progress != NULL && replay->records % PROGRESS_EVERY == 0)
            listener->progress(listener->self, replay->records);
    }
}

/* ---- the end ---- */

static bool tell_customer(void *context, const struct rf_customer *customer)
{
    struct replay *replay = context;
    const struct rf_replay_listener *listener = &replay->options->listener;

    replay->customers++;
    if (listener->customer == NULL)
        return true;
    rf_arena_reset(&replay->arena, ARENA_KEEP_MAX);
    rf_engine_features(replay->engine, customer, replay->now, &replay->arena, replay->values);
    listener->customer(listener->self, customer, replay->values, replay->now);
    return true;
}

static bool finish(struct replay *replay, struct rf_replay_summary *summary, struct rf_error *err)
{
    replay->now = rf_task_stream_time(replay->task);
    if (replay->options->until != RF_MS_MIN && replay->options->until > replay->now)
        replay->now = replay->options->until;
    if (!rf_task_each_customer(replay->task, tell_customer, replay, err))
        return false;
    *summary = (struct rf_replay_summary){
        .counts = rf_task_counts(replay->task),
        .customers = replay->customers,
        .now = replay->now,
    };
    return true;
}

static struct rf_task *open_task(struct replay *replay, struct rf_error *err)
{
    struct rf_task_options options = {
        .plan = replay->options->plan,
        .codec = replay->options->codec,
        .reader = {.read = rf_avro_schema_read},
        .record_wire = {.format = RF_FORMAT_AVRO_OBJECT,
                        .fingerprint = rf_schema_fingerprint(
                            rf_customer_codec_schema(replay->options->codec))},
        .store = rf_memory_store_open(),
        .memory_max = RECORDS_MEMORY,
    };
    struct rf_task *task = rf_task_open(&options, err);

    if (task == NULL)
        options.store.ops->close(options.store.self);
    return task;
}

bool rf_replay(const struct rf_replay_options *options, struct rf_replay_summary *summary,
               struct rf_error *err)
{
    struct replay replay = {.options = options, .engine = rf_engine_open(options->plan)};
    bool ok = false;

    rf_assert(options->commit_events > 0);
    replay.decoders = calloc(options->plan->source_count + 1, sizeof *replay.decoders);
    replay.values = calloc(options->plan->feature_count + 1, sizeof *replay.values);
    rf_assert(replay.decoders != NULL);
    rf_assert(replay.values != NULL);
    for (size_t i = 0; i < options->plan->source_count; i++)
        replay.decoders[i] = (struct rf_decoder){.ops = &framed_ops, .self = &replay};
    rf_buffer_init(&replay.framed, options->plan->event_bytes_max + sizeof(uint32_t));
    rf_arena_init(&replay.arena, ARENA_CHUNK);
    rf_transaction_init(&replay.transaction);
    replay.task = open_task(&replay, err);
    if (replay.task != NULL)
        replay.merge = rf_merge_open(options->plan, options->inputs, options->input_count, err);
    if (replay.merge != NULL) {
        rf_task_set_decoders(replay.task, replay.decoders);
        ok = read_all(&replay, err) && finish(&replay, summary, err);
    }
    rf_merge_close(replay.merge);
    rf_task_close(replay.task);
    rf_engine_close(replay.engine);
    rf_arena_deinit(&replay.arena);
    rf_buffer_deinit(&replay.framed);
    free(replay.decoders);
    free(replay.values);
    return ok;
}
