/* Calls that can only fail, because of what is written down in them: a duration that is none, the name of a zone
 * that does not exist, a pattern or a format that is no good. Found when the expression is compiled, also where a
 * condition is before it: nobody writes them on purpose. */
#include "core/base/time.h"

#include "core/base/assert.h"
#include "core/expr/checker.h"
#include "core/expr/format.h"
#include "core/expr/program.h"
#include "core/expr/regex.h"
#include "core/expr/zone.h"

/* What the walk leaves in `uses` of a node until fold.c counts there. */
enum {
    OPEN,   /* it has a value only when it runs, or none at all, which has been said */
    CLOSED, /* it has a value now */
};

static bool is_closed(const struct rf_node *node)
{
    return node->uses == CLOSED;
}

static bool is_called(const struct rf_node *node, const char *name)
{
    return rf_bytes_equal(node->name, rf_bytes_of_text(name));
}

/* The text of a constant string. */
static bool text_of(struct rf_checker *checker, const struct rf_node *node, struct rf_bytes *text)
{
    struct rf_error err = {0};
    struct rf_value value;

    if (!is_closed(node) ||
        !rf_constant_evaluate(checker->arena, checker->env, node, &value, &err) ||
        value.kind != RF_VALUE_STRING)
        return false;
    *text = value.as.text;
    return true;
}

/* Hints */

/* "14d", as the settings write it. */
static const char *duration_hint(struct rf_arena *arena, struct rf_bytes text)
{
    static const struct {
        const char *name;
        rf_span_ms span;
    } units[] = {{"h", RF_HOUR_MS}, {"m", RF_MINUTE_MS}, {"s", RF_SECOND_MS}, {"ms", 1}};
    rf_span_ms span = 0;
    size_t unit = 0;

    if (!rf_span_parse(text, &span) || span == 0)
        return "such as duration(\"336h\"), duration(\"1h30m\"), duration(\"250ms\")";
    while (span % units[unit].span != 0)
        unit++;
    return rf_arena_printf(arena, "hours are the longest unit here: duration(\"%lld%s\")",
                           (long long)(span / units[unit].span), units[unit].name);
}

#define DATE_SIZE 10 /* of 2026-01-01 */

static const char *timestamp_hint(struct rf_arena *arena, struct rf_bytes text)
{
    static const char *const missing[] = {"", "Z", ":00Z", "T00:00:00Z"};
    int size = text.size > 40 ? 40 : (int)text.size;
    char *whole = NULL;
    int64_t seconds = 0;
    int32_t nanoseconds = 0;

    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        whole = rf_arena_printf(arena, "%.*s%s", size, (const char *)text.data, missing[i]);
        if (text.size > DATE_SIZE && whole[DATE_SIZE] == ' ')
            whole[DATE_SIZE] = 'T';
        if (rf_time_parse(rf_bytes_of_text(whole), &seconds, &nanoseconds))
            return rf_arena_printf(arena, "with its time and zone: timestamp(\"%s\")", whole);
    }
    return "an RFC 3339 time, such as timestamp(\"2026-01-01T00:00:00Z\")";
}

static const char *hint_of(struct rf_checker *checker, const struct rf_node *call)
{
    bool is_duration = is_called(call, "duration");
    struct rf_bytes text = {0};

    if ((!is_duration && !is_called(call, "timestamp")) ||
        !text_of(checker, call->children[0], &text))
        return NULL;
    return is_duration ? duration_hint(checker->arena, text) : timestamp_hint(checker->arena, text);
}

/* "Berlin" means Europe/Berlin; and whatever is near. */
struct zone_search {
    struct rf_arena *arena;
    struct rf_suggestion suggestion;
};

static void offer_zone(void *to, struct rf_bytes name)
{
    struct zone_search *search = to;
    struct rf_suggestion *suggestion = &search->suggestion;
    size_t size = suggestion->name.size;

    rf_suggestion_offer(suggestion, name);
    if (name.size > size && name.data[name.size - size - 1] == '/' &&
        memcmp(name.data + name.size - size, suggestion->name.data, size) == 0) {
        suggestion->best = name;
        suggestion->best_distance = 0;
    }
    if (suggestion->best.data == name.data) /* which goes when this returns */
        suggestion->best = rf_arena_copy(search->arena, name);
}

