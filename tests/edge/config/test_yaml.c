/* edge/config/yaml, place, substitute: a tree that knows where each of its words stands. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/config/place.h"

static struct rf_arena arena;
static struct rf_diagnostics diagnostics;
static struct rf_yaml yaml;

static const char *find_variable(void *self, const char *name)
{
    (void)self;
    if (strcmp(name, "HOST") == 0)
        return "kafka.example";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static bool parse_bytes(struct rf_bytes text)
{
    rf_arena_deinit(&arena);
    rf_arena_init(&arena, 4096);
    rf_diagnostics_init(&diagnostics, &arena);
    yaml = (struct rf_yaml){
        .file = "test.yaml", .source = text, .arena = &arena, .diagnostics = &diagnostics};
    return rf_yaml_parse(&yaml, find_variable, NULL);
}

static bool parse(const char *text)
{
    return parse_bytes(rf_bytes_of_text(text));
}

static void set_up(void)
{
    rf_arena_init(&arena, 4096);
}

static void tear_down(void)
{
    rf_arena_deinit(&arena);
}

static const char *value_of(const char *key)
{
    const struct rf_yaml_node *node = rf_yaml_find(yaml.root, key);

    ck_assert_msg(node != NULL && node->kind == RF_YAML_SCALAR, "no text under %s", key);
    return rf_yaml_text(node);
}

/* "LINE:COL message" of the only complaint. */
static const char *complaint(void)
{
    static char text[1000];

    ck_assert_uint_eq(diagnostics.count, 1);
    snprintf(text, sizeof text, "%zu:%zu %s", diagnostics.items[0].line,
             diagnostics.items[0].column, diagnostics.items[0].message);
    return text;
}

START_TEST(a_tree_has_mappings_lists_and_texts_in_order)
{
    ck_assert(parse("b: {x: 1, y: [p, 'q', \"r\"]}\na:\n"));

    ck_assert_uint_eq(yaml.root->count, 2);
    ck_assert_str_eq(rf_yaml_key(yaml.root, 0), "b");
    const struct rf_yaml_node *list = rf_yaml_find(yaml.root->items[0], "y");
    ck_assert_uint_eq(list->count, 3);
    ck_assert_str_eq(rf_yaml_text(list->items[2]), "r");
    ck_assert(yaml.root->items[1]->empty);
}
END_TEST

START_TEST(single_quotes_may_be_doubled_side_by_side)
{
    ck_assert(parse("a: 'x == '''' && y'\nb: ''''''\nc: 'it''s  \n\n  so'\nd: 'a\n b'\ne: ''\n"));

    ck_assert_str_eq(value_of("a"), "x == '' && y");
    ck_assert_str_eq(value_of("b"), "''");
    ck_assert_str_eq(value_of("c"), "it's\nso");
    ck_assert_str_eq(value_of("d"), "a b");
    ck_assert_str_eq(value_of("e"), "");
}
END_TEST

START_TEST(an_alias_is_what_its_anchor_named)
{
    ck_assert(
        parse("a: &w {window: 7d}\nb: *w\nc: {<<: *w, count: call}\nd: {<<: [*w], window: 1d}\n"));

    ck_assert_ptr_eq(yaml.root->items[0], yaml.root->items[1]);
    ck_assert_str_eq(rf_yaml_text(rf_yaml_find(yaml.root->items[2], "window")), "7d");
    ck_assert_str_eq(rf_yaml_text(rf_yaml_find(yaml.root->items[3], "window")), "1d");
    ck_assert_uint_eq(yaml.root->items[3]->count, 1);
}
END_TEST

