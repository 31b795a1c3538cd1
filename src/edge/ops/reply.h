/* An answer before it is sent: status, headers, body. */
#pragma once
#include "core/base/buffer.h"
#include "core/base/bytes.h"

#define RF_REPLY_BYTES_MAX (64U << 20) /* of a body that is made for one request */
#define RF_LOCATION_MAX    8192

#define RF_TYPE_JSON       "application/json"
#define RF_TYPE_PROBLEM    "application/problem+json" /* RFC 9457 */
#define RF_TYPE_METRICS    "text/plain; version=0.0.4; charset=utf-8"

struct rf_reply {
    int status;
    const char *type;      /* a constant */
    struct rf_buffer body; /* owned */
    struct rf_bytes page;  /* the body where it is a constant; `body` is then empty */
    int retry_after;       /* seconds; 0: not said */
    bool asks_for_token;   /* 401 */
    char *location;        /* owned; NULL: none */
};

void rf_reply_init(struct rf_reply *reply);
void rf_reply_deinit(struct rf_reply *reply);

/* A problem as RFC 9457 has it. Takes the place of whatever was written before. */
void rf_reply_problem(struct rf_reply *reply, int status, const char *format, ...) RF_PRINTF(3, 4);
const char *rf_status_text(int status);
