/* What records.c and records_time.c share; nobody else includes it. */
#pragma once
#include "core/model/plan.h"
#include "core/task/record_table.h"
#include "core/task/records.h"
#include "core/task/timers.h"

struct rf_records {
    const struct rf_plan *plan;
    const struct rf_customer_codec *codec;
    struct rf_layouts *layouts; /* not owned */
    struct rf_store store;      /* not owned */
    struct rf_engine *engine;   /* not owned */
    struct rf_record_table table;
    size_t memory_max;
    size_t memory;          /* entries and their record blocks */
    size_t gathered_memory; /* of it, what the store does not have */
    size_t clock_hand;

    struct rf_timers timers;
    bool has_timers;         /* the plan has */
    bool indexed;            /* the store's order of time has ever had anybody in it */
    bool swept;              /* it is of the plan of now */
    struct rf_buffer cursor; /* of the sweep: the next customer */

    struct rf_record_entry **open; /* touched in this transaction */
    rf_ms *open_dues;              /* when they were due before it */
    size_t open_count, open_capacity;
    struct rf_record_entry *
        *dirty; /* of them, what has changed, in the order of the first change */
    size_t dirty_count, dirty_capacity;
    struct rf_record_entry **missing; /* wanted, and not in memory */
    struct rf_bytes *missing_keys;
    struct rf_stored *missing_found;
    size_t missing_count, missing_capacity;
    struct rf_record_entry **gathered; /* committed, and not in the store */
    size_t gathered_count, gathered_capacity;
    struct rf_buffer scratch;
    struct rf_value *values; /* of the features, while sealing */
    uint64_t hits, misses, evicted;
};

/* records.c */
void rf_records_gather(struct rf_records *records, struct rf_record_entry *entry);

/* records_time.c */
void rf_records_time_init(struct rf_records *records);
void rf_records_time_deinit(struct rf_records *records);
/* The entry was read from the store, where it stands at `due` in the order of time. */
void rf_records_place(struct rf_records *records, struct rf_record_entry *entry, rf_ms due);
/* The entry was opened. */
void rf_records_time(struct rf_records *records, struct rf_record_entry *entry);
/* It is as it was before the transaction, when it was due at `due`. */
void rf_records_untime(struct rf_records *records, struct rf_record_entry *entry, rf_ms due);
/* Its record came from the changelog. */
void rf_records_restored(struct rf_records *records, struct rf_record_entry *entry);
/* Around the writing of what is gathered, which is sorted. */
bool rf_records_find_places(struct rf_records *records, struct rf_error *err) RF_MUST_CHECK;
void rf_records_note_from(struct rf_records *records);
void rf_records_written(struct rf_records *records);
