/* What became of the inputs of one transaction, to be added to what was counted before once it is committed. */
#pragma once
#include "core/engine/engine.h"
#include "core/model/event.h"
#include "core/model/plan.h"
#include "core/task/snapshot.h"

struct rf_out;

enum rf_letter_class {
    RF_LETTER_RECORD,      /* cannot be decoded, judged or folded */
    RF_LETTER_LATE,        /* older than lateness allows */
    RF_LETTER_QUARANTINED, /* what it causes cannot be produced */
    RF_LETTER_HELD,        /* a timer whose mark would make the record too large */
};
#define RF_LETTER_CLASSES 4
/* As the headers of a dead letter have it. */
const char *rf_letter_class_name(enum rf_letter_class letter_class);

struct rf_ledger {
    size_t source_count, rule_count;
    struct rf_source_counts *sources; /* owned */
    struct rf_rule_counts *rules;     /* owned */
    uint64_t dead_letters[RF_LETTER_CLASSES];
    uint64_t evicted, seen_forgotten, values_dropped;
    struct rf_pattern_counts patterns;
    struct rf_histogram delay; /* see snapshot.h: event_delay */
};

void rf_ledger_init(struct rf_ledger *ledger, const struct rf_plan *plan);
void rf_ledger_deinit(struct rf_ledger *ledger);
void rf_ledger_clear(struct rf_ledger *ledger);
/* Both of the same plan. */
void rf_ledger_add(struct rf_ledger *sum, const struct rf_ledger *more);

/* What became of an event that could be folded. */
void rf_ledger_fold(struct rf_ledger *ledger, const struct rf_input *input,
                    const struct rf_event *event, const struct rf_fold *fold);
/* What became of a customer at whom something was due. */
void rf_ledger_timer(struct rf_ledger *ledger, const struct rf_fold *fold);
/* What the transaction emits: derived events by rule and status, dead letters by class. Called once, with all of it. */
void rf_ledger_outbox(struct rf_ledger *ledger, const struct rf_out *outbox, size_t count);
