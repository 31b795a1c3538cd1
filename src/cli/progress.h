/* One line on a terminal for work that takes long: what, how much, how fast, how long still.
 *
 *     replaying  41%  1.2M of 2.9M records  310k/s  6s left
 *
 * It goes to standard error, rewritten in place ten times a second at most, and is wiped at the end; where
 * that is no terminal, or TERM is "dumb", or NO_COLOR is set, or the command was told to be quiet, nothing is
 * written. One thread. Whoever writes to the terminal meanwhile calls rf_progress_hide first. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/time.h"

#define RF_PROGRESS_TEXT_MAX 160

struct rf_progress {
    const char *doing; /* "replaying" */
    const char *unit;  /* "records", "bytes": bytes are written as KiB, MiB, ... */
    uint64_t total;    /* 0: not known, no percent and no time left */
    bool shown;
    bool visible; /* a line stands on the terminal */
    rf_ns started;
    rf_ns written;
    uint64_t done_at_start; /* of what the rate is reckoned from */
};

/* `doing` and `unit` must outlive it. */
void rf_progress_start(struct rf_progress *progress, const char *doing, const char *unit,
                       uint64_t total, bool quiet);

/* Cheap enough for every thousandth record. `done` may pass `total`, which was an estimate. */
void rf_progress_update(struct rf_progress *progress, uint64_t done);

/* Work that had been done before, by an earlier run, does not make this one look faster. */
void rf_progress_resume(struct rf_progress *progress, uint64_t done);

void rf_progress_hide(struct rf_progress *progress);
void rf_progress_end(struct rf_progress *progress);

/* The line itself, cut to `columns`; returns its length. `size_max` at least RF_PROGRESS_TEXT_MAX. */
size_t rf_progress_format(const struct rf_progress *progress, uint64_t done, rf_ns now,
                          size_t columns, char *text, size_t size_max);
