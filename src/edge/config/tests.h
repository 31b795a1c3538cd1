/* A file of tests of rules, read: what happens, as the payloads that the sources would bring, and what is expected.
 *
 *   config: ../ringfold.yaml         the configuration whose rules are tested
 *   defaults: { SOURCE: { FIELD: VALUE } }
 *   tests: { NAME: { given: EVENTS, when: EVENTS, advance: SPAN, advance_to: TIME, expect: EXPECTATION } }
 *
 * The words of a test are taken in the order in which they are written; `steps` holds several rounds of them. Every
 * fault is a diagnostic with its place, as in a configuration. What is read lives in the arena. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/model/explanation.h"
#include "core/model/plan.h"
#include "edge/config/config.h"

#define RF_TEST_STEPS_MAX  1000
#define RF_TEST_EVENTS_MAX 100000 /* of one test */

struct rf_test_event {
    size_t line;
    uint32_t source;
    rf_ms time;
    rf_ms broker_time; /* RF_MS_MIN: the source has a time of its own */
    struct rf_bytes
        key; /* the customer where the source takes it from the key; data == NULL: none */
    struct rf_bytes payload; /* JSON, by the source's schema, whatever its format is */
};

/* A value as a test writes it; compared with what is by rf_test_value_matches (cli). */
struct rf_test_value {
    enum {
        RF_TEST_VALUE_TEXT,
        RF_TEST_VALUE_LIST,
        RF_TEST_VALUE_MAP, /* of a map all keys, of a record (an open case) those fields that are written */
        RF_TEST_VALUE_NULL
    } kind;
    bool quoted;
    const char *text;
    double tolerance; /* negative: none is given; then nine digits have to be the same */
    size_t count;
    const char *const *keys; /* MAP */
    const struct rf_test_value *items;
};

/* A feature or a reason, and what it should be. */
struct rf_test_member {
    size_t line;
    const char *name;
    struct rf_test_value value;
};

/* A derived event that is expected. What is not written (NULL, negative, RF_MS_MIN) may be anything. */
struct rf_test_match {
    size_t line;
    const char *rule, *output, *status, *severity, *because;
    const char *because_pattern;           /* a regular expression, instead of `because` */
    const struct rf_expr *because_matches; /* the same, as a program over one variable, the text */
    struct rf_bytes customer;              /* data == NULL: any */
    int64_t episode;                       /* 0: any */
    rf_ms at;
    const struct rf_test_value *offer_value;
    size_t reason_count;
    const struct rf_test_member *reasons;
    const char *matched; /* kinds of the events of a pattern's match, with ", "; NULL: any */
};

struct rf_test_features {
    size_t line;
    struct rf_bytes customer;
    size_t count;
    const struct rf_test_member *members; /* by the names of features */
};

/* A rule that does not fire, and what keeps it from it. */
struct rf_test_held {
    size_t line;
    struct rf_bytes customer;
    uint32_t rule;
    enum rf_standing standing;
};

struct rf_test_dead_letter {
    size_t line;
    const char *error_class; /* NULL: any */
    const char *message;     /* part of it; NULL: any */
};

enum rf_test_mode {
    RF_TEST_UNSAID,   /* nothing is said of derived events */
    RF_TEST_EXACT,    /* these, in this order, and no other; none: nothing */
    RF_TEST_CONTAINS, /* these, and any other */
};

struct rf_test_expectation {
    size_t line;
    enum rf_test_mode mode;
    size_t match_count, features_count, held_count, dead_letter_count;
    const struct rf_test_match *matches;
    const struct rf_test_features *features;
    const struct rf_test_held *held;
    const struct rf_test_dead_letter *dead_letters;
};

enum rf_test_step_kind {
    RF_TEST_GIVEN, /* what it emits is not looked at */
    RF_TEST_WHEN,
    RF_TEST_ADVANCE,
    RF_TEST_EXPECT,
};

struct rf_test_step {
    enum rf_test_step_kind kind;
    size_t line;
    size_t event_count; /* GIVEN, WHEN */
    const struct rf_test_event *events;
    rf_ms to;                                      /* ADVANCE */
    const struct rf_test_expectation *expectation; /* EXPECT */
};

struct rf_test_case {
    const char *name;
    size_t line;
    struct rf_bytes customer; /* of whom features and rules are told where nobody is named */
    size_t step_count;
    const struct rf_test_step *steps;
};

struct rf_tests {
    const char *file;
    size_t count;
    const struct rf_test_case *items;
};

struct rf_test_file;

/* Reads the file as far as the name of its configuration. False: diagnostics say why. */
bool rf_test_file_open(const char *path, const struct rf_config_environment *environment,
                       struct rf_arena *arena, struct rf_test_file **file,
                       struct rf_diagnostics *diagnostics);
/* The path of the configuration, seen from where the file is. */
const char *rf_test_file_config(const struct rf_test_file *file);
/* The tests, against the plan of that configuration, which outlives them. False: diagnostics say why. */
bool rf_test_file_read(struct rf_test_file *file, const struct rf_plan *plan,
                       struct rf_tests *tests);
