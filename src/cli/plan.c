/* ringfold plan: what another configuration does to the state, before it happens. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "core/base/assert.h"
#include "core/codec/value_json.h"
#include "core/model/plan.h"
#include "core/model/plan_change.h"
#include "core/task/task_state.h"
#include "edge/formats/avro_schema.h"
#include "edge/stream/table.h"

#define TEXT_SIZE_MAX (4U << 20)
#define ARENA_CHUNK   (64U * 1024)

struct options {
    const char *config;
    const char *against; /* NULL: what is in Kafka */
    bool json;
};

/* ---- what is there: the newest schema of customer records, of every partition ---- */

struct found {
    struct rf_arena *arena;
    size_t schema_count;
    struct rf_bytes *schemas; /* by partition: the last one that was written; data == NULL: none */
    char plan_version[17];
};

static void take_partitions(void *self, int32_t count)
{
    struct found *found = self;

    if (found->schemas != NULL)
        return;
    found->schemas = rf_arena_alloc_zero(found->arena, (size_t)count * sizeof *found->schemas);
    found->schema_count = (size_t)count;
}

static void take_record(void *self, int32_t partition, struct rf_bytes key, struct rf_bytes value,
                        int64_t offset)
{
    struct found *found = self;
    struct rf_task_state state;
    struct rf_error ignored = {0}; /* a newer version's, perhaps: the schemas are what counts */

    (void)offset;
    if ((size_t)partition >= found->schema_count || value.data == NULL)
        return;
    if (!rf_bytes_equal(key, rf_bytes_of_text("state")))
        found->schemas[partition] = rf_arena_copy(found->arena, value);
    else if (rf_task_state_read(value, &state, &ignored))
        memcpy(found->plan_version, state.plan_version, sizeof found->plan_version);
}

/* The names of the states in one schema of customer records. */
static bool add_states(struct found *found, struct rf_bytes text, struct rf_plan_before *before,
                       struct rf_error *err)
{
    const struct rf_schema *schema = NULL;
    const struct rf_schema *state = NULL;
    const char **names = NULL;

    if (!rf_avro_schema_parse(found->arena, text, NULL, 0, &schema, err))
        return rf_error_wrap(err, "the schema of the customers in the tasks topic");
    for (size_t i = 0; schema->kind == RF_SCHEMA_RECORD && i < schema->count; i++) {
        if (strcmp(schema->fields[i].name, "state") == 0)
            state = schema->fields[i].type;
    }
    if (state == NULL || state->kind != RF_SCHEMA_RECORD)
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "what the tasks topic says is no schema of customers");
    names = rf_arena_alloc(found->arena, (before->state_count + state->count + 1) * sizeof *names);
    if (before->state_count > 0)
        memcpy(names, before->states, before->state_count * sizeof *names);
    for (size_t i = 0; i < state->count; i++) {
        bool known = false;

        for (size_t k = 0; k < before->state_count; k++)
            known = known || strcmp(names[k], state->fields[i].name) == 0;
        if (!known)
            names[before->state_count++] = state->fields[i].name;
    }
    before->states = names;
    return true;
}

static bool ask_kafka(const struct rf_config *config, struct found *found,
                      struct rf_plan_before *before, struct rf_error *err)
{
    const struct rf_table_options options = {
        .kafka = config->properties,
        .kafka_count = config->property_count,
        .app = config->plan->app,
        .topic = config->topics.tasks,
    };
    const struct rf_table_listener listener = {found, take_partitions, take_record};

    if (!rf_table_read(&options, &listener, err))
        return rf_error_wrap(err,
                             "asking for the state that is there (--against FILE compares with "
                             "a file)");
    for (size_t i = 0; i < found->schema_count; i++) {
        if (found->schemas[i].data != NULL && !add_states(found, found->schemas[i], before, err))
            return false;
    }
    return true;
}

/* ---- for people ---- */

static const char *change_name(enum rf_change change)
{
    static const char *const names[] = {"unchanged", "new", "changed", "removed"};

    return names[change];
}

/* "keep": features are told by what becomes of their state. */
static const char *feature_word(const struct rf_part_change *part)
{
    static const char *const names[] = {"keep", "new", "redefined", "drop"};

    return names[part->change];
}

static void print_details(struct rf_buffer *out, const struct rf_part_change *part)
{
    for (size_t i = 0; i < part->detail_count; i++)
        rf_buffer_printf(out, "%s%s", i == 0 ? "" : ", ", part->details[i]);
}

