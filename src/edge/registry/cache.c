#include "edge/registry/cache.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/number.h"
#include "edge/sys/file.h"

#define FILE_MODE     0600
#define FILE_SIZE_MAX (RF_HTTP_ANSWER_SIZE_MAX * 2)
#define SUFFIX        ".json"

bool rf_schema_cache_open(const char *directory, const char *urls, struct rf_arena *arena,
                          const char **path, struct rf_error *err)
{
    *path = rf_arena_printf(arena, "%s/%016" PRIx64, directory, rf_hash64(rf_bytes_of_text(urls)));
    return rf_file_make_directory(*path, err);
}

static bool id_of(const char *name, uint32_t *id)
{
    size_t size = strlen(name);
    uint64_t number = 0;

    if (size <= strlen(SUFFIX) || strcmp(name + size - strlen(SUFFIX), SUFFIX) != 0)
        return false;
    if (!rf_uint64_parse(rf_bytes_of(name, size - strlen(SUFFIX)), &number) || number > UINT32_MAX)
        return false;
    *id = (uint32_t)number;
    return true;
}

bool rf_schema_cache_list(const char *path, struct rf_arena *arena, uint32_t **ids, size_t *count,
                          struct rf_error *err)
{
    struct rf_file_names names = {0};

    *count = 0;
    if (!rf_file_list(path, arena, &names, err))
        return false;
    *ids = rf_arena_alloc(arena, names.count * sizeof **ids);
    for (size_t i = 0; i < names.count; i++) {
        if (id_of(names.items[i], &(*ids)[*count]))
            ++*count;
    }
    return true;
}

static const char *file_of(struct rf_arena *arena, const char *path, uint32_t id)
{
    return rf_arena_printf(arena, "%s/%" PRIu32 SUFFIX, path, id);
}

static struct rf_bytes text_of(const json_t *text, struct rf_arena *arena)
{
    if (!json_is_string(text))
        return (struct rf_bytes){0};
    return rf_arena_copy(arena, rf_bytes_of(json_string_value(text), json_string_length(text)));
}

static bool take(const json_t *root, struct rf_arena *arena, struct rf_resolved *resolved)
{
    const json_t *references = json_object_get(root, "references");

    *resolved = (struct rf_resolved){.text = text_of(json_object_get(root, "schema"), arena)};
    if (resolved->text.data == NULL || json_array_size(references) > RF_REFERENCES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(references); i++) {
        struct rf_bytes text = text_of(json_array_get(references, i), arena);

        if (text.data == NULL)
            return false;
        resolved->references[resolved->reference_count++] = text;
    }
    return true;
}

bool rf_schema_cache_read(const char *path, uint32_t id, struct rf_arena *arena,
                          struct rf_resolved *resolved)
{
    struct rf_buffer content;
    struct rf_error ignored = {0};
    json_error_t ignored_place;
    json_t *root = NULL;
    bool ok = false;

    rf_buffer_init(&content, FILE_SIZE_MAX);
    if (rf_file_read(file_of(arena, path, id), &content, &ignored))
        root = json_loadb((const char *)content.data, content.size, 0, &ignored_place);
    ok = root != NULL && take(root, arena, resolved);
    json_decref(root);
    rf_buffer_deinit(&content);
    return ok;
}

static json_t *json_text(struct rf_bytes text)
{
    return json_stringn((const char *)text.data, text.size);
}

bool rf_schema_cache_write(const char *path, uint32_t id, const struct rf_resolved *resolved,
                           struct rf_error *err)
{
    json_t *references = json_array();
    json_t *root = NULL;
    char *dumped = NULL;
    struct rf_arena arena;
    bool ok = false;

    for (size_t i = 0; i < resolved->reference_count; i++)
        json_array_append_new(references, json_text(resolved->references[i]));
    root = json_pack("{s:o,s:o}", "schema", json_text(resolved->text), "references", references);
    dumped = json_dumps(root, JSON_COMPACT);
    rf_assert(dumped != NULL); /* it came out of JSON */
    rf_arena_init(&arena, 1024);
    ok = rf_file_write(file_of(&arena, path, id), rf_bytes_of_text(dumped), FILE_MODE, err);
    rf_arena_deinit(&arena);
    free(dumped);
    json_decref(root);
    return ok;
}
