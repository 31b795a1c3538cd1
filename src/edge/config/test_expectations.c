/* What a test expects: derived events, features, what is held back, dead letters. Names are checked against the plan, and
 * values against the types of the features. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/model/feature.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/rule.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/test_reader.h"

static const char *const statuses[] = {"RAISED", "UPDATED", "CLEARED", "EVICTED", "ERASED"};
static const char *const severities[] = {"low", "medium", "high", "critical"};
#define COUNT(names) (sizeof(names) / sizeof *(names))

/* ---- values ---- */

static bool read_value(struct rf_test_file *file, const struct rf_yaml_node *node,
                       struct rf_test_value *value);

static bool read_values(struct rf_test_file *file, const struct rf_yaml_node *list,
                        struct rf_test_value *value)
{
    struct rf_test_value *items =
        rf_arena_alloc_zero(file->arena, (list->count + 1) * sizeof *items);

    value->kind = RF_TEST_VALUE_LIST;
    value->count = list->count;
    value->items = items;
    for (size_t i = 0; i < list->count; i++) {
        if (!read_value(file, list->items[i], &items[i]))
            return false;
    }
    return true;
}

static bool read_map(struct rf_test_file *file, const struct rf_yaml_node *map,
                     struct rf_test_value *value)
{
    const char **keys = rf_arena_alloc(file->arena, (map->count + 1) * sizeof *keys);
    struct rf_test_value *items =
        rf_arena_alloc_zero(file->arena, (map->count + 1) * sizeof *items);

    value->kind = RF_TEST_VALUE_MAP;
    value->count = map->count;
    value->keys = keys;
    value->items = items;
    for (size_t i = 0; i < map->count; i++) {
        keys[i] = rf_yaml_key(map, i);
        if (!read_value(file, map->items[i], &items[i]))
            return false;
    }
    return true;
}

static bool is_tolerant(const struct rf_yaml_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(rf_yaml_key(map, i), "tolerance") == 0)
            return true;
    }
    return map->count == 1 && strcmp(rf_yaml_key(map, 0), "value") == 0;
}

/* { value: 2.5, tolerance: 0.01 } */
static bool read_tolerant(struct rf_test_file *file, const struct rf_yaml_node *map,
                          struct rf_test_value *value)
{
    static const char *const names[] = {"value", "tolerance", NULL};
    const struct rf_yaml_node *values[2];

    if (!rf_test_members(file, map, "a value", names, values))
        return false;
    if (values[0] == NULL || values[1] == NULL) {
        rf_test_complain(file, map, "{ value: 2.5, tolerance: 0.01 }",
                         "a value with a tolerance has both");
        return false;
    }
    if (!read_value(file, values[0], value))
        return false;
    if (values[1]->kind == RF_YAML_SCALAR && rf_double_parse(values[1]->text, &value->tolerance) &&
        value->tolerance >= 0)
        return true;
    rf_test_complain(file, values[1], NULL, "a tolerance is a number that is not negative");
    return false;
}

static bool read_value(struct rf_test_file *file, const struct rf_yaml_node *node,
                       struct rf_test_value *value)
{
    *value = (struct rf_test_value){.tolerance = -1};
    if (node->kind == RF_YAML_LIST)
        return read_values(file, node, value);
    if (node->kind == RF_YAML_MAP)
        return is_tolerant(node) ? read_tolerant(file, node, value) : read_map(file, node, value);
    value->quoted = node->style != RF_YAML_PLAIN;
    value->text = node->text.size == 0 ? "" : rf_yaml_text(node);
    if (node->empty ||
        (!value->quoted && (strcmp(value->text, "null") == 0 || strcmp(value->text, "~") == 0)))
        value->kind = RF_TEST_VALUE_NULL;
    return true;
}

static bool is_instant(struct rf_bytes text)
{
    int64_t seconds = 0;
    int32_t nanoseconds = 0;

    return rf_time_parse(text, &seconds, &nanoseconds);
}

static bool is_span(struct rf_bytes text)
{
    rf_span_ms span = 0;
    double number = 0;

    return rf_span_parse(text, &span) ||
           (text.size > 1 && text.data[text.size - 1] == 's' &&
            rf_double_parse(rf_bytes_of(text.data, text.size - 1), &number));
}

static bool is_whole(struct rf_bytes text)
{
    int64_t integer = 0;
    uint64_t uinteger = 0;

    return rf_int64_parse(text, &integer) || rf_uint64_parse(text, &uinteger);
}

static const char *misfit(const struct rf_type *type, const struct rf_test_value *value);

