#include "sim/truth.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/task/memory_store.h"
#include "core/task/outbox.h"
#include "core/task/task.h"
#include "core/task/task_internal.h"
#include "core/task/task_progress.h"
#include "core/task/task_quarantine.h"
#include "core/task/task_state.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "sim/world.h"

#define FLUSH_AT   (16U << 10)
#define VALUE_MAX  (64U << 10)
#define CACHE_SIZE (1U << 20)
#define LOOKS_MAX  100000

static struct rf_task *open_task(struct sim_truth *truth, int32_t partition)
{
    struct sim_world *world = truth->world;
    struct rf_task_options options = {.plan = &world->plan.plan,
                                      .codec = world->plan.codec,
                                      .record_wire = world->plan.wire,
                                      .store = rf_memory_store_open(),
                                      .partition = partition,
                                      .memory_max = CACHE_SIZE,
                                      .looks_max = 1}; /* so that it can stop where others did */
    struct rf_error err = {0};
    struct rf_task *task = rf_task_open(&options, &err);

    rf_assert(task != NULL);
    rf_task_set_decoders(task, truth->decoder.ports);
    return task;
}

void sim_truth_init(struct sim_truth *truth, struct sim_world *world)
{
    memset(truth, 0, sizeof *truth);
    truth->world = world;
    sim_decoder_init(&truth->decoder);
    memset(truth->decoder.known, true, sizeof truth->decoder.known);
    for (int32_t i = 0; i < world->settings.partitions; i++) {
        truth->partitions[i].task = open_task(truth, i);
        memset(truth->partitions[i].next, 0xff, sizeof truth->partitions[i].next);
    }
}

void sim_truth_deinit(struct sim_truth *truth)
{
    for (int32_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
        rf_task_close(truth->partitions[i].task);
        free(truth->partitions[i].inputs);
        free(truth->partitions[i].aside);
    }
}

void sim_truth_view(struct sim_truth *truth, int32_t partition, int64_t offset,
                    struct rf_bytes records[SIM_CUSTOMERS])
{
    struct sim_broker *broker = &truth->world->broker;
    const struct sim_log *log = sim_log_of(broker, SIM_CHANGELOG, partition);

    memset(records, 0, SIM_CUSTOMERS * sizeof *records);
    for (int64_t i = 0; i < offset && i < log->count; i++) {
        const struct sim_entry *entry = &log->entries[i];
        int index = sim_customer_index(entry->key);

        if (!sim_entry_is_committed(broker, entry))
            continue;
        rf_assert(index >= 0 && index < SIM_CUSTOMERS);
        records[index] = entry->value;
    }
}

/* ---- one transaction ---- */

struct check {
    struct sim_truth *truth;
    struct sim_world *world;
    struct sim_truth_partition *partition;
    int32_t number;
    uint32_t txn; /* 0: of all that are committed */
    const struct sim_claim *claim;
    int64_t at[SIM_TOPIC_COUNT]; /* how far each log has been compared */
    struct rf_buffer buffer;
};

static bool is_meant(const struct check *check, const struct sim_entry *entry)
{
    if (entry->kind != SIM_DATA)
        return false;
    return check->txn == 0 ? sim_entry_is_committed(&check->world->broker, entry)
                           : entry->txn == check->txn;
}

/* The next record in one of our topics; NULL: there is none. */
static const struct sim_entry *next_record(struct check *check, enum sim_topic topic)
{
    const struct sim_log *log = sim_log_of(&check->world->broker, topic, check->number);

    while (check->at[topic] < log->count) {
        const struct sim_entry *entry = &log->entries[check->at[topic]++];

        if (is_meant(check, entry))
            return entry;
    }
    return NULL;
}

static void expect_end(struct check *check, enum sim_topic topic)
{
    if (next_record(check, topic) != NULL)
        sim_fail(check->world, "%s-%d: a record too many at offset %lld", sim_topic_names[topic],
                 (int)check->number, (long long)check->at[topic] - 1);
}

