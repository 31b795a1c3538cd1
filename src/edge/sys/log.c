#include "edge/sys/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/number.h"
#include "edge/sys/clock.h"
#include "edge/sys/pseudonym.h"

#define WINDOW_DEFAULT (10 * RF_SECOND_MS)
#define TEXT_MAX       1024 /* bytes of a message or a field that are shown */
#define TAIL_SIZE      2    /* "}\n" always fits */

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static int out_fd = STDERR_FILENO;
static enum rf_log_level level_least = RF_LOG_INFO;
static bool as_json;
static rf_ns window_ns = WINDOW_DEFAULT * 1000000;
static pthread_once_t setup_once = PTHREAD_ONCE_INIT;
static bool was_set_up;

static pthread_mutex_t limiter = PTHREAD_MUTEX_INITIALIZER;
static struct rf_log_site *holding; /* under limiter: the sites that have held something back */

/* A line that is being written. `full` is sticky: nothing comes behind what found no room. */
struct line {
    size_t size;
    bool full;
    char text[RF_LOG_LINE_MAX];
};

static void setup_default(void)
{
    if (!was_set_up)
        as_json = isatty(out_fd) == 0;
}

void rf_log_setup(const struct rf_log_options *options)
{
    rf_assert(options->fd >= 0);
    rf_assert(options->window >= 0);
    out_fd = options->fd;
    level_least = options->level;
    as_json =
        options->format == RF_LOG_JSON || (options->format == RF_LOG_AUTO && isatty(out_fd) == 0);
    window_ns = (options->window > 0 ? options->window : WINDOW_DEFAULT) * 1000000;
    was_set_up = true;
}

bool rf_log_level_parse(struct rf_bytes text, enum rf_log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (rf_bytes_equal(text, rf_bytes_of_text(level_names[i]))) {
            *level = (enum rf_log_level)i;
            return true;
        }
    }
    return false;
}

static void append(struct line *line, const char *text, size_t size)
{
    if (line->full || size > sizeof line->text - TAIL_SIZE - line->size) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void append_text(struct line *line, const char *text)
{
    append(line, text, strlen(text));
}

/* The size of the well-formed UTF-8 sequence at `at`; 0: there is none. */
static size_t sequence_size(struct rf_bytes text, size_t at)
{
    for (size_t size = 1; size <= 4 && size <= text.size - at; size++) {
        if (rf_bytes_is_utf8(rf_bytes_of(text.data + at, size)))
            return size;
    }
    return 0;
}

/* What would break the line, the reader's terminal or (where the text stands in quotes) these is escaped
 * as in JSON; what is no UTF-8 becomes U+FFFD, byte by byte. */
static void append_escaped(struct line *line, struct rf_bytes text, bool in_quotes)
{
    size_t at = 0;

    while (at < text.size && at < TEXT_MAX) {
        size_t size = sequence_size(text, at);
        uint8_t byte = text.data[at];
        char escaped[8];

        if (size == 0) {
            append_text(line, "\xef\xbf\xbd");
            size = 1;
        } else if (byte < 0x20 || byte == 0x7f) {
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            append_text(line, escaped);
        } else {
            if (in_quotes && (byte == '"' || byte == '\\'))
                append_text(line, "\\");
            append(line, (const char *)text.data + at, size);
        }
        at += size;
    }
    if (at < text.size)
        append_text(line, "…");
}

static void append_quoted(struct line *line, struct rf_bytes text)
{
    append_text(line, "\"");
    append_escaped(line, text, true);
    append_text(line, "\"");
}

/* In a line of text only what could be misread is quoted. */
static bool needs_quotes(struct rf_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] == '"' || text.data[i] == '=' ||
            text.data[i] >= 0x7f)
            return true;
    }
    return text.size == 0;
}

static void append_value_text(struct line *line, struct rf_bytes text)
{
    if (as_json || needs_quotes(text))
        append_quoted(line, text);
    else
        append_escaped(line, text, false);
}

static void append_name(struct line *line, const char *name)
{
    if (as_json) {
        append_text(line, ",");
        append_quoted(line, rf_bytes_of_text(name));
        append_text(line, ":");
        return;
    }
    append_text(line, " ");
    append_text(line, name);
    append_text(line, "=");
}

static void append_integer(struct line *line, int64_t integer)
{
    char text[24];

    append(line, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)integer));
}

static void append_double(struct line *line, double number)
{
    char text[RF_DOUBLE_TEXT_MAX];
    size_t size = rf_double_format(text, sizeof text, number);
    bool finite = number - number == 0;

    if (as_json && !finite) /* JSON has no number for it */
        append_quoted(line, rf_bytes_of(text, size));
    else
        append(line, text, size);
}

