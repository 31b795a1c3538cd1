#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/base/assert.h"
#include "edge/ops/server_internal.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define STREAM_BLOCK 4096
/* Nothing from elsewhere, nothing inline, no frames: whatever a customer's id or an alert's text holds stays text. */
#define CONTENT_POLICY                                                                              \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* ---- who asks ---- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A page of somebody else's in a browser here could otherwise have its own name resolved to this address, and read. */
static bool is_our_name(const struct rf_ops *ops, const char *host)
{
    char name[RF_ADDRESS_HOST_MAX];
    struct in_addr four;
    struct in6_addr six;
    size_t size = 0;

    if (host == NULL)
        return true; /* HTTP/1.0: no browser */
    if (host[0] == '[')
        size = strcspn(++host, "]");
    else
        size = strcspn(host, ":");
    if (size == 0 || size >= sizeof name)
        return false;
    memcpy(name, host, size);
    name[size] = '\0';
    return strcasecmp(name, "localhost") == 0 || strcasecmp(name, ops->address.host) == 0 ||
           inet_pton(AF_INET, name, &four) == 1 || inet_pton(AF_INET6, name, &six) == 1;
}

/* "": nobody's token. */
static void name_holder(struct rf_ops *ops, struct rf_exchange *exchange)
{
    const char *presented = header(exchange->connection, MHD_HTTP_HEADER_AUTHORIZATION);
    const char *name = NULL;

    rf_mutex_lock(&ops->lock);
    name = rf_tokens_find(&ops->tokens, presented);
    snprintf(exchange->who, sizeof exchange->who, "%s", name == NULL ? "" : name);
    rf_mutex_unlock(&ops->lock);
}

static bool may_ask(struct rf_ops *ops, struct rf_exchange *exchange)
{
    if (rf_route_is_public(exchange->request.route))
        return true;
    if (!ops->needs_token) {
        if (is_our_name(ops, header(exchange->connection, MHD_HTTP_HEADER_HOST)))
            return true;
        rf_reply_problem(
            &exchange->reply, 421,
            "without a token only this machine's own names and addresses are answered to");
        return false;
    }
    if (ops->tls.client_ca != NULL &&
        rf_tls_client(exchange->connection, exchange->who, sizeof exchange->who))
        return true;
    name_holder(ops, exchange);
    if (exchange->who[0] != '\0')
        return true;
    rf_reply_problem(&exchange->reply, 401,
                     ops->tls.client_ca != NULL
                         ? "a client certificate or a token is needed"
                         : "a token is needed: as Authorization: Bearer TOKEN, or as a password");
    return false;
}

static const struct sockaddr *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info == NULL ? NULL : info->client_addr;
}

static void format_peer(struct MHD_Connection *connection, char *text, size_t text_max)
{
    const struct sockaddr *peer = peer_of(connection);

    text[0] = '\0';
    if (peer != NULL && peer->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, text,
                  (socklen_t)text_max);
    else if (peer != NULL && peer->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, text,
                  (socklen_t)text_max);
}

/* One line a customer read, never held back: who, of whom as a pseudonym, with what result. */
static void audit(const struct rf_exchange *exchange)
{
    struct rf_log_site site = {.level = RF_LOG_INFO};
    char peer[INET6_ADDRSTRLEN + 1];

    format_peer(exchange->connection, peer, sizeof peer);
    rf_log_write(
        &site,
        RF_FIELDS(rf_field_customer(rf_bytes_of(exchange->request.id, exchange->request.id_size)),
                  rf_field_text("who", exchange->who), rf_field_text("address", peer),
                  rf_field_int("status", exchange->reply.status)),
        "customer read");
}

