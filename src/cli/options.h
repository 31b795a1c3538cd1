/* A command's options as a table: what each is called, and where its value goes. */
#pragma once
#include <stdbool.h>

/* One of `flag`, `text` and `take` says what it is. */
struct rf_option {
    const char *name; /* without its dashes; NULL: it is a letter alone */
    char letter;      /* 0: it has none; where it has no name either, the table ends */
    bool *flag;       /* it has no value: it is set */
    const char **text;
    bool (*take)(const char *value, void *self); /* false: the value is wrong */
    void *self;
    bool bare;         /* `take` has no value: it is NULL */
    const char *fault; /* what is said of a wrong value, behind it; NULL: it is only named */
};

/* Goes through them. Afterwards optind is at the first argument that is none. Returns RF_EXIT_FINE, or RF_EXIT_USAGE
 * where it has said what is wrong. */
int rf_options_take(int argc, char **argv, const struct rf_option *options);

/* For `take`: a number greater than 0, into a uint64_t. */
bool rf_option_count(const char *value, void *self);
/* RFC 3339, into an rf_ms. */
bool rf_option_instant(const char *value, void *self);
#define RF_OPTION_NO_INSTANT "is no time like 1998-07-01T00:00:00Z"