/* A file, and what is wrong with it. */
static const struct {
    const char *text;
    const char *complaint;
} faults[] = {
    {"a: 1\nb: 2\na: 3\n", "3:1 'a' is given twice in one mapping"},
    {"a: *nope\n", "1:5 there is no anchor 'nope'"},
    {"a: &x {b: *x}\n", "1:12 there is no anchor 'x'"},
    {"a: {<<: 5}\n", "1:9 only a mapping can be merged with <<"},
    {"a: !!binary aGVsbG8=\n", "1:4 YAML tags are not used here"},
    {"[1, 2]: x\n", "1:1 a key must be a text"},
    {"a: 1\n---\nb: 2\n", "2:1 a configuration is one YAML document"},
    {"a: [1, 2\n", "2:1 this is not YAML: flow sequence without a closing bracket"},
    {"a:\n\t- b\n", "2:1 this is not YAML: tab character may not be used as indentation"},
    {"a: b: c\n", "1:5 this is not YAML: invalid nested block mapping on the same line"},
    {"a: \"\\q\"\n", "1:5 this is not YAML: invalid escape 'q' in double-quoted string"},
    {"a: \"x\\0y\"\n", "1:5 a text cannot contain a zero byte"},
    {"a: x\x1ay\n", "1:5 a control character (0x1a)"},
    {"a: \xc2\x9b\n", "1:4 a control character (0x9b)"},
    {"a: \xff\n", "1:1 the configuration is not UTF-8"},
    {"a: ${NOPE}\n", "1:4 the environment variable NOPE is not set"},
    {"a: 'x ${NOPE} y'\n", "1:7 the environment variable NOPE is not set"},
    {"a: ${}\n", "1:4 this is no environment variable"},
    {"a: ${HOST\n", "1:4 this is no environment variable"},
    {"a: ${HOST-x}\n", "1:4 this is no environment variable"},
};

START_TEST(what_is_wrong_is_said_with_its_place)
{
    parse(faults[_i].text);

    ck_assert_str_eq(complaint(), faults[_i].complaint);
}
END_TEST

START_TEST(nothing_at_all_is_no_tree)
{
    ck_assert(parse(""));
    ck_assert_ptr_null(yaml.root);
    ck_assert(parse("# a comment\n"));
    ck_assert_ptr_null(yaml.root);
    ck_assert_uint_eq(diagnostics.count, 0);
}
END_TEST

START_TEST(depth_and_size_are_bounded)
{
    static char text[RF_YAML_SIZE_MAX + 2];

    memset(text, '[', 200);
    ck_assert(!parse(text));
    ck_assert_str_eq(complaint(), "1:33 mappings and lists are nested more than 32 deep");
    memset(text, '#', sizeof text - 1);
    ck_assert(!parse_bytes(rf_bytes_of(text, RF_YAML_SIZE_MAX + 1)));
    ck_assert_str_eq(complaint(), "1:1 the configuration is larger than 1 MiB");
}
END_TEST

/* What a short file could ask for without end: a part of it, how often, and what is said. */
static const struct {
    const char *head, *repeated, *complaint;
    size_t times;
} floods[] = {
    {"a: ", "[", "too many [ and { that are not closed", 500000},
    {"", "k%zu: 1\n", "a mapping has more than 1024 keys", 1100},
    {"", "- &a%zu x\n", "the configuration has more than 1000 anchors", 1100},
    {"- ", "[x,x,x,x],", "this is not YAML", 10000},
    {"", "- x\n", "the configuration has more than 100000 values", 200000},
    {"m: &m {a: 1,b: 1,c: 1,d: 1,e: 1,f: 1,g: 1,h: 1,i: 1,j: 1,k: 1,l: 1,m: 1,n: 1,o: 1}\nl:\n",
     "- {<<: [*m,*m,*m,*m,*m,*m,*m,*m,*m,*m]}\n", "more than 100000 values", 1000},
};