static const struct rf_type *member_type(const struct rf_type *type, const char *key)
{
    if (type->kind == RF_TYPE_MAP)
        return type->element;
    for (size_t i = 0; i < type->record->field_count; i++) {
        if (strcmp(type->record->fields[i].name, key) == 0)
            return type->record->fields[i].type;
    }
    return NULL;
}

/* Of lists, maps and records. */
static const char *misfit_within(const struct rf_type *type, const struct rf_test_value *value)
{
    const char *wrong = NULL;

    if (type->kind == RF_TYPE_LIST && value->kind != RF_TEST_VALUE_LIST)
        return "a list, written as [ ... ]";
    if (type->kind != RF_TYPE_LIST && value->kind != RF_TEST_VALUE_MAP)
        return "a mapping, written as { ... }";
    for (size_t i = 0; i < value->count && wrong == NULL; i++) {
        const struct rf_type *member =
            type->kind == RF_TYPE_LIST ? type->element : member_type(type, value->keys[i]);

        if (member == NULL)
            return "made of fields, and has none of that name";
        wrong = misfit(member, &value->items[i]);
        if (wrong != NULL)
            wrong = "made of other values: look at the types of what is in it";
    }
    return wrong;
}

/* Could a value of this type ever be that? What is wrong with it otherwise; NULL: nothing. */
static const char *misfit(const struct rf_type *type, const struct rf_test_value *value)
{
    struct rf_bytes text = rf_bytes_of_text(value->text == NULL ? "" : value->text);
    double number = 0;

    if (value->kind == RF_TEST_VALUE_NULL || type->kind == RF_TYPE_DYN)
        return NULL;
    if (type->kind == RF_TYPE_LIST || type->kind == RF_TYPE_MAP || type->kind == RF_TYPE_RECORD)
        return misfit_within(type, value);
    if (value->kind == RF_TEST_VALUE_LIST)
        return "no list";
    if (value->kind == RF_TEST_VALUE_MAP)
        return "no mapping";
    switch (type->kind) {
    case RF_TYPE_BOOL:
        return strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0
                   ? NULL
                   : "true or false";
    case RF_TYPE_INT:
    case RF_TYPE_UINT:
        return !value->quoted && is_whole(text) ? NULL : "a whole number";
    case RF_TYPE_DOUBLE:
        return !value->quoted && rf_double_parse(text, &number) ? NULL : "a number";
    case RF_TYPE_TIMESTAMP:
        return is_instant(text) ? NULL : "an instant like 2026-03-01T10:00:00Z";
    case RF_TYPE_DURATION:
        return is_span(text) ? NULL : "a length of time such as 90s, 2.5s or 7d";
    default:
        return NULL;
    }
}

/* A feature; of a reason also what there is of the customer. */
static bool find_member(struct rf_test_file *file, const struct rf_yaml_node *key, bool of_reasons,
                        const char **name, const struct rf_type **type)
{
    size_t feature_count = file->plan->feature_count;
    size_t count = feature_count + (of_reasons ? RF_CUSTOMER_FIELDS : 0);
    const char *names[RF_FEATURES_MAX + RF_CUSTOMER_FIELDS];
    size_t index = 0;

    for (size_t i = 0; i < count; i++)
        names[i] = i < feature_count
                       ? file->plan->features[i].name
                       : rf_customer_field_name((enum rf_customer_field)(i - feature_count));
    if (!rf_test_find(file, key, "feature", names, count, &index))
        return false;
    *name = names[index];
    *type = index < feature_count ? file->plan->features[index].type
                                  : rf_customer_type.fields[index - feature_count].type;
    return true;
}

static bool find_rule(struct rf_test_file *file, const struct rf_yaml_node *node, size_t *index)
{
    const char *names[RF_RULES_MAX];

    for (size_t i = 0; i < file->plan->rule_count; i++)
        names[i] = file->plan->rules[i].name;
    return rf_test_find(file, node, "rule", names, file->plan->rule_count, index);
}

static bool read_member(struct rf_test_file *file, const struct rf_yaml_node *key,
                        const struct rf_yaml_node *item, bool of_reasons,
                        struct rf_test_member *member)
{
    const struct rf_type *type = NULL;
    const char *wrong = NULL;

    if (!find_member(file, key, of_reasons, &member->name, &type) ||
        !read_value(file, item, &member->value))
        return false;
    member->line = rf_test_line(file, key);
    wrong = misfit(type, &member->value);
    if (wrong == NULL)
        return true;
    rf_test_complain(file, item, NULL, "feature '%s' is %s", member->name, wrong);
    return false;
}

