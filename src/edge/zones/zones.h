/* The system's time-zone database, through GLib: what struct rf_zones asks for.
 *
 * Any thread. A zone is read once and then kept, so its rules do not change under a running process: the
 * same instant in the same zone always has the same offset. */
#pragma once
#include "core/expr/expr.h"

struct rf_zone_table;

struct rf_zone_table *rf_zone_table_open(void);
void rf_zone_table_close(struct rf_zone_table *table);

/* Points into the table, which must outlive it. */
struct rf_zones rf_zone_table_zones(struct rf_zone_table *table);
