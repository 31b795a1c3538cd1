#include "edge/registry/registry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/formats/avro_schema.h"
#include "edge/registry/cache.h"
#include "edge/registry/registry_internal.h"
#include "edge/registry/resolve.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define CONNECT_TIMEOUT_MS (3 * RF_SECOND_MS)
#define TIMEOUT_MS         (10 * RF_SECOND_MS)
#define UNKNOWN_FOR_MS     RF_MINUTE_MS
#define TRIES_MAX          4
#define ARENA_CHUNK        ((size_t)4 * 1024)
#define MS_NS              INT64_C(1000000)

/* What `by_id` says of an entry: nothing but a known schema is a success. */
static bool answer_of(const struct rf_table_entry *entry, const struct rf_schema **schema,
                      struct rf_error *err)
{
    switch (entry->state) {
    case RF_TABLE_KNOWN:
        *schema = entry->schema;
        return true;
    case RF_TABLE_UNKNOWN:
        return rf_error_set(err, RF_ERROR_RECORD, entry->why.origin_code, "%s", entry->why.message);
    case RF_TABLE_WANTED:
        break;
    }
    if (entry->why.kind == RF_ERROR_NONE)
        return rf_error_set(err, RF_ERROR_RETRY, 0, "schema %" PRIu32 " is being fetched",
                            entry->id);
    return rf_error_set(err, RF_ERROR_RETRY, entry->why.origin_code, "%s", entry->why.message);
}

static bool by_id(void *self, uint32_t id, const struct rf_schema **schema, struct rf_error *err)
{
    struct rf_registry *registry = self;
    struct rf_table_entry *entry = NULL;
    bool ok = false;

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_mutex_lock(&registry->mutex);
    entry = rf_table_find(&registry->table, id);
    if (entry == NULL && registry->has_thread) {
        entry = rf_table_add(&registry->table, id, RF_REGISTRY_SCHEMAS_MAX);
        rf_condition_wake_all(&registry->wanted);
    } else if (entry != NULL && entry->state == RF_TABLE_UNKNOWN &&
               rf_clock_monotonic_ns() >= entry->until) {
        entry->state = RF_TABLE_WANTED;
        rf_error_clear(&entry->why);
        rf_condition_wake_all(&registry->wanted);
    }
    if (entry != NULL)
        ok = answer_of(entry, schema, err);
    else if (registry->has_thread)
        rf_error_set(err, RF_ERROR_RECORD, 0, "schema %" PRIu32 ": more than %d schemas in use", id,
                     RF_REGISTRY_SCHEMAS_MAX);
    else
        rf_error_set(err, RF_ERROR_RECORD, 0,
                     "schema %" PRIu32 ": no schema registry is configured", id);
    rf_mutex_unlock(&registry->mutex);
    return ok;
}

static bool by_fingerprint(void *self, uint64_t fingerprint, const struct rf_schema **schema,
                           struct rf_error *err)
{
    struct rf_registry *registry = self;

    rf_assert(err->kind == RF_ERROR_NONE);
    rf_mutex_lock(&registry->mutex);
    *schema = rf_table_find_fingerprint(&registry->table, fingerprint);
    rf_mutex_unlock(&registry->mutex);
    if (*schema != NULL)
        return true;
    return rf_error_set(err, RF_ERROR_RECORD, 0,
                        "no configured schema has the fingerprint %016" PRIx64, fingerprint);
}

static const struct rf_schemas_ops schemas_ops = {.by_id = by_id, .by_fingerprint = by_fingerprint};

struct rf_schemas rf_registry_schemas(struct rf_registry *registry)
{
    return (struct rf_schemas){.ops = &schemas_ops, .self = registry};
}

size_t rf_registry_requests(struct rf_registry *registry, const char **names, uint64_t *counts)
{
    size_t count = 0;

    for (size_t i = 0; i < RF_HTTP_STATUSES; i++) {
        uint64_t answers = atomic_load(&registry->counts.answers[i]);

        if (answers == 0)
            continue;
        names[count] = rf_http_status_name(i);
        counts[count++] = answers;
    }
    return count;
}

bool rf_registry_add(struct rf_registry *registry, struct rf_bytes text, struct rf_error *err)
{
    const struct rf_schema *schema = NULL;
    bool ok = false;

    rf_mutex_lock(&registry->mutex);
    ok = rf_avro_schema_parse(&registry->table.file_arena, text, NULL, 0, &schema, err);
    if (ok)
        rf_table_add_file(&registry->table, rf_schema_fingerprint(schema), schema);
    rf_mutex_unlock(&registry->mutex);
    return ok;
}

