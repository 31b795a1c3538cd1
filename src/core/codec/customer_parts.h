/* Inside of the customer codec: how each feature looks in the record.
 *
 * A feature is up to two fields: a column at the top, for readers, and a field of `state`, for us. Their Avro
 * types follow from the plan alone and are chosen here once; encoder and decoder switch on the choice.
 *
 *   scalar          Avro                         form of state    Avro
 *   BOOLEAN         boolean                      PLAIN            [null, scalar]
 *   INTEGER         long                         STAMPED          [null, { at, value: scalar }]
 *   UNSIGNED        long (column: 2^63-1 at      BUCKETS          array of { index, value: long | double }
 *                   most; state: its bits)       DISTINCT         [null, { hashes: bytes, sketch: bytes }]
 *   DOUBLE          double                       RECENT           array of { hash: fixed(8), last }
 *   STRING, BYTES   string, bytes
 *   TIMESTAMP       long, timestamp-millis       at, last, time: long, timestamp-millis
 *   DURATION        long: milliseconds           hashes: 8 bytes each, least significant first
 *
 * A TALLY is an array of { key, value }: key BOOLEAN, INTEGER or STRING; value a scalar, { at, value } or buckets.
 * INTERVAL and CASES are [null, record] of a record of their own (customer_parts.c).
 *
 * A feature whose value is a list, a map, a record or of unknown type has no column. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/codec/customer_codec.h"
#include "core/model/feature.h"
#include "core/model/plan.h"
#include "core/model/schema.h"

enum rf_scalar {
    RF_SCALAR_NONE,
    RF_SCALAR_BOOLEAN,
    RF_SCALAR_INTEGER,
    RF_SCALAR_UNSIGNED,
    RF_SCALAR_DOUBLE,
    RF_SCALAR_STRING,
    RF_SCALAR_BYTES,
    RF_SCALAR_TIMESTAMP,
    RF_SCALAR_DURATION,
};

enum rf_state_form {
    RF_FORM_NONE,     /* EXPR: computed from others */
    RF_FORM_PLAIN,    /* COUNT, SUM, MIN, MAX since ever */
    RF_FORM_STAMPED,  /* FIRST, LAST, DECAY */
    RF_FORM_BUCKETS,  /* TREND; COUNT, SUM, MIN, MAX in a window */
    RF_FORM_DISTINCT, /* COUNT_DISTINCT since ever */
    RF_FORM_RECENT,   /* COUNT_DISTINCT in a window */
    RF_FORM_TALLY,    /* MEAN, TOP, ENTROPY, QUANTILE, COUNT_BY */
    RF_FORM_INTERVAL,
    RF_FORM_CASES,
};

struct rf_customer_part {
    enum rf_scalar column;
    enum rf_state_form form;
    enum rf_scalar scalar;    /* PLAIN, STAMPED, BUCKETS; of a TALLY's inner form */
    enum rf_scalar key;       /* TALLY */
    enum rf_state_form inner; /* TALLY: PLAIN (and there: not null), STAMPED, BUCKETS */
};

struct rf_customer_codec {
    const struct rf_plan *plan;
    const struct rf_schema *schema;
    const char *schema_text;
    const struct rf_customer_part *parts; /* by feature */
};

/* The members that are not features, by their place among themselves. */
enum rf_customer_member {
    RF_MEMBER_CUSTOMER,
    RF_MEMBER_FIRST_SEEN,
    RF_MEMBER_AS_OF,
    RF_MEMBER_EVENTS,
    RF_MEMBER_DUE,
    RF_MEMBER_STATE,
    RF_MEMBER_RULES,
    RF_MEMBER_SEEN,
    RF_MEMBER_PATTERNS,
    RF_MEMBER_COUNT,
};
#define RF_MEMBERS_BEFORE_COLUMNS RF_MEMBER_STATE

/* A member's field in the schema of the codec. */
const struct rf_schema_field *rf_customer_member_field(const struct rf_customer_codec *codec,
                                                       enum rf_customer_member member);

struct rf_customer_part rf_customer_part_of(const struct rf_feature *feature);
const struct rf_schema *rf_customer_column_schema(enum rf_scalar scalar);
const struct rf_schema *rf_customer_state_schema(struct rf_customer_part part);
/* Of the members, but for STATE, which is NULL: it is the plan's. */
void rf_customer_member_schemas(const struct rf_schema *schemas[RF_MEMBER_COUNT]);

/* Of what is known of one pattern. */
const struct rf_schema *rf_customer_pattern_schema(void);

/* What a field of the record is for, in words: shown to whoever reads the schema. */
struct rf_customer_doc {
    const struct rf_schema_field *field;
    const char *text;
};
/* The schema as JSON; `docs` for the fields of Customer and State, those of the rest are known. */
const char *rf_customer_schema_print(struct rf_arena *arena, const struct rf_schema *schema,
                                     const struct rf_customer_doc *docs, size_t doc_count);