/* ---- sending ---- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    enum MHD_Result added = MHD_add_response_header(response, name, value);

    rf_assert(added == MHD_YES);
}

static void add_headers(struct MHD_Response *response, const struct rf_reply *reply)
{
    char seconds[16];

    add_header(response, "Content-Type", reply->type);
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Referrer-Policy", "no-referrer");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    add_header(response, "Content-Security-Policy", CONTENT_POLICY);
    if (reply->status == 405)
        add_header(response, "Allow", "GET, HEAD");
    if (reply->asks_for_token) {
        add_header(response, "WWW-Authenticate", "Bearer realm=\"ringfold\"");
        add_header(response, "WWW-Authenticate", "Basic realm=\"ringfold\", charset=\"UTF-8\"");
    }
    if (reply->location != NULL)
        add_header(response, "Location", reply->location);
    if (reply->retry_after > 0) {
        snprintf(seconds, sizeof seconds, "%d", reply->retry_after);
        add_header(response, "Retry-After", seconds);
    }
}

static void count(struct rf_exchange *exchange)
{
    struct rf_ops *ops = exchange->ops;
    int class = exchange->reply.status / 100;

    rf_assert(class >= 1 && class < 6);
    rf_mutex_lock(&ops->lock);
    if (exchange->is_known)
        ops->counts.answers[exchange->request.route][class]++;
    else
        ops->counts.refused++;
    rf_mutex_unlock(&ops->lock);
}

static struct rf_guard_entry *guard_entry(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

/* Its request is whole: it may be answered for so long. */
static void set_deadline(struct rf_ops *ops, struct MHD_Connection *connection, rf_ns span)
{
    struct rf_guard_entry *entry = guard_entry(connection);
    rf_ns now = rf_clock_monotonic_ns();

    if (entry != NULL)
        rf_guard_serve(&ops->guard, entry, span == INT64_MAX ? INT64_MAX : now + span);
}

static enum MHD_Result queue(struct rf_exchange *exchange, struct MHD_Response *response)
{
    enum MHD_Result queued = MHD_NO;

    if (response == NULL)
        return MHD_NO; /* memory: the connection is closed */
    add_headers(response, &exchange->reply);
    queued = MHD_queue_response(exchange->connection, (unsigned)exchange->reply.status, response);
    MHD_destroy_response(response);
    count(exchange);
    return queued;
}

static enum MHD_Result send_reply(struct rf_exchange *exchange)
{
    const struct rf_reply *reply = &exchange->reply;
    union {
        const uint8_t *given;
        void *asked; /* PERSISTENT and MUST_COPY: it is only read */
    } bytes = {.given = reply->page.data != NULL ? reply->page.data : reply->body.data};
    size_t size = reply->page.data != NULL ? reply->page.size : reply->body.size;

    if (exchange->is_known && exchange->request.route == RF_ROUTE_CUSTOMER)
        audit(exchange);
    set_deadline(exchange->ops, exchange->connection, RF_GUARD_ANSWER_NS);
    return queue(exchange,
                 MHD_create_response_from_buffer(size, bytes.asked,
                                                 reply->page.data != NULL ? MHD_RESPMEM_PERSISTENT
                                                                          : MHD_RESPMEM_MUST_COPY));
}

/* ---- /events ---- */

static void sleep_until_woken(void *connection)
{
    MHD_suspend_connection(connection);
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t size_max)
{
    struct rf_exchange *exchange = context;
    size_t size = 0;

    (void)position;
    switch (rf_feed_read(&exchange->ops->feed, exchange->reader, out, size_max, &size,
                         sleep_until_woken)) {
    case RF_FEED_SOME:
        return (ssize_t)size;
    case RF_FEED_NONE:
        return 0;
    case RF_FEED_END:
        break;
    }
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static enum MHD_Result send_stream(struct rf_exchange *exchange)
{
    struct rf_ops *ops = exchange->ops;
    struct rf_desk_counts counts;
    struct rf_desk_view view;

    exchange->reply.type = "text/event-stream; charset=utf-8";
    if (exchange->request.head)
        return send_reply(exchange);
    view = rf_ops_borrow(ops, &counts);
    exchange->reader = rf_feed_join(&ops->feed, exchange->connection,
                                    header(exchange->connection, "Last-Event-ID"), view.inspect);
    rf_ops_give_back(ops, &view);
    if (exchange->reader == NULL) {
        rf_reply_problem(&exchange->reply, 503, "%d clients listen already, and no more are taken",
                         RF_FEED_READERS_MAX);
        exchange->reply.retry_after = 10;
        return send_reply(exchange);
    }
    set_deadline(ops, exchange->connection, INT64_MAX);
    return queue(exchange, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
                                                             read_stream, exchange, NULL));
}

/* ---- libmicrohttpd's callbacks ---- */

