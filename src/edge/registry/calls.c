/* What waits for the registry's answer: start, and `topics create`. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/registry/answer.h"
#include "edge/registry/registry_internal.h"
#include "edge/registry/resolve.h"

#define WHAT_MAX    160
#define ARENA_CHUNK ((size_t)4 * 1024)

/* A connection of its own for each: they are rare, and may come from any thread. */
static struct rf_http *connect_to(const struct rf_registry *registry, struct rf_error *err)
{
    struct rf_http_settings settings = registry->http;

    rf_assert(err->kind == RF_ERROR_NONE);
    if (registry->gives_up != NULL)
        settings.stop = registry->gives_up;
    if (registry->http.urls != NULL)
        return rf_http_open(&settings, err);
    rf_error_set(err, RF_ERROR_CONFIG, 0, "no schema registry is configured");
    return NULL;
}

/* At start there is no record to blame: what is wrong is for the operator. */
static bool for_operator(struct rf_error *err)
{
    if (err->kind == RF_ERROR_RECORD)
        err->kind = RF_ERROR_CONFIG;
    return false;
}

/* 404 and its finer codes. */
static bool is_not_found(const struct rf_error *err)
{
    return err->kind == RF_ERROR_RECORD &&
           (err->origin_code == 40401 || err->origin_code == 40402 || err->origin_code == 40403);
}

bool rf_registry_latest(struct rf_registry *registry, const char *subject, struct rf_arena *arena,
                        struct rf_registry_schema *schema, bool *found, struct rf_error *err)
{
    struct rf_http *http = connect_to(registry, err);
    struct rf_resolved resolved;

    if (http == NULL)
        return false;
    *found =
        rf_resolve_latest(http, subject, registry->tries_max, arena, &schema->id, &resolved, err);
    rf_http_close(http);
    if (*found) {
        schema->text = resolved.text;
        return true;
    }
    if (!is_not_found(err))
        return for_operator(err);
    rf_error_clear(err);
    return true;
}

/* POST of a schema to a path below the subject. */
static bool post(struct rf_registry *registry, const char *subject, const char *below,
                 struct rf_bytes text, uint32_t *id, struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_http *http = connect_to(registry, err);
    struct rf_arena arena;
    char what[WHAT_MAX];
    const char *question = NULL;
    bool ok = false;

    if (http == NULL)
        return false;
    rf_arena_init(&arena, ARENA_CHUNK);
    snprintf(what, sizeof what, "schema of subject %.80s", subject);
    question = rf_registry_question(&arena, text);
    if (question == NULL)
        rf_error_set(err, RF_ERROR_CONFIG, 0, "%s: it is not UTF-8", what);
    else
        ok = rf_http_ask(http,
                         rf_arena_printf(&arena, "/subjects/%s%s",
                                         rf_http_escape(http, &arena, subject), below),
                         question, registry->tries_max, &answer, err) &&
             rf_registry_answer_check(&answer, what, err) &&
             rf_registry_answer_id(&answer, id, err);
    rf_buffer_deinit(&answer.body);
    rf_arena_deinit(&arena);
    rf_http_close(http);
    return ok;
}

bool rf_registry_look_up(struct rf_registry *registry, const char *subject, struct rf_bytes text,
                         uint32_t *id, bool *found, struct rf_error *err)
{
    *found = post(registry, subject, "", text, id, err);
    if (*found)
        return true;
    if (!is_not_found(err))
        return for_operator(err);
    rf_error_clear(err);
    return true;
}

/* Two instances that start together register the same schema at the same time, and the later one may be told of a
 * conflict (409): then the schema is there. A schema that is not compatible is not. */
static bool was_registered_meanwhile(struct rf_registry *registry, const char *subject,
                                     struct rf_bytes text, uint32_t *id, struct rf_error *err)
{
    struct rf_error conflict = *err;
    bool found = false;

    if (err->origin_code != 409 && err->origin_code != 40901)
        return false;
    rf_error_clear(err);
    if (!rf_registry_look_up(registry, subject, text, id, &found, err))
        return false;
    if (!found)
        *err = conflict;
    return found;
}

bool rf_registry_register(struct rf_registry *registry, const char *subject, struct rf_bytes text,
                          uint32_t *id, struct rf_error *err)
{
    return post(registry, subject, "/versions", text, id, err) ||
           was_registered_meanwhile(registry, subject, text, id, err) || for_operator(err);
}

bool rf_registry_compatibility(struct rf_registry *registry, struct rf_arena *arena,
                               const char **level, struct rf_error *err)
{
    struct rf_http_answer answer = {0};
    struct rf_http *http = connect_to(registry, err);
    bool ok = false;

    if (http == NULL)
        return false;
    ok = rf_http_ask(http, "/config", NULL, registry->tries_max, &answer, err) &&
         rf_registry_answer_check(&answer, "compatibility of the schema registry", err) &&
         rf_registry_answer_compatibility(&answer, arena, level, err);
    rf_buffer_deinit(&answer.body);
    rf_http_close(http);
    return ok || for_operator(err);
}