static void print_state(struct rf_buffer *out, const struct rf_part_change *part)
{
    char span[RF_SPAN_TEXT_MAX];

    if (part->stateless) {
        rf_buffer_append_text(out, "computed: it has no state");
        return;
    }
    if (part->change == RF_REMOVED) {
        rf_buffer_append_text(out, "its state goes with each customer's next write");
        return;
    }
    rf_buffer_append_text(out, "starts empty");
    if (part->full_after == 0) {
        rf_buffer_append_text(out, ", and knows what comes from then on");
        return;
    }
    span[rf_span_format(span, sizeof span, part->full_after)] = '\0';
    rf_buffer_printf(out, ", and is whole after %s", span);
}

/* What stays as it is: one line for all. */
static void print_unchanged(struct rf_buffer *out, const struct rf_part_changes *list,
                            const char *word)
{
    const char *separator = "";

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].change != RF_UNCHANGED)
            continue;
        if (separator[0] == '\0')
            rf_buffer_printf(out, "  %-10s", word);
        rf_buffer_printf(out, "%s%s", separator, list->items[i].name);
        separator = ", ";
    }
    rf_buffer_append_text(out, separator[0] == '\0' ? "" : "\n");
}

static void print_features(struct rf_buffer *out, const struct rf_part_changes *list)
{
    rf_buffer_append_text(out, "features\n");
    print_unchanged(out, list, "keep");
    for (size_t i = 0; i < list->count; i++) {
        const struct rf_part_change *part = &list->items[i];

        if (part->change == RF_UNCHANGED)
            continue;
        rf_buffer_printf(out, "  %-10s%s: ", feature_word(part), part->name);
        print_details(out, part);
        rf_buffer_append_text(out, part->detail_count > 0 ? "; " : "");
        print_state(out, part);
        rf_buffer_append_byte(out, '\n');
    }
}

static void print_parts(struct rf_buffer *out, const char *title,
                        const struct rf_part_changes *list, const char *const notes[4])
{
    rf_buffer_printf(out, "%s\n", title);
    print_unchanged(out, list, "unchanged");
    for (size_t i = 0; i < list->count; i++) {
        const struct rf_part_change *part = &list->items[i];
        bool noted = notes[part->change][0] != '\0';

        if (part->change == RF_UNCHANGED)
            continue;
        rf_buffer_printf(out, "  %-10s%s%s", change_name(part->change), part->name,
                         part->detail_count > 0 || noted ? ": " : "");
        print_details(out, part);
        rf_buffer_printf(out, "%s%s\n", part->detail_count > 0 && noted ? "; " : "",
                         notes[part->change]);
    }
}

static void print_text(struct rf_buffer *out, const struct rf_plan_changes *changes)
{
    static const char *const rules[] = {
        "", "", "its cooldowns and open alerts go on",
        "its cooldowns are forgotten, and alerts that are open stay so until it comes back "
        "(mode: off clears them first)"};
    static const char *const sources[] = {
        "", "read from where `start` says", "",
        "no longer read; what it has contributed stays in the features that stay"};
    static const char *const plain[] = {"", "", "", ""};

    if (changes->app)
        rf_buffer_append_text(
            out,
            "the app is another: it reads its sources anew and knows no customer; of the state "
            "that is there nothing is used\n");
    print_features(out, &changes->features);
    if (changes->sources.count == 0)
        return;
    print_parts(out, "rules", &changes->rules, rules);
    print_parts(out, "sources", &changes->sources, sources);
    print_parts(out, "outputs", &changes->outputs, plain);
    if (changes->settings.items[0].change != RF_UNCHANGED) {
        rf_buffer_append_text(out, "settings\n  changed   ");
        print_details(out, &changes->settings.items[0]);
        rf_buffer_append_byte(out, '\n');
    }
}

/* ---- for programs ---- */

static void print_member(struct rf_buffer *out, const char *name, const char *text)
{
    rf_buffer_printf(out, "\"%s\":", name);
    rf_json_print_text(out, rf_bytes_of_text(text));
}

static void print_json_list(struct rf_buffer *out, const char *name,
                            const struct rf_part_changes *list, bool features)
{
    char span[RF_SPAN_TEXT_MAX];

    rf_buffer_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < list->count; i++) {
        const struct rf_part_change *part = &list->items[i];

        rf_buffer_append_text(out, i == 0 ? "{" : ",{");
        print_member(out, "name", part->name);
        rf_buffer_append_byte(out, ',');
        print_member(out, "change", features ? feature_word(part) : change_name(part->change));
        if (features)
            rf_buffer_printf(out, ",\"state\":%s", part->stateless ? "false" : "true");
        if (features && !part->stateless && part->full_after > 0 &&
            (part->change == RF_ADDED || part->change == RF_CHANGED)) {
            span[rf_span_format(span, sizeof span, part->full_after)] = '\0';
            rf_buffer_append_byte(out, ',');
            print_member(out, "whole_after", span);
        }
        rf_buffer_append_text(out, ",\"details\":[");
        for (size_t k = 0; k < part->detail_count; k++) {
            rf_buffer_append_text(out, k == 0 ? "" : ",");
            rf_json_print_text(out, rf_bytes_of_text(part->details[k]));
        }
        rf_buffer_append_text(out, "]}");
    }
    rf_buffer_append_byte(out, ']');
}

