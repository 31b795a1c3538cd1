/* Is it an event, whose, and when? A record that was decoded, judged by its source's expressions. */
#pragma once
#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/expr/expr.h"
#include "core/model/event.h"
#include "core/model/plan.h"

enum rf_admission {
    RF_ADMITTED,
    RF_FILTERED, /* the source's `where` does not hold */
    RF_ERASES,   /* a source of kind erase: the customer is to be forgotten */
};

#define RF_CUSTOMER_ID_MAX 1024 /* bytes */

/* `fields`: event_type->field_count values, the schema's decoded; the implicit ones are set here. What the event
 * points to lives as long as `input`, `fields` and `arena`. Errors: RECORD. */
bool rf_admit(const struct rf_plan *plan, const struct rf_input *input, struct rf_value *fields,
              struct rf_arena *arena, struct rf_event *event, enum rf_admission *admission,
              struct rf_error *err) RF_MUST_CHECK;
