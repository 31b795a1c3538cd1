/* Metadata, and why no broker answers: what a handle has heard meanwhile says more than "transport failure". Inside this
 * room only. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "core/base/error.h"

/* Before the handle is made: its errors are kept, for rf_metadata_ask. */
void rf_metadata_listen(rd_kafka_conf_t *conf);

/* rd_kafka_metadata, of `topic` or, NULL, of all. Gives up early where more waiting would not help: a broker does not
 * trust us, or we do not trust it. Errors: RETRY. */
bool rf_metadata_ask(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                     const struct rd_kafka_metadata **metadata, struct rf_error *err) RF_MUST_CHECK;
