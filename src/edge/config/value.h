/* One scalar of the file as the value that a row of the table asks for. */
#pragma once
#include "edge/config/settings.h"

/* Writes the value to `slot`. False: a diagnostic says why; the slot is as before. */
bool rf_value_read(const struct rf_reader *reader, const struct rf_setting *setting,
                   const struct rf_yaml_node *node, void *slot);
/* The row's default; it is a mistake of ours if that cannot be read. */
void rf_value_read_standard(const struct rf_setting *setting, void *slot);

/* A text that may also be { file: PATH } or { env: NAME }. NULL: a diagnostic says why. */
const char *rf_secret_read(const struct rf_reader *reader, const struct rf_yaml_node *node);

/* A path of the configuration, seen from the configuration's folder. */
const char *rf_path_resolve(const struct rf_reader *reader, const char *path);
/* The whole of a file, terminated; NULL data: `err` says why. */
struct rf_bytes rf_path_read(struct rf_arena *arena, const char *path, size_t size_max,
                             struct rf_error *err);

/* The same of a file that the command line names: what is wrong with it is said in `diagnostics`, with `hint`. */
struct rf_bytes rf_path_read_named(struct rf_arena *arena, const char *path, const char *hint,
                                   struct rf_diagnostics *diagnostics);

/* What stands for a setting's value in messages and in the manual: "a length of time such as 90s or 7d". */
const char *rf_setting_type_text(enum rf_setting_type type);
