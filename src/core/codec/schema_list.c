#include "core/codec/schema_list.h"

#include "core/base/assert.h"

#define LIST_SIZE_MAX (1U << 24)

struct entry {
    uint64_t fingerprint;
    const struct rf_schema *schema;
    uint32_t id;
};

void rf_schema_list_init(struct rf_schema_list *list)
{
    rf_buffer_init(&list->entries, LIST_SIZE_MAX);
}

void rf_schema_list_deinit(struct rf_schema_list *list)
{
    rf_buffer_deinit(&list->entries);
}

void rf_schema_list_add(struct rf_schema_list *list, uint32_t id, const struct rf_schema *schema)
{
    struct entry entry = {.fingerprint = rf_schema_fingerprint(schema), .schema = schema, .id = id};

    rf_buffer_append(&list->entries, &entry, sizeof entry);
    rf_assert(!list->entries.overflow);
}

static bool by_id(void *self, uint32_t id, const struct rf_schema **schema, struct rf_error *err)
{
    const struct rf_schema_list *list = self;
    const struct entry *entries = (const struct entry *)(const void *)list->entries.data;

    for (size_t i = list->entries.size / sizeof *entries; i-- > 0;) {
        if (entries[i].id == id) {
            *schema = entries[i].schema;
            return true;
        }
    }
    return rf_error_set(err, RF_ERROR_RECORD, 0, "there is no schema with the id %u", id);
}

static bool by_fingerprint(void *self, uint64_t fingerprint, const struct rf_schema **schema,
                           struct rf_error *err)
{
    const struct rf_schema_list *list = self;
    const struct entry *entries = (const struct entry *)(const void *)list->entries.data;

    for (size_t i = list->entries.size / sizeof *entries; i-- > 0;) {
        if (entries[i].fingerprint == fingerprint) {
            *schema = entries[i].schema;
            return true;
        }
    }
    return rf_error_set(err, RF_ERROR_RECORD, 0, "there is no schema with the fingerprint %016llx",
                        (unsigned long long)fingerprint);
}

static const struct rf_schemas_ops ops = {.by_id = by_id, .by_fingerprint = by_fingerprint};

struct rf_schemas rf_schema_list_port(struct rf_schema_list *list)
{
    return (struct rf_schemas){.ops = &ops, .self = list};
}