static const char *zone_hint(struct rf_checker *checker, struct rf_bytes zone)
{
    const struct rf_zones *zones = checker->env->zones;
    struct zone_search search = {.arena = checker->arena};

    rf_suggestion_init(&search.suggestion, zone);
    if (zones != NULL && zones->each != NULL && zone.size > 0)
        zones->each(zones->self, offer_zone, &search);
    if (search.suggestion.best.data != NULL)
        return rf_suggestion_text(&search.suggestion, checker->arena);
    return "a name such as \"Europe/Berlin\", or an offset such as \"+02:00\"";
}

/* Arguments that have to be good by themselves, whatever the others are. False: a fault. */

static bool check_zone(struct rf_checker *checker, const struct rf_node *node)
{
    struct rf_bytes zone = {0};
    int64_t local = 0;

    if (!text_of(checker, node, &zone) || rf_zone_local(checker->env->zones, zone, 0, &local))
        return true;
    rf_check_fault(checker, node,
                   rf_arena_printf(checker->arena, "there is no time zone '%.*s'",
                                   zone.size > 60 ? 60 : (int)zone.size, (const char *)zone.data),
                   zone_hint(checker, zone));
    return false;
}

/* One that is a literal has been compiled by the checker. */
static bool check_pattern(struct rf_checker *checker, const struct rf_node *node)
{
    struct rf_bytes pattern = {0};
    const char *message = NULL;

    if (node->kind == RF_NODE_LITERAL || !text_of(checker, node, &pattern) ||
        rf_regex_compile(checker->arena, pattern, &message) != NULL)
        return true;
    rf_check_fault(checker, node, rf_arena_printf(checker->arena, "invalid pattern: %s", message),
                   NULL);
    return false;
}

static bool check_format(struct rf_checker *checker, const struct rf_node *node,
                         const struct rf_node *list)
{
    struct rf_format_arguments arguments = {.count = SIZE_MAX};
    struct rf_bytes format = {0};
    const char *message = NULL;
    size_t bad = 0;

    if (!text_of(checker, node, &format))
        return true;
    if (list->kind == RF_NODE_LIST && list->optional_items == NULL) {
        uint16_t *kinds = rf_arena_alloc(checker->arena, list->child_count * sizeof *kinds);

        for (uint32_t i = 0; i < list->child_count; i++)
            kinds[i] = rf_type_value_kinds(list->children[i]->type);
        arguments = (struct rf_format_arguments){.count = list->child_count, .kinds = kinds};
    }
    message = rf_format_check(format, &arguments, &bad);
    if (message == NULL)
        return true;
    if (bad < arguments.count && list->kind == RF_NODE_LIST &&
        rf_check_not_null(checker, list->children[bad]))
        return false;
    rf_check_fault(checker, bad < list->child_count ? list->children[bad] : node, message, NULL);
    return false;
}

static bool takes(const struct rf_node *call, const char *parameters)
{
    return call->candidates->count > 0 &&
           strcmp(call->candidates->items[0].overload->parameters, parameters) == 0;
}

static bool check_arguments(struct rf_checker *checker, const struct rf_node *call)
{
    if (takes(call, "ts"))
        return check_zone(checker, call->children[1]);
    if (is_called(call, "matches") && call->child_count == 2)
        return check_pattern(checker, call->children[1]);
    if (takes(call, "sL*"))
        return check_format(checker, call->children[0], call->children[1]);
    return true;
}

/* Becomes its value, as fold.c would have it, so that calls of calls are not evaluated over and over. False where it
 * has none: what surrounds it has none either. */
static bool check_value(struct rf_checker *checker, struct rf_node *call)
{
    struct rf_error err = {0};
    struct rf_value value;

    if (rf_constant_evaluate(checker->arena, checker->env, call, &value, &err)) {
        rf_node_become(call, value);
        return true;
    }
    if (err.origin_code == RF_FAILURE_COST || err.origin_code == RF_FAILURE_MEMORY)
        return false;
    rf_check_fault(checker, call->child_count == 1 ? call->children[0] : call,
                   rf_arena_printf(checker->arena, "%s", err.message), hint_of(checker, call));
    return false;
}

void rf_check_constants(struct rf_checker *checker, struct rf_node *node)
{
    bool closed = node->kind != RF_NODE_IDENT;

    for (uint32_t i = 0; i < node->child_count; i++) {
        rf_check_constants(checker, node->children[i]);
        closed = closed && is_closed(node->children[i]);
    }
    if (node->kind == RF_NODE_CALL)
        closed = check_arguments(checker, node) && closed && check_value(checker, node);
    node->uses = closed ? CLOSED : OPEN;
}
