/* As edge/stream/commit.c: executes what core/task/transaction decides. */
#include <string.h>

#include "core/base/assert.h"
#include "core/task/task.h"
#include "core/task/task_progress.h"
#include "sim/worker.h"

#define FIND_OUT_PAUSE 20

bool sim_commit_is_open(const struct sim_worker *worker)
{
    return worker->transaction.state == RF_TRANSACTION_OPEN;
}

static bool has_folded(const struct sim_slot *slot)
{
    return slot->task != NULL && rf_task_folded(slot->task) > 0;
}

static bool has_news(const struct sim_slot *slot)
{
    return has_folded(slot) || (slot->task != NULL && rf_task_fired(slot->task) > 0);
}

static enum rf_transaction_input judge_code(struct sim_worker *worker, enum sim_code code,
                                            const char *doing)
{
    if (code == SIM_OK)
        return RF_INPUT_OK;
    sim_trace(worker->world, "%d: %s failed: %s", worker->index, doing,
              code == SIM_RETRIABLE   ? "once more"
              : code == SIM_ABORTABLE ? "abort"
                                      : "how it ended has to be found out");
    if (code == SIM_RETRIABLE)
        return RF_INPUT_RETRY;
    return code == SIM_ABORTABLE ? RF_INPUT_ABORTABLE : RF_INPUT_UNKNOWN;
}

bool sim_open_producer(struct sim_worker *worker)
{
    rf_assert(worker->producer == NULL);
    worker->producer = sim_producer_open(worker);
    worker->renew_producer = false;
    if (sim_producer_init(worker->producer) == SIM_OK)
        return true;
    sim_close_producer(worker);
    return false;
}

void sim_close_producer(struct sim_worker *worker)
{
    if (worker->producer == NULL)
        return;
    sim_producer_purge(worker->producer);
    sim_producer_free(worker->producer);
    worker->producer = NULL;
}

static enum rf_transaction_input begin(struct sim_worker *worker)
{
    if (worker->renew_producer) {
        sim_close_producer(worker);
        worker->world->counts.renewed++;
    }
    if (worker->producer == NULL && !sim_open_producer(worker))
        return RF_INPUT_UNKNOWN;
    worker->began = worker->world->now;
    worker->quarantined = false;
    worker->commit_asked = false;
    worker->connection_failed = false;
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        worker->slots[i].changelog_last = -1;
        worker->slots[i].changelog_produced = 0;
        worker->slots[i].changelog_acknowledged = 0;
    }
    return judge_code(worker, sim_producer_begin(worker->producer), "begin");
}

static void find_positions(struct sim_worker *worker, struct sim_slot *slot)
{
    for (uint32_t s = 0; s < SIM_SOURCES; s++) {
        int64_t fetched = worker->consumer.position[s][slot->partition];

        if (worker->world->plant == SIM_PLANT_LAST_PLUS_ONE)
            fetched = -1;
        if (fetched > slot->position[s])
            slot->position[s] = fetched;
        slot->sent[s] = rf_task_position(slot->task, s, slot->position[s]);
    }
}

static enum rf_transaction_input produce_records(struct sim_worker *worker)
{
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];
        enum rf_transaction_input input = RF_INPUT_OK;

        if (!has_news(slot))
            continue;
        find_positions(worker, slot);
        input = sim_produce_records(worker, slot);
        if (input != RF_INPUT_OK)
            return input;
    }
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        enum rf_transaction_input input = RF_INPUT_OK;

        if (has_news(&worker->slots[i]))
            input = sim_produce_state(worker, &worker->slots[i]);
        if (input != RF_INPUT_OK)
            return input;
    }
    return worker->quarantined ? RF_INPUT_ABORTABLE : RF_INPUT_OK;
}

static bool offsets_to_send(struct sim_worker *worker, struct sim_offsets_request *request)
{
    bool any = false;

    memset(request, 0, sizeof *request);
    memset(request->offsets, 0xff, sizeof request->offsets);
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        const struct sim_slot *slot = &worker->slots[i];

        bool sends = worker->world->plant == SIM_PLANT_TIMERS_WITHOUT_OFFSETS ? has_folded(slot)
                                                                              : has_news(slot);

        for (uint32_t s = 0; sends && s < SIM_SOURCES; s++) {
            request->offsets[s][i] = slot->sent[s];
            any = any || slot->sent[s] >= 0;
        }
    }
    return any;
}

