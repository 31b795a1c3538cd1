/* How a message's value is written down. */
#pragma once

enum rf_format {
    RF_FORMAT_AVRO,        /* Confluent wire format: 0, schema id, body */
    RF_FORMAT_AVRO_OBJECT, /* single-object encoding: C3 01, fingerprint, body */
    RF_FORMAT_AVRO_RAW,    /* the body alone; the schema is the source's */
    RF_FORMAT_JSON,
};
