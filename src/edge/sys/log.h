/* The log: one line an event, written with one write(2), from any thread.
 *
 *     rf_log_info(RF_FIELDS(rf_field_int("task", 3), rf_field_text("topic", topic)), "restored %zu records", count);
 *     rf_log_error(RF_FIELDS(rf_field_error(&err)), "giving task %d up", task);
 *     rf_log_info(NULL, "stopping");
 *
 * On a terminal a line is text, elsewhere a JSON object: ts, level, msg, then the fields in their order.
 * A place in the code (not a message) may write RF_LOG_BURST lines in ten seconds; what it says beyond
 * is counted, and told in one line when the ten seconds are over. Debug lines are not limited.
 *
 * Never a payload, and no customer but as rf_field_customer. A line is at most RF_LOG_LINE_MAX bytes: a
 * long text is cut, and fields that find no room are left out. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/time.h"

#define RF_LOG_LINE_MAX 4096 /* what a pipe takes in one piece */
#define RF_LOG_BURST    10

enum rf_log_level {
    RF_LOG_DEBUG,
    RF_LOG_INFO,
    RF_LOG_WARNING,
    RF_LOG_ERROR,
};

enum rf_log_format {
    RF_LOG_AUTO, /* text on a terminal, JSON elsewhere */
    RF_LOG_TEXT,
    RF_LOG_JSON,
};

struct rf_log_options {
    int fd;
    enum rf_log_level level; /* the lowest that is written */
    enum rf_log_format format;
    rf_span_ms window; /* of the limit; 0: ten seconds */
};

/* Before threads start. Without it: standard error, info, AUTO. */
void rf_log_setup(const struct rf_log_options *options);

/* "debug", "info", "warning", "error". */
bool rf_log_level_parse(struct rf_bytes text, enum rf_log_level *level);

/* Tells what was held back and is due; `all`: also what is not due yet, at the end of the process. */
void rf_log_flush(bool all);

struct rf_log_field {
    const char *name; /* NULL: no more fields */
    enum {
        RF_FIELD_INT,
        RF_FIELD_DOUBLE,
        RF_FIELD_BOOL,
        RF_FIELD_TEXT,
        RF_FIELD_CUSTOMER,
        RF_FIELD_ERROR,
    } kind;
    union {
        int64_t integer;
        double number;
        bool boolean;
        struct rf_bytes text;
        const struct rf_error *error;
    } as;
};

#define RF_FIELDS(...) ((const struct rf_log_field[]){__VA_ARGS__, {.name = NULL}})

static inline struct rf_log_field rf_field_int(const char *name, int64_t integer)
{
    return (struct rf_log_field){.name = name, .kind = RF_FIELD_INT, .as.integer = integer};
}

static inline struct rf_log_field rf_field_double(const char *name, double number)
{
    return (struct rf_log_field){.name = name, .kind = RF_FIELD_DOUBLE, .as.number = number};
}

static inline struct rf_log_field rf_field_bool(const char *name, bool boolean)
{
    return (struct rf_log_field){.name = name, .kind = RF_FIELD_BOOL, .as.boolean = boolean};
}

static inline struct rf_log_field rf_field_bytes(const char *name, struct rf_bytes text)
{
    return (struct rf_log_field){.name = name, .kind = RF_FIELD_TEXT, .as.text = text};
}

static inline struct rf_log_field rf_field_text(const char *name, const char *text)
{
    return rf_field_bytes(name, rf_bytes_of_text(text == NULL ? "" : text));
}

/* The pseudonym of a customer's id, as field "customer". */
static inline struct rf_log_field rf_field_customer(struct rf_bytes customer)
{
    return (struct rf_log_field){
        .name = "customer", .kind = RF_FIELD_CUSTOMER, .as.text = customer};
}

/* error (its message), error_kind and, where there is one, error_code. */
static inline struct rf_log_field rf_field_error(const struct rf_error *error)
{
    return (struct rf_log_field){.name = "error", .kind = RF_FIELD_ERROR, .as.error = error};
}

/* A place in the code that logs; the log's own. */
struct rf_log_site {
    enum rf_log_level level;
    rf_ns window_start;
    int64_t written;
    int64_t held_back;
    char message[128]; /* the last one held back */
    struct rf_log_site *next_holding;
};

void rf_log_write(struct rf_log_site *site, const struct rf_log_field *fields, const char *format,
                  ...) RF_PRINTF(3, 4);

#define RF_LOG_AT(log_level, fields, ...)                                                          \
    do {                                                                                           \
        static struct rf_log_site rf_log_site_here = {.level = (log_level)};                       \
        rf_log_write(&rf_log_site_here, (fields), __VA_ARGS__);                                    \
    } while (0)
#define rf_log_debug(fields, ...)   RF_LOG_AT(RF_LOG_DEBUG, fields, __VA_ARGS__)
#define rf_log_info(fields, ...)    RF_LOG_AT(RF_LOG_INFO, fields, __VA_ARGS__)
#define rf_log_warning(fields, ...) RF_LOG_AT(RF_LOG_WARNING, fields, __VA_ARGS__)
#define rf_log_error(fields, ...)   RF_LOG_AT(RF_LOG_ERROR, fields, __VA_ARGS__)
