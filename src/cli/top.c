/* ringfold top: what a running instance does, on a terminal, live. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/top_feed.h"
#include "cli/top_view.h"
#include "core/base/assert.h"
#include "edge/sys/clock.h"
#include "edge/sys/file.h"
#include "edge/sys/signal.h"

#define URL_DEFAULT      "http://127.0.0.1:8088"
#define URL_SIZE_MAX     512
#define TURN_MS          250
#define RETRY_MS         1000
#define FIRST_WAIT_NS    INT64_C(10000000000)
#define COLUMNS_FALLBACK 200 /* of plain text */
#define PAGE_SIZE_MAX    (1U << 20)
#define TOKENS_SIZE_MAX  65536
#define ALTERNATE_SCREEN "\033[?1049h\033[?25l"
#define ORDINARY_SCREEN  "\033[?25h\033[?1049l"

struct top_options {
    const char *config, *url, *token_file, *ca_file;
    bool once;
};

struct top {
    struct rf_top_view view;
    struct rf_top_feed *feed;
    struct rf_buffer page;
    struct termios before; /* the terminal's settings */
    bool live, colour, quit;
    char trouble[RF_ERROR_MESSAGE_MAX + 32];
};

/* ---- where ---- */

/* The address of a configuration's http.listen; an instance that listens everywhere is asked on the loopback. */
static bool url_of(const struct rf_config *config, char url[URL_SIZE_MAX], struct rf_error *err)
{
    const char *listen = config->http.listen;
    const char *scheme = config->http.certificate == NULL ? "http" : "https";

    if (listen == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "http.listen is off in %s: an instance has to have it", config->file);
    if (strncmp(listen, "0.0.0.0:", 8) == 0 || strncmp(listen, "[::]:", 5) == 0)
        snprintf(url, URL_SIZE_MAX, "%s://127.0.0.1%s", scheme, strrchr(listen, ':'));
    else
        snprintf(url, URL_SIZE_MAX, "%s://%s", scheme, listen);
    return true;
}

/* The first token of a file as http.token_file is: [NAME:]TOKEN, comments begin with #. */
static bool read_token(const char *path, struct rf_buffer *content, const char **token,
                       struct rf_error *err)
{
    char *at = NULL;

    if (!rf_file_read(path, content, err))
        return false;
    rf_buffer_append_byte(content, '\0');
    at = (char *)content->data;
    for (;;) {
        size_t size = strcspn(at, "\r\n");
        char *colon = memchr(at, ':', size);

        if (size > 0 && at[0] != '#') {
            at[size] = '\0';
            *token = colon == NULL ? at : colon + 1;
            return true;
        }
        if (at[size] == '\0')
            return rf_error_set(err, RF_ERROR_CONFIG, 0, "%s: there is no token in it", path);
        at += size + 1;
    }
}

/* ---- the terminal ---- */

static void enter_screen(struct top *top)
{
    struct termios raw;

    if (!top->live || tcgetattr(STDIN_FILENO, &top->before) != 0) {
        top->live = false;
        return;
    }
    raw = top->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    printf(ALTERNATE_SCREEN);
    fflush(stdout);
}

static void leave_screen(const struct top *top)
{
    if (!top->live)
        return;
    printf(ORDINARY_SCREEN);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &top->before);
}

static void read_keys(struct top *top)
{
    char keys[64];
    ssize_t count = top->live ? read(STDIN_FILENO, keys, sizeof keys) : 0;

    for (ssize_t i = 0; i < count; i++)
        top->quit = top->quit || keys[i] == 'q' || keys[i] == 'Q';
}

static void find_size(size_t *columns, size_t *rows)
{
    struct winsize size;

    *columns = COLUMNS_FALLBACK;
    *rows = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && size.ws_row > 1) {
        *columns = size.ws_col;
        *rows = size.ws_row;
    }
}

/* The whole screen in one write: nothing flickers. Each line wipes what was behind it. */
static void draw(struct top *top)
{
    size_t columns = COLUMNS_FALLBACK, rows = 0;
    struct rf_bytes left;

    if (top->live)
        find_size(&columns, &rows);
    rf_buffer_clear(&top->page);
    rf_top_view_print(&top->view, columns, rows > 1 ? rows - 1 : rows, top->colour, &top->page);
    left = rf_buffer_bytes(&top->page);
    if (top->live)
        printf("\033[H");
    while (left.size > 0) {
        const uint8_t *end = memchr(left.data, '\n', left.size);
        size_t size = end == NULL ? left.size : (size_t)(end - left.data);

        fwrite(left.data, 1, size, stdout);
        printf(top->live ? "\033[K\n" : "\n");
        left = end == NULL ? (struct rf_bytes){0} : rf_bytes_of(end + 1, left.size - size - 1);
    }
    if (top->live)
        printf("\033[J" RF_PLAIN "q quits\033[K");
    fflush(stdout);
}

/* ---- the run ---- */

static void take_event(void *self, const char *name, struct rf_bytes data)
{
    struct top *top = self;

    rf_top_view_take(&top->view, name, data);
}