/* Thread: the registry's. Waits until an id is wanted that comes after `last` or, from there, before it. False: time
 * to stop. */
static bool next_wanted(struct rf_registry *registry, uint32_t last, uint32_t *id)
{
    bool found = false;

    rf_mutex_lock(&registry->mutex);
    while (!found && !atomic_load(&registry->stop)) {
        for (size_t i = 0; i < registry->table.count; i++) {
            const struct rf_table_entry *entry = registry->table.entries[i];

            if (entry->state != RF_TABLE_WANTED || (found && entry->id <= last))
                continue;
            *id = entry->id;
            found = true;
            if (entry->id > last)
                break;
        }
        if (!found)
            rf_condition_wait(&registry->wanted, &registry->mutex);
    }
    rf_mutex_unlock(&registry->mutex);
    return found;
}

/* Thread: the registry's. A refusal is for the operator, who may lift it: only what is not there is unknown. */
static void settle(struct rf_registry *registry, uint32_t id, const struct rf_schema *schema,
                   struct rf_arena *arena, const struct rf_error *why)
{
    struct rf_table_entry *entry = NULL;

    rf_mutex_lock(&registry->mutex);
    entry = rf_table_find(&registry->table, id);
    rf_assert(entry != NULL && entry->state == RF_TABLE_WANTED);
    if (schema != NULL) {
        rf_table_learn(entry, schema, arena);
    } else {
        entry->why = *why;
        if (why->kind == RF_ERROR_RECORD) {
            entry->state = RF_TABLE_UNKNOWN;
            entry->until = rf_clock_monotonic_ns() + registry->unknown_for_ns;
        }
    }
    rf_mutex_unlock(&registry->mutex);
}

/* Thread: the registry's. */
static void keep(const struct rf_registry *registry, uint32_t id,
                 const struct rf_resolved *resolved)
{
    struct rf_error err = {0};

    if (registry->cache_path != NULL &&
        !rf_schema_cache_write(registry->cache_path, id, resolved, &err))
        rf_log_warning(RF_FIELDS(rf_field_int("schema", id), rf_field_error(&err)),
                       "a schema cannot be kept on disk: a restart will need the registry");
}

/* Thread: the registry's. True: the registry has answered, be it that there is no such schema. */
static bool fetch(struct rf_registry *registry, struct rf_http *http, uint32_t id)
{
    struct rf_error err = {0};
    struct rf_arena texts;
    struct rf_arena arena;
    struct rf_resolved resolved;
    const struct rf_schema *schema = NULL;

    rf_arena_init(&texts, ARENA_CHUNK);
    rf_arena_init(&arena, ARENA_CHUNK);
    if (rf_resolve_id(http, id, 1, &texts, &resolved, &err) &&
        rf_resolved_parse(&resolved, &arena, &schema, &err))
        keep(registry, id, &resolved);
    else if (err.kind == RF_ERROR_RECORD)
        rf_log_warning(RF_FIELDS(rf_field_int("schema", id), rf_field_error(&err)),
                       "a schema that messages name cannot be had");
    settle(registry, id, schema, &arena, &err);
    if (schema == NULL)
        rf_arena_deinit(&arena);
    rf_arena_deinit(&texts);
    if (err.kind == RF_ERROR_NONE || err.kind == RF_ERROR_RECORD)
        return true;
    if (!atomic_load(&registry->stop))
        rf_log_warning(RF_FIELDS(rf_field_int("schema", id), rf_field_error(&err)),
                       "the schema registry does not answer; messages of this schema wait");
    return false;
}

/* Thread: the registry's. */
static void pause_after(struct rf_registry *registry, unsigned failures)
{
    rf_ns until = rf_clock_monotonic_ns() + rf_http_pause(failures) * MS_NS;

    rf_mutex_lock(&registry->mutex);
    while (!atomic_load(&registry->stop) && rf_clock_monotonic_ns() < until)
        (void)rf_condition_wait_until(&registry->wanted, &registry->mutex, until);
    rf_mutex_unlock(&registry->mutex);
}

