/* What `top` shows: the last tick of an instance, and the alerts that came, laid out for a screen of some size. A function
 * of its arguments: no terminal, no clock. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/buffer.h"

#define RF_TOP_ALERTS_MAX     64
#define RF_TOP_ALERT_SIZE_MAX 512

struct json_t;

struct rf_top_view {
    struct json_t *tick, *before;                          /* owned; NULL: there was none yet */
    char alerts[RF_TOP_ALERTS_MAX][RF_TOP_ALERT_SIZE_MAX]; /* one line each; a ring */
    size_t alert_count;                                    /* all that came */
    const char *trouble; /* shown instead of the state; NULL: there is none */
};

/* An event of the stream: tick, derived or dead-letter. What cannot be read is passed over. */
void rf_top_view_take(struct rf_top_view *view, const char *name, struct rf_bytes data);
void rf_top_view_deinit(struct rf_top_view *view);

/* Lines, each at most `columns` wide, at most `rows` of them (0: as many as there are); every one ends with a newline. */
void rf_top_view_print(const struct rf_top_view *view, size_t columns, size_t rows, bool colour,
                       struct rf_buffer *out);
