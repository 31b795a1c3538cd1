/* Messages of topics, read by hand: committed ones only, without a group, without touching a running instance. To what
 * is the end now, or for ever. Thread: the caller's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"
#include "core/codec/derived_codec.h"
#include "core/model/delivery.h"

/* Everything in it is valid until the next message is asked for. */
struct rf_message {
    uint32_t topic; /* index in the options */
    int32_t partition;
    int64_t offset;
    rf_ms time;                 /* the message's timestamp; RF_MS_MIN: it has none */
    struct rf_bytes key, value; /* data == NULL: null */
    const struct rf_header *headers;
    size_t header_count;
};

enum rf_follow_from {
    RF_FOLLOW_BEGINNING,
    RF_FOLLOW_SINCE, /* the first message of each partition that is of `since` or later */
    RF_FOLLOW_END
};

struct rf_follow_options {
    const struct rf_property *kafka;
    size_t kafka_count;
    const char *client;
    const char *const *topics; /* each once */
    size_t topic_count;
    enum rf_follow_from from;
    rf_ms since;
    bool
        to_end; /* ends at the high watermarks of when it was opened; what is in an open transaction is waited for */
};

struct rf_follow;

/* NULL on errors: CONFIG (there is no such topic), RETRY (kafka is away). `options` may go, the topics' names not. */
struct rf_follow *rf_follow_open(const struct rf_follow_options *options, struct rf_error *err);

/* The next message, or NULL where none came within `timeout_ms` or all is read that was to be. Errors: RETRY. */
bool rf_follow_next(struct rf_follow *follow, int timeout_ms, const struct rf_message **message,
                    struct rf_error *err) RF_MUST_CHECK;

/* With `to_end`: everything was read. */
bool rf_follow_is_done(const struct rf_follow *follow);

int32_t rf_follow_partitions(const struct rf_follow *follow, size_t topic);
/* With `to_end`, for a progress line: offsets to be read, and those that have been. */
uint64_t rf_follow_total(const struct rf_follow *follow);
uint64_t rf_follow_read(const struct rf_follow *follow);

void rf_follow_close(struct rf_follow *follow);
