/* What expressions see, by index. The engine fills it in, edge/config checks expressions against it:
 *     0              event      the source's event_type (only in a source's and a feature's expressions)
 *     1              now        timestamp: when the customer is looked at
 *     2              customer   record { id, first_seen, events }
 *     3 ...          features   in the order in which they are written */
#pragma once
#include <stdbool.h>

#include "core/expr/expr.h"

#define RF_VARIABLE_EVENT    0
#define RF_VARIABLE_NOW      1
#define RF_VARIABLE_CUSTOMER 2
#define RF_VARIABLE_FEATURE  3

/* What expressions see as `customer`. */
enum rf_customer_field {
    RF_CUSTOMER_ID,         /* string */
    RF_CUSTOMER_FIRST_SEEN, /* timestamp: the least event time, of the event at hand too */
    RF_CUSTOMER_EVENTS,     /* int: how many were folded, the event at hand included */
    RF_CUSTOMER_FIELDS,
};
extern const struct rf_record_type rf_customer_type;

/* "customer.id", ... */
const char *rf_customer_field_name(enum rf_customer_field field);

/* Does it read this of the customer? The whole of it is all of its fields. */
static inline bool rf_read_is_customer(const struct rf_expr_read *read,
                                       enum rf_customer_field field)
{
    return read->variable == RF_VARIABLE_CUSTOMER &&
           (read->depth == 0 || read->path[0] == (uint32_t)field);
}

/* Does it read what every event may change? */
static inline bool rf_read_is_history(const struct rf_expr_read *read)
{
    return rf_read_is_customer(read, RF_CUSTOMER_FIRST_SEEN) ||
           rf_read_is_customer(read, RF_CUSTOMER_EVENTS);
}
