#include "core/model/variables.h"

#include "core/base/assert.h"

static const struct rf_field_type customer_fields[] = {
    [RF_CUSTOMER_ID] = {"id", &rf_type_string},
    [RF_CUSTOMER_FIRST_SEEN] = {"first_seen", &rf_type_timestamp},
    [RF_CUSTOMER_EVENTS] = {"events", &rf_type_int},
};

const struct rf_record_type rf_customer_type = {
    .name = "the customer", .field_count = RF_CUSTOMER_FIELDS, .fields = customer_fields};

const char *rf_customer_field_name(enum rf_customer_field field)
{
    static const char *const names[] = {[RF_CUSTOMER_ID] = "customer.id",
                                        [RF_CUSTOMER_FIRST_SEEN] = "customer.first_seen",
                                        [RF_CUSTOMER_EVENTS] = "customer.events"};

    rf_assert(field < RF_CUSTOMER_FIELDS);
    return names[field];
}
