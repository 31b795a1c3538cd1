/* The configuration's text as a tree that knows where each of its words stands.
 *
 * libfyaml tokenises; the tree is ours, so that duplicate keys, size and depth are judged here, with a place in
 * the file for each complaint. Aliases point to the node that they name (nothing is copied, so a small
 * file stays small), `<<` merges mappings, and `${NAME}` in a scalar is replaced by an environment variable.
 * Lives in the arena that it was made in. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/model/diagnostic.h"

#define RF_YAML_SIZE_MAX  (1U << 20) /* bytes of a configuration file */
#define RF_YAML_DEPTH_MAX 32
#define RF_YAML_NODES_MAX 100000

enum rf_yaml_kind {
    RF_YAML_SCALAR,
    RF_YAML_MAP,
    RF_YAML_LIST
};

enum rf_yaml_style {
    RF_YAML_PLAIN,
    RF_YAML_SINGLE_QUOTED,
    RF_YAML_DOUBLE_QUOTED,
    RF_YAML_BLOCK /* | and > */
};

/* A run of a scalar's text: copied from what was decoded, or put there for a `${NAME}`. */
struct rf_yaml_piece {
    size_t begin; /* in `text` */
    size_t decoded_begin, decoded_end;
    bool substituted;
};

struct rf_yaml_node {
    enum rf_yaml_kind kind;
    enum rf_yaml_style style;
    size_t begin, end; /* bytes of the file; a quoted scalar's are inside its quotes */
    bool empty;        /* SCALAR: nothing is written */
    bool unresolved;   /* SCALAR: a variable in it is not set, which has been said */
    struct rf_bytes text;
    struct rf_bytes decoded; /* the text before `${NAME}` was replaced */
    size_t piece_count;      /* 0: text is decoded */
    const struct rf_yaml_piece *pieces;
    size_t count;
    const struct rf_yaml_node *const *keys;  /* MAP: scalars, no two the same */
    const struct rf_yaml_node *const *items; /* MAP: values; LIST */
};

struct rf_yaml {
    const char *file;
    struct rf_bytes source;
    const struct rf_yaml_node *root; /* NULL: the file is empty */
    struct rf_arena *arena;
    struct rf_diagnostics *diagnostics;
};

/* Answers with an environment variable, NULL where it is not set. */
typedef const char *rf_variable_find(void *self, const char *name);

/* `source` must outlive the tree. False: the diagnostics say why; there is no root. True with new
 * diagnostics: the tree is whole, but some of it is wrong (an unset variable, a key given twice). */
bool rf_yaml_parse(struct rf_yaml *yaml, rf_variable_find *variable, void *variable_self);

/* A node's value by its key; NULL where there is none. */
const struct rf_yaml_node *rf_yaml_find(const struct rf_yaml_node *map, const char *key);
/* The key of the i-th pair as text; a scalar's text as a terminated string. */
const char *rf_yaml_key(const struct rf_yaml_node *map, size_t i);
const char *rf_yaml_text(const struct rf_yaml_node *scalar);
/* "a text", "an empty text", "nothing", "a list", "a mapping". */
const char *rf_yaml_kind_name(const struct rf_yaml_node *node);
