#include "cli/runtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/number.h"
#include "core/codec/avro_decoder.h"
#include "core/codec/decoders.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "edge/formats/avro_schema.h"
#include "edge/formats/json_decoder.h"
#include "edge/sys/file.h"
#include "edge/sys/log.h"

#define ARENA_CHUNK      (64U * 1024)
#define COMMIT_BYTES_MIN (4U << 20)
#define COMMIT_BYTES_MAX (32U << 20)
#define DEAD_LETTER_BYTES                                                                          \
    (900U * 1024) /* below the default message.max.bytes of client and broker */
#define COMPACTION_THREADS 2

size_t rf_runtime_topics(const struct rf_config *config, struct rf_topic *topics)
{
    return rf_topics_list(config->plan, config->topics.changelog, config->topics.tasks,
                          config->topics.dead_letters, topics);
}

/* ---- ports ---- */

static const char *store_path(const struct rf_runtime *runtime, int32_t partition, char *path,
                              size_t size_max)
{
    snprintf(path, size_max, "%s/task-%d", runtime->instance.directory, (int)partition);
    return path;
}

static bool store_open(void *self, int32_t partition, struct rf_store *store, struct rf_error *err)
{
    struct rf_runtime *runtime = self;
    char path[4096];

    return rf_rocks_open(runtime->rocks, store_path(runtime, partition, path, sizeof path), store,
                         err);
}

static bool store_quarantine(void *self, int32_t partition, struct rf_error *err)
{
    struct rf_runtime *runtime = self;
    char path[4096];

    return rf_rocks_quarantine(store_path(runtime, partition, path, sizeof path), err);
}

/* What a worker decodes with. */
struct worker_decoders {
    struct rf_avro_decoder *avro;
    struct rf_json_decoder *json;
    struct rf_decoder decoders[RF_SOURCES_MAX]; /* what the worker is given */
};

static const struct rf_decoder *decoders_open(void *self, struct rf_error *err)
{
    struct rf_runtime *runtime = self;
    const struct rf_plan *plan = runtime->config->plan;
    struct worker_decoders *made = calloc(1, sizeof *made);

    (void)err;
    rf_assert(made != NULL);
    made->avro =
        rf_avro_decoder_open(plan, runtime->schemas.ops == NULL ? NULL : &runtime->schemas);
    made->json = rf_json_decoder_open(plan);
    rf_decoders_assign(plan, rf_avro_decoder_port(made->avro), rf_json_decoder_port(made->json),
                       made->decoders);
    return made->decoders;
}

static void decoders_close(void *self, const struct rf_decoder *decoders)
{
    struct worker_decoders *made =
        (struct worker_decoders *)((uintptr_t)decoders -
                                   offsetof(struct worker_decoders, decoders));

    (void)self;
    rf_avro_decoder_close(made->avro);
    rf_json_decoder_close(made->json);
    free(made);
}

static size_t memory(void *self, struct rf_named_count *counts)
{
    const struct rf_runtime *runtime = self;

    if (runtime->rocks == NULL)
        return 0;
    counts[0] = (struct rf_named_count){"block_cache", rf_rocks_shared_cache_used(runtime->rocks)};
    return 1;
}

static size_t registry_requests(void *self, struct rf_named_count *counts)
{
    const struct rf_runtime *runtime = self;
    const char *names[RF_REGISTRY_STATUSES_MAX];
    uint64_t numbers[RF_REGISTRY_STATUSES_MAX];
    size_t count = rf_registry_requests(runtime->registry, names, numbers);

    for (size_t i = 0; i < count; i++)
        counts[i] = (struct rf_named_count){names[i], numbers[i]};
    return count;
}

/* ---- the registry ---- */

struct rf_registry *rf_runtime_registry_open(const struct rf_config *config, const char *cache_dir,
                                             const atomic_bool *gives_up, struct rf_error *err)
{
    const struct rf_registry_options wanted = {
        .urls = config->registry.url,
        .user = config->registry.user,
        .password = config->registry.password,
        .token = config->registry.token,
        .ca_location = config->registry.ca_location,
        .cache_dir = cache_dir,
        .timeout = config->registry.timeout,
        .gives_up = gives_up,
    };

    return rf_registry_open(&wanted, err);
}

static bool open_registry(struct rf_runtime *runtime, const struct rf_runtime_options *options,
                          struct rf_error *err)
{
    const struct rf_config *config = runtime->config;
    const char *cache_dir = NULL;

    if (!options->read_only && config->registry.url != NULL) {
        cache_dir =
            rf_arena_printf(&runtime->arena, "%s/%s/schemas", config->state_dir, config->plan->app);
        if (!rf_file_make_directory(cache_dir, err))
            return rf_error_wrap(err, "the state directory (state.dir)");
    }
    runtime->registry = rf_runtime_registry_open(config, cache_dir, options->stop, err);
    if (runtime->registry == NULL)
        return false;
    runtime->schemas = rf_registry_schemas(runtime->registry);
    for (size_t i = 0; i < config->plan->source_count; i++) {
        if (config->plan->sources[i].format == RF_FORMAT_AVRO_OBJECT &&
            !rf_registry_add(runtime->registry,
                             rf_bytes_of_text(config->plan->sources[i].schema_text), err))
            return false;
    }
    return true;
}

