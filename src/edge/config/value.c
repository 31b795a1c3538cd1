#include "edge/config/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "edge/sys/address.h"
#include "edge/sys/file.h"

#define TOPIC_SIZE_MAX  249 /* Kafka's */
#define SECRET_SIZE_MAX 65536

/* ---- files ---------------------------------------------------------------------------------------- */

const char *rf_path_resolve(const struct rf_reader *reader, const char *path)
{
    const char *file = reader->yaml->file;
    const char *slash = strrchr(file, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return rf_arena_printf(reader->yaml->arena, "%.*s/%s", (int)(slash - file), file, path);
}

struct rf_bytes rf_path_read(struct rf_arena *arena, const char *path, size_t size_max,
                             struct rf_error *err)
{
    struct rf_bytes bytes = {0};
    struct rf_buffer content;

    rf_buffer_init(&content, size_max);
    if (rf_file_read(path, &content, err))
        bytes = rf_arena_copy(arena, rf_buffer_bytes(&content));
    rf_buffer_deinit(&content);
    return bytes;
}

struct rf_bytes rf_path_read_named(struct rf_arena *arena, const char *path, const char *hint,
                                   struct rf_diagnostics *diagnostics)
{
    struct rf_error err = {0};
    struct rf_bytes text = rf_path_read(arena, path, RF_YAML_SIZE_MAX, &err);

    if (text.data == NULL)
        rf_diagnostics_add(diagnostics, &(struct rf_diagnostic){.level = RF_DIAGNOSTIC_ERROR,
                                                                .file = path,
                                                                .message = err.message,
                                                                .hint = hint});
    return text;
}

/* ---- secrets -------------------------------------------------------------------------------------- */

static const char *read_secret_file(const struct rf_reader *reader, const struct rf_yaml_node *node)
{
    const char *path = rf_path_resolve(reader, rf_yaml_text(node));
    struct rf_error err = {0};
    struct rf_bytes bytes = rf_path_read(reader->yaml->arena, path, SECRET_SIZE_MAX, &err);
    size_t size = bytes.size;

    if (bytes.data == NULL) {
        rf_complain(reader->yaml, rf_place_of(node), "%s", err.message);
        return NULL;
    }
    while (size > 0 && (bytes.data[size - 1] == '\n' || bytes.data[size - 1] == '\r'))
        size--;
    if (size == 0 || memchr(bytes.data, '\0', size) != NULL) {
        rf_complain(reader->yaml, rf_place_of(node), "%s is %s", path,
                    size == 0 ? "empty" : "not a text");
        return NULL;
    }
    return (const char *)rf_arena_copy(reader->yaml->arena, rf_bytes_of(bytes.data, size)).data;
}

static const char *read_secret_variable(const struct rf_reader *reader,
                                        const struct rf_yaml_node *node)
{
    const struct rf_config_environment *environment = reader->environment;
    const char *name = rf_yaml_text(node);
    const char *value =
        environment->variable == NULL ? NULL : environment->variable(environment->self, name);

    if (value == NULL) {
        struct rf_place place = rf_place_of(node);
        place.hint = "set it where ringfold is started";
        rf_complain(reader->yaml, place, "the environment variable %s is not set", name);
        return NULL;
    }
    return rf_arena_copy_text(reader->yaml->arena, value);
}

const char *rf_secret_read(const struct rf_reader *reader, const struct rf_yaml_node *node)
{
    const struct rf_yaml_node *item = NULL;

    if (node->unresolved)
        return NULL;
    if (node->kind == RF_YAML_SCALAR && !node->empty)
        return rf_yaml_text(node);
    if (node->kind == RF_YAML_MAP && node->count == 1)
        item = node->items[0];
    if (item != NULL && item->unresolved)
        return NULL;
    if (item != NULL && item->kind == RF_YAML_SCALAR && !item->empty) {
        if (strcmp(rf_yaml_key(node, 0), "file") == 0)
            return read_secret_file(reader, item);
        if (strcmp(rf_yaml_key(node, 0), "env") == 0)
            return read_secret_variable(reader, item);
    }
    struct rf_place place = rf_place_of(node);
    place.hint = "write a text, { file: PATH } or { env: NAME }";
    place.hide = RF_HIDE_FROM;
    rf_complain(reader->yaml, place, "a value is expected here, not %s", rf_yaml_kind_name(node));
    return NULL;
}

/* ---- one type each -------------------------------------------------------------------------------- */

struct job {
    const struct rf_reader *reader;
    const struct rf_setting *setting;
    const struct rf_yaml_node *node;
    const char *text;
    void *slot;
};

static const char *const type_texts[] = {
    [RF_SETTING_GROUP] = "a mapping",
    [RF_SETTING_NAMED] = "a mapping from names to mappings",
    [RF_SETTING_LIST] = "a list of mappings",
    [RF_SETTING_PROPERTIES] = "a mapping from properties to values",
    [RF_SETTING_EXPRESSION] = "an expression",
    [RF_SETTING_TEXT] = "a text",
    [RF_SETTING_NAME] = "a name of letters, digits, '.', '_' and '-'",
    [RF_SETTING_TOPIC] = "a topic: up to 249 letters, digits, '.', '_' and '-'",
    [RF_SETTING_FILE] = "a file's path",
    [RF_SETTING_FOLDER] = "a folder's path",
    [RF_SETTING_URL] = "a URL that begins with http:// or https://",
    [RF_SETTING_ADDRESS] = "ADDRESS:PORT such as 127.0.0.1:8088, or off",
    [RF_SETTING_SECRET] = "a text, { file: PATH } or { env: NAME }",
    [RF_SETTING_BOOL] = "true or false",
    [RF_SETTING_INTEGER] = "a whole number",
    [RF_SETTING_FRACTION] = "a number from 0 to 1 such as 0.95",
    [RF_SETTING_SIZE] = "a size such as 64KiB, 512MiB or 1GiB",
    [RF_SETTING_SPAN] = "a length of time such as 250ms, 90s, 15m, 24h, 7d or 1d12h",
    [RF_SETTING_CHOICE] = "one of the names below",
    [RF_SETTING_LATER] = "nothing yet",
};

const char *rf_setting_type_text(enum rf_setting_type type)
{
    return type_texts[type];
}

static bool refuse(const struct job *job, const char *hint)
{
    struct rf_place place = rf_place_of(job->node);

    place.hint = hint != NULL ? hint : job->setting->help;
    rf_complain(job->reader->yaml, place, "'%s' is not %s: '%.80s'", job->setting->name,
                type_texts[job->setting->type], job->text);
    return false;
}

static bool refuse_range(const struct job *job, const char *least, const char *most)
{
    struct rf_place place = rf_place_of(job->node);

    place.hint = job->setting->help;
    rf_complain(job->reader->yaml, place, "'%s' has to be from %s to %s, and is %.80s",
                job->setting->name, least, most, job->text);
    return false;
}

static bool is_name(const char *text, size_t size_max)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool other = (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!letter && !other)
            return false;
    }
    return size > 0 && size <= size_max && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool set_text(const struct job *job, const char *text)
{
    *(const char **)job->slot = text;
    return true;
}

