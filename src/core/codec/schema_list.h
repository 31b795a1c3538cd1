/* The schemas port over a list: the schemas of files, and what tests know. Never RETRY. */
#pragma once
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/codec/schemas.h"

struct rf_schema_list {
    struct rf_buffer entries; /* owned */
};

void rf_schema_list_init(struct rf_schema_list *list);
void rf_schema_list_deinit(struct rf_schema_list *list);

/* `schema` outlives the list. It is found by `id` and by its own fingerprint; of two with one id the later. */
void rf_schema_list_add(struct rf_schema_list *list, uint32_t id, const struct rf_schema *schema);

struct rf_schemas rf_schema_list_port(struct rf_schema_list *list);