/* One try. */
static bool find_id(struct rf_runtime *runtime, const struct rf_runtime_options *options,
                    const char *subject, struct rf_bytes text, uint32_t *id, struct rf_error *err)
{
    bool found = false;

    if (!options->read_only && runtime->config->registry.auto_register)
        return rf_registry_register(runtime->registry, subject, text, id, err);
    if (!rf_registry_look_up(runtime->registry, subject, text, id, &found, err))
        return false;
    if (found || options->read_only)
        return true; /* a reader needs no id of its own */
    return rf_error_set(
        err, RF_ERROR_CONFIG, 0,
        "the registry does not have the schema of %s, and auto_register is off: register it first",
        subject);
}

/* Where the id of a text under a subject is kept: what the registry once said of it holds for ever. */
static const char *id_path(struct rf_runtime *runtime, const char *subject, const char *text)
{
    const struct rf_config *config = runtime->config;
    uint64_t hash = rf_hash64_seeded(rf_bytes_of_text(text), rf_hash64(rf_bytes_of_text(subject)));

    return rf_arena_printf(&runtime->arena, "%s/%s/schemas/id-%016" PRIx64, config->state_dir,
                           config->plan->app, hash);
}

static bool recall_id(const char *path, uint32_t *id)
{
    struct rf_buffer content;
    struct rf_error err = {0};
    uint64_t number = 0;
    bool known = false;

    rf_buffer_init(&content, 64);
    known = rf_file_read(path, &content, &err) &&
            rf_uint64_parse(rf_buffer_bytes(&content), &number) && number <= UINT32_MAX;
    rf_buffer_deinit(&content);
    *id = (uint32_t)number;
    return known;
}

static void remember_id(const char *path, uint32_t id)
{
    struct rf_error err = {0};
    char text[16];
    int size = snprintf(text, sizeof text, "%" PRIu32, id);

    if (!rf_file_write(path, rf_bytes_of(text, (size_t)size), 0600, &err))
        rf_log_warning(RF_FIELDS(rf_field_error(&err)),
                       "a schema's id cannot be kept for times without the registry");
}

/* The id under which what is written to `topic` is registered. A registry that is away is done without where it has
 * answered before, and otherwise waited for. */
static bool id_of_topic(struct rf_runtime *runtime, const struct rf_runtime_options *options,
                        const char *topic, const char *text, uint32_t *id, struct rf_error *err)
{
    const char *subject = rf_arena_printf(&runtime->arena, "%s-value", topic);
    const char *path = id_path(runtime, subject, text);

    if (runtime->registry_is_away && recall_id(path, id))
        return true; /* it need not be waited for once more */
    while (!find_id(runtime, options, subject, rf_bytes_of_text(text), id, err)) {
        runtime->registry_is_away = err->kind == RF_ERROR_RETRY;
        if (err->kind == RF_ERROR_RETRY && recall_id(path, id)) {
            rf_log_warning(RF_FIELDS(rf_field_text("topic", topic), rf_field_error(err)),
                           "the schema registry is away: going on with what it said before");
            rf_error_clear(err);
            return true;
        }
        if (err->kind != RF_ERROR_RETRY || options->gave_up == NULL || options->gave_up())
            return rf_error_wrap(err, "registering the schema of topic %s", topic);
        rf_log_warning(RF_FIELDS(rf_field_error(err)), "waiting for the schema registry");
        if (options->waits != NULL)
            options->waits(options->self, err);
        rf_error_clear(err);
    }
    runtime->registry_is_away = false;
    if (!options->read_only)
        remember_id(path, *id);
    return true;
}

/* ---- outputs and records ---- */

static bool open_output(struct rf_runtime *runtime, const struct rf_runtime_options *options,
                        size_t index, struct rf_error *err)
{
    const struct rf_output *output = &runtime->config->plan->outputs[index];
    struct rf_stream_output *made = &runtime->outputs[index];

    if (!rf_derived_codec_make(&runtime->arena, runtime->config->plan, output, &made->codec, err))
        return rf_error_wrap(err, "output %s", output->name);
    made->wire.format = output->format;
    if (output->format == RF_FORMAT_AVRO_OBJECT)
        made->wire.fingerprint = rf_schema_fingerprint(output->schema);
    return output->format != RF_FORMAT_AVRO || options->read_only ||
           id_of_topic(runtime, options, output->topic, output->schema_text, &made->wire.id, err);
}

static bool open_outputs(struct rf_runtime *runtime, const struct rf_runtime_options *options,
                         struct rf_error *err)
{
    size_t count = runtime->config->plan->output_count;

