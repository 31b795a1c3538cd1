#include "core/task/task.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/codec/derived_codec.h"
#include "core/model/output.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/task/admission.h"
#include "core/task/task_internal.h"
#include "core/task/task_quarantine.h"

#define LOOKS_MAX      4096 /* customers whom time alone changes, a call */
#define ARENA_CHUNK    (64U * 1024)
#define ARENA_KEEP_MAX (256U * 1024)

struct rf_task *rf_task_open(const struct rf_task_options *options, struct rf_error *err)
{
    struct rf_task *task = NULL;
    struct rf_layouts_options layouts;
    int64_t checkpoint = RF_CHECKPOINT_NONE;

    rf_assert(options->partition >= 0);
    if (!options->store.ops->checkpoint(options->store.self, &checkpoint, err)) {
        rf_error_wrap(err, "opening the store of task %d", (int)options->partition);
        return NULL;
    }
    task = calloc(1, sizeof *task);
    rf_assert(task != NULL);
    task->options = *options;
    layouts = (struct rf_layouts_options){.codec = options->codec,
                                          .own = options->record_wire,
                                          .store = options->store,
                                          .schemas = options->record_schemas,
                                          .reader = options->reader};
    if (task->options.looks_max == 0)
        task->options.looks_max = LOOKS_MAX;
    task->layouts = rf_layouts_open(&layouts);
    task->engine = rf_engine_open(options->plan);
    task->records = rf_records_open(options->plan, options->codec, task->layouts,
                                    &task->options.store, task->engine, options->memory_max);
    rf_inputs_init(&task->inputs);
    rf_ledger_init(&task->ledger, options->plan);
    rf_arena_init(&task->arena, ARENA_CHUNK);
    rf_arena_init(&task->swept, ARENA_CHUNK);
    task->stream_time = RF_MS_MIN;
    task->committed_stream_time = RF_MS_MIN;
    task->clock = RF_MS_MIN;
    task->committed_clock = RF_MS_MIN;
    task->changelog_next = checkpoint;
    return task;
}

void rf_task_close(struct rf_task *task)
{
    if (task == NULL)
        return;
    if (task->loading)
        task->options.store.ops->load->cancel(task->options.store.self);
    rf_records_close(task->records);
    rf_engine_close(task->engine);
    rf_layouts_close(task->layouts);
    task->options.store.ops->close(task->options.store.self);
    rf_inputs_deinit(&task->inputs);
    rf_ledger_deinit(&task->ledger);
    rf_arena_deinit(&task->arena);
    rf_arena_deinit(&task->swept);
    free(task->outbox);
    rf_task_end_quarantine(task);
    free(task->quarantine);
    free(task);
}

void rf_task_set_decoders(struct rf_task *task, const struct rf_decoder *decoders)
{
    task->decoders = decoders;
}

void rf_task_set_memory(struct rf_task *task, size_t memory_max)
{
    rf_records_set_memory(task->records, memory_max);
}

void rf_task_feed(struct rf_task *task, const struct rf_input *input)
{
    rf_assert(input->source < task->options.plan->source_count);
    rf_assert(input->position.partition == task->options.partition);
    rf_inputs_push(&task->inputs, input);
}

void rf_task_set_behind(struct rf_task *task, uint64_t behind)
{
    task->behind = behind;
}

static void judge_bad(struct rf_task *task, struct rf_judged *judged, const char *error_class,
                      const char *message)
{
    judged->verdict = RF_VERDICT_BAD;
    judged->error_class = error_class;
    judged->message = rf_arena_copy_text(&task->arena, message);
}

static bool decode_and_admit(struct rf_task *task, const struct rf_input *input,
                             struct rf_judged *judged, struct rf_error *err)
{
    const struct rf_source *source = &task->options.plan->sources[input->source];
    const struct rf_decoder *decoder = &task->decoders[input->source];
    struct rf_value *fields =
        rf_arena_alloc_zero(&task->arena, source->event_type->field_count * sizeof *fields);
    enum rf_admission admission = RF_ADMITTED;

