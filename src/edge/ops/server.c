#include "edge/ops/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "edge/ops/server_internal.h"
#include "edge/sys/clock.h"
#include "edge/sys/log.h"

#define THREADS           2
#define INACTIVE_SECONDS  10U /* libmicrohttpd's own limit, between two bytes */
#define CONNECTION_BYTES  (16U * 1024)
#define PER_ADDRESS       16U
#define PER_ADDRESS_LOCAL 64U /* where everybody is 127.0.0.1 */
#define TICK_NS           INT64_C(1000000000)
#define TICKS_A_SECOND    4 /* how often alerts are looked for */
#define CLOSING_TURNS     50
#define CLOSING_TURN_MS   10
#define KEPT_TICKS        (5 * TICKS_A_SECOND)
#define TLS_PRIORITIES    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct rf_desk_view rf_ops_borrow(struct rf_ops *ops, struct rf_desk_counts *counts)
{
    struct rf_desk_view view;
    uint64_t made_room = 0;
    size_t connections = rf_guard_count(&ops->guard, &made_room);
    size_t streams = rf_feed_count(&ops->feed);

    rf_mutex_lock(&ops->lock);
    ops->users += ops->inspect != NULL;
    *counts = ops->counts;
    view = (struct rf_desk_view){
        .inspect = ops->inspect, .phase = ops->phase, .leaving = ops->leaving, .counts = counts};
    rf_mutex_unlock(&ops->lock);
    counts->connections = connections;
    counts->made_room = made_room;
    counts->streams = streams;
    return view;
}

void rf_ops_give_back(struct rf_ops *ops, const struct rf_desk_view *view)
{
    if (view->inspect == NULL)
        return;
    rf_mutex_lock(&ops->lock);
    rf_assert(ops->users > 0);
    ops->users--;
    rf_condition_wake_all(&ops->changed);
    rf_mutex_unlock(&ops->lock);
}

/* ---- each quarter of a second ---- */

static bool wait_for_tick(struct rf_ops *ops, rf_ns until)
{
    bool closing = false;

    rf_mutex_lock(&ops->lock);
    while (!ops->closing && rf_condition_wait_until(&ops->changed, &ops->lock, until))
        continue;
    closing = ops->closing;
    rf_mutex_unlock(&ops->lock);
    return !closing;
}

static void write_feed(struct rf_ops *ops, bool with_numbers, bool is_kept)
{
    struct rf_desk_counts counts;
    struct rf_desk_view view = rf_ops_borrow(ops, &counts);
    struct rf_snapshot snapshot = {0};
    struct rf_arena arena;
    struct rf_buffer tick;

    rf_arena_init(&arena, CONNECTION_BYTES);
    rf_buffer_init(&tick, RF_FEED_QUEUE_MAX / 2);
    if (with_numbers) {
        if (view.inspect != NULL)
            view.inspect->ops->snapshot(view.inspect->self, &arena, &snapshot);
        rf_desk_tick(&view, view.inspect == NULL ? NULL : &snapshot, &tick);
        if (tick.overflow)
            rf_buffer_clear(&tick);
    }
    if (is_kept && tick.size > 0)
        rf_feed_keep(&ops->feed, rf_buffer_bytes(&tick));
    rf_feed_write(&ops->feed, view.inspect, rf_buffer_bytes(&tick));
    rf_ops_give_back(ops, &view);
    rf_buffer_deinit(&tick);
    rf_arena_deinit(&arena);
}

/* Cuts who takes too long, and feeds those who listen. */
static void run_ticker(void *argument)
{
    struct rf_ops *ops = argument;
    rf_ns next = rf_clock_monotonic_ns();

    for (unsigned turn = 0;; turn++) {
        size_t cut = 0;

        next += TICK_NS / TICKS_A_SECOND;
        if (!wait_for_tick(ops, next))
            return;
        if (next < rf_clock_monotonic_ns() - TICK_NS)
            next = rf_clock_monotonic_ns(); /* the process was stopped: nothing is made up for */
        cut = rf_guard_sweep(&ops->guard, rf_clock_monotonic_ns());
        if (cut > 0) {
            rf_mutex_lock(&ops->lock);
            ops->counts.cut += cut;
            rf_mutex_unlock(&ops->lock);
        }
        if (rf_feed_count(&ops->feed) > 0 || turn % KEPT_TICKS == 0)
            write_feed(ops, turn % TICKS_A_SECOND == 0, turn % KEPT_TICKS == 0);
    }
}

/* ---- opening ---- */

static void RF_PRINTF(2, 0) log_foreign(void *ops, const char *format, va_list arguments)
{
    char text[RF_ERROR_MESSAGE_MAX];

    (void)ops;
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    rf_log_debug(RF_FIELDS(rf_field_text("said", text)), "http");
}