static void run(void *argument)
{
    struct rf_registry *registry = argument;
    struct rf_error err = {0};
    struct rf_http *http = rf_http_open(&registry->http, &err);
    unsigned failures = 0;
    uint32_t id = 0;

    rf_assert(http != NULL); /* rf_registry_open has tried it */
    while (next_wanted(registry, id, &id)) {
        failures = fetch(registry, http, id) ? 0 : failures + 1;
        if (failures > 0)
            pause_after(registry, failures);
    }
    rf_http_close(http);
}

/* What is damaged, or no longer a schema for this version, is asked for again. */
static bool read_cache(struct rf_registry *registry, struct rf_error *err)
{
    struct rf_arena texts;
    uint32_t *ids = NULL;
    size_t count = 0;
    bool ok = false;

    rf_arena_init(&texts, ARENA_CHUNK);
    ok = rf_schema_cache_list(registry->cache_path, &texts, &ids, &count, err);
    for (size_t i = 0; ok && i < count && i < RF_REGISTRY_SCHEMAS_MAX; i++) {
        struct rf_arena arena;
        struct rf_resolved resolved;
        struct rf_error ignored = {0};
        const struct rf_schema *schema = NULL;

        rf_arena_init(&arena, ARENA_CHUNK);
        if (rf_schema_cache_read(registry->cache_path, ids[i], &texts, &resolved) &&
            rf_resolved_parse(&resolved, &arena, &schema, &ignored))
            rf_table_learn(rf_table_add(&registry->table, ids[i], RF_REGISTRY_SCHEMAS_MAX), schema,
                           &arena);
        else
            rf_arena_deinit(&arena);
    }
    rf_arena_deinit(&texts);
    return ok;
}

static const char *copy_text(struct rf_registry *registry, const char *text)
{
    return text == NULL ? NULL : rf_arena_copy_text(&registry->arena, text);
}

static void take_options(struct rf_registry *registry, const struct rf_registry_options *options)
{
    registry->http = (struct rf_http_settings){
        .counts = &registry->counts,
        .urls = copy_text(registry, options->urls),
        .user = copy_text(registry, options->user),
        .password = copy_text(registry, options->password),
        .token = copy_text(registry, options->token),
        .ca_location = copy_text(registry, options->ca_location),
        .connect_timeout =
            options->connect_timeout == 0 ? CONNECT_TIMEOUT_MS : options->connect_timeout,
        .timeout = options->timeout == 0 ? TIMEOUT_MS : options->timeout,
        .stop = &registry->stop,
    };
    registry->unknown_for_ns =
        (options->unknown_for == 0 ? UNKNOWN_FOR_MS : options->unknown_for) * MS_NS;
    registry->tries_max = options->tries_max == 0 ? TRIES_MAX : options->tries_max;
    registry->gives_up = options->gives_up;
}

static bool start(struct rf_registry *registry, const struct rf_registry_options *options,
                  struct rf_error *err)
{
    struct rf_http *http = NULL;

    if (options->urls == NULL)
        return true;
    http = rf_http_open(&registry->http, err);
    if (http == NULL)
        return false;
    rf_http_close(http);
    if (options->cache_dir != NULL &&
        (!rf_schema_cache_open(options->cache_dir, options->urls, &registry->arena,
                               &registry->cache_path, err) ||
         !read_cache(registry, err)))
        return false;
    registry->has_thread = rf_thread_start(&registry->thread, "rf-registry", run, registry, err);
    return registry->has_thread;
}

struct rf_registry *rf_registry_open(const struct rf_registry_options *options,
                                     struct rf_error *err)
{
    struct rf_registry *registry = calloc(1, sizeof *registry);

    rf_assert(registry != NULL);
    rf_assert(err->kind == RF_ERROR_NONE);
    rf_mutex_init(&registry->mutex);
    rf_condition_init(&registry->wanted);
    rf_arena_init(&registry->arena, ARENA_CHUNK);
    rf_table_init(&registry->table);
    take_options(registry, options);
    if (start(registry, options, err))
        return registry;
    rf_registry_close(registry);
    return NULL;
}

void rf_registry_close(struct rf_registry *registry)
{
    if (registry->has_thread) {
        rf_mutex_lock(&registry->mutex);
        atomic_store(&registry->stop, true);
        rf_condition_wake_all(&registry->wanted);
        rf_mutex_unlock(&registry->mutex);
        rf_thread_join(&registry->thread);
    }
    rf_table_deinit(&registry->table);
    rf_arena_deinit(&registry->arena);
    rf_condition_deinit(&registry->wanted);
    rf_mutex_deinit(&registry->mutex);
    free(registry);
}
