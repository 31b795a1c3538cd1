#include "edge/replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/engine/engine.h"
#include "core/task/task_customers.h"
#include "core/task/task_stats.h"
#include "edge/replay/offline.h"

#define ARENA_CHUNK    (64U * 1024)
#define ARENA_KEEP_MAX (1U << 20)
#define PROGRESS_EVERY 4096

struct replay {
    const struct rf_replay_options *options;
    struct rf_merge *merge;
    struct rf_offline *offline;
    struct rf_decoder *decoders; /* by source: all of them the one that splits a payload */
    struct rf_buffer framed;     /* index of the stream, then the payload */
    struct rf_arena arena;       /* of a customer's features */
    uint64_t records;
    rf_ms now;
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

static bool feed_one(struct replay *replay, const struct rf_merged *merged, struct rf_error *err)
{
    struct rf_input record = merged->record;

    rf_buffer_clear(&replay->framed);
    rf_buffer_append(&replay->framed, &merged->input, sizeof merged->input);
    rf_buffer_append(&replay->framed, record.value.data, record.value.size);
    if (replay->framed.overflow)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "%s:%lld: the record is larger than %zu bytes",
                            record.position.topic, (long long)record.position.offset,
                            replay->framed.size_max);
    record.value = rf_buffer_bytes(&replay->framed);
    replay->records++;
    return rf_offline_feed(replay->offline, &record, err);
}

static void tell_derived(void *self, const struct rf_derived *derived)
{
    const struct rf_replay_listener *listener = &((struct replay *)self)->options->listener;

    if (listener->derived != NULL)
        listener->derived(listener->self, derived);
}

static void tell_dead_letter(void *self, const struct rf_dead_letter *letter)
{
    const struct rf_replay_listener *listener = &((struct replay *)self)->options->listener;
    struct rf_dead_letter shown = *letter;

    shown.input.value.data += sizeof(uint32_t); /* the index is ours */
    shown.input.value.size -= sizeof(uint32_t);
    if (listener->dead_letter != NULL)
        listener->dead_letter(listener->self, &shown);
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
            return rf_offline_advance(replay->offline, replay->options->until, err);
        if (!feed_one(replay, &merged, err))
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
    struct rf_task *task = rf_offline_task(replay->offline);

    replay->now = rf_offline_now(replay->offline);
    if (!rf_task_each_customer(task, tell_customer, replay, err))
        return false;
    *summary = (struct rf_replay_summary){
        .counts = rf_task_counts(task),
        .customers = replay->customers,
        .now = replay->now,
    };
    return true;
}

static bool open_offline(struct replay *replay, struct rf_error *err)
{
    const struct rf_offline_options options = {
        .plan = replay->options->plan,
        .codec = replay->options->codec,
        .decoders = replay->decoders,
        .commit_events = replay->options->commit_events,
        .listener = {.self = replay, .derived = tell_derived, .dead_letter = tell_dead_letter},
    };

    replay->offline = rf_offline_open(&options, err);
    return replay->offline != NULL;
}

bool rf_replay(const struct rf_replay_options *options, struct rf_replay_summary *summary,
               struct rf_error *err)
{
    struct replay replay = {.options = options, .engine = rf_engine_open(options->plan)};
    bool ok = false;

    replay.decoders = calloc(options->plan->source_count + 1, sizeof *replay.decoders);
    replay.values = calloc(options->plan->feature_count + 1, sizeof *replay.values);
    rf_assert(replay.decoders != NULL);
    rf_assert(replay.values != NULL);
    for (size_t i = 0; i < options->plan->source_count; i++)
        replay.decoders[i] = (struct rf_decoder){.ops = &framed_ops, .self = &replay};
    rf_buffer_init(&replay.framed, options->plan->event_bytes_max + sizeof(uint32_t));
    rf_arena_init(&replay.arena, ARENA_CHUNK);
    if (open_offline(&replay, err))
        replay.merge = rf_merge_open(options->plan, options->inputs, options->input_count, err);
    if (replay.merge != NULL)
        ok = read_all(&replay, err) && finish(&replay, summary, err);
    rf_merge_close(replay.merge);
    rf_offline_close(replay.offline);
    rf_engine_close(replay.engine);
    rf_arena_deinit(&replay.arena);
    rf_buffer_deinit(&replay.framed);
    free(replay.decoders);
    free(replay.values);
    return ok;
}
