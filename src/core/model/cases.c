#include "core/model/customer.h"

static const struct rf_field_type fields[] = {
    {"id", &rf_type_string},
    {"opened_at", &rf_type_timestamp},
    {"reopened", &rf_type_int},
};

const struct rf_record_type rf_case_type = {
    .name = "a case", .field_count = sizeof fields / sizeof *fields, .fields = fields};

static const struct rf_type case_type = {.kind = RF_TYPE_RECORD, .record = &rf_case_type};

const struct rf_type rf_cases_type = {.kind = RF_TYPE_LIST, .element = &case_type};