static void print_json(struct rf_buffer *out, const struct rf_plan_changes *changes,
                       const char *before, const char *after)
{
    rf_buffer_append_byte(out, '{');
    print_member(out, "plan", after);
    rf_buffer_append_byte(out, ',');
    print_member(out, "against", before);
    rf_buffer_printf(out, ",\"same_app\":%s", changes->app ? "false" : "true");
    print_json_list(out, "features", &changes->features, true);
    if (changes->sources.count > 0) {
        print_json_list(out, "rules", &changes->rules, false);
        print_json_list(out, "sources", &changes->sources, false);
        print_json_list(out, "outputs", &changes->outputs, false);
        print_json_list(out, "settings", &changes->settings, false);
    }
    rf_buffer_append_text(out, "}\n");
}

/* ---- the whole ---- */

static int print(const struct options *options, const struct rf_config *config,
                 const struct rf_plan_before *before, const char *before_version)
{
    struct rf_plan_changes changes;
    struct rf_arena arena;
    struct rf_buffer text;
    bool failed = false;

    rf_arena_init(&arena, ARENA_CHUNK);
    rf_buffer_init(&text, TEXT_SIZE_MAX);
    rf_plan_compare(&arena, before, config->plan, &changes);
    if (options->json) {
        print_json(&text, &changes, before_version, config->plan->version);
    } else {
        rf_buffer_printf(&text, "%s (plan %s) against %s (plan %s)\n", config->file,
                         config->plan->version,
                         options->against == NULL ? "what runs" : options->against,
                         before_version[0] == '\0' ? "unknown" : before_version);
        print_text(&text, &changes);
    }
    failed = fwrite(text.data, 1, text.size, stdout) != text.size || fflush(stdout) != 0;
    rf_buffer_deinit(&text);
    rf_arena_deinit(&arena);
    return failed ? RF_EXIT_FAILED : RF_EXIT_FINE;
}

static int plan_with_kafka(const struct options *options, const struct rf_config *config)
{
    struct rf_arena arena;
    struct found found = {.arena = &arena};
    struct rf_plan_before before = {0};
    struct rf_error err = {0};
    int status = RF_EXIT_FAILED;

    rf_arena_init(&arena, ARENA_CHUNK);
    if (ask_kafka(config, &found, &before, &err))
        status = print(options, config, &before, found.plan_version);
    else
        status = rf_command_failed(&err);
    rf_arena_deinit(&arena);
    return status;
}

struct against {
    const struct options *options;
    const struct rf_config *config; /* the new one */
};

static int use_old(struct rf_configuration *old, void *self)
{
    const struct against *against = self;
    struct rf_plan_before before = {.plan = old->config->plan};

    return print(against->options, against->config, &before, before.plan->version);
}

static int use_configuration(struct rf_configuration *configuration, void *self)
{
    static const struct rf_configuration_options reading = {.without_kafka = true, .offline = true};
    const struct options *options = self;
    struct against against = {options, configuration->config};

    return options->against == NULL
               ? plan_with_kafka(options, configuration->config)
               : rf_configuration_use(options->against, &reading, use_old, &against);
}

/* ---- the command line ---- */

static int run(int argc, char **argv)
{
    struct options options = {0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"against", 0, .text = &options.against},
        {"json", 0, .flag = &options.json},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind < argc)
        return rf_command_usage("plan", "what is '%s'?", argv[optind]);
    if (options.config == NULL)
        return rf_command_usage("plan", "which configuration? -c FILE names the new one");
    reading.without_kafka = reading.offline = options.against != NULL;
    return rf_configuration_use(options.config, &reading, use_configuration, &options);
}

const struct rf_command rf_command_plan = {
    .name = "plan",
    .summary = "what another configuration does to the state",
    .help =
        "usage: ringfold plan -c NEW [--against OLD] [--json]\n"
        "\n"
        "Says, before it happens, what becomes of the state under the configuration NEW: which features\n"
        "keep theirs, which start empty and when they are whole, which are dropped. With OLD also which\n"
        "rules, sources and outputs are new, changed or gone, without asking Kafka or the registry.\n"
        "Without OLD it is the state that the tasks topic speaks of, features alone.\n"
        "\n"
        "  -c, --config NEW   the configuration that is to come\n"
        "      --against OLD  the configuration that it is compared with\n"
        "      --json         one JSON object\n"
        "\n"
        "Exit status: 0 fine, whatever changes; 1 Kafka does not answer; 2 a configuration is wrong.\n"
        "\n"
        "example: ringfold plan -c next.yaml --against /etc/ringfold/ringfold.yaml\n",
    .run = run,
};