void *rf_exchange_begin(void *ops, const char *uri, struct MHD_Connection *connection)
{
    struct rf_exchange *exchange = calloc(1, sizeof *exchange);

    rf_assert(exchange != NULL);
    exchange->ops = ops;
    exchange->connection = connection;
    rf_reply_init(&exchange->reply);
    if (strnlen(uri, RF_REQUEST_TARGET_MAX + 1) <= RF_REQUEST_TARGET_MAX) {
        exchange->target = strdup(uri);
        rf_assert(exchange->target != NULL);
    }
    return exchange;
}

static bool has_body(struct MHD_Connection *connection)
{
    const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL ||
           (length != NULL && strcmp(length, "0") != 0);
}

/* True: it is one of ours, from one who may ask. False: the reply says why not. */
static bool admit(struct rf_ops *ops, struct rf_exchange *exchange, const char *method)
{
    struct rf_refusal refusal = {.status = 414, .reason = "the request's target is too long"};

    exchange->is_known =
        exchange->target != NULL &&
        rf_request_parse(method, rf_bytes_of_text(exchange->target), &exchange->request, &refusal);
    if (!exchange->is_known) {
        rf_reply_problem(&exchange->reply, refusal.status, "%s", refusal.reason);
        return false;
    }
    if (!may_ask(ops, exchange))
        return false;
    if (has_body(exchange->connection)) {
        rf_reply_problem(&exchange->reply, 413, "a request here has no body");
        return false;
    }
    return true;
}

static void answer_now(struct rf_ops *ops, struct rf_exchange *exchange)
{
    struct rf_desk_counts counts;
    struct rf_desk_view view = rf_ops_borrow(ops, &counts);

    rf_desk_answer(&ops->desk, &view, &exchange->request, &exchange->reply);
    rf_ops_give_back(ops, &view);
}

enum MHD_Result rf_exchange_go_on(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **exchange_slot)
{
    struct rf_ops *ops = context;
    struct rf_exchange *exchange = *exchange_slot;

    (void)url;
    (void)version;
    (void)upload;
    rf_assert(exchange != NULL && exchange->connection == connection);
    *upload_size = 0;
    if (exchange->answered) /* by an asker */
        return send_reply(exchange);
    if (!exchange->begun && !has_body(connection)) {
        /* An answer before the request is whole would end the connection, as it does where a body is refused. */
        exchange->begun = true;
        return MHD_YES;
    }
    set_deadline(ops, connection, RF_GUARD_ANSWER_NS);
    if (!admit(ops, exchange, method))
        return send_reply(exchange);
    if (exchange->request.route == RF_ROUTE_EVENTS)
        return send_stream(exchange);
    if (exchange->request.route == RF_ROUTE_CUSTOMER) {
        if (rf_ops_ask(ops, exchange))
            return MHD_YES; /* called again when it is answered */
        rf_reply_problem(&exchange->reply, 503, "%d questions wait already", RF_QUESTIONS_MAX);
        exchange->reply.retry_after = 1;
    } else {
        answer_now(ops, exchange);
    }
    return send_reply(exchange);
}

void rf_exchange_end(void *context, struct MHD_Connection *connection, void **exchange_slot,
                     enum MHD_RequestTerminationCode how)
{
    struct rf_ops *ops = context;
    struct rf_exchange *exchange = *exchange_slot;
    struct rf_guard_entry *entry = guard_entry(connection);

    (void)how;
    if (exchange == NULL)
        return;
    *exchange_slot = NULL;
    if (exchange->reader != NULL)
        rf_feed_leave(&ops->feed, exchange->reader);
    if (entry != NULL)
        rf_guard_await(&ops->guard, entry, rf_clock_monotonic_ns());
    rf_reply_deinit(&exchange->reply);
    free(exchange->target);
    free(exchange);
}

void rf_exchange_connection(void *context, struct MHD_Connection *connection, void **entry_slot,
                            enum MHD_ConnectionNotificationCode what)
{
    struct rf_ops *ops = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct sockaddr *peer = peer_of(connection);

    if (what == MHD_CONNECTION_NOTIFY_STARTED && info != NULL && peer != NULL) {
        *entry_slot = rf_guard_enter(&ops->guard, info->connect_fd, peer, rf_clock_monotonic_ns());
        if (*entry_slot == NULL)
            shutdown(info->connect_fd, SHUT_RDWR);
    } else if (what == MHD_CONNECTION_NOTIFY_CLOSED && *entry_slot != NULL) {
        rf_guard_leave(&ops->guard, *entry_slot);
        *entry_slot = NULL;
    }
}