/* The first committed record of a source at or behind an offset; its count where there is none. */
static int64_t next_input(struct check *check, uint32_t source, int64_t from)
{
    const struct sim_log *log =
        sim_log_of(&check->world->broker, (enum sim_topic)source, check->number);

    while (from < log->count && !sim_entry_is_committed(&check->world->broker, &log->entries[from]))
        from++;
    return from;
}

/* One at a time: the order is the one that was. */
static void feed(struct check *check, struct rf_task *task, uint32_t source, int64_t offset)
{
    struct rf_error err = {0};
    const struct sim_entry *entry =
        &sim_log_of(&check->world->broker, (enum sim_topic)source, check->number)->entries[offset];
    struct rf_input input = {
        .source = source,
        .position = {.topic = check->world->plan.plan.sources[source].topic,
                     .partition = check->number,
                     .offset = offset},
        .broker_time = entry->time,
        .key = entry->key,
        .value = entry->value,
    };

    rf_task_feed(task, &input);
    for (int looks = 0; rf_task_pending(task) > 0; looks++) {
        if (!rf_task_fold(task, &err) || looks > LOOKS_MAX)
            sim_fail(check->world, "%s-%d offset %lld cannot be folded: %s",
                     sim_topic_names[source], (int)check->number, (long long)offset, err.message);
    }
}

static void advance(struct check *check, struct rf_task *task, rf_ms clock)
{
    struct rf_error err = {0};

    if (!rf_task_advance(task, clock, &err))
        sim_fail(check->world, "task %d: %s", (int)check->number, err.message);
}

/* As far as somebody else came, and no further: each call looks at one customer. */
static void let_time_pass(struct check *check, struct rf_task *task, const struct sim_step *step,
                          size_t fired)
{
    for (int looks = 0;
         looks < LOOKS_MAX && rf_task_fired(task) < fired && rf_task_next_due(task) < RF_MS_MAX;
         looks++)
        advance(check, task, rf_task_next_due(task));
    for (int looks = 0; step->complete && looks < LOOKS_MAX && rf_task_is_due(task, step->offset);
         looks++)
        advance(check, task, step->offset);
    if (!rf_task_is_due(task, step->offset))
        advance(check, task, step->offset);
    if (rf_task_fired(task) != fired)
        sim_fail(check->world, "task %d: %zu timers have fired instead of %zu by %lld",
                 (int)check->number, fired, rf_task_fired(task), (long long)step->offset);
}

static void remember(struct sim_truth_partition *partition, struct sim_step step)
{
    if (partition->input_count == partition->input_capacity) {
        partition->input_capacity =
            partition->input_capacity == 0 ? 256 : partition->input_capacity * 2;
        partition->inputs =
            realloc(partition->inputs, partition->input_capacity * sizeof *partition->inputs);
        rf_assert(partition->inputs != NULL);
    }
    step.fired += partition->fired;
    partition->inputs[partition->input_count++] =
        (struct sim_committed_input){.step = step, .commit = partition->commits};
}

static void take_input(struct check *check, const struct sim_step *step)
{
    struct sim_truth_partition *partition = check->partition;
    int64_t from = partition->next[step->source] < 0 ? 0 : partition->next[step->source];
    int64_t expected = next_input(check, step->source, from);

    if (step->offset != expected)
        sim_fail(check->world, "task %d has folded %s offset %lld instead of %lld",
                 (int)check->number, sim_topic_names[step->source], (long long)step->offset,
                 (long long)expected);
    partition->next[step->source] = expected + 1;
}

/* Exactly the inputs that come next, each once. */
static void take_inputs(struct check *check)
{
    struct sim_truth_partition *partition = check->partition;
    const struct sim_claim *claim = check->claim;

    if (claim->changelog_next < partition->changelog_end)
        sim_fail(check->world, "task %d has folded onto changelog offset %lld instead of %lld",
                 (int)check->number, (long long)claim->changelog_next,
                 (long long)partition->changelog_end);
    for (int s = 0; s < SIM_SOURCES; s++) {
        if (claim->began[s] != partition->next[s])
            sim_fail(check->world, "task %d has folded %s from %lld instead of %lld",
                     (int)check->number, sim_topic_names[s], (long long)claim->began[s],
                     (long long)partition->next[s]);
    }
    for (size_t i = 0; i < claim->step_count; i++) {
        if (claim->steps[i].source != SIM_TIME)
            take_input(check, &claim->steps[i]);
        remember(partition, claim->steps[i]);
    }
}

