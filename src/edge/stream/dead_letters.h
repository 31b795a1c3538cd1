/* The dead letters of an application, and what became of them: read, put back into their topics, or discarded.
 *
 * A dead letter is handled where a mark stands behind it in its partition of the same topic: a message without key and
 * value whose header ringfold-handled names the letter's offset and ringfold-action what was done. Retention takes a
 * letter before its mark. What puts a message back writes message and mark in one transaction, and looks for marks only
 * after it has fenced whoever did the same before (their transactional id is one, APP-dlq-tool, and initialising it
 * ends what they left open): a letter is therefore put back once, whatever dies at whatever moment.
 *
 * Thread: the caller's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/stream/follow.h"

struct rf_letter {
    const struct rf_message
        *message;            /* as it is in the dead-letter topic: key, value, all headers */
    size_t own_header_count; /* the first so many are the sender's, the others ringfold's */
    struct rf_bytes topic;   /* where it came from */
    int32_t partition;
    int64_t offset;
    struct rf_bytes time; /* its timestamp there, RFC 3339; size 0: it had none */
    struct rf_bytes error_class, reason;
    int64_t value_omitted; /* the size of a value that was too large to be kept; -1: it is here */
    const char *handled;   /* "retried", "discarded"; NULL: not yet */
};

struct rf_letters_options {
    const struct rf_property *kafka;
    size_t kafka_count;
    const char *app;
    const char *topic; /* of the dead letters */
    rf_ms since;       /* RF_MS_MIN: all */
};

struct rf_letters;

/* What was handled so far is read from the marks. For `retry` and `discard` also the producer is made, which ends those
 * of others. NULL on errors: CONFIG (there is no such topic), RETRY. */
struct rf_letters *rf_letters_open(const struct rf_letters_options *options, bool to_handle,
                                   struct rf_error *err);
void rf_letters_close(struct rf_letters *letters);

/* The next letter there was when it was opened, oldest first in each partition; NULL: there are no more. Valid until the
 * next is asked for. */
bool rf_letters_next(struct rf_letters *letters, const struct rf_letter **letter,
                     struct rf_error *err) RF_MUST_CHECK;

/* Puts the message back into its topic and partition, with its key, its value and its own headers, and marks the letter;
 * `keep_time`: with its old timestamp. To be committed. Errors: RECORD (it cannot be put back; nothing was done), RETRY,
 * LOST (another process handles dead letters now). */
bool rf_letters_retry(struct rf_letters *letters, const struct rf_letter *letter, bool keep_time,
                      struct rf_error *err) RF_MUST_CHECK;
bool rf_letters_discard(struct rf_letters *letters, const struct rf_letter *letter,
                        struct rf_error *err) RF_MUST_CHECK;
/* All or nothing of what was retried and discarded since the last commit. After an error only close; what is committed
 * is found out by opening again. Errors: RETRY, LOST. */
bool rf_letters_commit(struct rf_letters *letters, struct rf_error *err) RF_MUST_CHECK;
