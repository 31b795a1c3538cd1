#include "edge/ops/desk.h"

/* Why a task is not at work yet, the worst of all tasks. */
static void look_at_tasks(const struct rf_snapshot *snapshot, struct rf_health *health)
{
    bool known = true;

    for (size_t i = 0; i < snapshot->task_count; i++) {
        const struct rf_task_view *task = &snapshot->tasks[i];

        if (task->status == RF_TASK_RUNNING) {
            health->ready_tasks++;
            continue;
        }
        health->ready = false;
        if (task->status == RF_TASK_BLOCKED) {
            health->state = "blocked";
            health->reason = task->blocked != NULL ? task->blocked : "a task waits";
            known = false;
            continue;
        }
        health->remaining += task->restore_remaining;
        if (health->state[0] != 'b') {
            health->state = "restoring";
            health->reason = "stores are being brought up to date from the changelog";
        }
        if (task->status == RF_TASK_WAITING || task->restore_eta_ms < 0)
            known = false;
        else if (task->restore_eta_ms > health->eta_ms)
            health->eta_ms = task->restore_eta_ms;
    }
    if (!known)
        health->eta_ms = -1;
}

static bool has_joined(const struct rf_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->worker_count; i++) {
        if (snapshot->workers[i].rebalances > 0)
            return true;
    }
    return false;
}

void rf_health_ready(const struct rf_desk_view *view, const struct rf_snapshot *snapshot,
                     struct rf_health *health)
{
    *health = (struct rf_health){
        .ready = true, .state = "ready", .reason = "every partition that is ours is worked on"};
    if (view->leaving) {
        health->ready = false;
        health->state = "stopping";
        health->reason = "it was asked to stop, and commits what is folded";
        health->eta_ms = -1;
        return;
    }
    if (snapshot == NULL) {
        health->ready = false;
        health->state = "starting";
        health->reason = view->phase;
        health->eta_ms = -1;
        return;
    }
    health->task_count = snapshot->task_count;
    if (!has_joined(snapshot)) {
        health->ready = false;
        health->state = "joining";
        health->reason = "the consumer group has not given us partitions yet";
        health->eta_ms = -1;
        return;
    }
    if (snapshot->kafka_away > 0) {
        health->ready = false;
        health->state = "blocked";
        health->reason = "kafka does not answer: nothing is read until it does";
        health->eta_ms = -1;
        return;
    }
    if (snapshot->task_count == 0)
        health->reason = "ready to take over: other instances have all partitions";
    look_at_tasks(snapshot, health);
}

const struct rf_worker_view *rf_health_stuck(const struct rf_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->worker_count; i++) {
        const struct rf_worker_view *worker = &snapshot->workers[i];

        if (worker->since_turn_ms > RF_LIVE_TURN_MS && !worker->waits_for_kafka)
            return worker;
    }
    return NULL;
}
