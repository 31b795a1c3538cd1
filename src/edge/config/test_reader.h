/* What the readers of test files share. Open to this room only. */
#pragma once
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/config/place.h"
#include "edge/config/settings.h"
#include "edge/config/tests.h"

struct rf_json_decoder;

struct rf_test_file {
    struct rf_yaml yaml;
    struct rf_reader reader;
    struct rf_arena *arena;
    const struct rf_config_environment *environment;
    const char *config;
    const struct rf_yaml_node *tests;

    /* while it is read */
    const struct rf_plan *plan;
    struct rf_json_decoder *decoder;
    struct rf_buffer payload;
    const struct rf_yaml_node **defaults; /* by source; NULL: none are given */

    /* of the test that is being read */
    struct rf_bytes customer;
    rf_ms clock;
    size_t event_count;
};

/* A list that grows in the arena. */
struct rf_test_list {
    size_t count, capacity;
    void *items;
};
void *rf_test_list_add(struct rf_test_file *file, struct rf_test_list *list, size_t item_size);

/* Complains at a node. */
void rf_test_complain(struct rf_test_file *file, const struct rf_yaml_node *node, const char *hint,
                      const char *format, ...) RF_PRINTF(4, 5);
size_t rf_test_line(const struct rf_test_file *file, const struct rf_yaml_node *node);

/* The value under one of `names` (ended by NULL) goes to values[i]; NULL where it is not written. False: there are
 * other keys, or it is no mapping. */
bool rf_test_members(struct rf_test_file *file, const struct rf_yaml_node *map, const char *what,
                     const char *const *names, const struct rf_yaml_node **values);
/* The text of a scalar; NULL with a complaint where it is none or empty. */
const char *rf_test_text(struct rf_test_file *file, const struct rf_yaml_node *node,
                         const char *what);
/* An instant: RFC 3339, a date, or +SPAN and -SPAN from `from`. */
bool rf_test_time(struct rf_test_file *file, const struct rf_yaml_node *node, rf_ms from,
                  rf_ms *time);
/* "+3d" and "-1h": seen from `from`. */
bool rf_test_relative(struct rf_bytes text, rf_ms from, rf_ms *time);
/* The index of a name among `count`, or a complaint with the nearest; `what`: "rule". */
bool rf_test_find(struct rf_test_file *file, const struct rf_yaml_node *node, const char *what,
                  const char *const *names, size_t count, size_t *index);

/* The events of a `given` or `when`; moves the clock. */
bool rf_test_read_events(struct rf_test_file *file, const struct rf_yaml_node *node,
                         struct rf_test_step *step);
/* The fields of an event as JSON. `implied`: what the test says by other words. */
struct rf_test_implied {
    const uint32_t *path; /* NULL: nothing */
    size_t depth;
    const char *json;
};
#define RF_TEST_IMPLIED 3
struct rf_test_payload {
    const struct rf_source *source;
    const struct rf_yaml_node *event; /* what is complained of where nothing nearer is */
    const struct rf_yaml_node *fields, *defaults;
    struct rf_test_implied implied[RF_TEST_IMPLIED];
    rf_ms time; /* of the event: for relative instants */
};
/* Into file->payload. */
bool rf_test_write_payload(struct rf_test_file *file, const struct rf_test_payload *payload);
/* Is the field at this path written in the event or its defaults? */
bool rf_test_is_written(const struct rf_test_payload *payload, const uint32_t *path, size_t depth);

bool rf_test_read_expectation(struct rf_test_file *file, const struct rf_yaml_node *node,
                              struct rf_test_step *step);
