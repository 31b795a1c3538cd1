/* A broker inside the process, for `demo`: librdkafka's mock cluster. It keeps nothing, knows no transactions (their
 * offsets are discarded, isolation levels show the wrong records) and no admin calls, so what runs on it delivers at
 * least once and its topics are made here. */
#pragma once
#include <stdint.h>

#include "core/base/error.h"

struct rf_embedded;

struct rf_embedded *rf_embedded_open(struct rf_error *err);
void rf_embedded_close(struct rf_embedded *embedded);
const char *rf_embedded_bootstrap(const struct rf_embedded *embedded);
bool rf_embedded_make_topic(struct rf_embedded *embedded, const char *topic, int32_t partitions,
                            struct rf_error *err);