/* A connection that is lost is made again; what was shown stays, with the reason. */
static bool wait_for_events(struct top *top, struct rf_error *err)
{
    if (rf_top_feed_wait(top->feed, TURN_MS, top->live ? STDIN_FILENO : -1, err)) {
        if (top->view.tick != NULL)
            top->view.trouble = NULL;
        return true;
    }
    if (err->kind != RF_ERROR_RETRY || !top->live)
        return false;
    snprintf(top->trouble, sizeof top->trouble, "%s; trying again", err->message);
    top->view.trouble = top->trouble;
    rf_error_clear(err);
    draw(top);
    rf_signals_wait(RETRY_MS);
    return true;
}

/* Until somebody quits; without a terminal until there is one tick to compare another with. */
static bool watch(struct top *top, struct rf_error *err)
{
    rf_ns until = rf_clock_monotonic_ns() + FIRST_WAIT_NS;

    while (!top->quit && rf_signals_stop_count() == 0) {
        if (!wait_for_events(top, err))
            return false;
        read_keys(top);
        if (top->live)
            draw(top);
        else if (top->view.before != NULL)
            break;
        else if (rf_clock_monotonic_ns() > until)
            return rf_error_set(err, RF_ERROR_RETRY, 0, "the instance says nothing of itself");
    }
    if (!top->live && rf_signals_stop_count() == 0)
        draw(top);
    return true;
}

static int run_top(const struct top_options *options, const char *url, const char *token_file)
{
    struct top *top = calloc(1, sizeof *top);
    struct rf_buffer tokens;
    struct rf_error err = {0};
    struct rf_top_feed_options wanted = {
        .url = url, .ca_file = options->ca_file, .self = top, .event = take_event};
    bool ok = true;
    int status = RF_EXIT_FINE;

    rf_assert(top != NULL);
    rf_buffer_init(&tokens, TOKENS_SIZE_MAX);
    rf_buffer_init(&top->page, PAGE_SIZE_MAX);
    top->live = !options->once && isatty(STDOUT_FILENO) != 0 && isatty(STDIN_FILENO) != 0;
    top->colour = rf_terminal_colour(stdout);
    if (token_file != NULL)
        ok = read_token(token_file, &tokens, &wanted.token, &err);
    top->feed = ok ? rf_top_feed_open(&wanted, &err) : NULL;
    if (top->feed != NULL) {
        enter_screen(top);
        ok = watch(top, &err);
        leave_screen(top);
    }
    ok = ok && top->feed != NULL;
    status = ok ? RF_EXIT_FINE : rf_command_failed(&err);
    rf_top_feed_close(top->feed);
    rf_top_view_deinit(&top->view);
    rf_buffer_deinit(&top->page);
    rf_buffer_deinit(&tokens);
    free(top);
    return status;
}

static int use_configuration(struct rf_configuration *configuration, void *self)
{
    const struct top_options *options = self;
    struct rf_error err = {0};
    char url[URL_SIZE_MAX];

    if (!url_of(configuration->config, url, &err)) {
        fprintf(stderr, "ringfold: %s\n", err.message);
        return RF_EXIT_USAGE;
    }
    return run_top(options, url,
                   options->token_file != NULL ? options->token_file
                                               : configuration->config->http.token_file);
}

static int run(int argc, char **argv)
{
    struct top_options options = {0};
    const struct rf_option known[] = {
        {"config", 'c', .text = &options.config},
        {"url", 0, .text = &options.url},
        {"token-file", 0, .text = &options.token_file},
        {"ca-file", 0, .text = &options.ca_file},
        {"once", 0, .flag = &options.once},
        {.name = NULL},
    };
    struct rf_configuration_options reading = {0};
    struct rf_error err = {0};

    if (rf_options_take(argc, argv, known) != RF_EXIT_FINE)
        return RF_EXIT_USAGE;
    if (optind < argc)
        return rf_command_usage("top", "what is '%s'?", argv[optind]);
    if (options.url != NULL && options.config != NULL)
        return rf_command_usage("top", "--url or -c FILE, not both");
    if (!rf_signals_catch(&err))
        return rf_command_failed(&err);
    if (options.config != NULL)
        return rf_configuration_use(options.config, &reading, use_configuration, &options);
    return run_top(&options, options.url != NULL ? options.url : URL_DEFAULT, options.token_file);
}

const struct rf_command rf_command_top = {
    .name = "top",
    .summary = "a running instance, live: lag, rates, commits, restores, alerts",
    .help =
        "usage: ringfold top [--url URL | -c FILE] [--token-file FILE] [--once]\n"
        "\n"
        "Shows what an instance says of itself each second, over its HTTP endpoint: how far each partition\n"
        "is behind and how fast it goes, how long commits take, what restores, which rules fire, and the\n"
        "last alerts. q quits. Where standard output is no terminal, or with --once, it is plain text, once.\n"
        "\n"
        "      --url URL          of the instance; default: http://127.0.0.1:8088\n"
        "  -c, --config FILE      take address and token from http.listen and http.token_file there\n"
        "      --token-file FILE  a file whose first line is the token, or NAME:TOKEN\n"
        "      --ca-file FILE     certificates to trust, PEM; default: the system's\n"
        "      --once             plain text, once\n"
        "\n"
        "Exit status: 0 fine, 1 no instance answers, 2 wrong usage, or it wants another token.\n"
        "\n"
        "example: ringfold top --url http://127.0.0.1:8088\n",
    .run = run,
};