static void fold_inputs(struct check *check)
{
    struct rf_task *task = check->partition->task;

    for (size_t i = 0; i < check->claim->step_count; i++) {
        const struct sim_step *step = &check->claim->steps[i];

        if (step->source == SIM_TIME)
            let_time_pass(check, task, step, step->fired);
        else
            feed(check, task, step->source, step->offset);
    }
    check->partition->fired += rf_task_fired(task);
    check->world->counts.timers += rf_task_fired(task);
}

/* The offsets that are committed with it speak of the same inputs. */
static void check_offsets(struct check *check)
{
    const struct sim_txn *txn = &check->world->broker.txns[check->txn];

    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        int64_t sent = check->claim->sent[s];
        int64_t *next = &check->partition->next[s];

        if (txn->offsets[s][check->number] != sent)
            sim_fail(check->world,
                     "transaction %u commits offset %lld of %s-%d, its state is of %lld",
                     check->txn, (long long)txn->offsets[s][check->number], sim_topic_names[s],
                     (int)check->number, (long long)sent);
        if (sent < *next ||
            (sent > *next && sent >= 0 && next_input(check, s, *next < 0 ? 0 : *next) < sent))
            sim_fail(check->world, "%s-%d: offset %lld is committed, folded is up to %lld",
                     sim_topic_names[s], (int)check->number, (long long)sent, (long long)*next);
        *next = sent;
    }
}

static void check_state(struct check *check, const struct sim_entry *entry, rf_ms stream_time)
{
    struct rf_task_state state;
    struct rf_error err = {0};

    if (!rf_task_state_read(entry->value, &state, &err))
        sim_fail(check->world, "%s", err.message);
    if (state.stream_time != stream_time)
        sim_fail(check->world, "tasks-%d: stream time is %lld instead of %lld", (int)check->number,
                 (long long)state.stream_time, (long long)stream_time);
    for (int s = 0; s < SIM_SOURCES; s++) {
        int64_t found = -1;

        for (size_t i = 0; i < state.position_count; i++) {
            if (rf_bytes_equal(state.positions[i].topic,
                               rf_bytes_of_text(check->world->plan.plan.sources[s].topic)))
                found = state.positions[i].offset;
        }
        if (found != check->partition->next[s])
            sim_fail(check->world, "tasks-%d: position of %s is %lld instead of %lld",
                     (int)check->number, sim_topic_names[s], (long long)found,
                     (long long)check->partition->next[s]);
    }
}

/* The last state record; there is one. */
static void check_tasks_topic(struct check *check, rf_ms stream_time)
{
    const struct sim_entry *last = NULL;
    const struct sim_entry *entry = NULL;

    while ((entry = next_record(check, SIM_TASKS)) != NULL) {
        if (rf_bytes_equal(entry->key, rf_bytes_of_text("state")))
            last = entry;
    }
    if (last == NULL)
        sim_fail(check->world, "tasks-%d: there is no state", (int)check->number);
    check_state(check, last, stream_time);
}

static void check_derived(struct check *check, const struct rf_derived *derived)
{
    const struct sim_entry *entry = next_record(check, SIM_ALERTS);

    rf_buffer_clear(&check->buffer);
    sim_derived_write(&check->world->plan.plan, derived, &check->buffer);
    check->world->counts.derived += check->txn != 0;
    if (entry == NULL || !rf_bytes_equal(entry->value, rf_buffer_bytes(&check->buffer)) ||
        !rf_bytes_equal(entry->key, derived->customer))
        sim_fail(check->world, "alerts-%d: expected %.*s, found %.*s", (int)check->number,
                 (int)check->buffer.size, (const char *)check->buffer.data,
                 entry == NULL ? 7 : (int)entry->value.size,
                 entry == NULL ? "nothing" : (const char *)entry->value.data);
}

