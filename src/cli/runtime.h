/* A configuration made ready to run: what the rooms need of each other, wired here and nowhere else. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "cli/instance.h"
#include "core/codec/customer_codec.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/config/config.h"
#include "edge/registry/registry.h"
#include "edge/store/rocks.h"
#include "edge/stream/stream.h"
#include "edge/stream/topics.h"

struct rf_runtime {
    const struct rf_config *config;
    struct rf_arena arena; /* of what is made here; not the configuration's */
    const struct rf_customer_codec *codec;
    struct rf_stream_output *outputs; /* by output of the plan */
    struct rf_registry
        *registry;             /* also without a url: it knows the configured files' fingerprints */
    bool registry_is_away;     /* it has not answered the last question */
    struct rf_schemas schemas; /* the registry's, and those of the configured files */
    struct rf_wire record_wire;
    struct rf_instance instance;
    struct rf_rocks_shared *rocks; /* NULL until rf_runtime_open_stores */
    struct rf_stream_options stream;
};

/* The topics of a configuration, each with its role. At most RF_TOPICS_MAX. */
size_t rf_runtime_topics(const struct rf_config *config, struct rf_topic *topics);

/* The configured registry, also where there is none: it knows the schemas that are added to it. `cache_dir`: where what
 * it learns is kept; NULL: nowhere. Errors: CONFIG, RETRY. */
struct rf_registry *rf_runtime_registry_open(const struct rf_config *config, const char *cache_dir,
                                             const atomic_bool *gives_up, struct rf_error *err);

struct rf_runtime_options {
    bool (*gave_up)(void); /* asked while waiting for the registry; NULL: never */
    void (*waits)(void *self, const struct rf_error *why); /* told of it; may be NULL */
    void *self;
    const atomic_bool *stop; /* ends a question that is under way; NULL: nothing does */
    const struct rf_instance
        *instance;  /* claimed already, released by rf_runtime_close; NULL: none yet */
    bool read_only; /* nothing is registered, and nothing kept on disk */
};

/* Codecs, schemas and the stream's options; asks the registry, and waits for it while it is away. `config` stays the
 * caller's. To be closed in any case. Errors: CONFIG, RETRY (gave_up). */
bool rf_runtime_open(struct rf_runtime *runtime, const struct rf_config *config,
                     const struct rf_runtime_options *options, struct rf_error *err) RF_MUST_CHECK;

/* Claims the instance and prepares its stores for `partitions` tasks. Errors: CONFIG. */
bool rf_runtime_open_stores(struct rf_runtime *runtime, int32_t partitions,
                            struct rf_error *err) RF_MUST_CHECK;

void rf_runtime_close(struct rf_runtime *runtime);