/* The pairs of a mapping but `customer`. */
static bool read_members(struct rf_test_file *file, const struct rf_yaml_node *map, bool of_reasons,
                         size_t *count, const struct rf_test_member **members)
{
    struct rf_test_member *items =
        rf_arena_alloc_zero(file->arena, (map->count + 1) * sizeof *items);
    bool ok = true;

    *count = 0;
    *members = items;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(rf_yaml_key(map, i), "customer") != 0)
            ok = read_member(file, map->keys[i], map->items[i], of_reasons, &items[(*count)++]) &&
                 ok;
    }
    return ok;
}

/* ---- a derived event ---- */

static bool read_choice(struct rf_test_file *file, const struct rf_yaml_node *node,
                        const char *what, const char *const *names, size_t count, const char **slot)
{
    size_t index = 0;

    if (node == NULL)
        return true;
    if (!rf_test_find(file, node, what, names, count, &index))
        return false;
    *slot = names[index];
    return true;
}

/* { matches: REGEX } becomes CEL, which has regular expressions with a limit on their time. */
static bool read_pattern(struct rf_test_file *file, const struct rf_yaml_node *map,
                         struct rf_test_match *match)
{
    static const char *const names[] = {"matches", NULL};
    static const struct rf_expr_variable variables[] = {{"text", &rf_type_string}};
    const struct rf_expr_env env = {.variables = variables, .variable_count = 1};
    const struct rf_yaml_node *node = NULL;
    struct rf_expr_faults faults = {0};
    struct rf_buffer text;
    bool ok = false;

    if (!rf_test_members(file, map, "'because'", names, &node))
        return false;
    if (node == NULL || rf_test_text(file, node, "'matches'") == NULL)
        return false;
    match->because_pattern = rf_yaml_text(node);
    rf_buffer_init(&text, RF_EXPR_TEXT_MAX);
    rf_buffer_append_text(&text, "text.matches(");
    rf_value_print(&text, rf_value_string(node->text));
    rf_buffer_append_text(&text, ")");
    ok = !text.overflow &&
         rf_expr_compile(file->arena, &env, rf_arena_copy(file->arena, rf_buffer_bytes(&text)),
                         &rf_type_bool, &match->because_matches, &faults);
    rf_buffer_deinit(&text);
    if (!ok)
        rf_test_complain(file, node, NULL, "the pattern is no good: %s",
                         faults.count > 0 ? faults.items[0].message : "it is too long");
    return ok;
}

static bool read_because(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_match *match)
{
    if (node == NULL)
        return true;
    if (node->kind == RF_YAML_MAP)
        return read_pattern(file, node, match);
    match->because = rf_test_text(file, node, "'because'");
    return match->because != NULL;
}

static bool read_episode(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_match *match)
{
    if (node == NULL)
        return true;
    if (node->kind == RF_YAML_SCALAR && rf_int64_parse(node->text, &match->episode) &&
        match->episode > 0)
        return true;
    rf_test_complain(file, node, NULL, "an episode is a number from 1 on");
    return false;
}

static bool read_offer_value(struct rf_test_file *file, const struct rf_yaml_node *node,
                             struct rf_test_match *match)
{
    struct rf_test_value *value = NULL;

    if (node == NULL)
        return true;
    value = rf_arena_alloc_zero(file->arena, sizeof *value);
    match->offer_value = value;
    if (!read_value(file, node, value))
        return false;
    if (misfit(&rf_type_double, value) == NULL)
        return true;
    rf_test_complain(file, node, NULL, "an offer's value is a number");
    return false;
}

static bool read_reasons(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_match *match)
{
    if (node == NULL)
        return true;
    if (node->kind == RF_YAML_MAP)
        return read_members(file, node, true, &match->reason_count, &match->reasons);
    rf_test_complain(file, node, "reasons: { FEATURE: VALUE }", "'reasons' is a mapping, not %s",
                     rf_yaml_kind_name(node));
    return false;
}

/* [ complaint, call ]: the kinds of the events that a pattern took, in their order. */
static bool read_matched(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_match *match)
{
    const char *kinds[RF_SOURCES_MAX];
    size_t index = 0;

    if (node == NULL)
        return true;
    if (node->kind != RF_YAML_LIST || node->count == 0) {
        rf_test_complain(file, node, "matched: [ KIND, KIND ]",
                         "'matched' is a list of the kinds of events, not %s",
                         rf_yaml_kind_name(node));
        return false;
    }
    for (size_t i = 0; i < file->plan->source_count; i++)
        kinds[i] = file->plan->sources[i].kind;
    for (size_t i = 0; i < node->count; i++) {
        if (!rf_test_find(file, node->items[i], "kind", kinds, file->plan->source_count, &index))
            return false;
        match->matched = i == 0
                             ? kinds[index]
                             : rf_arena_printf(file->arena, "%s, %s", match->matched, kinds[index]);
    }
    return true;
}

