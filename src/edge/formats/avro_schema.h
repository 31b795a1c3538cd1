/* Avro schemas from their JSON text (Avro specification 1.11), checked as strictly as it demands: names,
 * duplicates, references, unions, and defaults against their types. For any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/model/schema.h"

#define RF_AVRO_SCHEMA_SIZE_MAX (1U << 20) /* bytes of text */

/* The schema lives in `arena` and does not need `text` afterwards. It nests at most RF_SCHEMA_DEPTH_MAX levels,
 * a record within itself not counted. `references`: texts whose named types this one may use, each after those
 * that it uses itself. Errors: CONFIG, with line and column or with the JSON path of what is wrong. */
bool rf_avro_schema_parse(struct rf_arena *arena, struct rf_bytes text,
                          const struct rf_bytes *references, size_t reference_count,
                          const struct rf_schema **schema, struct rf_error *err) RF_MUST_CHECK;

/* The same for a text that stands alone, as core/task/layouts.h asks for it (struct rf_schema_reader); `self` is not
 * looked at. */
bool rf_avro_schema_read(void *self, struct rf_bytes text, struct rf_arena *arena,
                         const struct rf_schema **schema, struct rf_error *err) RF_MUST_CHECK;
