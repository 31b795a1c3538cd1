/* How `tail` prints a message. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "edge/stream/follow.h"

struct rf_tail_line {
    const char *topic;
    const struct rf_message *message;
    struct rf_value event;
    const char *failure; /* why it could not be decoded; NULL: `event` is what it holds */
};

/* An alert or an offer: a line, and one with its reasons; any other message: a line with its place and its value. */
void rf_tail_print_text(const struct rf_tail_line *line, bool colour, struct rf_buffer *out);
/* One JSON object: topic, partition, offset, time, key, event. */
void rf_tail_print_json(const struct rf_tail_line *line, struct rf_buffer *out);
