/* The table of settings as a JSON Schema (draft 2020-12) and as a list for the manual page. */
#include <string.h>

#include "core/base/assert.h"
#include "edge/config/settings.h"
#include "edge/config/value.h"

static void json_text(struct rf_buffer *out, const char *text)
{
    rf_buffer_append_byte(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            rf_buffer_append_byte(out, '\\');
        rf_buffer_append_byte(out, (uint8_t)*c);
    }
    rf_buffer_append_byte(out, '"');
}

static void child_group(char *name, size_t size_max, const struct rf_setting *setting)
{
    bool named = setting->type == RF_SETTING_NAMED || setting->type == RF_SETTING_LIST;

    snprintf(name, size_max, "%s%s%s%s", setting->group, setting->group[0] == '\0' ? "" : ".",
             setting->name, named ? ".*" : "");
}

static void json_group(struct rf_buffer *out, const char *group);

static void json_choices(struct rf_buffer *out, const struct rf_setting *setting)
{
    rf_buffer_append_text(out, ",\"enum\":[");
    for (size_t i = 0; setting->choices[i] != NULL; i++) {
        rf_buffer_append_text(out, i == 0 ? "" : ",");
        json_text(out, setting->choices[i]);
    }
    rf_buffer_append_text(out, "]");
}

static void json_type(struct rf_buffer *out, const struct rf_setting *setting)
{
    char child[128];

    child_group(child, sizeof child, setting);
    switch (setting->type) {
    case RF_SETTING_GROUP:
        json_group(out, child);
        break;
    case RF_SETTING_NAMED:
        rf_buffer_append_text(out,
                              ",\"type\":\"object\",\"additionalProperties\":{\"description\":");
        json_text(out, setting->help);
        json_group(out, child);
        rf_buffer_append_text(out, "}");
        break;
    case RF_SETTING_LIST:
        rf_buffer_append_text(out, ",\"type\":\"array\",\"items\":{\"description\":");
        json_text(out, setting->help);
        json_group(out, child);
        rf_buffer_append_text(out, "}");
        break;
    case RF_SETTING_PROPERTIES:
        rf_buffer_append_text(out, ",\"type\":\"object\"");
        break;
    case RF_SETTING_SECRET:
        rf_buffer_append_text(out, ",\"type\":[\"string\",\"object\"]");
        break;
    case RF_SETTING_BOOL:
        rf_buffer_append_text(out, ",\"type\":[\"boolean\",\"string\"]");
        break;
    case RF_SETTING_INTEGER:
        rf_buffer_printf(out,
                         ",\"type\":[\"integer\",\"string\"],\"minimum\":%lld,\"maximum\":%lld",
                         (long long)setting->least, (long long)setting->most);
        break;
    case RF_SETTING_FRACTION:
        rf_buffer_append_text(out, ",\"type\":[\"number\",\"string\"],\"minimum\":0,\"maximum\":1");
        break;
    case RF_SETTING_CHOICE:
        json_choices(out, setting);
        break;
    case RF_SETTING_SIZE:
    case RF_SETTING_EXPRESSION:
        rf_buffer_append_text(out, ",\"type\":[\"string\",\"number\",\"boolean\"]");
        break;
    default:
        rf_buffer_append_text(out, ",\"type\":\"string\"");
    }
}

static void json_setting(struct rf_buffer *out, const struct rf_setting *setting)
{
    json_text(out, setting->name);
    rf_buffer_append_text(out, ":{\"description\":");
    json_text(out, setting->help);
    if (setting->standard != NULL) {
        rf_buffer_append_text(out, ",\"default\":");
        if (setting->type == RF_SETTING_BOOL || setting->type == RF_SETTING_INTEGER)
            rf_buffer_append_text(out, setting->standard);
        else
            json_text(out, setting->standard);
    }
    json_type(out, setting);
    rf_buffer_append_text(out, "}");
}

static bool is_in(const struct rf_setting *setting, const char *group)
{
    return strcmp(setting->group, group) == 0 && setting->type != RF_SETTING_LATER;
}

