/* Files of tests: the file, its tests, their steps. Events are read in test_events.c and test_payload.c, what is
 * expected in test_expectations.c. */
#include "edge/config/tests.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/model/source.h"
#include "edge/config/test_reader.h"
#include "edge/config/value.h"
#include "edge/formats/json_decoder.h"

#define CUSTOMER_STANDARD "customer-1"
#define START_STANDARD    INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

/* ---- the file ---- */

static bool check_root(struct rf_test_file *file)
{
    const struct rf_yaml_node *root = file->yaml.root;

    if (root != NULL && root->kind == RF_YAML_MAP)
        return true;
    rf_complain(&file->yaml, (struct rf_place){.hint = "it begins with config: FILE"},
                "a file of tests is a mapping, not %s",
                root == NULL ? "nothing" : rf_yaml_kind_name(root));
    return false;
}

static bool read_root(struct rf_test_file *file)
{
    const char *config = NULL;
    const struct rf_yaml_node *node = NULL;

    if (!rf_yaml_parse(&file->yaml, file->environment->variable, file->environment->self) ||
        !check_root(file))
        return false;
    node = rf_yaml_find(file->yaml.root, "config");
    if (node == NULL) {
        rf_complain(&file->yaml,
                    (struct rf_place){.hint =
                                          "config: FILE names the configuration whose rules are "
                                          "tested, seen from this file"},
                    "'config' is missing");
        return false;
    }
    config = rf_test_text(file, node, "'config'");
    if (config == NULL)
        return false;
    file->config = rf_path_resolve(&file->reader, config);
    return true;
}

bool rf_test_file_open(const char *path, const struct rf_config_environment *environment,
                       struct rf_arena *arena, struct rf_test_file **file,
                       struct rf_diagnostics *diagnostics)
{
    struct rf_test_file *made = rf_arena_alloc_zero(arena, sizeof *made);
    struct rf_bytes text =
        rf_path_read_named(arena, path, "which file of tests is meant?", diagnostics);

    if (text.data == NULL)
        return false;
    made->arena = arena;
    made->environment = environment;
    made->yaml = (struct rf_yaml){.file = rf_arena_copy_text(arena, path),
                                  .source = text,
                                  .arena = arena,
                                  .diagnostics = diagnostics};
    made->reader = (struct rf_reader){.yaml = &made->yaml, .environment = environment};
    *file = made;
    return read_root(made) && diagnostics->error_count == 0;
}

const char *rf_test_file_config(const struct rf_test_file *file)
{
    return file->config;
}

/* ---- steps ---- */

static bool read_advance(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_step *step)
{
    const char *text = rf_test_text(file, node, "'advance'");
    rf_span_ms span = 0;

    step->kind = RF_TEST_ADVANCE;
    if (text == NULL)
        return false;
    if (!rf_span_parse(rf_bytes_of_text(text), &span) || span > RF_MS_MAX - file->clock) {
        rf_test_complain(file, node, "advance: 14d",
                         "'%.80s' is no length of time such as 90s, 15m, 24h or 7d", text);
        return false;
    }
    file->clock += span;
    step->to = file->clock;
    return true;
}

static bool read_advance_to(struct rf_test_file *file, const struct rf_yaml_node *node,
                            struct rf_test_step *step)
{
    char now[RF_TIME_TEXT_MAX];

    step->kind = RF_TEST_ADVANCE;
    if (!rf_test_time(file, node, file->clock, &step->to))
        return false;
    if (step->to < file->clock) {
        now[rf_time_format_ms(now, sizeof now, file->clock)] = '\0';
        rf_test_complain(file, node,
                         "time goes forward only; an event that comes late has an earlier `at`",
                         "the clock already stands at %s", now);
        return false;
    }
    file->clock = step->to;
    return true;
}

static bool read_given(struct rf_test_file *file, const struct rf_yaml_node *node,
                       struct rf_test_step *step)
{
    step->kind = RF_TEST_GIVEN;
    return rf_test_read_events(file, node, step);
}

