/* What a Schema Registry says, as JSON. Answers are data from outside: nothing in them is taken for granted. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "edge/registry/http.h"

#define RF_REFERENCES_MAX 64 /* of a schema, with those of its references */

struct rf_registry_reference {
    const char *subject;
    int64_t version;
};

struct rf_registry_answer {
    int64_t id;      /* -1: not said */
    int64_t version; /* -1: not said */
    struct rf_bytes text;
    size_t reference_count;
    const struct rf_registry_reference *references;
};

/* Turns an answer with a status other than 200 into an error in words, after what was done ("subject calls-value:
 * not found (40401): Subject not found"). Kinds: RECORD for what is not there, CONFIG for what the operator has to
 * change. Returns whether the status was 200. */
bool rf_registry_answer_check(const struct rf_http_answer *answer, const char *what,
                              struct rf_error *err) RF_MUST_CHECK;

/* A schema: of /schemas/ids/N, or of a subject's version. Errors: RECORD (not an Avro schema, or too many
 * references), RETRY (not an answer of a registry: a proxy that is down says anything). */
bool rf_registry_answer_schema(const struct rf_http_answer *answer, struct rf_arena *arena,
                               struct rf_registry_answer *schema,
                               struct rf_error *err) RF_MUST_CHECK;

/* {"id": N} of POST. Errors: RETRY. */
bool rf_registry_answer_id(const struct rf_http_answer *answer, uint32_t *id,
                           struct rf_error *err) RF_MUST_CHECK;

/* {"compatibilityLevel": "BACKWARD"}. Errors: RETRY. */
bool rf_registry_answer_compatibility(const struct rf_http_answer *answer, struct rf_arena *arena,
                                      const char **level, struct rf_error *err) RF_MUST_CHECK;

/* {"schema": TEXT, "schemaType": "AVRO"}: the question that goes with POST, in `arena`. */
const char *rf_registry_question(struct rf_arena *arena, struct rf_bytes text);
