/* What `dlq` prints of a dead letter. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "edge/stream/dead_letters.h"

/* One line: place, time, where it came from, class, reason; nothing of what the message holds. */
void rf_letter_print_line(const struct rf_letter *letter, struct rf_buffer *out);
/* Everything: headers, key and value, as text where they are, otherwise as a dump. */
void rf_letter_print_all(const struct rf_letter *letter, struct rf_buffer *out);
/* One JSON object; `whole`: with headers, key and value. */
void rf_letter_print_json(const struct rf_letter *letter, bool whole, struct rf_buffer *out);
