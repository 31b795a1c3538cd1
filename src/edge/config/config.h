/* A configuration file, read: the plan for the core, and what the edge needs besides.
 *
 * Called by the command line once at start (and again on reload), from one thread; what it makes is
 * immutable. Every fault is a diagnostic with its place in the file; there is no other error. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/model/delivery.h"
#include "core/model/diagnostic.h"
#include "core/model/plan.h"
#include "edge/sys/log.h"

struct rf_registry_settings {
    const char *url;         /* one, or several with commas; NULL: there is none */
    const char *user;        /* NULL: no authentication */
    const char *password;    /* never printed */
    const char *token;       /* NULL: none; never printed */
    const char *ca_location; /* NULL: the system's */
    bool auto_register;      /* of output and changelog schemas */
    rf_span_ms timeout;
};

struct rf_http_settings {
    const char *listen;     /* ADDRESS:PORT; NULL: off */
    const char *advertise;  /* ADDRESS:PORT for others; NULL: what is listened on */
    const char *token_file; /* NULL: none, as the paths below */
    const char *certificate, *key, *client_ca;
    bool lag_aliases; /* also the names of kafka_exporter */
};

struct rf_topic_settings {
    const char *dead_letters;
    const char *changelog;
    const char *tasks;
    int64_t partitions;  /* of topics that are created; 0: as many as the sources have */
    int64_t replication; /* 0: the broker's default */
    int64_t min_insync;  /* 0: the broker's default */
};

struct rf_config {
    const char *file;
    const struct rf_plan *plan;
    const char *instance;
    int64_t workers;
    enum rf_delivery delivery;
    bool idle_by_wall;   /* time goes on where nothing comes */
    enum rf_start start; /* where a source is read from when nothing was ever committed */
    size_t property_count;
    const struct rf_property *properties;
    struct rf_registry_settings registry;
    struct rf_topic_settings topics;
    const char *state_dir;
    uint64_t state_memory;
    rf_span_ms state_flush_interval;
    rf_span_ms commit_interval;
    int64_t commit_events_max;
    struct rf_http_settings http;
    enum rf_log_level log_level;
    enum rf_log_format log_format;
};

/* What a configuration depends on outside of its file. Every function may be NULL. */
struct rf_config_environment {
    void *self; /* given to each of these */
    const char *(*variable)(void *self, const char *name);
    /* The newest schema of a topic's values, from the registry. Errors: CONFIG. */
    bool (*schema_of)(void *self, const struct rf_registry_settings *registry, const char *topic,
                      struct rf_arena *arena, struct rf_bytes *text, struct rf_error *err);
    /* Does librdkafka take this? Errors: CONFIG. */
    bool (*property_check)(void *self, const char *name, const char *value, struct rf_error *err);
    const char *const *property_names; /* for "did you mean" */
    size_t property_name_count;
    const char *hostname;         /* the default of `instance`; NULL: "ringfold" */
    const struct rf_zones *zones; /* NULL: only UTC and fixed offsets */
    bool without_kafka;           /* replay, test: `kafka` may be missing */
    bool shadow_tells; /* test: rules in shadow are live, so that what they say can be seen */
};

/* Reads, checks and compiles. True: there is no error (there may be warnings), and *config is set.
 * Everything is in `arena`, which has to outlive it. */
bool rf_config_load(const char *path, const struct rf_config_environment *environment,
                    struct rf_arena *arena, struct rf_config **config,
                    struct rf_diagnostics *diagnostics);
/* The same from text; files that it names are sought from where `path` would be. */
bool rf_config_load_text(const char *path, struct rf_bytes text,
                         const struct rf_config_environment *environment, struct rf_arena *arena,
                         struct rf_config **config, struct rf_diagnostics *diagnostics);

/* Every setting that there is: a JSON Schema for editors, and a list for the manual page (mdoc). */
void rf_config_print_json_schema(struct rf_buffer *out);
void rf_config_print_manual(struct rf_buffer *out);
