/* From bytes of a scalar to a line and column of the file, and complaints about them. */
#pragma once
#include "core/base/error.h"
#include "edge/config/yaml.h"

/* What of the line is not shown with a complaint, because a secret may stand there. */
enum rf_hide {
    RF_HIDE_KNOWN,  /* what stands behind words like password, and in addresses */
    RF_HIDE_FROM,   /* the place itself and what follows: a value */
    RF_HIDE_BEHIND, /* what follows: the value of a name that is misspelt */
};

/* What a complaint is about. `hint` may be NULL. */
struct rf_place {
    size_t begin, end; /* bytes of the file; end == begin: one character */
    enum rf_diagnostic_level level;
    const char *hint;
    enum rf_hide hide;
};

/* The whole of a node: a scalar, or where a mapping or list begins. */
struct rf_place rf_place_of(const struct rf_yaml_node *node);
/* `size` bytes of a scalar's text from `offset` on. Folded lines, escapes, doubled quotes, indentation and
 * `${NAME}` are walked back to where they are written. */
struct rf_place rf_place_in(const struct rf_yaml *yaml, const struct rf_yaml_node *scalar,
                            size_t offset, size_t size);

/* No more will be shown, only counted: looking for its place would be for nothing. */
bool rf_complaints_full(const struct rf_yaml *yaml);
void rf_complain(const struct rf_yaml *yaml, struct rf_place place, const char *format, ...)
    RF_PRINTF(3, 4);
