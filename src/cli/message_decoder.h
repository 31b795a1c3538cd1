/* Messages of an application's topics as values, whatever the topic is: a source, an output, the changelog, the dead
 * letters, or somebody else's. For commands that show them; `run` has decoders of its own. One thread. */
#pragma once
#include <stdbool.h>

#include "core/base/arena.h"
#include "core/expr/type.h"
#include "core/expr/value.h"
#include "edge/config/config.h"
#include "edge/stream/follow.h"

struct rf_message_decoder;

/* `topics` are names of topics, and outlive it. Errors: CONFIG. */
struct rf_message_decoder *rf_message_decoder_open(const struct rf_config *config,
                                                   const char *const *topics, size_t topic_count,
                                                   struct rf_error *err);
void rf_message_decoder_close(struct rf_message_decoder *decoder);

/* What the messages of a topic are: a record where the configuration has its schema, dyn otherwise. */
const struct rf_type *rf_message_decoder_type(const struct rf_message_decoder *decoder,
                                              size_t topic);

/* The value of a message; of a dead letter a map with where it came from, why, key and value; null of a message without
 * value. It points into `message` and `arena`. Errors: RECORD (it is not what its topic holds), RETRY (its schema is
 * not here yet: the same call, later). */
bool rf_message_decode(struct rf_message_decoder *decoder, const struct rf_message *message,
                       struct rf_arena *arena, struct rf_value *value,
                       struct rf_error *err) RF_MUST_CHECK;