static bool read_match(struct rf_test_file *file, const struct rf_yaml_node *node,
                       struct rf_test_match *match)
{
    enum {
        RULE,
        OUTPUT,
        CUSTOMER,
        STATUS,
        SEVERITY,
        BECAUSE,
        REASONS,
        EPISODE,
        MATCHED,
        AT,
        VALUE,
        NAMES
    };
    static const char *const names[] = {"rule",     "output",  "customer", "status",
                                        "severity", "because", "reasons",  "episode",
                                        "matched",  "at",      "value",    NULL};
    const struct rf_yaml_node *values[NAMES];
    const char *outputs[RF_RULES_MAX];
    const char *customer = NULL;
    size_t rule = 0;

    *match = (struct rf_test_match){.line = rf_test_line(file, node), .at = RF_MS_MIN};
    if (!rf_test_members(file, node, "a derived event", names, values))
        return false;
    for (size_t i = 0; i < file->plan->output_count; i++)
        outputs[i] = file->plan->outputs[i].name;
    if (values[RULE] != NULL) {
        if (!find_rule(file, values[RULE], &rule))
            return false;
        match->rule = file->plan->rules[rule].name;
    }
    if (values[CUSTOMER] != NULL) {
        customer = rf_test_text(file, values[CUSTOMER], "'customer'");
        if (customer == NULL)
            return false;
        match->customer = rf_bytes_of_text(customer);
    }
    return read_choice(file, values[OUTPUT], "output", outputs, file->plan->output_count,
                       &match->output) &&
           read_choice(file, values[STATUS], "status", statuses, COUNT(statuses), &match->status) &&
           read_choice(file, values[SEVERITY], "severity", severities, COUNT(severities),
                       &match->severity) &&
           read_because(file, values[BECAUSE], match) &&
           read_reasons(file, values[REASONS], match) &&
           read_episode(file, values[EPISODE], match) &&
           read_matched(file, values[MATCHED], match) &&
           read_offer_value(file, values[VALUE], match) &&
           (values[AT] == NULL || rf_test_time(file, values[AT], file->clock, &match->at));
}

static bool is_nothing(const struct rf_yaml_node *node)
{
    return node->kind == RF_YAML_SCALAR && !node->empty &&
           strcmp(rf_yaml_text(node), "nothing") == 0;
}

static bool read_matches(struct rf_test_file *file, const struct rf_yaml_node *node,
                         enum rf_test_mode mode, struct rf_test_expectation *expectation)
{
    struct rf_test_match *matches = NULL;
    bool ok = true;

    if (expectation->mode != RF_TEST_UNSAID) {
        rf_test_complain(file, node, "derived: these and no other; contains: these at least",
                         "both 'derived' and 'contains' are given");
        return false;
    }
    expectation->mode = mode;
    if (mode == RF_TEST_EXACT && is_nothing(node))
        return true;
    if (node->kind != RF_YAML_LIST || node->count == 0) {
        rf_test_complain(file, node, "[ { rule: RULE, severity: high } ], or nothing",
                         "a list of derived events is expected here, not %s",
                         node->kind == RF_YAML_LIST ? "an empty one" : rf_yaml_kind_name(node));
        return false;
    }
    matches = rf_arena_alloc_zero(file->arena, node->count * sizeof *matches);
    for (size_t i = 0; i < node->count; i++)
        ok = read_match(file, node->items[i], &matches[i]) && ok;
    expectation->matches = matches;
    expectation->match_count = node->count;
    return ok;
}

/* ---- features, what is held back, dead letters ---- */

/* Of whom a mapping speaks. */
static bool read_subject(struct rf_test_file *file, const struct rf_yaml_node *map,
                         struct rf_bytes *customer)
{
    const struct rf_yaml_node *node = rf_yaml_find(map, "customer");
    const char *text = NULL;

    *customer = file->customer;
    if (node == NULL)
        return true;
    text = rf_test_text(file, node, "'customer'");
    if (text != NULL)
        *customer = rf_bytes_of_text(text);
    return text != NULL;
}

/* A mapping, or a list of them: each goes to `read`. */
static bool each_mapping(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_list *list, const char *hint,
                         bool (*read)(struct rf_test_file *file, const struct rf_yaml_node *map,
                                      struct rf_test_list *list))
{
    const struct rf_yaml_node *const *items = node->kind == RF_YAML_LIST ? node->items : &node;
    size_t count = node->kind == RF_YAML_LIST ? node->count : 1;
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind == RF_YAML_MAP) {
            ok = read(file, items[i], list) && ok;
            continue;
        }
        rf_test_complain(file, items[i], hint, "a mapping is expected here, not %s",
                         rf_yaml_kind_name(items[i]));
        ok = false;
    }
    return ok;
}