START_TEST(a_flood_is_stopped)
{
    static char text[RF_YAML_SIZE_MAX];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", floods[_i].head);
    for (size_t i = 0; i < floods[_i].times; i++) {
        const char *number = strstr(floods[_i].repeated, "%zu");
        size_t before =
            number == NULL ? strlen(floods[_i].repeated) : (size_t)(number - floods[_i].repeated);
        size += (size_t)snprintf(text + size, sizeof text - size, "%.*s", (int)before,
                                 floods[_i].repeated);
        if (number != NULL)
            size += (size_t)snprintf(text + size, sizeof text - size, "%zu%s", i, number + 3);
    }

    ck_assert(!parse(text));

    ck_assert_msg(strstr(diagnostics.items[0].message, floods[_i].complaint) != NULL, "%s",
                  diagnostics.items[0].message);
    ck_assert_uint_lt(arena.reserved, 64U << 20);
}
END_TEST

START_TEST(variables_that_are_not_set_are_counted_beyond_what_is_shown)
{
    static char text[RF_YAML_SIZE_MAX];
    size_t size = (size_t)snprintf(text, sizeof text, "a: \"");
    for (size_t i = 0; i < 50000; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "${NOPE}");
    snprintf(text + size, sizeof text - size, "\"\n");

    parse(text);

    ck_assert_uint_eq(diagnostics.count, RF_DIAGNOSTICS_MAX);
    ck_assert_uint_eq(diagnostics.error_count, 50000);
}
END_TEST

START_TEST(aliases_of_aliases_do_not_grow)
{
    static char text[4000];
    size_t size = (size_t)snprintf(text, sizeof text, "a0: &a0 [x, x]\n");

    for (int i = 1; i < 60; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "a%d: &a%d [*a%d, *a%d]\n", i, i,
                                 i - 1, i - 1);
    ck_assert(parse(text));
    ck_assert_uint_eq(yaml.root->count, 60);
    ck_assert_uint_lt(arena.reserved, 1000000);
}
END_TEST

START_TEST(environment_variables_are_put_in)
{
    ck_assert(parse("a: ${HOST}:9092\nb: ${NOPE:-local}\nc: '${EMPTY:-x}'\nd: \"$${HOST} $5\"\n"
                    "e: ${NOPE:-}\nf: ${EMPTY}\n"));

    ck_assert_uint_eq(diagnostics.count, 0);
    ck_assert_str_eq(value_of("a"), "kafka.example:9092");
    ck_assert_str_eq(value_of("b"), "local");
    ck_assert_str_eq(value_of("c"), "x");
    ck_assert_str_eq(value_of("d"), "${HOST} $5");
    ck_assert_str_eq(value_of("e"), "");
    ck_assert_str_eq(value_of("f"), "");
}
END_TEST

/* A mark in a scalar's text, and where it is written. `@` is found by its name in both. */
static const struct {
    const char *text;
    const char *needle; /* in the scalar `a` */
    size_t line, column, width;
} marks[] = {
    {"a: one bad three\n", "bad", 1, 8, 3},
    {"a: one\n   bad three\n", "bad", 2, 4, 3},
    {"a: one\n\n\n    two\n  bad\n", "bad", 5, 3, 3},
    {"a: 'it''s bad'\n", "bad", 1, 11, 3},
    {"a: 'it''''s\n\n   bad'\n", "bad", 3, 4, 3},
    {"a: \"tab\\tx \\u00e9\\x41 \\\n   bad\"\n", "bad", 2, 4, 3},
    {"a: \"\\\"q\\\" == bad\"\n", "bad", 1, 14, 3},
    {"a: \"\\\\ \\/ \\_ \\N \\L \\U0001F600 bad\"\n", "bad", 1, 31, 3},
    {"a: \"x\\n\\n bad\"\n", "bad", 1, 11, 3},
    {"a: |\n  one\n    two &&\n\n  bad\n", "bad", 5, 3, 3},
    {"a: >-\n  one\n  two\n\n  bad\n", "bad", 5, 3, 3},
    {"a: |2\n    one bad\n", "bad", 2, 9, 3},
    {"a: h\xc3\xa9llo \xe2\x82\xac bad\n", "bad", 1, 12, 3},
    {"a: one   bad\n", "bad", 1, 10, 3},
    {"a: ${HOST} bad\n", "bad", 1, 12, 3},
    {"a: x ${HOST} bad ${HOST}\n", "bad", 1, 14, 3},
    {"a: x ${HOST} y\n", "kafka", 1, 6, 7}, /* the whole of ${HOST} */
    {"a: $${ bad\n", "bad", 1, 8, 3},
    {"a: {b: 1}\r\nc: 2\r\na2: 3\r\n", NULL, 0, 0, 0},
};