    if (input->value.data == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the message has no value (a tombstone)");
    if (!decoder->ops->decode(decoder->self, input->source, input->value, &task->arena, fields,
                              err))
        return false;
    if (!rf_admit(task->options.plan, input, fields, &task->arena, &judged->event, &admission, err))
        return false;
    judged->verdict = admission == RF_FILTERED ? RF_VERDICT_FILTERED
                      : admission == RF_ERASES ? RF_VERDICT_ERASE
                                               : RF_VERDICT_FOLD;
    return true;
}

bool rf_task_judge(struct rf_task *task, const struct rf_input *input, struct rf_judged *judged)
{
    const char *quarantined =
        task->quarantine_count == 0 ? NULL : rf_task_quarantine_reason(task, input);

    rf_assert_at(input->position.topic, input->position.partition, input->position.offset);
    if (quarantined != NULL) {
        judge_bad(task, judged, "quarantined", quarantined);
        return true;
    }
    if (decode_and_admit(task, input, judged, &task->blocked))
        return true;
    if (task->blocked.kind == RF_ERROR_RETRY)
        return false;
    rf_assert(task->blocked.kind == RF_ERROR_RECORD);
    judge_bad(task, judged, rf_error_kind_name(task->blocked.kind), task->blocked.message);
    rf_error_clear(&task->blocked);
    return true;
}

static bool is_an_instant(rf_ms time)
{
    return time >= RF_MS_MIN && time <= RF_MS_MAX;
}

static bool is_late(const struct rf_task *task, const struct rf_event *event)
{
    rf_span_ms lateness = task->options.plan->lateness;

    return lateness != RF_LATENESS_NONE && task->stream_time != RF_MS_MIN &&
           event->time < task->stream_time - lateness;
}

/* What a timer causes, before an event of the same customer, names the timer as its cause: the event is not to blame. */
static void push_derived(struct rf_task *task, const struct rf_input *input,
                         const struct rf_derived *derived)
{
    const struct rf_quarantined *quarantined = NULL;
    struct rf_input cause = *input;

    if (derived->position.topic != input->position.topic &&
        strcmp(derived->position.topic, RF_TIMER_TOPIC) == 0) {
        cause = (struct rf_input){.source = RF_SOURCE_TIMER,
                                  .position = derived->position,
                                  .broker_time = RF_MS_MIN,
                                  .key = derived->customer};
        cause.position.partition = task->options.partition;
    }
    if (cause.source == RF_SOURCE_TIMER)
        quarantined = rf_task_quarantined_timer(task, derived->customer, cause.position.offset);
    if (quarantined != NULL) {
        rf_task_dead_letter(task, &cause, "quarantined",
                            rf_arena_copy_text(&task->arena, quarantined->why));
        return;
    }
    rf_task_push_out(task, RF_OUT_DERIVED, &cause)->as.derived = derived;
    task->open_counts.derived++;
}

static void handle_late(struct rf_task *task, const struct rf_input *input)
{
    task->open_counts.late++;
    task->ledger.sources[input->source].late++;
    if (task->options.plan->late == RF_LATE_DEAD_LETTER)
        rf_task_dead_letter(task, input, "late", "the event is older than lateness allows");
}

void rf_task_take_fold(struct rf_task *task, const struct rf_input *cause,
                       const struct rf_fold *fold)
{
    task->open_counts.seen_forgotten += fold->seen_forgotten;
    task->open_counts.values_dropped += fold->values_dropped;
    task->open_counts.pattern_ignored += fold->pattern_ignored;
    task->open_counts.pattern_hurried += fold->pattern_hurried;
    task->open_counts.pattern_dropped += fold->pattern_dropped;
    task->open_counts.rule_errors += fold->rule_error_count;
    if (fold->rule_error_count > 0) {
        task->rule_failed = fold->rule_error_rule;
        task->rule_error = fold->rule_error;
    }
    for (size_t i = 0; i < fold->derived_count; i++)
        push_derived(task, cause, &fold->derived[i]);
}

/* Of what is due before the event, the records know: they put off who is held. The customer's own `due` is what is
 * written of it; it says the same only from the next transaction on. */
static bool fold_customer(struct rf_task *task, struct rf_customer *customer,
                          const struct rf_event *event, struct rf_fold *fold, struct rf_error *err)
{
    rf_ms due = customer->due;
    bool ok = true;

    customer->due = rf_records_due_of(task->records, event->customer);
    ok = rf_engine_fold(task->engine, customer, event, task->clock, &task->arena, fold, err);
    if (!fold->changed)
        customer->due = due;
    return ok;
}

static bool fold_event(struct rf_task *task, const struct rf_input *input,
                       const struct rf_event *event, struct rf_error *err)
{
    struct rf_customer *customer = NULL;
    struct rf_fold fold = {0};

    if (!rf_records_customer(task->records, event->customer, &task->arena, &customer, err))
        return false;
    if (!fold_customer(task, customer, event, &fold, err)) {
        rf_assert(err->kind == RF_ERROR_RECORD);
        task->ledger.sources[input->source].dead_letter++;
        rf_task_dead_letter(task, input, rf_error_kind_name(err->kind),
                            rf_arena_copy_text(&task->arena, err->message));
        rf_error_clear(err);
        return true;
    }
    if (fold.changed) {
        rf_records_changed(task->records, event->customer);
        rf_records_put_off(task->records, event->customer, fold.due);
    }
    rf_ledger_fold(&task->ledger, input, event, &fold);
    task->open_counts.duplicates += fold.result == RF_FOLD_DUPLICATE;
    task->open_counts.events += fold.result == RF_FOLD_DONE;
    rf_task_take_fold(task, input, &fold);
    return true;
}

/* A compacted topic keeps what a rule has said last, until it says something else, or this. One that is in shadow now
 * may have spoken before. */
static void push_tombstones(struct rf_task *task, const struct rf_input *input,
                            struct rf_bytes customer)
{
    const struct rf_plan *plan = task->options.plan;

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct rf_rule *rule = &plan->rules[i];
        struct rf_derived of = {.rule = i, .output = rule->output, .customer = customer};

