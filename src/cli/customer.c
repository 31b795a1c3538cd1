#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/customer_text.h"
#include "cli/explain_text.h"
#include "cli/explained.h"
#include "cli/options.h"
#include "cli/runtime.h"
#include "core/base/assert.h"
#include "core/engine/engine.h"
#include "core/engine/explain.h"
#include "core/model/plan.h"
#include "core/task/memory_store.h"
#include "core/task/task.h"
#include "core/task/task_customers.h"
#include "core/task/task_state.h"
#include "core/task/task_store.h"
#include "core/task/task_time.h"
#include "edge/formats/avro_schema.h"
#include "edge/stream/table.h"

#define TEXT_SIZE_MAX (16U << 20)
#define ARENA_CHUNK   (64U * 1024)

struct customer_options {
    const char *config;
    bool all, json, explain;
    rf_ms at; /* RF_MS_MIN: each as of its last event */
    char **ids;
    size_t id_count;
};

/* The changelog, read into a task a partition: the same records, layouts and engine as the daemon's. */
struct table {
    const struct rf_runtime *runtime;
    const struct customer_options *options; /* of a long table few are kept */
    struct rf_task **tasks;
    int32_t partition_count;
    struct rf_error err;
};

static void open_tasks(void *self, int32_t count)
{
    struct table *table = self;

    if (table->tasks != NULL)
        return; /* the second topic has as many */
    table->tasks = calloc((size_t)count, sizeof(struct rf_task *));
    rf_assert(table->tasks != NULL);
    table->partition_count = count;
    for (int32_t i = 0; i < count; i++) {
        struct rf_task_options options = {
            .plan = table->runtime->config->plan,
            .codec = table->runtime->codec,
            .record_schemas = table->runtime->schemas,
            .reader = {.read = rf_avro_schema_read},
            .record_wire = table->runtime->record_wire,
            .store = rf_memory_store_open(),
            .partition = i,
            .memory_max = SIZE_MAX / 2,
        };

        table->tasks[i] = rf_task_open(&options, &table->err);
        rf_assert(table->tasks[i] != NULL); /* memory does not fail */
    }
}

/* Where the clock of a partition stands: to it the rules are explained. */
static void take_clock(struct rf_task *task, struct rf_bytes value)
{
    struct rf_task_state state;
    struct rf_error ignored = {0}; /* without it, each customer's last event is the time */

    if (rf_task_state_read(value, &state, &ignored))
        rf_task_restore_state(task, &state);
}

static void take_bookkeeping(void *self, int32_t partition, struct rf_bytes key,
                             struct rf_bytes value, int64_t offset)
{
    struct table *table = self;

    (void)offset;
    if (partition >= table->partition_count || value.data == NULL)
        return;
    if (rf_bytes_equal(key, rf_bytes_of_text("state")))
        take_clock(table->tasks[partition], value);
    else
        rf_task_restore_schema(table->tasks[partition], key, value);
}

static bool is_wanted(const struct customer_options *options, struct rf_bytes customer)
{
    for (size_t i = 0; !options->all && i < options->id_count; i++) {
        if (rf_bytes_equal(customer, rf_bytes_of_text(options->ids[i])))
            return true;
    }
    return options->all;
}

static void take_record(void *self, int32_t partition, struct rf_bytes key, struct rf_bytes value,
                        int64_t offset)
{
    struct table *table = self;
    bool restored = !is_wanted(table->options, key) ||
                    rf_task_restore(table->tasks[partition], key, value, &table->err);

    rf_assert(restored); /* memory does not fail */
    rf_task_restored_to(table->tasks[partition], offset + 1);
}

static bool read_table(struct table *table, struct rf_error *err)
{
    const struct rf_config *config = table->runtime->config;
    struct rf_table_options options = {
        .kafka = config->properties,
        .kafka_count = config->property_count,
        .app = config->plan->app,
        .topic = config->topics.tasks,
    };
    struct rf_table_listener bookkeeping = {table, open_tasks, take_bookkeeping};
    struct rf_table_listener records = {table, open_tasks, take_record};

    if (!rf_table_read(&options, &bookkeeping, err))
        return false;
    options.topic = config->topics.changelog;
    return rf_table_read(&options, &records, err);
}

/* ---- printing ---- */

struct printing {
    const struct customer_options *options;
    const struct rf_plan *plan;
    struct rf_engine *engine;
    struct rf_explainer *explainer;
    rf_ms clock; /* of the partition that is being printed */
    struct rf_arena arena;
    struct rf_buffer text;
    struct rf_value *values;
};

/* Behind what is known of the customer: in JSON as one more member of the object. */
static void print_explanation(struct printing *printing, const struct rf_customer *customer)
{
    struct rf_explanation explanation;
    rf_ms at = printing->options->at == RF_MS_MIN ? printing->clock : printing->options->at;

    rf_explain(printing->explainer, customer, at, &printing->arena, &explanation);
    if (!printing->options->json) {
        rf_explanation_print_text(printing->plan, &explanation, &printing->text);
        return;
    }
    rf_explained_append_json(printing->plan, &explanation, &printing->text);
}

