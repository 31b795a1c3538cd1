#include "core/model/variables.h"

static const struct rf_field_type customer_fields[] = {
    [RF_CUSTOMER_ID] = {"id", &rf_type_string},
    [RF_CUSTOMER_FIRST_SEEN] = {"first_seen", &rf_type_timestamp},
    [RF_CUSTOMER_EVENTS] = {"events", &rf_type_int},
};

const struct rf_record_type rf_customer_type = {
    .name = "the customer", .field_count = RF_CUSTOMER_FIELDS, .fields = customer_fields};