START_TEST(a_place_in_a_text_is_found_in_the_file)
{
    if (marks[_i].needle == NULL)
        return;
    ck_assert(parse(marks[_i].text));
    const struct rf_yaml_node *node = rf_yaml_find(yaml.root, "a");
    const char *at = strstr(rf_yaml_text(node), marks[_i].needle);
    ck_assert_msg(at != NULL, "no %s in <%s>", marks[_i].needle, rf_yaml_text(node));

    rf_complain(
        &yaml,
        rf_place_in(&yaml, node, (size_t)(at - rf_yaml_text(node)), strlen(marks[_i].needle)),
        "here");

    const struct rf_diagnostic *found = &diagnostics.items[0];
    ck_assert_msg(found->line == marks[_i].line && found->column == marks[_i].column &&
                      found->width == marks[_i].width,
                  "<%s>: %zu:%zu+%zu", marks[_i].text, found->line, found->column, found->width);
}
END_TEST

START_TEST(windows_line_ends_do_not_move_places)
{
    ck_assert(parse("a: |\r\n  one\r\n  bad\r\nb: c\r\n"));
    const struct rf_yaml_node *node = rf_yaml_find(yaml.root, "a");
    const char *at = strstr(rf_yaml_text(node), "bad");

    rf_complain(&yaml, rf_place_in(&yaml, node, (size_t)(at - rf_yaml_text(node)), 3), "here");

    ck_assert_str_eq(complaint(), "3:3 here");
    ck_assert_str_eq(diagnostics.items[0].excerpt, "  bad");
}
END_TEST

START_TEST(an_excerpt_shows_no_secret)
{
    ck_assert(parse("sasl.password: hunter2 \xc3\xa9\nurl: x\n"));

    rf_complain(&yaml, rf_place_of(yaml.root->keys[0]), "here");
    rf_complain(&yaml, rf_place_of(yaml.root->keys[1]), "there");

    ck_assert_str_eq(diagnostics.items[0].excerpt, "sasl.password: ******* *");
    ck_assert_str_eq(diagnostics.items[1].excerpt, "url: x");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/config/yaml");
    TCase *tcase = tcase_create("yaml");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_tree_has_mappings_lists_and_texts_in_order);
    tcase_add_test(tcase, single_quotes_may_be_doubled_side_by_side);
    tcase_add_test(tcase, an_alias_is_what_its_anchor_named);
    tcase_add_loop_test(tcase, what_is_wrong_is_said_with_its_place, 0,
                        sizeof faults / sizeof faults[0]);
    tcase_add_test(tcase, nothing_at_all_is_no_tree);
    tcase_add_test(tcase, depth_and_size_are_bounded);
    tcase_add_loop_test(tcase, a_flood_is_stopped, 0, sizeof floods / sizeof floods[0]);
    tcase_add_test(tcase, variables_that_are_not_set_are_counted_beyond_what_is_shown);
    tcase_add_test(tcase, aliases_of_aliases_do_not_grow);
    tcase_add_test(tcase, environment_variables_are_put_in);
    tcase_add_loop_test(tcase, a_place_in_a_text_is_found_in_the_file, 0,
                        sizeof marks / sizeof marks[0]);
    tcase_add_test(tcase, windows_line_ends_do_not_move_places);
    tcase_add_test(tcase, an_excerpt_shows_no_secret);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