/* ,"type":"object","properties":{...}: to be put behind a first member. */
static void json_group(struct rf_buffer *out, const char *group)
{
    const char *comma = "";

    rf_buffer_append_text(out,
                          ",\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    for (size_t i = 0; i < rf_setting_count; i++) {
        if (!is_in(&rf_settings[i], group))
            continue;
        rf_buffer_append_text(out, comma);
        json_setting(out, &rf_settings[i]);
        comma = ",";
    }
    /* "commit.interval" is "commit: { interval }". */
    for (size_t i = 0; group[0] == '\0' && i < rf_setting_count; i++) {
        const struct rf_setting *setting = &rf_settings[i];
        bool nested = setting->group[0] != '\0' && strchr(setting->group, '*') == NULL;
        if (nested)
            rf_buffer_printf(out, ",\"%s.%s\":{\"$ref\":\"#/properties/%s/properties/%s\"}",
                             setting->group, setting->name, setting->group, setting->name);
    }
    rf_buffer_append_text(out, "},\"required\":[");
    comma = "";
    for (size_t i = 0; i < rf_setting_count; i++) {
        if (!is_in(&rf_settings[i], group) || !rf_settings[i].required)
            continue;
        rf_buffer_append_text(out, comma);
        json_text(out, rf_settings[i].name);
        comma = ",";
    }
    rf_buffer_append_text(out, "]");
}

void rf_config_print_json_schema(struct rf_buffer *out)
{
    rf_buffer_append_text(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                               "\"title\":\"ringfold configuration\"");
    json_group(out, "");
    rf_buffer_append_text(out, "}\n");
}

/* A point at the start of a line would be a macro. */
static void roff_text(struct rf_buffer *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            rf_buffer_append_text(out, "\\e");
        else
            rf_buffer_append_byte(out, (uint8_t)*c);
    }
}

static void manual_size(struct rf_buffer *out, int64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    size_t unit = 0;

    for (; unit + 1 < sizeof units / sizeof units[0] && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    rf_buffer_printf(out, "%lld%s%s", (long long)bytes, unit == 0 ? " " : "", units[unit]);
}

/* Each sentence on a line of its own, as mdoc wants it. */
static void manual_range(struct rf_buffer *out, const struct rf_setting *setting)
{
    char least[64], most[64];

    if (setting->type == RF_SETTING_INTEGER)
        rf_buffer_printf(out, "\nFrom %lld to %lld.", (long long)setting->least,
                         (long long)setting->most);
    if (setting->type == RF_SETTING_SPAN) {
        least[rf_span_format(least, sizeof least, setting->least)] = '\0';
        most[rf_span_format(most, sizeof most, setting->most)] = '\0';
        rf_buffer_printf(out, "\nFrom %s to %s.", least, most);
    }
    if (setting->type == RF_SETTING_SIZE) {
        rf_buffer_append_text(out, "\nFrom ");
        manual_size(out, setting->least);
        rf_buffer_append_text(out, " to ");
        manual_size(out, setting->most);
        rf_buffer_append_text(out, ".");
    }
    for (size_t i = 0; setting->type == RF_SETTING_CHOICE && setting->choices[i] != NULL; i++)
        rf_buffer_printf(out, "%s%s%s", i == 0 ? "\nOne of " : ", ", setting->choices[i],
                         setting->choices[i + 1] == NULL ? "." : "");
}

void rf_config_print_manual(struct rf_buffer *out)
{
    rf_buffer_append_text(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < rf_setting_count; i++) {
        const struct rf_setting *setting = &rf_settings[i];
        if (setting->type == RF_SETTING_LATER)
            continue;
        rf_buffer_printf(out, ".It Cm %s%s%s", setting->group, setting->group[0] == '\0' ? "" : ".",
                         setting->name);
        rf_buffer_append_text(out, setting->required ? " Pq required\n" : "\n");
        roff_text(out, setting->help);
        rf_buffer_append_text(out, ".");
        if (setting->type != RF_SETTING_CHOICE) {
            rf_buffer_append_text(out, "\nIt is ");
            roff_text(out, rf_setting_type_text(setting->type));
            rf_buffer_append_text(out, ".");
        }
        manual_range(out, setting);
        if (setting->standard != NULL)
            rf_buffer_printf(out, "\nThe default is %s.", setting->standard);
        rf_buffer_append_text(out, "\n");
    }
    rf_buffer_append_text(out, ".El\n");
}