static void check_letter(struct check *check, const struct rf_dead_letter *letter)
{
    const struct sim_entry *entry = next_record(check, SIM_DEAD_LETTERS);
    bool whole = letter->input.key.size + letter->input.value.size <=
                 check->world->settings.letter_bytes_max;

    check->world->counts.letters += check->txn != 0;
    if (entry == NULL || entry->letter->source != letter->input.source ||
        entry->letter->offset != letter->input.position.offset ||
        strcmp(entry->letter->error_class, letter->error_class) != 0)
        sim_fail(check->world, "dlq-%d: expected %s offset %lld (%s), found %s offset %lld (%s)",
                 (int)check->number, letter->input.position.topic,
                 (long long)letter->input.position.offset, letter->error_class,
                 entry == NULL ? "nothing"
                 : entry->letter->source == RF_SOURCE_TIMER
                     ? "timer"
                     : sim_topic_names[entry->letter->source],
                 entry == NULL ? -1 : (long long)entry->letter->offset,
                 entry == NULL ? "" : entry->letter->error_class);
    if (!rf_bytes_equal(entry->key, letter->input.key) ||
        (whole && !rf_bytes_equal(entry->value, letter->input.value)))
        sim_fail(check->world, "dlq-%d: offset %lld is not as it came", (int)check->number,
                 (long long)letter->input.position.offset);
}

static void check_outbox(struct check *check, struct rf_task *task)
{
    size_t count = 0;
    const struct rf_out *outbox = rf_task_take_outbox(task, &count);

    for (size_t i = 0; i < count; i++) {
        if (outbox[i].kind == RF_OUT_DERIVED)
            check_derived(check, outbox[i].as.derived);
        else
            check_letter(check, outbox[i].as.dead_letter);
    }
    expect_end(check, SIM_ALERTS);
    expect_end(check, SIM_DEAD_LETTERS);
}

static void seal(struct check *check, struct rf_task *task, const struct rf_sealed **sealed,
                 size_t *count)
{
    struct rf_error err = {0};

    if (!rf_task_seal(task, sealed, count, &err))
        sim_fail(check->world, "task %d: what was committed cannot be sealed: %s",
                 (int)check->number, err.message);
}

static bool is_same_record(struct rf_bytes a, struct rf_bytes b)
{
    return (a.data == NULL) == (b.data == NULL) && rf_bytes_equal(a, b);
}

static void check_records(struct check *check, struct rf_task *task)
{
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;

    seal(check, task, &sealed, &count);
    for (size_t i = 0; i < count; i++) {
        const struct sim_entry *entry = next_record(check, SIM_CHANGELOG);

        if (entry == NULL || !rf_bytes_equal(entry->key, sealed[i].customer) ||
            !is_same_record(entry->value, sealed[i].record))
            sim_fail(check->world, "changelog-%d: the record of %.*s is not what the fold gives",
                     (int)check->number, (int)sealed[i].customer.size,
                     (const char *)sealed[i].customer.data);
        check->partition->changelog_end = check->at[SIM_CHANGELOG];
    }
    expect_end(check, SIM_CHANGELOG);
    rf_task_committed(task, count == 0 ? -1 : check->partition->changelog_end);
}

/* Does a message of this customer make something too large? Nobody else's may be put aside. */
static void check_giant(struct check *check, struct rf_bytes customer, const char *what)
{
    struct sim_broker *broker = &check->world->broker;

    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        const struct sim_log *log = sim_log_of(broker, (enum sim_topic)s, check->number);

        for (int64_t i = 0; i < log->count; i++) {
            if (sim_message_is_giant(log->entries[i].value) &&
                rf_bytes_equal(log->entries[i].key, customer))
                return;
        }
    }
    sim_fail(check->world, "task %d: %s of %.*s is in quarantine for nothing", (int)check->number,
             what, (int)customer.size, (const char *)customer.data);
}

static void check_quarantine(struct check *check, uint32_t source, int64_t offset)
{
    struct sim_broker *broker = &check->world->broker;

    check_giant(check,
                sim_log_of(broker, (enum sim_topic)source, check->number)->entries[offset].key,
                "an input");
}

static void tell_aside(struct rf_task *task, const struct sim_put_aside *aside)
{
    if (aside->held)
        rf_task_hold(task, aside->customer, aside->due, "");
    else
        rf_task_quarantine_timer(task, aside->customer, aside->due, "");
}

