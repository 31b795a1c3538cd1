#include "cli/reload.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "edge/sys/log.h"
#include "edge/sys/signal.h"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_properties(const struct rf_config *a, const struct rf_config *b)
{
    if (a->property_count != b->property_count)
        return false;
    for (size_t i = 0; i < a->property_count; i++) {
        if (!same_text(a->properties[i].name, b->properties[i].name) ||
            !same_text(a->properties[i].value, b->properties[i].value))
            return false;
    }
    return true;
}

/* Also in the order of the file: partitions are assigned by topic, positions are kept by source. */
static bool same_topics(const struct rf_plan *a, const struct rf_plan *b)
{
    if (a->source_count != b->source_count)
        return false;
    for (size_t i = 0; i < a->source_count; i++) {
        if (!same_text(a->sources[i].topic, b->sources[i].topic))
            return false;
    }
    return true;
}

static bool same_http(const struct rf_http_settings *a, const struct rf_http_settings *b)
{
    return same_text(a->listen, b->listen) && same_text(a->token_file, b->token_file) &&
           same_text(a->certificate, b->certificate) && same_text(a->key, b->key) &&
           same_text(a->client_ca, b->client_ca) && a->lag_aliases == b->lag_aliases;
}

const char *rf_reload_refused(const struct rf_config *present, const struct rf_config *next)
{
    const struct {
        const char *name;
        bool same;
    } fixed[] = {
        {"app", same_text(present->plan->app, next->plan->app)},
        {"kafka", same_properties(present, next)},
        {"instance", same_text(present->instance, next->instance)},
        {"workers", present->workers == next->workers},
        {"delivery", present->delivery == next->delivery},
        {"state.dir", same_text(present->state_dir, next->state_dir)},
        {"state.memory", present->state_memory == next->state_memory},
        {"topics.changelog", same_text(present->topics.changelog, next->topics.changelog)},
        {"topics.tasks", same_text(present->topics.tasks, next->topics.tasks)},
        {"topics.dead_letters", same_text(present->topics.dead_letters, next->topics.dead_letters)},
        {"sources.*.topic", same_topics(present->plan, next->plan)},
        {"http", same_http(&present->http, &next->http)},
    };

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (!fixed[i].same)
            return fixed[i].name;
    }
    return NULL;
}

static const struct rf_log_field *fields_of(const struct rf_diagnostic *one,
                                            struct rf_log_field fields[6])
{
    fields[0] = rf_field_text("file", one->file);
    fields[1] = rf_field_int("line", (int64_t)one->line);
    fields[2] = rf_field_int("column", (int64_t)one->column);
    fields[3] = rf_field_text("why", one->message);
    fields[4] = rf_field_text("hint", one->hint == NULL ? "" : one->hint);
    fields[5] = (struct rf_log_field){0};
    return fields;
}

/* One line of the log each. */
static void log_diagnostics(const struct rf_diagnostics *diagnostics)
{
    struct rf_log_field fields[6];

    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct rf_diagnostic *one = &diagnostics->items[i];

        if (one->level == RF_DIAGNOSTIC_ERROR)
            rf_log_error(fields_of(one, fields), "the configuration has an error");
        else
            rf_log_warning(fields_of(one, fields), "the configuration can be mended");
    }
}

static bool never_waits(void)
{
    return true;
}

/* The instance is the process's; the next generation gives it back. */
static void hand_over(struct rf_generation *present)
{
    present->runtime.instance.lock = -1;
}

static bool prepare(struct rf_generation *present, struct rf_generation *next, struct rf_error *err)
{
    const struct rf_runtime_options opening = {.gave_up = never_waits,
                                               .stop = rf_signals_stop_flag(),
                                               .instance = &present->runtime.instance};
    bool ok = false;

    next->is_open = true;
    ok = rf_runtime_open(&next->runtime, next->configuration.config, &opening, err);
    if (ok) {
        next->runtime.stream.accept_gap = present->runtime.stream.accept_gap;
        ok = rf_stream_check(&next->runtime.stream, err);
    }
    if (ok && next->runtime.stream.partitions != present->runtime.stream.partitions)
        ok = rf_error_set(err, RF_ERROR_CONFIG, 0,
                          "the sources have %d partitions now, and had %d: that needs a restart",
                          (int)next->runtime.stream.partitions,
                          (int)present->runtime.stream.partitions);
    if (!ok)
        next->runtime.instance.lock = -1; /* it stays with the present one */
    return ok;
}

static bool read_next(struct rf_generation *present, struct rf_generation *next, const char *file)
{
    const struct rf_configuration_options reading = {.silent = true};
    struct rf_error err = {0};
    const char *refused = NULL;
    bool ok = rf_configuration_open(&next->configuration, file, &reading);

    log_diagnostics(next->configuration.diagnostics);
    if (!ok) {
        rf_log_error(RF_FIELDS(rf_field_text("file", file),
                               rf_field_text("plan", present->runtime.config->plan->version)),
                     "the configuration is not taken: it has errors; the old one goes on");
        return false;
    }
    refused = rf_reload_refused(present->runtime.config, next->configuration.config);
    if (refused != NULL) {
        rf_log_error(RF_FIELDS(rf_field_text("file", file), rf_field_text("setting", refused),
                               rf_field_text("plan", present->runtime.config->plan->version)),
                     "the configuration is not taken: this setting needs a restart; the old one "
                     "goes on");
        return false;
    }
    if (prepare(present, next, &err))
        return true;
    rf_log_error(RF_FIELDS(rf_field_text("file", file), rf_field_error(&err),
                           rf_field_text("plan", present->runtime.config->plan->version)),
                 "the configuration is not taken; the old one goes on");
    return false;
}

/* Who reads the topic of their alerts believes them for ever. */
static void warn_of_lost_rules(const struct rf_plan *before, const struct rf_plan *after)
{
    for (size_t i = 0; i < before->rule_count; i++) {
        const struct rf_rule *rule = &before->rules[i];

        if (rule->clear_when != NULL && rule->mode == RF_MODE_LIVE &&
            rf_rule_find(after, rule->name) == NULL)
            rf_log_warning(RF_FIELDS(rf_field_text("rule", rule->name)),
                           "the rule is gone, and alerts of it that are open stay so until it "
                           "comes back: with `mode: off` it clears them");
    }
}

struct rf_generation *rf_reload(struct rf_generation *present, const char *file)
{
    struct rf_generation *next = calloc(1, sizeof *next);

    rf_assert(next != NULL);
    if (read_next(present, next, file)) {
        hand_over(present);
        warn_of_lost_rules(present->runtime.config->plan, next->runtime.config->plan);
        return next;
    }
    rf_generation_close(next);
    return NULL;
}

void rf_generation_rest(struct rf_generation *generation)
{
    if (generation->is_open)
        rf_runtime_close(&generation->runtime);
    generation->is_open = false;
}

void rf_generation_close(struct rf_generation *generation)
{
    if (generation == NULL)
        return;
    rf_generation_rest(generation);
    rf_configuration_close(&generation->configuration);
    free(generation);
}