        if (!plan->outputs[rule->output].keyed_by_rule)
            continue;
        rf_task_push_out(task, RF_OUT_TOMBSTONE, input)->as.tombstone = (struct rf_tombstone){
            .output = rule->output, .key = rf_derived_key(plan, &of, &task->arena)};
    }
}

static void erase(struct rf_task *task, const struct rf_input *input, const struct rf_event *event)
{
    struct rf_derived *derived = rf_arena_alloc(&task->arena, sizeof *derived);

    rf_records_erase(task->records, event->customer);
    task->open_counts.erased++;
    push_tombstones(task, input, event->customer);
    if (!rf_engine_erased(task->engine, event, &task->arena, derived))
        return;
    push_derived(task, input, derived);
}

/* What comes due before this input fires before it. An event moves time; one that will not be folded does not. */
static enum rf_reach reach_before(struct rf_task *task, const struct rf_judged *judged,
                                  struct rf_error *err)
{
    rf_ms to = task->clock;

    if (judged->verdict == RF_VERDICT_FOLD && judged->event.time > task->stream_time &&
        is_an_instant(judged->event.time))
        to = rf_task_watermark(task, judged->event.time);
    return rf_task_reach(task, to > task->clock ? to : task->clock, err);
}

static bool fold_judged(struct rf_task *task, const struct rf_input *input,
                        const struct rf_judged *judged, struct rf_error *err)
{
    rf_assert_at(input->position.topic, input->position.partition, input->position.offset);
    task->open_counts.records++;
    switch (judged->verdict) {
    case RF_VERDICT_BAD:
        rf_task_dead_letter(task, input, judged->error_class, judged->message);
        task->ledger.sources[input->source].dead_letter++;
        return true;
    case RF_VERDICT_FILTERED:
        task->open_counts.filtered++;
        task->ledger.sources[input->source].filtered++;
        return true;
    case RF_VERDICT_ERASE:
        erase(task, input, &judged->event);
        task->ledger.sources[input->source].erase++;
        return true;
    case RF_VERDICT_FOLD:
        if (is_late(task, &judged->event)) {
            handle_late(task, input);
            return true;
        }
        if (judged->event.time > task->stream_time && is_an_instant(judged->event.time))
            task->stream_time = judged->event.time;
        return fold_event(task, input, &judged->event, err);
    }
    rf_assert(false);
    return false;
}

static bool has_customer(const struct rf_judged *judged)
{
    return judged->verdict == RF_VERDICT_FOLD || judged->verdict == RF_VERDICT_ERASE;
}

/* Judges up to RF_FOLD_BATCH_MAX of the `ready` inputs, and reads the customers they are about. *count: how many can
 * be folded now. */