static void put_aside(struct check *check, const struct sim_entry *entry)
{
    struct sim_truth_partition *partition = check->partition;
    const struct sim_put_aside aside = {.customer = entry->key,
                                        .due = entry->letter->offset,
                                        .commit = partition->commits,
                                        .held = strcmp(entry->letter->error_class, "held") == 0};

    check_giant(check, entry->key, "a timer of it");
    partition->aside =
        realloc(partition->aside, (partition->aside_count + 1) * sizeof *partition->aside);
    rf_assert(partition->aside != NULL);
    partition->aside[partition->aside_count++] = aside;
    tell_aside(partition->task, &aside);
}

/* What was put aside is taken as given: which input it hits depends on where transactions end. */
static void take_quarantine(struct check *check)
{
    const struct sim_log *log = sim_log_of(&check->world->broker, SIM_DEAD_LETTERS, check->number);
    struct sim_truth_partition *partition = check->partition;

    for (int64_t i = 0; i < log->count; i++) {
        const struct sim_entry *entry = &log->entries[i];

        if (entry->kind != SIM_DATA || entry->txn != check->txn ||
            (strcmp(entry->letter->error_class, "quarantined") != 0 &&
             strcmp(entry->letter->error_class, "held") != 0))
            continue;
        if (entry->letter->source == RF_SOURCE_TIMER) {
            put_aside(check, entry);
            continue;
        }
        check_quarantine(check, entry->letter->source, entry->letter->offset);
        rf_task_quarantine(partition->task, entry->letter->source, entry->letter->offset, "");
        for (size_t k = 0; k < partition->input_count; k++) {
            if (partition->inputs[k].step.source == entry->letter->source &&
                partition->inputs[k].step.offset == entry->letter->offset)
                partition->inputs[k].quarantined = true;
        }
    }
}

static void check_partition(struct check *check)
{
    struct sim_truth_partition *partition = check->partition;
    struct rf_error err = {0};

    take_inputs(check);
    check_offsets(check);
    take_quarantine(check);
    fold_inputs(check);
    check_outbox(check, partition->task);
    check_records(check, partition->task);
    check_tasks_topic(check, rf_task_stream_time(partition->task));
    rf_assert(rf_task_flush(partition->task, FLUSH_AT, &err));
    partition->commits++;
}

/* A transaction that says nothing of a partition has nothing in it. */
static void check_untouched(const struct check *check)
{
    const struct sim_txn *txn = &check->world->broker.txns[check->txn];

    for (int topic = SIM_CHANGELOG; topic < SIM_TOPIC_COUNT; topic++) {
        int log = topic * SIM_PARTITIONS_MAX + check->number;

        if ((txn->touched & (UINT64_C(1) << log)) != 0)
            sim_fail(check->world, "transaction %u is torn: it has records in %s-%d and no state",
                     check->txn, sim_topic_names[topic], (int)check->number);
    }
    for (int s = 0; s < SIM_SOURCES; s++) {
        if (txn->offsets[s][check->number] >= 0)
            sim_fail(check->world, "transaction %u is torn: it has offsets of %s-%d and no state",
                     check->txn, sim_topic_names[s], (int)check->number);
    }
}

void sim_truth_commit(struct sim_truth *truth, uint32_t txn)
{
    for (int32_t p = 0; p < truth->world->settings.partitions; p++) {
        struct check check = {.truth = truth,
                              .world = truth->world,
                              .partition = &truth->partitions[p],
                              .number = p,
                              .txn = txn,
                              .claim = truth->world->broker.txns[txn].claims[p]};

        if (check.claim == NULL) {
            check_untouched(&check);
            continue;
        }
        rf_buffer_init(&check.buffer, VALUE_MAX);
        check_partition(&check);
        rf_buffer_deinit(&check.buffer);
    }
}

/* ---- everything ---- */

