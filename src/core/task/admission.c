#include "core/task/admission.h"

#include <inttypes.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/model/source.h"
#include "core/model/variables.h"

struct admitting {
    const struct rf_source *source;
    const struct rf_input *input;
    struct rf_value *fields;
    struct rf_value variables[RF_VARIABLE_FEATURE];
    struct rf_expr_scratch scratch;
};

static bool evaluate(struct admitting *a, const struct rf_expr *expr, const char *setting,
                     struct rf_value *value, struct rf_error *err)
{
    if (rf_expr_eval(expr, a->variables, &a->scratch, value, err))
        return true;
    return rf_error_wrap(err, "evaluating %s of source %s", setting, a->source->name);
}

static bool find_time(struct admitting *a, const struct rf_plan *plan, rf_ms *time,
                      struct rf_error *err)
{
    struct rf_value value = rf_value_null();
    rf_ms broker_time = a->input->broker_time;

    if (a->source->time == NULL) {
        if (broker_time == RF_MS_MIN)
            return rf_error_set(err, RF_ERROR_RECORD, 0,
                                "the message has no timestamp and source %s names no time",
                                a->source->name);
        *time = broker_time;
    } else {
        if (!evaluate(a, a->source->time, "time", &value, err))
            return false;
        if (value.kind != RF_VALUE_TIMESTAMP)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "the event has no time: it is null");
        *time = rf_value_to_ms(value);
    }
    if (*time < RF_MS_MIN || *time > RF_MS_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the event's time %" PRId64 " ms is outside the years 1 to 9999",
                            *time);
    if (broker_time != RF_MS_MIN && *time > broker_time + plan->max_ahead)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the event's time is %" PRId64
                            " s ahead of the broker's, more than max_ahead allows",
                            (*time - broker_time) / RF_SECOND_MS);
    return true;
}

static bool find_customer(struct admitting *a, struct rf_bytes *customer, struct rf_error *err)
{
    struct rf_value value = rf_value_null();

    if (a->source->customer == NULL) {
        if (a->input->key.data == NULL)
            return rf_error_set(err, RF_ERROR_RECORD, 0,
                                "the message has no key, and the key is the customer");
        *customer = a->input->key;
    } else {
        if (!evaluate(a, a->source->customer, "customer", &value, err))
            return false;
        if (value.kind != RF_VALUE_STRING)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "the event has no customer: it is null");
        *customer = value.as.text;
    }
    if (customer->size == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the customer's id is empty");
    if (customer->size > RF_CUSTOMER_ID_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the customer's id has %zu bytes, more than %d", customer->size,
                            RF_CUSTOMER_ID_MAX);
    if (!rf_bytes_is_utf8(*customer))
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the customer's id is not UTF-8");
    return true;
}

static bool find_id(struct admitting *a, uint64_t *id_hash, struct rf_error *err)
{
    struct rf_value value = rf_value_null();
    uint64_t seed = rf_hash64(rf_bytes_of_text(a->source->name));

    *id_hash = 0;
    if (a->source->id == NULL)
        return true;
    if (!evaluate(a, a->source->id, "id", &value, err))
        return false;
    if (value.kind == RF_VALUE_NULL)
        return true; /* an event without an id is nobody's duplicate */
    if (value.kind == RF_VALUE_STRING)
        *id_hash = rf_hash64_seeded(value.as.text, seed);
    else
        *id_hash =
            rf_hash64_seeded(rf_bytes_of(&value.as.uinteger, sizeof value.as.uinteger), seed);
    if (*id_hash == 0)
        *id_hash = 1; /* 0 says that there is none */
    return true;
}

static void set_field(struct admitting *a, int32_t index, struct rf_value value)
{
    if (index >= 0)
        a->fields[index] = value;
}

bool rf_admit(const struct rf_plan *plan, const struct rf_input *input, struct rf_value *fields,
              struct rf_arena *arena, struct rf_event *event, enum rf_admission *admission,
              struct rf_error *err)
{
    const struct rf_source *source = &plan->sources[input->source];
    struct rf_record *record = rf_arena_alloc(arena, sizeof *record);
    struct admitting a = {
        .source = source, .input = input, .fields = fields, .scratch = {.arena = arena}};
    struct rf_value holds = rf_value_null();

    *record = (struct rf_record){.type = source->event_type, .fields = fields};
    a.variables[RF_VARIABLE_EVENT] = rf_value_record(record);
    set_field(&a, source->kind_field, rf_value_string(rf_bytes_of_text(source->kind)));
    set_field(&a, source->source_field, rf_value_string(rf_bytes_of_text(source->name)));
    *event =
        (struct rf_event){.source = input->source, .position = input->position, .fields = record};
    if (!find_time(&a, plan, &event->time, err))
        return false;
    set_field(&a, source->time_field, rf_value_timestamp_ms(event->time));
    *admission = source->role == RF_ROLE_ERASE ? RF_ERASES : RF_ADMITTED;
    if (source->where != NULL) {
        if (!evaluate(&a, source->where, "where", &holds, err))
            return false;
        if (!holds.as.boolean) {
            *admission = RF_FILTERED;
            return true;
        }
    }
    return find_customer(&a, &event->customer, err) && find_id(&a, &event->id_hash, err);
}
