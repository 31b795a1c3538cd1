/* JSON, written as it goes: members and elements in their order, commas looked after. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/time.h"

struct rf_json {
    struct rf_buffer *out; /* not owned */
    bool comma;            /* something stands before what comes next */
};

/* `name`: of the member; NULL: an element of an array, or the whole. */
void rf_json_begin(struct rf_json *json, const char *name, char bracket);    /* '{' or '[' */
void rf_json_end(struct rf_json *json, char bracket);                        /* '}' or ']' */
void rf_json_text(struct rf_json *json, const char *name, const char *text); /* NULL: null */
void rf_json_bytes(struct rf_json *json, const char *name, struct rf_bytes text);
void rf_json_int(struct rf_json *json, const char *name, int64_t number);
void rf_json_count(struct rf_json *json, const char *name, uint64_t number);
void rf_json_double(struct rf_json *json, const char *name, double number); /* not finite: null */
void rf_json_bool(struct rf_json *json, const char *name, bool yes);
void rf_json_time(struct rf_json *json, const char *name, rf_ms instant); /* MIN and MAX: null */
/* Milliseconds as seconds; negative: null, not known. */
void rf_json_seconds(struct rf_json *json, const char *name, rf_span_ms span);
/* Whole JSON, as it is. */
void rf_json_raw(struct rf_json *json, const char *name, struct rf_bytes text);
