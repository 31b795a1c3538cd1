/* Where a consumer group stands in its topics, as Kafka says: begin, end, committed, and how old what is left is.
 *
 * Joins nothing and commits nothing, so it works beside a running instance and without one. What it reads, it reads in
 * this order: the committed offsets, then the ends, so that a lag is never negative; a committed offset that retention
 * has overtaken counts as the log's begin. Thread: the caller's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/model/delivery.h"

#define RF_OFFSET_NONE INT64_C(-1)

struct rf_offsets_options {
    const struct rf_property *kafka;
    size_t kafka_count;
    const char *group;
    const char *const *topics;
    size_t topic_count;
    enum rf_start start; /* where a partition begins for which nothing was committed */
};

struct rf_offsets_place {
    uint32_t topic; /* index in the options */
    int32_t partition;
    int64_t begin,
        end; /* of the log; `end` is the high watermark: open transactions are before it */
    int64_t committed; /* the next offset to be read; RF_OFFSET_NONE: never */
    int64_t lag;       /* offsets that are not read yet, as kafka-consumer-groups counts them */
    /* The timestamp of the oldest record that is not read yet; RF_MS_MAX: none is left (what `lag` counts are marks
     * of transactions, or records of one that was aborted); RF_MS_MIN: the broker did not give it in time. */
    rf_ms oldest;
    char owner[160]; /* the client id of the member that has it; "": nobody */
};

struct rf_offsets;

/* Errors: CONFIG, RETRY. */
struct rf_offsets *rf_offsets_open(const struct rf_offsets_options *options, struct rf_error *err);
/* A look at all partitions, ordered by topic and partition; valid until the next look. Errors: CONFIG (there is no such
 * topic), RETRY. */
bool rf_offsets_look(struct rf_offsets *offsets, const struct rf_offsets_place **places,
                     size_t *count, struct rf_error *err) RF_MUST_CHECK;
void rf_offsets_close(struct rf_offsets *offsets);
