#include "core/base/assert.h"
#include "edge/ops/server_internal.h"

bool rf_ops_ask(struct rf_ops *ops, struct rf_exchange *exchange)
{
    bool ok = false;

    rf_mutex_lock(&ops->lock);
    if (ops->question_count < RF_QUESTIONS_MAX && !ops->closing) {
        size_t at = (ops->question_first + ops->question_count) % RF_QUESTIONS_MAX;

        /* Before anyone can wake it. */
        MHD_suspend_connection(exchange->connection);
        ops->questions[at] = exchange;
        ops->question_count++;
        rf_condition_wake_all(&ops->changed);
        ok = true;
    }
    rf_mutex_unlock(&ops->lock);
    return ok;
}

/* NULL: it is over, and none is left. */
static struct rf_exchange *take(struct rf_ops *ops)
{
    struct rf_exchange *exchange = NULL;

    rf_mutex_lock(&ops->lock);
    while (ops->question_count == 0 && !ops->closing)
        rf_condition_wait(&ops->changed, &ops->lock);
    if (ops->question_count > 0) {
        exchange = ops->questions[ops->question_first];
        ops->question_first = (ops->question_first + 1) % RF_QUESTIONS_MAX;
        ops->question_count--;
    }
    rf_mutex_unlock(&ops->lock);
    return exchange;
}

void rf_ops_ask_run(void *argument)
{
    struct rf_ops *ops = argument;

    for (;;) {
        struct rf_exchange *exchange = take(ops);
        struct rf_desk_counts counts;
        struct rf_desk_view view;

        if (exchange == NULL)
            return;
        view = rf_ops_borrow(ops, &counts);
        rf_desk_answer(&ops->desk, &view, &exchange->request, &exchange->reply);
        rf_ops_give_back(ops, &view);
        exchange->answered = true;
        MHD_resume_connection(exchange->connection);
    }
}
