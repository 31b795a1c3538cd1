/* The commit protocol of a worker, as a pure state machine: one transaction for all its tasks.
 *
 * Who executes the actions differs (edge/stream against Kafka, edge/replay against files, tests/sim against a
 * broker that lies); what may follow what does not, and is decided here alone.
 *
 *                 EVENT               DUE                  OK              OK            OK
 *        ┌─ IDLE ───────▶ OPEN ──────────────▶ SEALING ───────▶ SENDING ───────▶ COMMITTING ─┐
 *        │   ▲                                    │                │                 │       │ OK
 *        │   │ OK                                 │ ABORTABLE      │ ABORTABLE       │ ABORTABLE
 *        │   ├───────────── ABORTING ◀────────────┴────────────────┴─────────────────┤       ▼
 *        │   │                 │                                                     │   APPLYING
 *        │   │ WAS_ABORTED     │ UNKNOWN                                     UNKNOWN │       │ OK
 *        │   ├───────────── FINDING_OUT ◀────────────────────────────────────────────┘       │
 *        │   │                 │ ELSEWHERE                                                   │
 *        │   └──── LOST ◀──────┘                                                             │
 *        └◀──────────────────────────────────────────────────────────────────────────────────┘
 *
 * | state       | what holds                                                         | action on entry |
 * |-------------|--------------------------------------------------------------------|-----------------|
 * | IDLE        | no transaction; records are those of the last commit               | -               |
 * | OPEN        | begun; events are folded, derived events produced                  | BEGIN           |
 * | SEALING     | no more events; the changelog records are being produced           | PRODUCE         |
 * | SENDING     | the positions of everything folded are being sent                  | SEND_OFFSETS    |
 * | COMMITTING  | the outcome is the broker's                                        | COMMIT          |
 * | APPLYING    | committed: the records count, the store may be written             | APPLY           |
 * | ABORTING    | will not commit: records go back, inputs are folded again          | ABORT           |
 * | FINDING_OUT | committed or not, we cannot know: a new producer epoch ends the old transaction, then the
 * |             | committed offsets tell whether it was aborted                      | FIND_OUT        |
 * | LOST        | the group has moved on without us: tasks are given up              | GIVE_UP         |
 *
 * 1. The store is written in APPLYING only, and APPLYING is entered only when the broker said that the transaction
 *    is committed (invariant 1 of the design).
 * 2. From OPEN there is no way to IDLE but through APPLY, ABORT, FIND_OUT or GIVE_UP: nothing folded is
 *    forgotten, nothing counts twice.
 * 3. A failure that is neither to be retried nor abortable is UNKNOWN: it is never assumed how it ended. Where it was
 *    not aborted, the tasks are given up, and what is committed is read from the changelog. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum rf_transaction_state {
    RF_TRANSACTION_IDLE,
    RF_TRANSACTION_OPEN,
    RF_TRANSACTION_SEALING,
    RF_TRANSACTION_SENDING,
    RF_TRANSACTION_COMMITTING,
    RF_TRANSACTION_APPLYING,
    RF_TRANSACTION_ABORTING,
    RF_TRANSACTION_FINDING_OUT,
    RF_TRANSACTION_LOST,
    RF_TRANSACTION_STATE_COUNT,
};

enum rf_transaction_input {
    RF_INPUT_EVENT, /* there is something to fold */
    RF_INPUT_DUE, /* the interval is over, enough has gathered, or the tasks are to be handed over */
    RF_INPUT_OK,  /* the action succeeded */
    RF_INPUT_RETRY,     /* the action failed and changed nothing: once more */
    RF_INPUT_ABORTABLE, /* the action failed, the transaction has to be aborted */
    RF_INPUT_UNKNOWN, /* the action failed, and whether the transaction took effect is not known */
    RF_INPUT_REVOKED, /* the partitions are somebody else's already */
    RF_INPUT_WAS_ABORTED, /* FIND_OUT: the committed offsets are those of before */
    RF_INPUT_ELSEWHERE,   /* FIND_OUT: they are not: we have committed, or somebody else has */
    RF_INPUT_COUNT,
};

enum rf_transaction_action {
    RF_ACTION_NONE,
    RF_ACTION_BEGIN,
    RF_ACTION_PRODUCE,
    RF_ACTION_SEND_OFFSETS,
    RF_ACTION_COMMIT,
    RF_ACTION_APPLY,
    RF_ACTION_ABORT,
    RF_ACTION_FIND_OUT,
    RF_ACTION_GIVE_UP,
};

struct rf_transaction {
    enum rf_transaction_state state;
    enum rf_transaction_action
        action; /* what is being executed; NONE in IDLE, and in OPEN once begun */
    uint64_t committed_count, aborted_count, unknown_count, lost_count;
};

void rf_transaction_init(struct rf_transaction *transaction);

/* The next action, to be executed and answered by the next call. An input that cannot come in this state is a
 * mistake of ours and asserts. */
enum rf_transaction_action rf_transaction_step(struct rf_transaction *transaction,
                                               enum rf_transaction_input input);

/* Asserts the table above; called after each step. */
void rf_transaction_check(const struct rf_transaction *transaction);

const char *rf_transaction_state_name(enum rf_transaction_state state);