static enum rf_transaction_input send_offsets(struct sim_worker *worker)
{
    struct sim_offsets_request request;
    enum sim_code code = SIM_OK;
    bool any = offsets_to_send(worker, &request);

    if (worker->world->plant == SIM_PLANT_OFFSETS_OUTSIDE)
        return RF_INPUT_OK;
    request.producer = worker->index;
    request.epoch = worker->producer->epoch;
    request.member_id = worker->consumer.member_id;
    request.generation = worker->consumer.generation;
    request.any_member = worker->world->plant == SIM_PLANT_ANY_MEMBER;
    if (any)
        code = sim_producer_send_offsets(worker->producer, &request);
    return judge_code(worker, code, "send offsets");
}

static enum rf_transaction_input commit(struct sim_worker *worker)
{
    enum rf_transaction_input input = RF_INPUT_OK;
    enum sim_plant plant = worker->world->plant;

    worker->commit_asked = true;
    if (plant == SIM_PLANT_KEEP_PRODUCER_AFTER_OFFSETS)
        worker->connection_failed = false;
    input = judge_code(worker, sim_producer_commit(worker->producer), "commit");
    if (worker->connection_failed && plant != SIM_PLANT_KEEP_PRODUCER)
        worker->renew_producer = true;
    if (plant == SIM_PLANT_OFFSETS_OUTSIDE && input == RF_INPUT_OK) {
        struct sim_offsets_request request;

        offsets_to_send(worker, &request);
        for (int s = 0; s < SIM_SOURCES; s++) {
            for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
                if (request.offsets[s][i] >= 0)
                    worker->world->broker.committed[s][i] = request.offsets[s][i];
            }
        }
    }
    return input;
}

static void end_transaction(struct sim_worker *worker)
{
    worker->folded = 0;
}

static enum rf_transaction_input apply(struct sim_worker *worker)
{
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];

        bool news = has_news(slot);

        if (slot->task == NULL || !rf_task_is_open(slot->task))
            continue;
        rf_assert(slot->changelog_acknowledged == slot->changelog_produced);
        rf_inputs_commit(&slot->shadow);
        if (news)
            slot->step_count = 0; /* the claim has them */
        slot->steps_kept = slot->step_count;
        rf_task_committed(slot->task, slot->changelog_last < 0 ? -1 : slot->changelog_last + 1);
        if (!news)
            continue;
        slot->schema_written = true;
        for (size_t s = 0; s < SIM_SOURCES; s++)
            slot->committed[s] = slot->sent[s];
    }
    worker->abort_streak = 0;
    end_transaction(worker);
    return RF_INPUT_OK;
}

static void drop_overlays(struct sim_worker *worker)
{
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        if (worker->slots[i].task == NULL ||
            (worker->world->plant == SIM_PLANT_KEEP_LOOKS && !has_folded(&worker->slots[i])))
            continue;
        worker->slots[i].step_count = worker->slots[i].steps_kept;
        rf_task_aborted(worker->slots[i].task);
        rf_inputs_rewind(&worker->slots[i].shadow);
    }
    end_transaction(worker);
}

static enum rf_transaction_input abort_transaction(struct sim_worker *worker)
{
    enum rf_transaction_input input = RF_INPUT_OK;

    sim_producer_flush(worker->producer);
    input = judge_code(worker, sim_producer_abort(worker->producer), "abort");
    if (input == RF_INPUT_RETRY || input == RF_INPUT_UNKNOWN)
        return input;
    if (worker->connection_failed && worker->world->plant != SIM_PLANT_KEEP_PRODUCER)
        worker->renew_producer = true;
    if (worker->world->plant == SIM_PLANT_KEEP_OVERLAY)
        end_transaction(worker);
    else
        drop_overlays(worker);
    worker->abort_streak++;
    return RF_INPUT_OK;
}

static bool is_as_before(const struct sim_slot *slot, const int64_t *now)
{
    return memcmp(now, slot->committed, sizeof slot->committed) == 0;
}

