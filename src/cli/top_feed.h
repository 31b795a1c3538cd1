/* The stream of events of a running instance (GET /events): a connection that is kept, and made again when it is lost.
 *
 * libcurl is used here and in edge/registry, whose client asks and waits for a whole answer; a stream has none. One
 * thread. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/error.h"

struct rf_top_feed_options {
    const char *url;     /* of the instance, "http://127.0.0.1:8088" */
    const char *token;   /* NULL: none; never printed */
    const char *ca_file; /* NULL: the system's */
    void *self;
    /* `data` is one line of JSON, valid during the call. */
    void (*event)(void *self, const char *name, struct rf_bytes data);
};

struct rf_top_feed;

/* `options` may go, what it points to not. Errors: CONFIG (the address is none). */
struct rf_top_feed *rf_top_feed_open(const struct rf_top_feed_options *options,
                                     struct rf_error *err);
void rf_top_feed_close(struct rf_top_feed *feed);

/* Gives the events that come within `wait_ms`; comes back earlier when there were some, or when `extra_fd` (-1: none) can
 * be read. Errors: RETRY (the connection is lost, or could not be made: the next call makes it anew), CONFIG (the
 * instance refuses: no token, or a wrong one). */
bool rf_top_feed_wait(struct rf_top_feed *feed, int wait_ms, int extra_fd,
                      struct rf_error *err) RF_MUST_CHECK;