static bool read_name(const struct job *job)
{
    bool topic = job->setting->type == RF_SETTING_TOPIC;
    size_t size_max = topic ? TOPIC_SIZE_MAX : (size_t)job->setting->most;

    if (!is_name(job->text, size_max))
        return refuse(job, NULL);
    return set_text(job, job->text);
}

static bool read_file(const struct job *job)
{
    const char *path = rf_path_resolve(job->reader, job->text);

    if (access(path, R_OK) != 0) {
        struct rf_place place = rf_place_of(job->node);
        place.hint = "the path is relative to the folder of this configuration";
        rf_complain(job->reader->yaml, place, "%s: %s", path, strerror(errno));
        return false;
    }
    return set_text(job, path);
}

static bool read_url(const struct job *job)
{
    size_t scheme = strncmp(job->text, "http://", 7) == 0    ? 7
                    : strncmp(job->text, "https://", 8) == 0 ? 8
                                                             : 0;

    if (scheme == 0 || job->text[scheme] == '\0' || strpbrk(job->text, " \t\n") != NULL)
        return refuse(job, NULL);
    if (strchr(job->text, '@') != NULL) {
        struct rf_place place = rf_place_of(job->node);
        place.hint = "give them as user and password";
        rf_complain(job->reader->yaml, place, "'%s' carries credentials", job->setting->name);
        return false;
    }
    return set_text(job, job->text);
}

static bool read_address(const struct job *job)
{
    struct rf_address address;

    if (strcmp(job->text, "off") == 0)
        return set_text(job, NULL);
    if (!rf_address_parse(job->text, &address))
        return refuse(job, NULL);
    return set_text(job, job->text);
}

static bool read_secret(const struct job *job)
{
    const char *value = rf_secret_read(job->reader, job->node);

    return value != NULL && set_text(job, value);
}

static bool read_bool(const struct job *job)
{
    bool yes = strcmp(job->text, "true") == 0;

    if (!yes && strcmp(job->text, "false") != 0)
        return refuse(job, "write true or false");
    *(bool *)job->slot = yes;
    return true;
}

static bool read_integer(const struct job *job)
{
    const struct rf_setting *setting = job->setting;
    char least[32], most[32];
    int64_t value = 0;

    if (!rf_int64_parse(rf_bytes_of_text(job->text), &value))
        return refuse(job, NULL);
    snprintf(least, sizeof least, "%lld", (long long)setting->least);
    snprintf(most, sizeof most, "%lld", (long long)setting->most);
    if (value < setting->least || value > setting->most)
        return refuse_range(job, least, most);
    *(int64_t *)job->slot = value;
    return true;
}

