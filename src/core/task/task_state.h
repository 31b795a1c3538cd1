/* What the tasks topic says of a task with every transaction: the moment its changelog is of.
 *
 * An Avro record in single-object encoding, so that any Avro reader can follow it:
 *   partition int, stream_time timestamp-millis, changelog_offset long (where this transaction's records begin
 *   or later), plan_version string, positions map of long (topic → next offset), clock timestamp-millis (everything
 *   due up to here has fired). Records without a clock, of former versions, can be read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/model/source.h"

struct rf_task_state {
    int32_t partition;
    rf_ms stream_time;
    rf_ms clock; /* RF_MS_MIN: not known */
    int64_t changelog_offset;
    char plan_version[17];
    size_t position_count;
    struct {
        struct rf_bytes topic; /* in the bytes it was read from, or the plan's */
        int64_t offset;
    } positions[RF_SOURCES_MAX];
};

/* The schema as text, for the registry and for readers. */
extern const char rf_task_state_schema[];

void rf_task_state_write(const struct rf_task_state *state, struct rf_buffer *out);
/* Errors: STATE. */
bool rf_task_state_read(struct rf_bytes bytes, struct rf_task_state *state,
                        struct rf_error *err) RF_MUST_CHECK;