static bool read_when(struct rf_test_file *file, const struct rf_yaml_node *node,
                      struct rf_test_step *step)
{
    step->kind = RF_TEST_WHEN;
    return rf_test_read_events(file, node, step);
}

static const struct {
    const char *word;
    bool (*read)(struct rf_test_file *file, const struct rf_yaml_node *node,
                 struct rf_test_step *step);
} words[] = {
    {"given", read_given},
    {"when", read_when},
    {"advance", read_advance},
    {"advance_to", read_advance_to},
    {"expect", rf_test_read_expectation},
};
#define WORDS (sizeof words / sizeof *words)

static bool read_word(struct rf_test_file *file, const struct rf_yaml_node *key,
                      const struct rf_yaml_node *item, struct rf_test_list *steps)
{
    const char *names[WORDS];
    struct rf_test_step step = {.line = rf_test_line(file, key)};
    size_t index = 0;

    for (size_t i = 0; i < WORDS; i++)
        names[i] = words[i].word;
    if (!rf_test_find(file, key, "step", names, WORDS, &index))
        return false;
    if (steps->count == RF_TEST_STEPS_MAX) {
        rf_test_complain(file, key, "make two tests of it", "a test has %d steps at most",
                         RF_TEST_STEPS_MAX);
        return false;
    }
    if (!words[index].read(file, item, &step))
        return false;
    *(struct rf_test_step *)rf_test_list_add(file, steps, sizeof step) = step;
    return true;
}

static bool read_round(struct rf_test_file *file, const struct rf_yaml_node *map,
                       struct rf_test_list *steps)
{
    bool ok = true;

    if (map->kind != RF_YAML_MAP) {
        rf_test_complain(file, map, "- when: { source: SOURCE, at: +1d }",
                         "a step is a mapping, not %s", rf_yaml_kind_name(map));
        return false;
    }
    for (size_t i = 0; i < map->count; i++)
        ok = read_word(file, map->keys[i], map->items[i], steps) && ok;
    return ok;
}

static bool read_rounds(struct rf_test_file *file, const struct rf_yaml_node *list,
                        struct rf_test_list *steps)
{
    bool ok = true;

    if (list->kind != RF_YAML_LIST) {
        rf_test_complain(file, list, "steps: [ { when: ... }, { expect: ... } ]",
                         "'steps' is a list, not %s", rf_yaml_kind_name(list));
        return false;
    }
    for (size_t i = 0; i < list->count; i++)
        ok = read_round(file, list->items[i], steps) && ok;
    return ok;
}

/* ---- a test ---- */

/* `customer` and `start`, of the file and of a test. */
static bool read_scene(struct rf_test_file *file, const struct rf_yaml_node *map)
{
    const struct rf_yaml_node *customer = rf_yaml_find(map, "customer");
    const struct rf_yaml_node *start = rf_yaml_find(map, "start");
    const char *text = NULL;

    if (customer != NULL) {
        text = rf_test_text(file, customer, "'customer'");
        if (text == NULL)
            return false;
        file->customer = rf_bytes_of_text(text);
    }
    return start == NULL || rf_test_time(file, start, file->clock, &file->clock);
}

static bool is_scene(const char *key)
{
    return strcmp(key, "customer") == 0 || strcmp(key, "start") == 0;
}

static bool expects(const struct rf_test_list *steps)
{
    const struct rf_test_step *step = steps->items;

    for (size_t i = 0; i < steps->count; i++) {
        if (step[i].kind == RF_TEST_EXPECT)
            return true;
    }
    return false;
}

