#include "core/task/transaction.h"

#include <stddef.h>
#include <string.h>

#include "core/base/assert.h"

/* What is done on entry to a state. */
static const enum rf_transaction_action entry_action[RF_TRANSACTION_STATE_COUNT] = {
    [RF_TRANSACTION_IDLE] = RF_ACTION_NONE,
    [RF_TRANSACTION_OPEN] = RF_ACTION_BEGIN,
    [RF_TRANSACTION_SEALING] = RF_ACTION_PRODUCE,
    [RF_TRANSACTION_SENDING] = RF_ACTION_SEND_OFFSETS,
    [RF_TRANSACTION_COMMITTING] = RF_ACTION_COMMIT,
    [RF_TRANSACTION_APPLYING] = RF_ACTION_APPLY,
    [RF_TRANSACTION_ABORTING] = RF_ACTION_ABORT,
    [RF_TRANSACTION_FINDING_OUT] = RF_ACTION_FIND_OUT,
    [RF_TRANSACTION_LOST] = RF_ACTION_GIVE_UP,
};

#define TO(target) (RF_TRANSACTION_##target + 1) /* 0 stays for "cannot come" */

/* Where an input leads from each state. RETRY leads back to the state itself: the same action again. */
static const uint8_t transitions[RF_TRANSACTION_STATE_COUNT][RF_INPUT_COUNT] = {
    [RF_TRANSACTION_IDLE] =
        {
            [RF_INPUT_EVENT] = TO(OPEN),
            [RF_INPUT_DUE] = TO(IDLE),
            [RF_INPUT_REVOKED] = TO(LOST),
            [RF_INPUT_UNKNOWN] = TO(FINDING_OUT), /* the producer failed between transactions */
        },
    [RF_TRANSACTION_OPEN] =
        {
            [RF_INPUT_EVENT] = TO(OPEN),
            [RF_INPUT_OK] = TO(OPEN),
            [RF_INPUT_RETRY] = TO(OPEN),
            [RF_INPUT_DUE] = TO(SEALING),
            [RF_INPUT_ABORTABLE] = TO(ABORTING),
            [RF_INPUT_UNKNOWN] = TO(FINDING_OUT),
            [RF_INPUT_REVOKED] = TO(LOST),
        },
    [RF_TRANSACTION_SEALING] =
        {
            [RF_INPUT_OK] = TO(SENDING),
            [RF_INPUT_RETRY] = TO(SEALING),
            [RF_INPUT_ABORTABLE] = TO(ABORTING),
            [RF_INPUT_UNKNOWN] = TO(FINDING_OUT),
        },
    [RF_TRANSACTION_SENDING] =
        {
            [RF_INPUT_OK] = TO(COMMITTING),
            [RF_INPUT_RETRY] = TO(SENDING),
            [RF_INPUT_ABORTABLE] = TO(ABORTING),
            [RF_INPUT_UNKNOWN] = TO(FINDING_OUT),
        },
    [RF_TRANSACTION_COMMITTING] =
        {
            [RF_INPUT_OK] = TO(APPLYING),
            [RF_INPUT_RETRY] = TO(COMMITTING),
            [RF_INPUT_ABORTABLE] = TO(ABORTING),
            [RF_INPUT_UNKNOWN] = TO(FINDING_OUT),
        },
    [RF_TRANSACTION_APPLYING] =
        {
            [RF_INPUT_OK] = TO(IDLE),
        },
    [RF_TRANSACTION_ABORTING] =
        {
            [RF_INPUT_OK] = TO(IDLE),
            [RF_INPUT_RETRY] = TO(ABORTING),
            [RF_INPUT_UNKNOWN] = TO(FINDING_OUT),
        },
    [RF_TRANSACTION_FINDING_OUT] =
        {
            [RF_INPUT_RETRY] = TO(FINDING_OUT),
            [RF_INPUT_WAS_ABORTED] = TO(IDLE),
            [RF_INPUT_ELSEWHERE] = TO(LOST),
        },
    [RF_TRANSACTION_LOST] =
        {
            [RF_INPUT_OK] = TO(IDLE),
            [RF_INPUT_RETRY] = TO(LOST),
        },
};

void rf_transaction_init(struct rf_transaction *transaction)
{
    memset(transaction, 0, sizeof *transaction);
    transaction->state = RF_TRANSACTION_IDLE;
    transaction->action = RF_ACTION_NONE;
}

static void count_entry(struct rf_transaction *transaction, enum rf_transaction_state from)
{
    if (transaction->state == from)
        return;
    if (transaction->state == RF_TRANSACTION_APPLYING)
        transaction->committed_count++;
    else if (transaction->state == RF_TRANSACTION_ABORTING)
        transaction->aborted_count++;
    else if (transaction->state == RF_TRANSACTION_FINDING_OUT)
        transaction->unknown_count++;
    else if (transaction->state == RF_TRANSACTION_LOST)
        transaction->lost_count++;
}

enum rf_transaction_action rf_transaction_step(struct rf_transaction *transaction,
                                               enum rf_transaction_input input)
{
    enum rf_transaction_state from = transaction->state;
    uint8_t target = 0;

    rf_assert(from < RF_TRANSACTION_STATE_COUNT);
    rf_assert(input < RF_INPUT_COUNT);
    target = transitions[from][input];
    rf_assert(target != 0);
    transaction->state = (enum rf_transaction_state)(target - 1);
    if (from == RF_TRANSACTION_OPEN && transaction->state == RF_TRANSACTION_OPEN &&
        input != RF_INPUT_RETRY)
        transaction->action = RF_ACTION_NONE; /* begun already: there is only folding to do */
    else
        transaction->action = entry_action[transaction->state];
    count_entry(transaction, from);
    rf_transaction_check(transaction);
    return transaction->action;
}

void rf_transaction_check(const struct rf_transaction *transaction)
{
    rf_assert(transaction->state < RF_TRANSACTION_STATE_COUNT);
    rf_assert(transaction->action == entry_action[transaction->state] ||
              (transaction->state == RF_TRANSACTION_OPEN && transaction->action == RF_ACTION_NONE));
    /* 1: the store is written in one state only */
    rf_assert((transaction->action == RF_ACTION_APPLY) ==
              (transaction->state == RF_TRANSACTION_APPLYING));
}

const char *rf_transaction_state_name(enum rf_transaction_state state)
{
    static const char *const names[RF_TRANSACTION_STATE_COUNT] = {
        "idle",     "open",     "sealing",     "sending", "committing",
        "applying", "aborting", "finding out", "lost",
    };

    rf_assert(state < RF_TRANSACTION_STATE_COUNT);
    return names[state];
}
