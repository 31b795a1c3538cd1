/* Files of events as one stream in the order of event time; each file keeps its own order.
 *
 * A record whose time cannot be read (it will be a dead letter) keeps the place of the one before it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/codec/decoder.h"
#include "core/model/event.h"
#include "core/model/plan.h"

struct rf_replay_input {
    const char *
        path; /* .avro: container file; .csv, .tsv: rows; otherwise a JSON object a line; "-": lines of
                       * standard input */
    uint32_t source;
};

struct rf_merge;

struct rf_merged {
    uint32_t input; /* index of the file */
    struct rf_input
        record; /* position.topic is the file, position.offset the line or record, from 1 */
    rf_ms time; /* of the event */
    struct rf_bytes customer; /* size 0: it cannot be read */
};

/* `inputs` outlives it. Errors: CONFIG (a file; a source that takes from a message what a file does not have). */
struct rf_merge *rf_merge_open(const struct rf_plan *plan, const struct rf_replay_input *inputs,
                               size_t input_count, struct rf_error *err);
void rf_merge_close(struct rf_merge *merge);

/* The next record, valid until the next call; *end behind the last. Errors: CONFIG, RECORD (a file is damaged so that
 * nothing after it can be read). */
bool rf_merge_next(struct rf_merge *merge, struct rf_merged *merged, bool *end,
                   struct rf_error *err) RF_MUST_CHECK;

/* How the records of an input are decoded. */
struct rf_decoder rf_merge_decoder(const struct rf_merge *merge, uint32_t input);