static bool read_fraction(const struct job *job)
{
    double value = 0;

    if (!rf_double_parse(rf_bytes_of_text(job->text), &value) || !(value >= 0 && value <= 1))
        return refuse(job, NULL);
    *(double *)job->slot = value;
    return true;
}

static void format_size(char *text, size_t size_max, int64_t size)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    size_t unit = 0;

    while (unit < 3 && size != 0 && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    snprintf(text, size_max, "%lld%s", (long long)size, units[unit]);
}

static bool read_size(const struct job *job)
{
    const struct rf_setting *setting = job->setting;
    char least[32], most[32];
    uint64_t value = 0;

    if (!rf_size_parse(rf_bytes_of_text(job->text), &value))
        return refuse(job, NULL);
    format_size(least, sizeof least, setting->least);
    format_size(most, sizeof most, setting->most);
    if (value < (uint64_t)setting->least || value > (uint64_t)setting->most)
        return refuse_range(job, least, most);
    *(uint64_t *)job->slot = value;
    return true;
}

static bool read_span(const struct job *job)
{
    const struct rf_setting *setting = job->setting;
    char least[64], most[64];
    rf_span_ms value = 0;

    if (!rf_span_parse(rf_bytes_of_text(job->text), &value))
        return refuse(job, NULL);
    least[rf_span_format(least, sizeof least, setting->least)] = '\0';
    most[rf_span_format(most, sizeof most, setting->most)] = '\0';
    if (value < setting->least || value > setting->most)
        return refuse_range(job, least, most);
    *(rf_span_ms *)job->slot = value;
    return true;
}

static bool read_choice(const struct job *job)
{
    const char *const *choices = job->setting->choices;
    struct rf_arena *arena = NULL;
    const char *all = "";
    const char *nearest = NULL;
    int count = 0;

    for (count = 0; choices[count] != NULL; count++) {
        if (strcmp(job->text, choices[count]) == 0) {
            *(int *)job->slot = count;
            return true;
        }
    }
    arena = job->reader->yaml->arena;
    for (int i = 0; i < count; i++)
        all = rf_arena_printf(arena, "%s%s%s", all,
                              i == 0           ? ""
                              : i + 1 == count ? " or "
                                               : ", ",
                              choices[i]);
    nearest = rf_nearest_name(rf_bytes_of_text(job->text), choices, (size_t)count);
    struct rf_place place = rf_place_of(job->node);
    place.hint = nearest == NULL ? job->setting->help
                                 : rf_arena_printf(arena, "did you mean '%s'?", nearest);
    rf_complain(job->reader->yaml, place, "'%s' has to be %s, and is '%.80s'", job->setting->name,
                all, job->text);
    return false;
}

static bool read_text(const struct job *job)
{
    if (job->text[0] == '\0')
        return refuse(job, "it is empty");
    return set_text(job, job->text);
}

static bool (*const readers[])(const struct job *job) = {
    [RF_SETTING_TEXT] = read_text,
    [RF_SETTING_NAME] = read_name,
    [RF_SETTING_TOPIC] = read_name,
    [RF_SETTING_FILE] = read_file,
    [RF_SETTING_FOLDER] = read_text,
    [RF_SETTING_URL] = read_url,
    [RF_SETTING_ADDRESS] = read_address,
    [RF_SETTING_SECRET] = read_secret,
    [RF_SETTING_BOOL] = read_bool,
    [RF_SETTING_INTEGER] = read_integer,
    [RF_SETTING_FRACTION] = read_fraction,
    [RF_SETTING_SIZE] = read_size,
    [RF_SETTING_SPAN] = read_span,
    [RF_SETTING_CHOICE] = read_choice,
    [RF_SETTING_LATER] = NULL,
};

bool rf_value_read(const struct rf_reader *reader, const struct rf_setting *setting,
                   const struct rf_yaml_node *node, void *slot)
{
    struct job job = {.reader = reader, .setting = setting, .node = node, .slot = slot};
    bool is_secret = setting->type == RF_SETTING_SECRET;

    rf_assert(readers[setting->type] != NULL);
    if (node->unresolved)
        return false;
    if (!is_secret && (node->kind != RF_YAML_SCALAR || node->empty)) {
        struct rf_place place = rf_place_of(node);
        place.hint = setting->help;
        rf_complain(reader->yaml, place, "'%s' has to be %s, not %s", setting->name,
                    type_texts[setting->type], rf_yaml_kind_name(node));
        return false;
    }
    job.text = is_secret ? "" : rf_yaml_text(node);
    return readers[setting->type](&job);
}

void rf_value_read_standard(const struct rf_setting *setting, void *slot)
{
    struct rf_bytes text = rf_bytes_of_text(setting->standard);
    struct rf_yaml_node node = {.kind = RF_YAML_SCALAR, .text = text, .decoded = text};
    const struct rf_reader reader = {0};

    rf_assert(setting->type != RF_SETTING_SECRET);
    rf_assert(setting->type != RF_SETTING_FILE);
    rf_assert(rf_value_read(&reader, setting, &node, slot));
}
