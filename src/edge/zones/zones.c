#include "edge/zones/zones.h"

#include <glib.h>

#include "core/base/assert.h"

#define ZONE_NAME_SIZE_MAX 64
#define ZONE_COUNT_MAX     2048 /* the database has about 600 names; a stream may ask for nonsense */

struct rf_zone_table {
    GMutex lock;
    GHashTable *zones; /* under the lock: name to GTimeZone, or NULL where there is none */
};

static void unref_zone(gpointer zone)
{
    if (zone != NULL)
        g_time_zone_unref(zone);
}

struct rf_zone_table *rf_zone_table_open(void)
{
    struct rf_zone_table *table = g_new0(struct rf_zone_table, 1);

    g_mutex_init(&table->lock);
    table->zones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_zone);
    return table;
}

void rf_zone_table_close(struct rf_zone_table *table)
{
    if (table == NULL)
        return;
    g_hash_table_destroy(table->zones);
    g_mutex_clear(&table->lock);
    g_free(table);
}

/* A name as the database has it. GLib would also take rules ("CET-1CEST"), offsets and the path of a file. */
static bool is_zone_name(const char *name)
{
    if (g_str_has_prefix(name, "/") || strstr(name, "..") != NULL || !g_ascii_isalpha(name[0]))
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && strchr("_+-/", *c) == NULL)
            return false;
    }
    return true;
}

/* NULL where there is no such zone. TZ is not read. */
static GTimeZone *load(const char *name)
{
    return is_zone_name(name) ? g_time_zone_new_identifier(name) : NULL;
}

/* A reference, or NULL. */
static GTimeZone *find(struct rf_zone_table *table, const char *name)
{
    gpointer zone = NULL;

    g_mutex_lock(&table->lock);
    if (!g_hash_table_lookup_extended(table->zones, name, NULL, &zone)) {
        zone = load(name);
        if (g_hash_table_size(table->zones) < ZONE_COUNT_MAX)
            g_hash_table_insert(table->zones, g_strdup(name),
                                zone == NULL ? NULL : g_time_zone_ref(zone));
    } else if (zone != NULL) {
        g_time_zone_ref(zone);
    }
    g_mutex_unlock(&table->lock);
    return zone;
}

static bool offset(void *self, struct rf_bytes zone, int64_t seconds, int32_t *offset_seconds)
{
    char name[ZONE_NAME_SIZE_MAX + 1];
    GTimeZone *found = NULL;
    int interval = 0;

    if (zone.size == 0 || zone.size > ZONE_NAME_SIZE_MAX)
        return false;
    memcpy(name, zone.data, zone.size);
    name[zone.size] = '\0';
    found = find(self, name);
    if (found == NULL)
        return false;
    interval = g_time_zone_find_interval(found, G_TIME_TYPE_UNIVERSAL, seconds);
    rf_assert(interval >= 0); /* every universal time is in one */
    *offset_seconds = g_time_zone_get_offset(found, interval);
    g_time_zone_unref(found);
    return true;
}

/* The third column of zone.tab, which names each zone that is lived in. */
static void see_line(const char *line, void (*see)(void *to, struct rf_bytes name), void *to)
{
    char **columns = g_strsplit(line, "\t", 4);

    if (line[0] != '#' && g_strv_length(columns) >= 3)
        see(to, rf_bytes_of_text(columns[2]));
    g_strfreev(columns);
}

static void each(void *self, void (*see)(void *to, struct rf_bytes name), void *to)
{
    const char *folder = g_getenv("TZDIR"); /* GLib looks there, too */
    char *path =
        g_build_filename(folder == NULL ? "/usr/share/zoneinfo" : folder, "zone.tab", NULL);
    char *text = NULL;

    (void)self;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        char **lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line != NULL; line++)
            see_line(*line, see, to);
        g_strfreev(lines);
    }
    g_free(text);
    g_free(path);
}

struct rf_zones rf_zone_table_zones(struct rf_zone_table *table)
{
    return (struct rf_zones){.self = table, .offset = offset, .each = each};
}