static bool add_features(struct rf_test_file *file, const struct rf_yaml_node *map,
                         struct rf_test_list *list)
{
    struct rf_test_features *features = rf_test_list_add(file, list, sizeof *features);

    *features = (struct rf_test_features){.line = rf_test_line(file, map)};
    return read_subject(file, map, &features->customer) &&
           read_members(file, map, false, &features->count, &features->members);
}

static bool add_held(struct rf_test_file *file, const struct rf_yaml_node *map,
                     struct rf_test_list *list)
{
    struct rf_bytes customer = {0};
    size_t rule = 0;
    size_t cause = 0;
    const char *causes[RF_STANDINGS];
    bool ok = read_subject(file, map, &customer);

    for (int i = 0; i < RF_STANDINGS; i++)
        causes[i] = rf_standing_name((enum rf_standing)i);
    for (size_t i = 0; ok && i < map->count; i++) {
        if (strcmp(rf_yaml_key(map, i), "customer") == 0)
            continue;
        ok = find_rule(file, map->keys[i], &rule) &&
             rf_test_find(file, map->items[i], "cause", causes, RF_STANDINGS, &cause);
        if (ok)
            *(struct rf_test_held *)rf_test_list_add(file, list, sizeof(struct rf_test_held)) =
                (struct rf_test_held){.line = rf_test_line(file, map->keys[i]),
                                      .customer = customer,
                                      .rule = (uint32_t)rule,
                                      .standing = (enum rf_standing)cause};
    }
    return ok;
}

static bool add_dead_letter(struct rf_test_file *file, const struct rf_yaml_node *map,
                            struct rf_test_list *list)
{
    static const char *const names[] = {"class", "message", NULL};
    const struct rf_yaml_node *values[2];
    struct rf_test_dead_letter *letter = rf_test_list_add(file, list, sizeof *letter);

    *letter = (struct rf_test_dead_letter){.line = rf_test_line(file, map)};
    if (!rf_test_members(file, map, "a dead letter", names, values))
        return false;
    if (values[0] != NULL)
        letter->error_class = rf_test_text(file, values[0], "'class'");
    if (values[1] != NULL)
        letter->message = rf_test_text(file, values[1], "'message'");
    return (values[0] == NULL || letter->error_class != NULL) &&
           (values[1] == NULL || letter->message != NULL);
}

static bool read_parts(struct rf_test_file *file, const struct rf_yaml_node *map,
                       struct rf_test_expectation *expectation)
{
    static const char *const names[] = {"derived", "contains",     "features",
                                        "held",    "dead_letters", NULL};
    const struct rf_yaml_node *values[5];
    struct rf_test_list features = {0}, held = {0}, letters = {0};
    bool ok = rf_test_members(file, map, "what is expected", names, values);

    if (values[0] != NULL)
        ok = read_matches(file, values[0], RF_TEST_EXACT, expectation) && ok;
    if (values[1] != NULL)
        ok = read_matches(file, values[1], RF_TEST_CONTAINS, expectation) && ok;
    if (values[2] != NULL)
        ok = each_mapping(file, values[2], &features, "features: { FEATURE: VALUE }",
                          add_features) &&
             ok;
    if (values[3] != NULL)
        ok = each_mapping(file, values[3], &held, "held: { RULE: cooldown }", add_held) && ok;
    if (values[4] != NULL)
        ok = each_mapping(file, values[4], &letters, "dead_letters: [ { class: late } ]",
                          add_dead_letter) &&
             ok;
    expectation->features = features.items;
    expectation->features_count = features.count;
    expectation->held = held.items;
    expectation->held_count = held.count;
    expectation->dead_letters = letters.items;
    expectation->dead_letter_count = letters.count;
    return ok;
}

bool rf_test_read_expectation(struct rf_test_file *file, const struct rf_yaml_node *node,
                              struct rf_test_step *step)
{
    struct rf_test_expectation *expectation = rf_arena_alloc_zero(file->arena, sizeof *expectation);

    step->kind = RF_TEST_EXPECT;
    step->expectation = expectation;
    expectation->line = rf_test_line(file, node);
    if (node->kind == RF_YAML_MAP)
        return read_parts(file, node, expectation);
    return read_matches(file, node, RF_TEST_EXACT, expectation);
}