/* Requests are taken apart by ourselves (request.c), undecoded. */
static size_t leave_escaped(void *ops, struct MHD_Connection *connection, char *text)
{
    (void)ops;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct rf_ops *ops, int listener)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    union {
        const char *given;
        void *asked; /* libmicrohttpd only reads them */
    } certificate = {.given = ops->tls.certificate}, key = {.given = ops->tls.key},
      trust = {.given = ops->tls.client_ca}, priorities = {.given = TLS_PRIORITIES};

    if (ops->tls.certificate == NULL) {
        tls[0].option = MHD_OPTION_END;
    } else {
        flags |= MHD_USE_TLS;
        tls[0].ptr_value = certificate.asked;
        tls[1].ptr_value = key.asked;
        tls[2].ptr_value = priorities.asked;
        if (ops->tls.client_ca != NULL)
            tls[3] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, trust.asked};
    }
    return MHD_start_daemon(
        flags, 0, NULL, NULL, rf_exchange_go_on, ops, /**/
        MHD_OPTION_EXTERNAL_LOGGER, log_foreign, ops, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)RF_GUARD_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, INACTIVE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, ops, MHD_OPTION_URI_LOG_CALLBACK,
        rf_exchange_begin, ops, MHD_OPTION_NOTIFY_COMPLETED, rf_exchange_end, ops,
        MHD_OPTION_NOTIFY_CONNECTION, rf_exchange_connection, ops, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
}

/* Where any port will do, that of the last time: others know this instance by it. */
static bool listen_as_before(struct rf_ops *ops, uint16_t last_port, int *listener)
{
    struct rf_address address = ops->address;
    struct rf_error taken = {0};

    if (last_port == 0)
        return false;
    address.port = last_port;
    if (!rf_address_listen(&address, listener, &taken))
        return false;
    ops->address = address;
    return true;
}

static bool listen_somewhere(struct rf_ops *ops, bool other_port, uint16_t last_port, int *listener,
                             struct rf_error *err)
{
    uint16_t wanted = ops->address.port;

    if ((other_port || wanted == 0) && listen_as_before(ops, last_port, listener))
        return true;
    if (rf_address_listen(&ops->address, listener, err))
        return true;
    if (err->origin_code == EADDRINUSE && other_port && wanted != 0) {
        rf_error_clear(err);
        ops->address.port = 0;
        if (rf_address_listen(&ops->address, listener, err)) {
            rf_log_warning(
                RF_FIELDS(rf_field_int("wanted", wanted), rf_field_int("port", ops->address.port)),
                "another instance on this machine has the port of http.listen: this one "
                "took a free one");
            return true;
        }
    }
    if (err->origin_code == EADDRINUSE)
        return rf_error_wrap(err, "http.listen is taken by another program (ADDRESS:0 takes any "
                                  "port that is free)");
    return rf_error_wrap(err, "http.listen");
}

/* No signal is for libmicrohttpd's threads. */
static bool start(struct rf_ops *ops, const struct rf_ops_options *options, struct rf_error *err)
{
    sigset_t all, before;
    int listener = -1;

    if (!listen_somewhere(ops, options->other_port, options->last_port, &listener, err))
        return false;
    snprintf(ops->address_text, sizeof ops->address_text,
             strchr(ops->address.host, ':') == NULL ? "%s:%u" : "[%s]:%u", ops->address.host,
             ops->address.port);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ops->daemon = start_daemon(ops, listener);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ops->daemon != NULL)
        return true;
    close(listener);
    return rf_error_set(err, RF_ERROR_RETRY, 0, "http.listen: the server does not start");
}

static bool read_secrets(const struct rf_ops_options *options, struct rf_tokens *tokens,
                         struct rf_tls *tls, struct rf_error *err)
{
    bool is_open = options->token_file == NULL && options->client_ca == NULL;

    if (!rf_tls_open(tls, options->certificate, options->key, options->client_ca, err) ||
        (options->token_file != NULL && !rf_tokens_read(options->token_file, tokens, err)))
        return false;
    if (is_open && !rf_address_is_loopback(&options->address))
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "http.listen is %s, which others can reach: that needs http.token_file "
                            "or http.tls.client_ca",
                            options->address.host);
    return true;
}

bool rf_ops_check(const struct rf_ops_options *options, struct rf_error *err)
{
    struct rf_tokens *tokens = calloc(1, sizeof *tokens);
    struct rf_tls tls;
    bool ok = false;

    rf_assert(tokens != NULL);
    ok = read_secrets(options, tokens, &tls, err);
    rf_tls_close(&tls);
    explicit_bzero(tokens, sizeof *tokens);
    free(tokens);
    return ok;
}