static bool read_test(struct rf_test_file *file, const struct rf_yaml_node *key,
                      const struct rf_yaml_node *map, struct rf_test_case *test)
{
    struct rf_test_list steps = {0};
    bool ok = true;

    *test = (struct rf_test_case){.name = rf_yaml_text(key), .line = rf_test_line(file, key)};
    if (map->kind != RF_YAML_MAP) {
        rf_test_complain(file, key, "{ when: { source: SOURCE }, expect: nothing }, for instance",
                         "test '%.80s' has to be a mapping, not %s", test->name,
                         rf_yaml_kind_name(map));
        return false;
    }
    file->event_count = 0;
    if (!read_scene(file, map))
        return false;
    test->customer = file->customer;
    for (size_t i = 0; i < map->count; i++) {
        if (is_scene(rf_yaml_key(map, i)))
            continue;
        if (strcmp(rf_yaml_key(map, i), "steps") == 0)
            ok = read_rounds(file, map->items[i], &steps) && ok;
        else
            ok = read_word(file, map->keys[i], map->items[i], &steps) && ok;
    }
    if (ok && !expects(&steps)) {
        rf_test_complain(file, key, "expect: nothing, if that is what is meant",
                         "test '%.80s' expects nothing that could fail", test->name);
        return false;
    }
    test->step_count = steps.count;
    test->steps = steps.items;
    return ok;
}

static bool read_tests(struct rf_test_file *file, struct rf_tests *tests)
{
    const struct rf_yaml_node *map = file->tests;
    struct rf_bytes customer = file->customer;
    struct rf_test_case *items = NULL;
    rf_ms clock = file->clock;
    bool ok = true;

    if (map == NULL || map->kind != RF_YAML_MAP || map->count == 0) {
        rf_test_complain(file, map != NULL ? map : file->yaml.root,
                         "tests: { NAME: { when: EVENTS, expect: ... } }",
                         "'tests' has to be a mapping from names to tests");
        return false;
    }
    items = rf_arena_alloc_zero(file->arena, map->count * sizeof *items);
    for (size_t i = 0; i < map->count; i++) {
        file->customer = customer;
        file->clock = clock;
        ok = read_test(file, map->keys[i], map->items[i], &items[i]) && ok;
    }
    *tests = (struct rf_tests){.file = file->yaml.file, .count = map->count, .items = items};
    return ok;
}

static bool read_defaults(struct rf_test_file *file, const struct rf_yaml_node *map)
{
    const char *names[RF_SOURCES_MAX];
    size_t source = 0;
    bool ok = true;

    if (map == NULL)
        return true;
    if (map->kind != RF_YAML_MAP) {
        rf_test_complain(file, map, "defaults: { SOURCE: { FIELD: VALUE } }",
                         "'defaults' is a mapping from sources to fields, not %s",
                         rf_yaml_kind_name(map));
        return false;
    }
    for (size_t i = 0; i < file->plan->source_count; i++)
        names[i] = file->plan->sources[i].name;
    for (size_t i = 0; i < map->count; i++) {
        if (!rf_test_find(file, map->keys[i], "source", names, file->plan->source_count, &source))
            ok = false;
        else
            file->defaults[source] = map->items[i];
    }
    return ok;
}

bool rf_test_file_read(struct rf_test_file *file, const struct rf_plan *plan,
                       struct rf_tests *tests)
{
    static const char *const names[] = {"config", "customer", "start", "defaults", "tests", NULL};
    const struct rf_yaml_node *values[5];
    bool ok = rf_test_members(file, file->yaml.root, "a file of tests", names, values);

    *tests = (struct rf_tests){.file = file->yaml.file};
    file->plan = plan;
    file->customer = rf_bytes_of_text(CUSTOMER_STANDARD);
    file->clock = START_STANDARD;
    file->tests = values[4];
    file->defaults =
        rf_arena_alloc_zero(file->arena, (plan->source_count + 1) * sizeof *file->defaults);
    file->decoder = rf_json_decoder_open(plan);
    rf_buffer_init(&file->payload, plan->event_bytes_max);
    ok = read_scene(file, file->yaml.root) && ok;
    ok = read_defaults(file, values[3]) && ok;
    ok = read_tests(file, tests) && ok;
    rf_buffer_deinit(&file->payload);
    rf_json_decoder_close(file->decoder);
    return ok && file->yaml.diagnostics->error_count == 0;
}
