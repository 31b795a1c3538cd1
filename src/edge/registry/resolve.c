#include "edge/registry/resolve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/formats/avro_schema.h"

#define WHAT_MAX 160

/* A walk from a schema to its references, depth first: a text is taken over when all that it uses is. */
struct visit {
    struct rf_registry_reference reference;
    bool done; /* otherwise it is on the way from the first schema to where we are */
};

struct walk {
    struct rf_http *http;
    unsigned tries_max;
    struct rf_arena *arena;
    struct rf_resolved *resolved;
    size_t visit_count;
    struct visit visits[RF_REFERENCES_MAX];
};

static bool ask(struct walk *walk, const char *path, const char *what,
                struct rf_registry_answer *schema, struct rf_error *err)
{
    struct rf_http_answer answer;
    bool ok = rf_http_ask(walk->http, path, NULL, walk->tries_max, &answer, err) &&
              rf_registry_answer_check(&answer, what, err);

    if (ok && !rf_registry_answer_schema(&answer, walk->arena, schema, err))
        ok = rf_error_wrap(err, "%s", what);
    rf_buffer_deinit(&answer.body);
    return ok;
}

static struct visit *find_visit(struct walk *walk, const struct rf_registry_reference *reference)
{
    for (size_t i = 0; i < walk->visit_count; i++) {
        if (walk->visits[i].reference.version == reference->version &&
            strcmp(walk->visits[i].reference.subject, reference->subject) == 0)
            return &walk->visits[i];
    }
    return NULL;
}

static bool follow(struct walk *walk, const struct rf_registry_answer *from, struct rf_error *err);

static bool follow_one(struct walk *walk, const struct rf_registry_reference *reference,
                       struct rf_error *err)
{
    struct rf_registry_answer schema;
    struct visit *visit = find_visit(walk, reference);
    char what[WHAT_MAX];
    const char *path = NULL;

    if (visit != NULL)
        return visit->done || rf_error_set(err, RF_ERROR_RECORD, 0,
                                           "reference to version %" PRId64
                                           " of subject %.80s: it refers to itself",
                                           reference->version, reference->subject);
    if (walk->visit_count == RF_REFERENCES_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "a schema with more than %d references",
                            RF_REFERENCES_MAX);
    visit = &walk->visits[walk->visit_count++];
    *visit = (struct visit){.reference = *reference};
    snprintf(what, sizeof what, "reference to version %" PRId64 " of subject %.80s",
             reference->version, reference->subject);
    path = rf_arena_printf(walk->arena, "/subjects/%s/versions/%" PRId64 "?deleted=true",
                           rf_http_escape(walk->http, walk->arena, reference->subject),
                           reference->version);
    if (!ask(walk, path, what, &schema, err) || !follow(walk, &schema, err))
        return false;
    visit->done = true;
    rf_assert(walk->resolved->reference_count < RF_REFERENCES_MAX);
    walk->resolved->references[walk->resolved->reference_count++] = schema.text;
    return true;
}

static bool follow(struct walk *walk, const struct rf_registry_answer *from, struct rf_error *err)
{
    for (size_t i = 0; i < from->reference_count; i++) {
        if (!follow_one(walk, &from->references[i], err))
            return false;
    }
    return true;
}

static bool resolve(struct walk *walk, const char *path, const char *what,
                    struct rf_registry_answer *schema, struct rf_error *err)
{
    *walk->resolved = (struct rf_resolved){0};
    if (!ask(walk, path, what, schema, err))
        return false;
    walk->resolved->text = schema->text;
    return follow(walk, schema, err) || rf_error_wrap(err, "%s", what);
}

bool rf_resolve_id(struct rf_http *http, uint32_t id, unsigned tries_max, struct rf_arena *arena,
                   struct rf_resolved *resolved, struct rf_error *err)
{
    struct walk walk = {.http = http, .tries_max = tries_max, .arena = arena, .resolved = resolved};
    struct rf_registry_answer schema;
    char path[64];
    char what[WHAT_MAX];

    snprintf(path, sizeof path, "/schemas/ids/%" PRIu32, id);
    snprintf(what, sizeof what, "schema %" PRIu32, id);
    return resolve(&walk, path, what, &schema, err);
}

bool rf_resolve_latest(struct rf_http *http, const char *subject, unsigned tries_max,
                       struct rf_arena *arena, uint32_t *id, struct rf_resolved *resolved,
                       struct rf_error *err)
{
    struct walk walk = {.http = http, .tries_max = tries_max, .arena = arena, .resolved = resolved};
    struct rf_registry_answer schema;
    char what[WHAT_MAX];
    const char *path = rf_arena_printf(arena, "/subjects/%s/versions/latest",
                                       rf_http_escape(http, arena, subject));

    snprintf(what, sizeof what, "newest version of subject %.80s", subject);
    if (!resolve(&walk, path, what, &schema, err))
        return false;
    if (schema.id < 0 || schema.id > INT32_MAX)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "%s: the registry does not say its id", what);
    *id = (uint32_t)schema.id;
    return true;
}

bool rf_resolved_parse(const struct rf_resolved *resolved, struct rf_arena *arena,
                       const struct rf_schema **schema, struct rf_error *err)
{
    if (rf_avro_schema_parse(arena, resolved->text, resolved->references, resolved->reference_count,
                             schema, err))
        return true;
    err->kind = RF_ERROR_RECORD; /* nobody who reads this configuration can change it */
    return false;
}
