/* The table of settings: one row each. The parser, `check`, the manual page and the JSON Schema read these rows
 * and nothing else, so that none of them can say what another does not.
 *
 * Rows of one group stand together. A group is a mapping in the file: "" is the file itself, "state" one
 * mapping in it, "sources.*" each entry of a mapping from names, "rules.*.pattern.*" each item of a list. */
#pragma once
#include "core/base/time.h"
#include "edge/config/config.h"
#include "edge/config/place.h"

enum rf_setting_type {
    RF_SETTING_GROUP,      /* a mapping with rows of its own; same target */
    RF_SETTING_NAMED,      /* a mapping from names to groups: kept as a node */
    RF_SETTING_LIST,       /* a list of mappings with rows of their own: kept as a node */
    RF_SETTING_PROPERTIES, /* names and values that are not ours: kept as a node */
    RF_SETTING_EXPRESSION, /* CEL: kept as a node */
    RF_SETTING_TEXT,
    RF_SETTING_NAME,    /* letters, digits, '.', '_', '-' */
    RF_SETTING_TOPIC,   /* as Kafka names them */
    RF_SETTING_FILE,    /* a path, relative to the configuration; must be readable */
    RF_SETTING_FOLDER,  /* a path as it is */
    RF_SETTING_URL,     /* http:// or https:// */
    RF_SETTING_ADDRESS, /* ADDRESS:PORT, or "off" → NULL */
    RF_SETTING_SECRET,  /* a text, { file: PATH } or { env: NAME } */
    RF_SETTING_BOOL,
    RF_SETTING_INTEGER, /* int64_t */
    RF_SETTING_FRACTION, /* double, from 0 to 1 */
    RF_SETTING_SIZE,    /* uint64_t bytes */
    RF_SETTING_SPAN,    /* rf_span_ms */
    RF_SETTING_CHOICE,  /* int: index in `choices` */
    RF_SETTING_LATER,   /* known, but not to this version */
};

struct rf_setting {
    const char *group;
    const char *name;
    enum rf_setting_type type;
    const char *help;
    const char *standard;       /* what it is when it is not written; NULL: nothing */
    const char *const *choices; /* CHOICE: ended by NULL */
    int64_t least, most;        /* INTEGER, SIZE in bytes, SPAN in ms */
    size_t offset;              /* of the value in the group's target */
    bool required;
};

extern const struct rf_setting rf_settings[];
extern const size_t rf_setting_count;

#define RF_GROUP_ROWS_MAX 40

/* One mapping of the file, read by the rows of its group. */
struct rf_group {
    const char *name;               /* "sources.*" */
    const char *path;               /* "sources.calls": for messages; NULL: the file itself */
    const struct rf_yaml_node *map; /* NULL: not written */
    const struct rf_yaml_node *key; /* what it stands under; NULL: the file itself */
    size_t first_row;
    size_t row_count;
    const struct rf_yaml_node *values[RF_GROUP_ROWS_MAX]; /* by row; NULL: not written */
    bool broken;                                          /* something in it is wrong */
};

struct rf_reader {
    const struct rf_yaml *yaml;
    const struct rf_config_environment *environment;
};

/* Fills `target` from `map` (NULL: only defaults) and complains of what is wrong: unknown keys, wrong types,
 * values out of range, missing ones. What could not be read has its default. */
void rf_settings_read(const struct rf_reader *reader, struct rf_group *group, void *target);

/* Where a setting was written; the group's own place where it was not. */
const struct rf_yaml_node *rf_group_find(const struct rf_group *group, const char *name);
struct rf_place rf_group_place(const struct rf_group *group, const char *name);
