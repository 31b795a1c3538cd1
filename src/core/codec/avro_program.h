/* A writer's schema and what the reader needs, compiled into a flat program; running it is the decoding.
 *
 * Resolution as in the Avro specification: fields by name and alias, reader defaults, enums by symbol with
 * the reader's default, promotions (int → long → float → double, string ↔ bytes), unions on either side.
 * Between instants the writer's unit counts (a timestamp-micros read as timestamp-millis is the same
 * instant), and so between times of day and between decimals.
 *
 * What the reader does not use is skipped without being looked at more than its length needs. Bounded in
 * depth, items and bytes, so that no payload can exhaust stack, time or memory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/expr/value.h"
#include "core/model/schema.h"

struct rf_avro_limits {
    size_t depth_max; /* nesting of records, arrays, maps; at most RF_SCHEMA_DEPTH_MAX */
    size_t items_max; /* of all arrays and maps of one datum together, as far as they are wanted */
    size_t bytes_max; /* allocated for one datum */
};
#define RF_AVRO_LIMITS_DEFAULT                                                                     \
    ((struct rf_avro_limits){.depth_max = 32, .items_max = 100000, .bytes_max = 4U << 20})

struct rf_avro_program;

/* `used[i]`: reader field i is wanted (NULL: all). The program lives in `arena`; the reader's schema has to
 * live as long, the writer's and `used` need not. `limits` NULL: the defaults. Errors: RECORD, naming the
 * field for which writer and reader do not resolve. */
bool rf_avro_compile(struct rf_arena *arena, const struct rf_schema *writer,
                     const struct rf_schema *reader, const bool *used,
                     const struct rf_avro_limits *limits, const struct rf_avro_program **program,
                     struct rf_error *err) RF_MUST_CHECK;

/* Fills fields[i] of the wanted reader fields. Strings point into `body` (their UTF-8 is checked), the rest
 * into `arena`. Bytes left over after the datum are an error. Errors: RECORD, with the byte position. */
bool rf_avro_decode(const struct rf_avro_program *program, struct rf_bytes body,
                    struct rf_arena *arena, struct rf_value *fields,
                    struct rf_error *err) RF_MUST_CHECK;

/* Passing over one datum of any schema, for those who read the rest of a body by themselves. */
struct rf_avro_skip;

/* Lives in `arena` and does not need the schema afterwards. Errors: RECORD, where the schema nests too deep
 * or is too large. */
bool rf_avro_skip_compile(struct rf_arena *arena, const struct rf_schema *writer,
                          const struct rf_avro_skip **skip, struct rf_error *err) RF_MUST_CHECK;

/* Moves *at past the datum. False, and *at stays, where it is cut off or malformed. */
bool rf_avro_skip_run(const struct rf_avro_skip *skip, const uint8_t **at,
                      const uint8_t *end) RF_MUST_CHECK;