static bool prepare(struct rf_task *task, size_t ready, size_t *count, struct rf_error *err)
{
    size_t batch = ready < RF_FOLD_BATCH_MAX ? ready : RF_FOLD_BATCH_MAX;

    *count = 0;
    while (*count < batch &&
           rf_task_judge(task, rf_inputs_at(&task->inputs, *count), &task->judged[*count])) {
        task->hashes[*count] = has_customer(&task->judged[*count])
                                   ? rf_hash64(task->judged[*count].event.customer)
                                   : 0;
        (*count)++;
    }
    for (size_t i = 0; i < *count; i++) {
        rf_records_look_ahead(task->records, task->hashes, *count, i);
        if (has_customer(&task->judged[i]))
            rf_records_want(task->records, task->judged[i].event.customer, task->hashes[i]);
    }
    if (rf_records_load(task->records, err))
        return true;
    *count = 0;
    if (err->kind != RF_ERROR_RETRY)
        return false;
    task->blocked = *err; /* the disk: what has been judged is judged again later */
    rf_error_clear(err);
    return true;
}

static enum rf_reach fold_batch(struct rf_task *task, size_t count, struct rf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct rf_input *input = rf_inputs_at(&task->inputs, 0);
        enum rf_reach reach = RF_REACHED;

        rf_records_look_ahead(task->records, task->hashes, count, i);
        reach = reach_before(task, &task->judged[i], err);
        if (reach != RF_REACHED)
            return reach;
        if (!fold_judged(task, input, &task->judged[i], err))
            return RF_REACH_FAILED;
        rf_inputs_folded(&task->inputs);
    }
    return RF_REACHED;
}

bool rf_task_fold(struct rf_task *task, struct rf_error *err)
{
    size_t ready = rf_inputs_arrange(&task->inputs, task->behind);
    enum rf_reach reach = RF_REACHED;

    rf_error_clear(&task->blocked);
    task->looks_left = task->options.looks_max;
    if (ready == 0)
        reach = rf_task_reach(task, task->clock, err); /* nothing but what is overdue */
    while (ready > 0 && task->blocked.kind == RF_ERROR_NONE && reach == RF_REACHED) {
        size_t count = 0;

        if (!prepare(task, ready, &count, err))
            return false;
        ready -= count;
        reach = fold_batch(task, count, err);
    }
    rf_assert_at(NULL, 0, 0);
    return reach != RF_REACH_FAILED || rf_error_wrap(err, "task %d", (int)task->options.partition);
}

bool rf_task_is_blocked(const struct rf_task *task, const char **why)
{
    if (task->blocked.kind == RF_ERROR_NONE)
        return false;
    if (why != NULL)
        *why = task->blocked.message;
    return true;
}

bool rf_task_seal(struct rf_task *task, const struct rf_sealed **sealed, size_t *sealed_count,
                  struct rf_error *err)
{
    struct rf_bytes culprit = {0};

    if (rf_records_seal(task->records, task->engine, &task->arena, sealed, sealed_count, &culprit,
                        err))
        return true;
    rf_assert(err->kind == RF_ERROR_RECORD);
    rf_task_quarantine_customer(task, culprit, err->message);
    return false;
}

static void end_transaction(struct rf_task *task)
{
    task->outbox_count = 0;
    task->outbox_taken = 0;
    task->looked = 0;
    task->fired = 0;
    memset(&task->open_counts, 0, sizeof task->open_counts);
    rf_ledger_clear(&task->ledger);
    rf_arena_reset(&task->arena, ARENA_KEEP_MAX);
}

void rf_task_committed(struct rf_task *task, int64_t changelog_next)
{
    rf_assert(task->outbox_taken == task->outbox_count);
    rf_assert(changelog_next == -1 || changelog_next > task->changelog_next);
    rf_records_committed(task->records);
    rf_inputs_commit(&task->inputs);
    rf_task_counts_add(&task->counts, &task->open_counts);
    task->committed_stream_time = task->stream_time;
    task->committed_clock = task->clock;
    if (changelog_next != -1)
        task->changelog_next = changelog_next;
    rf_task_end_quarantine(task);
    end_transaction(task);
}

void rf_task_aborted(struct rf_task *task)
{
    rf_records_aborted(task->records);
    rf_inputs_rewind(&task->inputs);
    task->quarantine_known = task->quarantine_count;
    task->stream_time = task->committed_stream_time;
    task->clock = task->committed_clock;
    end_transaction(task);
}

void rf_task_forget_inputs(struct rf_task *task)
{
    rf_assert(task->inputs.folded == 0);
    rf_inputs_forget(&task->inputs);
    rf_task_end_quarantine(task);
    rf_error_clear(&task->blocked);
}