static bool print_customer(void *context, const struct rf_customer *customer)
{
    struct printing *printing = context;
    rf_ms now = printing->options->at == RF_MS_MIN ? customer->as_of : printing->options->at;

    rf_arena_reset(&printing->arena, ARENA_CHUNK);
    rf_buffer_clear(&printing->text);
    rf_engine_features(printing->engine, customer, now, &printing->arena, printing->values);
    if (printing->options->json)
        rf_customer_print_json(printing->plan, customer, printing->values, now, &printing->text);
    else
        rf_customer_print_text(printing->plan, customer, printing->values, now, &printing->text);
    if (printing->options->explain)
        print_explanation(printing, customer);
    return fwrite(printing->text.data, 1, printing->text.size, stdout) == printing->text.size;
}

static bool print_one(const struct table *table, struct printing *printing, const char *id,
                      struct rf_error *err)
{
    struct rf_arena arena;
    bool ok = true;
    bool found = false;

    rf_arena_init(&arena, ARENA_CHUNK);
    for (int32_t i = 0; ok && !found && i < table->partition_count; i++) {
        struct rf_customer *customer = NULL;

        ok = rf_task_customer(table->tasks[i], rf_bytes_of_text(id), &arena, &customer, err);
        found = ok && customer != NULL;
        printing->clock = rf_task_now(table->tasks[i]);
        if (found)
            print_customer(printing, customer);
    }
    rf_arena_deinit(&arena);
    if (ok && !found)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "nothing is known of customer %s", id);
    return ok;
}

static bool print_wanted(const struct table *table, struct printing *printing, struct rf_error *err)
{
    const struct customer_options *options = printing->options;

    for (int32_t i = 0; options->all && i < table->partition_count; i++) {
        printing->clock = rf_task_now(table->tasks[i]);
        if (!rf_task_each_customer(table->tasks[i], print_customer, printing, err))
            return false;
    }
    for (size_t i = 0; i < options->id_count; i++) {
        if (!print_one(table, printing, options->ids[i], err))
            return false;
    }
    return true;
}

static int show(struct rf_configuration *configuration, void *self)
{
    const struct rf_config *config = configuration->config;
    const struct customer_options *options = self;
    struct rf_runtime runtime;
    struct rf_runtime_options opening = {.read_only = true};
    struct table table = {.runtime = &runtime, .options = options};
    struct printing printing = {.options = options,
                                .plan = config->plan,
                                .engine = rf_engine_open(config->plan),
                                .explainer = rf_explainer_open(config->plan)};
    struct rf_error err = {0};
    bool ok = false;
    int status = RF_EXIT_FINE;

    printing.values = calloc(config->plan->feature_count + 1, sizeof *printing.values);
    rf_assert(printing.values != NULL);
    rf_arena_init(&printing.arena, ARENA_CHUNK);
    rf_buffer_init(&printing.text, TEXT_SIZE_MAX);
    ok = rf_runtime_open(&runtime, config, &opening, &err) && read_table(&table, &err) &&
         print_wanted(&table, &printing, &err);
    status = ok ? RF_EXIT_FINE : rf_command_failed(&err);
    for (int32_t i = 0; i < table.partition_count; i++)
        rf_task_close(table.tasks[i]);
    free(table.tasks);
    rf_runtime_close(&runtime);
    rf_engine_close(printing.engine);
    rf_explainer_close(printing.explainer);
    rf_arena_deinit(&printing.arena);
    rf_buffer_deinit(&printing.text);
    free(printing.values);
    return status;
}

/* ---- the command line ---- */

static int run(int argc, char **argv)
{
    struct customer_options options = {.at = RF_MS_MIN, .json = isatty(STDOUT_FILENO) == 0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"all", 0, .flag = &options.all},
        {"explain", 0, .flag = &options.explain},
        {"json", 0, .flag = &options.json},
        {"at", 0, .take = rf_option_instant, .self = &options.at, .fault = RF_OPTION_NO_INSTANT},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    options.ids = argv + optind;
    options.id_count = (size_t)(argc - optind);
    if (options.config == NULL)
        return rf_command_usage("customer", "which configuration? -c FILE names it");
    if (!options.all && options.id_count == 0)
        return rf_command_usage("customer", "which customer? name an id, or --all");
    return rf_configuration_use(options.config, &reading, show, &options);
}

const struct rf_command rf_command_customer = {
    .name = "customer",
    .summary = "what is known of a customer, and which rules have fired",
    .help =
        "usage: ringfold customer -c FILE [--at TIME] [--explain] [--json] ID... | --all\n"
        "\n"
        "Reads the customer-360 table, the changelog topic, up to what is committed now, and shows the\n"
        "customers' features and rules. Works whether or not an instance runs, and disturbs none.\n"
        "\n"
        "  -c, --config FILE  the configuration\n"
        "      --all          every customer\n"
        "      --explain      how far each rule is from firing, and what holds it back, as of where the clock\n"
        "                     of the customer's partition stands, or of --at\n"
        "      --at TIME      the features as of this event time (RFC 3339); default: of the last event\n"
        "      --json         one JSON object a line; the default where standard output is no terminal\n"
        "\n"
        "Exit status: 0 fine, 1 unknown customer or no kafka, 2 the configuration is wrong.\n"
        "\n"
        "example: ringfold customer -c ringfold.yaml --explain C0042\n",
    .run = run,
};