static void check_view(struct check *check, struct rf_task *task)
{
    struct rf_bytes view[SIM_CUSTOMERS];
    const struct rf_sealed *sealed = NULL;
    size_t count = 0;
    size_t there = 0;

    sim_truth_view(check->truth, check->number, INT64_MAX, view);
    seal(check, task, &sealed, &count);
    for (size_t i = 0; i < count; i++) {
        int index = sim_customer_index(sealed[i].customer);

        if (index < 0 || !is_same_record(view[index], sealed[i].record))
            sim_fail(check->world,
                     "changelog-%d: the last record of %.*s is not what one fold gives",
                     (int)check->number, (int)sealed[i].customer.size,
                     (const char *)sealed[i].customer.data);
        there += sealed[i].record.data != NULL;
    }
    for (int i = 0; i < SIM_CUSTOMERS; i++)
        there -= view[i].data != NULL;
    if (there != 0)
        sim_fail(check->world, "changelog-%d: a customer whom no input knows", (int)check->number);
    rf_task_committed(task, count == 0 ? -1 : 1);
}

/* A timer is put aside in one transaction, and not in those before and after. */
static void tell_asides_of(const struct sim_truth_partition *partition, struct rf_task *task,
                           int64_t commit)
{
    rf_task_end_quarantine(task);
    for (size_t i = 0; i < partition->aside_count; i++) {
        if (partition->aside[i].commit == commit)
            tell_aside(task, &partition->aside[i]);
    }
}

/* One task, one transaction, all inputs in order: where transactions end must not show. */
static void refold(struct check *check)
{
    struct rf_task *task = open_task(check->truth, check->number);
    const struct sim_truth_partition *partition = check->partition;

    for (size_t i = 0; i < partition->input_count; i++) {
        const struct sim_committed_input *input = &partition->inputs[i];

        if (i == 0 || input->commit != partition->inputs[i - 1].commit)
            tell_asides_of(partition, task, input->commit);
        if (input->quarantined)
            rf_task_quarantine(task, input->step.source, input->step.offset, "");
        if (input->step.source == SIM_TIME)
            let_time_pass(check, task, &input->step, input->step.fired);
        else
            feed(check, task, input->step.source, input->step.offset);
    }
    check_outbox(check, task);
    check_view(check, task);
    if (partition->input_count > 0)
        check_tasks_topic(check, rf_task_stream_time(task));
    rf_task_close(task);
}

static void check_logs(struct sim_world *world, int32_t partition)
{
    for (int topic = 0; topic < SIM_TOPIC_COUNT; topic++) {
        int64_t high = sim_log_high(&world->broker, (enum sim_topic)topic, partition);
        int64_t stable = sim_log_stable(&world->broker, (enum sim_topic)topic, partition);

        if (high != stable)
            sim_fail(world, "%s-%d: a transaction is left open at %lld", sim_topic_names[topic],
                     (int)partition, (long long)stable);
        if (topic < SIM_SOURCES && world->broker.committed[topic][partition] != high)
            sim_fail(world, "%s-%d: committed is %lld, its end is %lld", sim_topic_names[topic],
                     (int)partition, (long long)world->broker.committed[topic][partition],
                     (long long)high);
    }
}

/* When everything had come to rest nobody was due any more. */
static void check_nothing_is_due(struct check *check)
{
    struct rf_task *task = check->partition->task;
    rf_span_ms lateness = check->world->plan.plan.lateness;
    rf_ms until = check->world->rested - (lateness == RF_LATENESS_NONE ? 0 : lateness);

    for (int looks = 0; looks < LOOKS_MAX && rf_task_is_due(task, until); looks++)
        advance(check, task, until);
    if (rf_task_fired(task) > 0)
        sim_fail(check->world, "task %d: %zu timers that were due by %lld have not fired",
                 (int)check->number, rf_task_fired(task), (long long)until);
    rf_task_aborted(task);
}

void sim_truth_check_all(struct sim_truth *truth)
{
    for (int32_t p = 0; p < truth->world->settings.partitions; p++) {
        struct check check = {
            .truth = truth, .world = truth->world, .partition = &truth->partitions[p], .number = p};

        rf_buffer_init(&check.buffer, VALUE_MAX);
        check_logs(truth->world, p);
        check_nothing_is_due(&check);
        refold(&check);
        rf_buffer_deinit(&check.buffer);
        truth->world->counts.events += truth->partitions[p].input_count;
    }
}
