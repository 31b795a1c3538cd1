/* Inside of the customer codec: Avro's binary encoding, read with every bound checked.
 *
 * A read that fails says why in `fault` and returns false; nothing is read after that. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/codec/customer_parts.h"
#include "core/expr/value.h"
#include "core/model/feature.h"
#include "core/model/pattern.h"
#include "core/model/plan.h"
#include "core/model/schema.h"

struct rf_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    const char *field;   /* that is being read */
    const char *fault;   /* what is wrong; at first: "cut off" */
    uint32_t skip_steps; /* schemas skipped so far: items of no size could go on for ever */
};

/* Returns false. */
bool rf_read_fault(struct rf_reader *r, const char *fault);

bool rf_read_long(struct rf_reader *r, int64_t *number);
bool rf_read_double(struct rf_reader *r, double *number);
bool rf_read_boolean(struct rf_reader *r, bool *boolean);
bool rf_read_bytes(struct rf_reader *r, struct rf_bytes *bytes); /* a view, of string too */
bool rf_read_hash(struct rf_reader *r, uint64_t *hash);
uint64_t rf_read_word(const uint8_t bytes[8]); /* the least significant byte first */
bool rf_read_instant(struct rf_reader *r, rf_ms *instant);
bool rf_read_is_instant(struct rf_reader *r, int64_t number);
bool rf_read_scalar(struct rf_reader *r, enum rf_scalar scalar, struct rf_value *value);

/* Of [null, T]: is it T? */
bool rf_read_branch(struct rf_reader *r, bool *some);
/* The next block of an array or map; 0 items: it has ended. An item has at least `item_size_min` bytes. */
bool rf_read_block(struct rf_reader *r, size_t item_size_min, uint32_t *count);

/* The same for one that may have `room` more items; `too_many` is what is wrong otherwise. */
bool rf_read_block_within(struct rf_reader *r, size_t item_size_min, size_t room,
                          const char *too_many, uint32_t *count);

/* Room for `count` more items and two to come, so that the next fold mostly needs none. *capacity: how many items there
 * is room for then; NULL: nobody asks. */
void *rf_read_grow(struct rf_arena *arena, const void *items, size_t item_size,
                   uint32_t count_before, uint32_t count, uint32_t *capacity);

/* The state of one feature (customer_decode_states.c). */
bool rf_read_state(struct rf_reader *r, struct rf_customer_part part,
                   const struct rf_feature *feature, struct rf_arena *arena,
                   struct rf_feature_state *state);
/* What is known of patterns (customer_patterns.c): by index in the plan; those of other names are skipped. */
bool rf_read_patterns(struct rf_reader *r, const struct rf_plan *plan, struct rf_arena *arena,
                      struct rf_pattern_state *states);
/* Is nothing in it later than `as_of`? */
bool rf_state_is_until(struct rf_customer_part part, const struct rf_feature *feature,
                       const struct rf_feature_state *state, rf_ms as_of);

bool rf_read_skip(struct rf_reader *r, const struct rf_schema *schema, unsigned depth);