static void append_error(struct line *line, const struct rf_error *error)
{
    append_value_text(line, rf_bytes_of_text(error->message));
    append_name(line, "error_kind");
    append_value_text(line, rf_bytes_of_text(rf_error_kind_name(error->kind)));
    if (error->origin_code != 0) {
        append_name(line, "error_code");
        append_integer(line, error->origin_code);
    }
}

static void append_value(struct line *line, const struct rf_log_field *field)
{
    char text[RF_PSEUDONYM_TEXT_MAX];
    size_t size;

    switch (field->kind) {
    case RF_FIELD_INT:
        append_integer(line, field->as.integer);
        break;
    case RF_FIELD_DOUBLE:
        append_double(line, field->as.number);
        break;
    case RF_FIELD_BOOL:
        append_text(line, field->as.boolean ? "true" : "false");
        break;
    case RF_FIELD_TEXT:
        append_value_text(line, field->as.text);
        break;
    case RF_FIELD_CUSTOMER:
        size = rf_pseudonym_format(text, sizeof text, field->as.text);
        append_value_text(line, rf_bytes_of(text, size));
        break;
    case RF_FIELD_ERROR:
        append_error(line, field->as.error);
        break;
    }
}

static void append_head(struct line *line, enum rf_log_level level, struct rf_bytes message)
{
    char time[RF_TIME_TEXT_MAX];
    size_t time_size = rf_time_format_ms(time, sizeof time, rf_clock_wall_ms());

    if (!as_json) {
        append(line, time, time_size);
        append_text(line, " ");
        append_text(line, level_names[level]);
        append(line, "        ", sizeof "warning " - 1 - strlen(level_names[level]));
        append_escaped(line, message, false);
        return;
    }
    append_text(line, "{\"ts\":\"");
    append(line, time, time_size);
    append_text(line, "\",\"level\":\"");
    append_text(line, level_names[level]);
    append_text(line, "\",\"msg\":");
    append_quoted(line, message);
}

static void write_line(enum rf_log_level level, struct rf_bytes message,
                       const struct rf_log_field *fields)
{
    struct line line;
    ssize_t written = 0;

    line.size = 0;
    line.full = false;
    append_head(&line, level, message);
    for (; fields != NULL && fields->name != NULL; fields++) {
        size_t size_before = line.size;

        append_name(&line, fields->name);
        append_value(&line, fields);
        if (line.full)
            line.size = size_before; /* the whole field or nothing of it */
        line.full = false;
    }
    memcpy(line.text + line.size, as_json ? "}\n" : "\n", as_json ? 2 : 1);
    line.size += as_json ? 2 : 1;
    do {
        written = write(out_fd, line.text, line.size);
    } while (written < 0 && errno == EINTR);
}

static void write_summary(const struct rf_log_site *site)
{
    const struct rf_log_field *fields = RF_FIELDS(rf_field_int("repeated", site->held_back),
                                                  rf_field_int("seconds", window_ns / 1000000000));

    write_line(site->level, rf_bytes_of_text(site->message), fields);
}

/* Under limiter. */
static void tell_held_back(rf_ns now, bool all)
{
    struct rf_log_site **link = &holding;

    while (*link != NULL) {
        struct rf_log_site *site = *link;

        if (!all && now - site->window_start < window_ns) {
            link = &site->next_holding;
            continue;
        }
        write_summary(site);
        site->held_back = 0;
        site->written = 0;
        *link = site->next_holding;
        site->next_holding = NULL;
    }
}

void rf_log_flush(bool all)
{
    pthread_once(&setup_once, setup_default);
    pthread_mutex_lock(&limiter);
    tell_held_back(rf_clock_monotonic_ns(), all);
    pthread_mutex_unlock(&limiter);
}

/* Under limiter. Whether the site may write now. */
static bool is_within_limit(struct rf_log_site *site, rf_ns now, const char *message)
{
    if (site->written == 0 || now - site->window_start >= window_ns) {
        site->window_start = now;
        site->written = 0;
    }
    if (site->written < RF_LOG_BURST) {
        site->written++;
        return true;
    }
    if (site->held_back++ == 0) {
        site->next_holding = holding;
        holding = site;
    }
    snprintf(site->message, sizeof site->message, "%.*s", (int)sizeof site->message - 1, message);
    return false;
}

void rf_log_write(struct rf_log_site *site, const struct rf_log_field *fields, const char *format,
                  ...)
{
    char message[TEXT_MAX + 2]; /* one byte more than is shown: it is seen that it was cut */
    va_list arguments;
    bool write = true;

    if (site->level < level_least)
        return;
    pthread_once(&setup_once, setup_default);
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&limiter);
    tell_held_back(rf_clock_monotonic_ns(), false);
    if (site->level > RF_LOG_DEBUG)
        write = is_within_limit(site, rf_clock_monotonic_ns(), message);
    pthread_mutex_unlock(&limiter);
    if (write)
        write_line(site->level, rf_bytes_of_text(message), fields);
}
