#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "edge/config/build.h"
#include "edge/config/value.h"

static const char *own_topic(struct rf_build *build, const char *configured, const char *suffix)
{
    if (configured != NULL)
        return configured;
    return rf_arena_printf(build->arena, "%s-%s", build->draft.app, suffix);
}

/* A host's name with what a name here cannot have replaced. */
static const char *instance_of(struct rf_build *build)
{
    const char *hostname = build->environment->hostname;
    char *instance = rf_arena_copy_text(build->arena, hostname == NULL ? "ringfold" : hostname);

    for (char *c = instance; *c != '\0'; c++) {
        bool fine = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || *c == '.' || *c == '_' || *c == '-';
        if (!fine)
            *c = '-';
    }
    return instance;
}

static void finish_settings(struct rf_build *build)
{
    struct rf_config_draft *draft = &build->draft;
    struct rf_config *config = &draft->config;
    struct rf_plan *plan = build->plan;

    if (draft->app == NULL)
        draft->app = "";
    config->file = build->yaml.file;
    config->plan = plan;
    config->delivery = (enum rf_delivery)draft->delivery;
    config->idle_by_wall = draft->idle == 0;
    config->start = (enum rf_start)draft->start;
    config->log_level = (enum rf_log_level)draft->log_level;
    config->log_format = (enum rf_log_format)draft->log_format;
    if (config->instance == NULL)
        config->instance = instance_of(build);
    config->topics.dead_letters = own_topic(build, config->topics.dead_letters, "dlq");
    config->topics.changelog = own_topic(build, config->topics.changelog, "changelog");
    config->topics.tasks = own_topic(build, config->topics.tasks, "tasks");
    plan->app = draft->app;
    plan->lateness =
        rf_group_find(&build->top, "lateness") == NULL ? RF_LATENESS_NONE : draft->lateness;
    plan->late = (enum rf_late)draft->late;
    plan->max_ahead = draft->max_ahead;
    plan->event_bytes_max = (size_t)draft->event_bytes_max;
    plan->record_bytes_max = (size_t)draft->record_bytes_max;
}

static bool read_root(struct rf_build *build, const struct rf_config_environment *environment)
{
    const struct rf_yaml_node *root = NULL;

    if (!rf_yaml_parse(&build->yaml, environment->variable, environment->self))
        return false;
    root = build->yaml.root;
    if (root == NULL || (root->kind == RF_YAML_SCALAR && root->empty)) {
        rf_complain(&build->yaml, (struct rf_place){.hint = "it begins with app: NAME"},
                    "the configuration is empty");
        return false;
    }
    if (root->kind != RF_YAML_MAP) {
        rf_complain(&build->yaml, (struct rf_place){.begin = root->begin, .hint = "app: NAME"},
                    "a configuration is a mapping, not %s", rf_yaml_kind_name(root));
        return false;
    }
    build->top = (struct rf_group){.name = "", .map = root};
    rf_settings_read(&build->reader, &build->top, &build->draft);
    return true;
}

bool rf_config_load_text(const char *path, struct rf_bytes text,
                         const struct rf_config_environment *environment, struct rf_arena *arena,
                         struct rf_config **config, struct rf_diagnostics *diagnostics)
{
    struct rf_build *build = rf_arena_alloc_zero(arena, sizeof *build);

    *config = NULL;
    build->arena = arena;
    build->environment = environment;
    build->yaml = (struct rf_yaml){.file = rf_arena_copy_text(arena, path),
                                   .source = text,
                                   .arena = arena,
                                   .diagnostics = diagnostics};
    build->reader = (struct rf_reader){.yaml = &build->yaml, .environment = environment};
    build->plan = rf_arena_alloc_zero(arena, sizeof *build->plan);
    if (!read_root(build, environment))
        return false;
    finish_settings(build);
    rf_build_kafka(build);
    rf_build_sources(build);
    rf_build_features(build);
    rf_build_outputs(build);
    rf_build_rules(build);
    rf_build_lint(build);
    if (diagnostics->error_count > 0)
        return false;
    rf_build_hashes(build);
    rf_build_bindings(build);
    if (diagnostics->error_count > 0)
        return false;
    *config = &build->draft.config;
    return true;
}

bool rf_config_load(const char *path, const struct rf_config_environment *environment,
                    struct rf_arena *arena, struct rf_config **config,
                    struct rf_diagnostics *diagnostics)
{
    struct rf_bytes text =
        rf_path_read_named(arena, path, "-c FILE names the configuration", diagnostics);

    *config = NULL;
    return text.data != NULL &&
           rf_config_load_text(path, text, environment, arena, config, diagnostics);
}