    runtime->outputs = rf_arena_alloc_zero(&runtime->arena, (count + 1) * sizeof *runtime->outputs);
    for (size_t i = 0; i < count; i++) {
        if (!open_output(runtime, options, i, err))
            return false;
    }
    return true;
}

/* The registry's wire format where there is one, single-object encoding otherwise. */
static bool open_records(struct rf_runtime *runtime, const struct rf_runtime_options *options,
                         struct rf_error *err)
{
    runtime->codec = rf_customer_codec_make(&runtime->arena, runtime->config->plan);
    runtime->record_wire = (struct rf_wire){
        .format = RF_FORMAT_AVRO_OBJECT,
        .fingerprint = rf_schema_fingerprint(rf_customer_codec_schema(runtime->codec)),
    };
    if (runtime->config->registry.url == NULL)
        return true;
    runtime->record_wire.format = RF_FORMAT_AVRO;
    return id_of_topic(runtime, options, runtime->config->topics.changelog,
                       rf_customer_codec_schema_text(runtime->codec), &runtime->record_wire.id,
                       err);
}

/* What one open transaction may hold: inputs, open customers, what is to be produced. */
static size_t commit_bytes_max(const struct rf_config *config)
{
    uint64_t share = config->state_memory / 32 / (uint64_t)config->workers;

    return share < COMMIT_BYTES_MIN   ? COMMIT_BYTES_MIN
           : share > COMMIT_BYTES_MAX ? COMMIT_BYTES_MAX
                                      : (size_t)share;
}

/* Of each 16 parts of the memory 6 are for the hot caches, 3 for cached blocks and 3 for what the stores have not
 * written yet; the rest is what open transactions and malloc add. */
static void describe_stream(struct rf_runtime *runtime)
{
    const struct rf_config *config = runtime->config;

    runtime->stream = (struct rf_stream_options){
        .plan = config->plan,
        .customer_codec = runtime->codec,
        .outputs = runtime->outputs,
        .record_schemas = runtime->schemas,
        .record_reader = {.read = rf_avro_schema_read},
        .record_wire = runtime->record_wire,
        .ports = {.self = runtime,
                  .store_open = store_open,
                  .store_quarantine = store_quarantine,
                  .decoders_open = decoders_open,
                  .decoders_close = decoders_close,
                  .memory = memory,
                  .registry_requests = registry_requests},
        .kafka = config->properties,
        .kafka_count = config->property_count,
        .instance = config->instance,
        .changelog_topic = config->topics.changelog,
        .tasks_topic = config->topics.tasks,
        .dead_letter_topic = config->topics.dead_letters,
        .delivery = config->delivery,
        .idle_by_wall = config->idle_by_wall,
        .start = config->start,
        .workers = (int)config->workers,
        .commit_interval_ms = config->commit_interval,
        .commit_events_max = (size_t)config->commit_events_max,
        .commit_bytes_max = commit_bytes_max(config),
        .store_interval_ms = config->state_flush_interval,
        .records_memory = (size_t)(config->state_memory / 16 * 6),
        .dead_letter_bytes_max = DEAD_LETTER_BYTES,
    };
}

bool rf_runtime_open(struct rf_runtime *runtime, const struct rf_config *config,
                     const struct rf_runtime_options *options, struct rf_error *err)
{
    memset(runtime, 0, sizeof *runtime);
    runtime->config = config;
    runtime->instance =
        options->instance != NULL ? *options->instance : (struct rf_instance){.lock = -1};
    rf_arena_init(&runtime->arena, ARENA_CHUNK);
    if (!open_registry(runtime, options, err) || !open_records(runtime, options, err) ||
        !open_outputs(runtime, options, err))
        return false;
    describe_stream(runtime);
    return true;
}

bool rf_runtime_open_stores(struct rf_runtime *runtime, int32_t partitions, struct rf_error *err)
{
    const struct rf_config *config = runtime->config;
    struct rf_rocks_settings settings = {
        .cache_size = (size_t)(config->state_memory / 16 * 3),
        .memtables_size = (size_t)(config->state_memory / 16 * 3),
        .tasks_max = (uint32_t)partitions,
        .compaction_threads = COMPACTION_THREADS,
    };

    rf_assert(partitions > 0);
    if (runtime->instance.lock < 0 &&
        !rf_instance_claim(config->state_dir, config->plan->app, config->instance, &runtime->arena,
                           &runtime->instance, err))
        return false;
    runtime->stream.instance = runtime->instance.name;
    runtime->stream.partitions = partitions;
    runtime->rocks = rf_rocks_shared_open(&settings);
    return true;
}

void rf_runtime_close(struct rf_runtime *runtime)
{
    if (runtime->rocks != NULL)
        rf_rocks_shared_close(runtime->rocks);
    if (runtime->instance.lock >= 0)
        rf_instance_release(&runtime->instance);
    if (runtime->registry != NULL)
        rf_registry_close(runtime->registry);
    rf_arena_deinit(&runtime->arena);
}
