/* What the simulated instances compute, the messages that they read, and how these are decoded.
 *
 * A message:  01 | schema, 1 byte | time, 8 | amount, 8 | id, 8 | flag, 1 | text ...   (host's byte order)
 *
 * The text becomes a part of the customer's record and of the derived events, so a long one makes either too large
 * for its topic. */
#pragma once
#include "core/base/arena.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoder.h"
#include "core/codec/wire.h"
#include "core/model/plan.h"
#include "sim/random.h"

#define SIM_SOURCES          3
#define SIM_CUSTOMERS        12 /* of a partition */
#define SIM_SCHEMAS          4
#define SIM_RECORD_BYTES_MAX 3000 /* the plan's limit of a customer record */
#define SIM_START            INT64_C(1700000000000)

enum sim_topic {
    SIM_CALLS, /* the sources, in the order of the plan */
    SIM_PURCHASES,
    SIM_ERASURES,
    SIM_CHANGELOG,
    SIM_TASKS,
    SIM_DEAD_LETTERS,
    SIM_ALERTS,
    SIM_TOPIC_COUNT,
};

extern const char *const sim_topic_names[SIM_TOPIC_COUNT];

struct sim_plan {
    struct rf_plan plan;
    const struct rf_customer_codec *codec;
    struct rf_wire wire;
};

/* Compiled once a process; `lateness` and `late` are the run's own. */
void sim_plan_make(struct sim_plan *plan, struct sim_random *random);

/* Makes up a message for a source of a partition. `number`: how many came before, for ids; `wall`: what time it is. */
struct sim_made {
    struct rf_bytes key, value;
    rf_ms broker_time;
};
struct sim_made sim_message_make(struct rf_arena *arena, struct sim_random *random, uint32_t source,
                                 int32_t partition, int64_t number, rf_ms wall);

/* Could it make a record or a derived event too large? */
bool sim_message_is_giant(struct rf_bytes value);

/* -1: it is none of ours. */
int sim_customer_index(struct rf_bytes customer);

/* Decodes for every source. `known[schema]`: the schema is there; `asked[schema]` is set where it is not. */
struct sim_decoder {
    bool known[SIM_SCHEMAS];
    bool asked[SIM_SCHEMAS];
    struct rf_decoder ports[SIM_SOURCES];
};
void sim_decoder_init(struct sim_decoder *decoder);

/* A derived event as the instances write it: everything that it says, in a line. */
struct rf_derived;
struct rf_buffer;
void sim_derived_write(const struct rf_plan *plan, const struct rf_derived *derived,
                       struct rf_buffer *out);
