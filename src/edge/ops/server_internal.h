/* The server's parts among themselves. Inside this room only. */
#pragma once
#include <microhttpd.h>

#include "edge/ops/auth.h"
#include "edge/ops/desk.h"
#include "edge/ops/feed.h"
#include "edge/ops/guard.h"
#include "edge/ops/server.h"
#include "edge/ops/tls.h"

#define RF_ASKERS        2  /* threads that ask workers about customers */
#define RF_QUESTIONS_MAX 32 /* that wait for one of them */

/* One request, from its first line until it is answered. */
struct rf_exchange {
    struct rf_ops *ops;
    struct MHD_Connection *connection;
    char *target;  /* owned; as it came; NULL: longer than any of ours */
    bool begun;    /* its headers were seen */
    bool answered; /* by an asker */
    bool is_known; /* `request` is one of ours */
    struct rf_request request;
    struct rf_reply reply;
    char who[RF_TOKEN_NAME_MAX + 64]; /* a token's or a certificate's holder; "": anybody */
    struct rf_feed_reader *reader;    /* of /events */
};

struct rf_ops {
    struct rf_desk desk;
    bool
        needs_token; /* tokens or certificates are configured: all but metrics and health is for their holders */
    struct rf_tls tls;
    struct rf_address address;
    char address_text[RF_ADDRESS_TEXT_MAX];
    struct MHD_Daemon *daemon;
    struct rf_guard guard;
    struct rf_feed feed;
    int thread_count;
    struct rf_thread threads[RF_ASKERS + 1]; /* askers, and the ticker */

    struct rf_mutex lock;
    struct rf_condition changed;
    struct rf_tokens tokens RF_GUARDED_BY(lock);
    bool closing RF_GUARDED_BY(lock);
    struct rf_inspect attached RF_GUARDED_BY(lock);
    const struct rf_inspect *inspect RF_GUARDED_BY(lock); /* NULL: nothing is attached */
    const char *phase RF_GUARDED_BY(lock);
    bool leaving RF_GUARDED_BY(lock);
    int users RF_GUARDED_BY(lock); /* of inspect, right now */
    struct rf_desk_counts counts RF_GUARDED_BY(lock);
    struct rf_exchange *questions[RF_QUESTIONS_MAX] RF_GUARDED_BY(lock);
    size_t question_first RF_GUARDED_BY(lock), question_count RF_GUARDED_BY(lock);
};

/* A copy of what may be drawn on, to be given back. Any thread. */
struct rf_desk_view rf_ops_borrow(struct rf_ops *ops, struct rf_desk_counts *counts);
void rf_ops_give_back(struct rf_ops *ops, const struct rf_desk_view *view);

/* exchange.c: libmicrohttpd's callbacks. Thread: its own. */
void *rf_exchange_begin(void *ops, const char *uri, struct MHD_Connection *connection);
enum MHD_Result rf_exchange_go_on(void *ops, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context);
void rf_exchange_end(void *ops, struct MHD_Connection *connection, void **context,
                     enum MHD_RequestTerminationCode how);
void rf_exchange_connection(void *ops, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode what);

/* asker.c: questions about customers, which may take a while, apart from libmicrohttpd's threads. False: too many wait. */
bool rf_ops_ask(struct rf_ops *ops, struct rf_exchange *exchange);
void rf_ops_ask_run(void *ops); /* Thread: asker. */