bool rf_ops_renew_tokens(struct rf_ops *ops, const char *token_file, struct rf_error *err)
{
    struct rf_tokens *tokens = calloc(1, sizeof *tokens);
    bool ok = false;

    rf_assert(tokens != NULL);
    rf_assert(ops->needs_token);
    ok = rf_tokens_read(token_file, tokens, err);
    if (ok) {
        rf_mutex_lock(&ops->lock);
        ops->tokens = *tokens;
        rf_mutex_unlock(&ops->lock);
    }
    explicit_bzero(tokens, sizeof *tokens);
    free(tokens);
    return ok;
}

static bool start_threads(struct rf_ops *ops, struct rf_error *err)
{
    for (; ops->thread_count < RF_ASKERS; ops->thread_count++) {
        if (!rf_thread_start(&ops->threads[ops->thread_count], "http-ask", rf_ops_ask_run, ops,
                             err))
            return false;
    }
    if (!rf_thread_start(&ops->threads[ops->thread_count], "http-tick", run_ticker, ops, err))
        return false;
    ops->thread_count++;
    return true;
}

static void wake_connection(void *connection)
{
    MHD_resume_connection(connection);
}

struct rf_ops *rf_ops_open(const struct rf_ops_options *options, struct rf_error *err)
{
    struct rf_ops *ops = calloc(1, sizeof *ops);
    bool ok = false;

    rf_assert(ops != NULL);
    ops->desk = (struct rf_desk){
        .version = options->version,
        .app = options->app,
        .instance = options->instance,
        .state_dir = options->state_dir,
        .started_at = rf_clock_wall_ms(),
        .lag_aliases = options->lag_aliases,
        .drops_late = options->drops_late,
        .is_tls = options->certificate != NULL,
        .print_customer = options->print_customer,
    };
    ops->address = options->address;
    ops->needs_token = options->token_file != NULL || options->client_ca != NULL;
    ops->phase = "starting";
    rf_mutex_init(&ops->lock);
    rf_condition_init(&ops->changed);
    rf_guard_init(&ops->guard,
                  rf_address_is_loopback(&ops->address) ? PER_ADDRESS_LOCAL : PER_ADDRESS);
    rf_feed_init(&ops->feed, ops->desk.started_at, wake_connection);
    rf_mutex_lock(&ops->lock); /* nobody is there yet to wait for it */
    ok = read_secrets(options, &ops->tokens, &ops->tls, err);
    rf_mutex_unlock(&ops->lock);
    if (ok && start(ops, options, err) && start_threads(ops, err))
        return ops;
    rf_ops_close(ops);
    return NULL;
}

/* Asked questions are answered first, and streams end: libmicrohttpd may not be stopped while a connection sleeps. */
void rf_ops_close(struct rf_ops *ops)
{
    if (ops == NULL)
        return;
    rf_mutex_lock(&ops->lock);
    ops->closing = true;
    rf_condition_wake_all(&ops->changed);
    rf_mutex_unlock(&ops->lock);
    for (int i = 0; i < ops->thread_count; i++)
        rf_thread_join(&ops->threads[i]);
    rf_feed_close(&ops->feed);
    for (int i = 0; i < CLOSING_TURNS && rf_feed_count(&ops->feed) > 0; i++)
        rf_clock_sleep_ms(CLOSING_TURN_MS); /* so that streams end as they should */
    if (ops->daemon != NULL)
        MHD_stop_daemon(ops->daemon);
    rf_assert(ops->question_count == 0);
    rf_feed_deinit(&ops->feed);
    rf_guard_deinit(&ops->guard);
    rf_condition_deinit(&ops->changed);
    rf_mutex_deinit(&ops->lock);
    rf_tls_close(&ops->tls);
    explicit_bzero(&ops->tokens, sizeof ops->tokens);
    free(ops);
}

const char *rf_ops_address(const struct rf_ops *ops)
{
    return ops->address_text;
}

uint16_t rf_ops_port(const struct rf_ops *ops)
{
    return ops->address.port;
}

void rf_ops_set_phase(struct rf_ops *ops, const char *phase)
{
    rf_mutex_lock(&ops->lock);
    ops->phase = phase;
    rf_mutex_unlock(&ops->lock);
}

void rf_ops_leave(struct rf_ops *ops)
{
    rf_mutex_lock(&ops->lock);
    ops->leaving = true;
    rf_mutex_unlock(&ops->lock);
}

void rf_ops_attach(struct rf_ops *ops, const struct rf_inspect *inspect)
{
    rf_feed_begin_life(&ops->feed, rf_clock_wall_ms());
    rf_mutex_lock(&ops->lock);
    rf_assert(ops->inspect == NULL);
    ops->attached = *inspect;
    ops->inspect = &ops->attached;
    rf_mutex_unlock(&ops->lock);
}

void rf_ops_detach(struct rf_ops *ops, const char *phase)
{
    rf_mutex_lock(&ops->lock);
    ops->inspect = NULL;
    ops->phase = phase;
    while (ops->users > 0)
        rf_condition_wait(&ops->changed, &ops->lock);
    rf_mutex_unlock(&ops->lock);
}