/* What SIM_PLANT_TRUST_OFFSETS, ASSUME_COMMITTED and ASSUME_ABORTED believe. */
static enum rf_transaction_input believe(struct sim_worker *worker, bool as_sent, bool moved)
{
    enum sim_plant plant = worker->world->plant;
    bool committed = (plant == SIM_PLANT_TRUST_OFFSETS && moved && as_sent) ||
                     plant == SIM_PLANT_ASSUME_COMMITTED;

    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        const struct sim_slot *slot = &worker->slots[i];

        committed = committed && slot->changelog_acknowledged == slot->changelog_produced &&
                    (slot->task == NULL || slot->changelog_produced > 0);
    }
    if (committed) {
        apply(worker);
        return RF_INPUT_WAS_ABORTED;
    }
    if (moved && plant != SIM_PLANT_ASSUME_ABORTED)
        return RF_INPUT_ELSEWHERE;
    drop_overlays(worker);
    return RF_INPUT_WAS_ABORTED;
}

static bool only_time_has_passed(const struct sim_worker *worker)
{
    bool news = false;

    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        if (has_folded(&worker->slots[i]))
            return false;
        news = news || has_news(&worker->slots[i]);
    }
    return news && worker->world->plant != SIM_PLANT_TIMERS_ASSUME_ABORTED;
}

static enum rf_transaction_input find_out(struct sim_worker *worker)
{
    struct rf_error err = {0};
    bool moved = worker->commit_asked && only_time_has_passed(worker);
    bool as_sent = true;

    sim_close_producer(worker);
    if (!sim_open_producer(worker)) {
        sim_sleep(worker, FIND_OUT_PAUSE);
        return RF_INPUT_RETRY;
    }
    for (int32_t i = 0; i < worker->world->settings.partitions; i++) {
        struct sim_slot *slot = &worker->slots[i];
        int64_t now[SIM_SOURCES];

        if (!has_folded(slot))
            continue;
        if (!sim_committed_offsets(worker, i, now, &err)) {
            sim_sleep(worker, FIND_OUT_PAUSE);
            return worker->rejoin ? RF_INPUT_ELSEWHERE : RF_INPUT_RETRY;
        }
        moved = moved || !is_as_before(slot, now);
        as_sent = as_sent && memcmp(now, slot->sent, sizeof slot->sent) == 0;
    }
    sim_trace(worker->world, "%d: found out: %s", worker->index,
              moved ? "in the changelog" : "aborted");
    worker->world->counts.elsewhere += moved;
    return believe(worker, as_sent, moved);
}

static enum rf_transaction_input give_up(struct sim_worker *worker)
{
    sim_trace(worker->world, "%d: gives its tasks up", worker->index);
    drop_overlays(worker);
    sim_slots_release(worker);
    worker->rejoin = true;
    return RF_INPUT_OK;
}

static enum rf_transaction_input execute(struct sim_worker *worker,
                                         enum rf_transaction_action action)
{
    switch (action) {
    case RF_ACTION_BEGIN:
        return begin(worker);
    case RF_ACTION_PRODUCE:
        return produce_records(worker);
    case RF_ACTION_SEND_OFFSETS:
        return send_offsets(worker);
    case RF_ACTION_COMMIT:
        return commit(worker);
    case RF_ACTION_APPLY:
        return apply(worker);
    case RF_ACTION_ABORT:
        return abort_transaction(worker);
    case RF_ACTION_FIND_OUT:
        return find_out(worker);
    case RF_ACTION_GIVE_UP:
        return give_up(worker);
    case RF_ACTION_NONE:
        break;
    }
    rf_assert(false);
    return RF_INPUT_UNKNOWN;
}

void sim_commit_feed(struct sim_worker *worker, enum rf_transaction_input input)
{
    enum rf_transaction_action action = rf_transaction_step(&worker->transaction, input);

    while (action != RF_ACTION_NONE) {
        enum rf_transaction_state state = worker->transaction.state;

        sim_pause(worker);
        action = rf_transaction_step(&worker->transaction, execute(worker, action));
        if (worker->transaction.state != state)
            sim_trace(worker->world, "%d: %s -> %s", worker->index,
                      rf_transaction_state_name(state),
                      rf_transaction_state_name(worker->transaction.state));
    }
}
