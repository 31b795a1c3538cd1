#include "cli/top_view.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"
#include "core/base/assert.h"
#include "core/base/number.h"

#define LINE_SIZE_MAX  1024
#define BAR_WIDTH_MAX  24
#define HEAD_ROWS      3
#define RULE_ROWS_MAX  6
#define RESTORE_MAX    6
#define LAG_ROWS_LEAST 4

/* ---- reading ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static double number_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static int64_t integer_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void take_tick(struct rf_top_view *view, json_t *tick)
{
    json_decref(view->before);
    view->before = view->tick;
    view->tick = json_incref(tick);
}

/* A line of its own, as `tail` has it. */
static void take_alert(struct rf_top_view *view, const json_t *event)
{
    char *line = view->alerts[view->alert_count++ % RF_TOP_ALERTS_MAX];
    const char *because = text_of(event, "because");
    const char *status = text_of(event, "status");

    snprintf(line, RF_TOP_ALERT_SIZE_MAX, "%.19s  %-8s %s  %s%s%s%s%s",
             text_of(event, "occurred_at"), text_of(event, "severity"), text_of(event, "customer"),
             text_of(event, "rule"), strcmp(status, "RAISED") == 0 ? "" : " ",
             strcmp(status, "RAISED") == 0 ? "" : status, because[0] == '\0' ? "" : ": ", because);
}

void rf_top_view_take(struct rf_top_view *view, const char *name, struct rf_bytes data)
{
    json_t *event = json_loadb((const char *)data.data, data.size, 0, NULL);

    if (json_is_object(event) && strcmp(name, "tick") == 0)
        take_tick(view, event);
    else if (json_is_object(event) && strcmp(name, "derived") == 0)
        take_alert(view, json_object_get(event, "event"));
    json_decref(event);
}

void rf_top_view_deinit(struct rf_top_view *view)
{
    json_decref(view->tick);
    json_decref(view->before);
    view->tick = NULL;
    view->before = NULL;
}

/* ---- lines ---- */

struct page {
    struct rf_buffer *out;
    size_t columns;
    size_t rows_left;
    bool colour;
};

/* One line, cut to the width by characters; what would move the cursor is shown as a point. `style` is a code of
 * terminal.h, or "". */
static void RF_PRINTF(3, 4) line(struct page *page, const char *style, const char *format, ...)
{
    char text[LINE_SIZE_MAX];
    va_list arguments;
    size_t shown = 0;

    if (page->rows_left == 0)
        return;
    page->rows_left--;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    rf_buffer_append_text(page->out, page->colour ? style : "");
    for (const char *c = text; *c != '\0'; c++) {
        bool starts = ((unsigned char)*c & 0xC0U) != 0x80U;

        if (starts && shown++ == page->columns)
            break;
        rf_buffer_append_byte(page->out,
                              (unsigned char)*c < 0x20 || *c == 0x7f ? '.' : (uint8_t)*c);
    }
    rf_buffer_append_text(page->out, page->colour && style[0] != '\0' ? RF_PLAIN "\n" : "\n");
}

/* 950, 1.2k, 31k, 2.9M */
static const char *amount(double number, char text[16])
{
    static const char *const units[] = {"", "k", "M", "G", "T"};
    size_t unit = 0;

    while (number >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        number /= 1000;
        unit++;
    }
    snprintf(text, 16, "%.*f%s", unit > 0 && number < 9.95 ? 1 : 0, number, units[unit]);
    return text;
}

static const char *span(double seconds, char text[16])
{
    uint64_t whole = seconds < 0 ? 0 : (uint64_t)seconds;

    if (whole < 10)
        snprintf(text, 16, "%.1fs", seconds < 0 ? 0 : seconds);
    else if (whole < 120)
        snprintf(text, 16, "%" PRIu64 "s", whole);
    else if (whole < 7200)
        snprintf(text, 16, "%" PRIu64 "m%02" PRIu64 "s", whole / 60, whole % 60);
    else if (whole < 172800)
        snprintf(text, 16, "%" PRIu64 "h%02" PRIu64 "m", whole / 3600, whole / 60 % 60);
    else
        snprintf(text, 16, "%" PRIu64 "d%02" PRIu64 "h", whole / 86400 % 100000, whole / 3600 % 24);
    return text;
}

/* `share` of one, as [####....] in `width` cells; the least share that there is has one. */
static const char *bar(double share, size_t width, char text[BAR_WIDTH_MAX + 3])
{
    size_t full = share <= 0 ? 0 : share >= 1 ? width : (size_t)(share * (double)width);

    rf_assert(width <= BAR_WIDTH_MAX);
    if (full == 0 && share > 0)
        full = 1;
    text[0] = '[';
    for (size_t i = 0; i < width; i++)
        text[1 + i] = i < full ? '#' : '.';
    memcpy(text + 1 + width, "]", 2);
    return text;
}

static const char *style_of(const char *status)
{
    if (strcmp(status, "ok") == 0 || strcmp(status, "ready") == 0 || strcmp(status, "running") == 0)
        return RF_GREEN;
    return strcmp(status, "lagging") == 0 || strcmp(status, "restoring") == 0 ? RF_YELLOW : RF_RED;
}

/* ---- parts ---- */

/* Between the last two ticks, from the histogram's counts below each bound; the bound that `part` of them are below. */
static double commit_quantile(const struct rf_top_view *view, double part)
{
    const json_t *commits = json_object_get(view->tick, "commits");
    const json_t *bounds = json_object_get(commits, "bounds");
    const json_t *counts = json_object_get(commits, "counts");
    const json_t *before = json_object_get(json_object_get(view->before, "commits"), "counts");
    size_t last = json_array_size(counts);
    double total = 0;

    if (last == 0)
        return 0;
    total = (double)(json_integer_value(json_array_get(counts, last - 1)) -
                     json_integer_value(json_array_get(before, last - 1)));
    for (size_t i = 0; total > 0 && i < json_array_size(bounds); i++) {
        double below = (double)(json_integer_value(json_array_get(counts, i)) -
                                json_integer_value(json_array_get(before, i)));

        if (below >= part * total)
            return json_number_value(json_array_get(bounds, i));
    }
    return 0;
}

static void print_head(const struct rf_top_view *view, struct page *page)
{
    const json_t *tick = view->tick;
    const json_t *commits = json_object_get(tick, "commits");
    const char *state = view->trouble != NULL ? view->trouble : text_of(tick, "state");
    char lag[16], rate[16], seconds[16];
    int64_t fresh = integer_of(commits, "committed") -
                    integer_of(json_object_get(view->before, "commits"), "committed");

    line(page, RF_BOLD, "ringfold %s  instance %s  plan %s  %.19s", text_of(tick, "app"),
         text_of(tick, "instance"), text_of(tick, "plan_version"), text_of(tick, "at"));
    line(page, style_of(view->trouble != NULL ? "" : text_of(tick, "state")),
         "%s%s%s  %" PRId64 " of %" PRId64 " tasks ready", state,
         text_of(tick, "reason")[0] == '\0' || view->trouble != NULL ? "" : ": ",
         view->trouble != NULL ? "" : text_of(tick, "reason"), integer_of(tick, "tasks_ready"),
         integer_of(tick, "tasks"));
    line(page, "",
         "behind %s records, %s   folding %s/s   commits %" PRId64
         "/s p50 %.0f ms p99 %.0f ms   dead"
         " letters %" PRId64,
         amount(number_of(tick, "lag_records"), lag), span(number_of(tick, "lag_seconds"), seconds),
         amount(number_of(tick, "rate"), rate), view->before == NULL ? 0 : fresh,
         1000 * commit_quantile(view, 0.5), 1000 * commit_quantile(view, 0.99),
         integer_of(tick, "dead_letters"));
}

/* So that the status, which comes last, is seen on a narrow screen, too. */
static size_t name_width(const struct page *page)
{
    return page->columns >= 80 ? 24 : 8;
}

static void print_lag(const json_t *lag, double most, struct page *page)
{
    char name[64], bars[BAR_WIDTH_MAX + 3], records[16], seconds[16], rate[16];
    size_t width = page->columns >= 100 ? BAR_WIDTH_MAX : 10;
    const char *status = text_of(lag, "status");

    snprintf(name, sizeof name, "%.40s %" PRId64, text_of(lag, "source"),
             integer_of(lag, "partition"));
    line(page, strcmp(status, "ok") == 0 ? "" : style_of(status), "%-*.*s %s %8s %8s %8s/s  %s",
         (int)name_width(page), (int)name_width(page), name,
         bar(most > 0 ? number_of(lag, "records") / most : 0, width, bars),
         amount(number_of(lag, "records"), records), span(number_of(lag, "seconds"), seconds),
         amount(number_of(lag, "rate"), rate), status);
}

/* Those that are furthest behind are sent by the instance; here the first ones that fit, and how many do not. */
static void print_lags(const struct rf_top_view *view, size_t rows, struct page *page)
{
    const json_t *lags = json_object_get(view->tick, "lags");
    size_t count = json_array_size(lags);
    size_t all = (size_t)integer_of(view->tick, "lag_count");
    double most = 0;

    for (size_t i = 0; i < count; i++) {
        double records = number_of(json_array_get(lags, i), "records");
        most = records > most ? records : most;
    }
    line(page, "", "%s", "");
    line(page, RF_BOLD, "%-*s %*s %8s %8s %10s  %s", (int)name_width(page), "PARTITION",
         page->columns >= 100 ? BAR_WIDTH_MAX + 2 : 12, "", "RECORDS", "BEHIND", "RATE", "STATUS");
    if (count > rows)
        count = rows;
    for (size_t i = 0; i < count; i++)
        print_lag(json_array_get(lags, i), most, page);
    if (all > count)
        line(page, RF_DIM, "and %zu more", all - count);
}

static void print_restores(const struct rf_top_view *view, struct page *page)
{
    const json_t *tasks = json_object_get(view->tick, "restore");
    size_t count = json_array_size(tasks);

    if (count == 0)
        return;
    line(page, "", "%s", "");
    for (size_t i = 0; i < count && i < RESTORE_MAX; i++) {
        const json_t *task = json_array_get(tasks, i);
        double target = number_of(task, "target"), left = number_of(task, "remaining");
        char bars[BAR_WIDTH_MAX + 3], records[16], seconds[16];
        const char *blocked = text_of(task, "blocked");

        line(page, RF_YELLOW, "task %-4" PRId64 " %-10s %s %s left, %s %s",
             integer_of(task, "partition"), text_of(task, "state"),
             bar(target > 0 ? 1 - left / target : 0, 10, bars), amount(left, records),
             json_is_number(json_object_get(task, "eta")) ? span(number_of(task, "eta"), seconds)
                                                          : "no telling how long",
             blocked);
    }
}

static void print_rules(const struct rf_top_view *view, struct page *page)
{
    const json_t *rules = json_object_get(view->tick, "rules");
    size_t count = json_array_size(rules);

    if (count == 0)
        return;
    line(page, "", "%s", "");
    line(page, RF_BOLD, "%-32s %-10s %10s %10s", "RULE", "SEVERITY", "RAISED", "ERRORS");
    for (size_t i = 0; i < count && i < RULE_ROWS_MAX; i++) {
        const json_t *rule = json_array_get(rules, i);

        line(page, integer_of(rule, "errors") > 0 ? RF_RED : "",
             "%-32.32s %-10.10s %10" PRId64 " %10" PRId64, text_of(rule, "rule"),
             text_of(rule, "severity"), integer_of(rule, "raised"), integer_of(rule, "errors"));
    }
    if (count > RULE_ROWS_MAX)
        line(page, RF_DIM, "and %zu more", count - RULE_ROWS_MAX);
}

/* The newest first, as many as there is room for. */
static void print_alerts(const struct rf_top_view *view, struct page *page)
{
    size_t kept = view->alert_count < RF_TOP_ALERTS_MAX ? view->alert_count : RF_TOP_ALERTS_MAX;

    if (kept == 0)
        return;
    line(page, "", "%s", "");
    line(page, RF_BOLD, "ALERTS");
    for (size_t i = 0; i < kept && page->rows_left > 0; i++)
        line(page, "", "%s", view->alerts[(view->alert_count - 1 - i) % RF_TOP_ALERTS_MAX]);
}

void rf_top_view_print(const struct rf_top_view *view, size_t columns, size_t rows, bool colour,
                       struct rf_buffer *out)
{
    struct page page = {
        .out = out, .columns = columns, .rows_left = rows == 0 ? SIZE_MAX : rows, .colour = colour};
    size_t lag_rows = SIZE_MAX;

    if (rows != 0)
        lag_rows = rows / 3 > LAG_ROWS_LEAST ? rows / 3 : LAG_ROWS_LEAST;
    if (view->tick == NULL) {
        line(&page, "", "%s", view->trouble != NULL ? view->trouble : "waiting for the instance");
        return;
    }
    print_head(view, &page);
    print_restores(view, &page);
    print_lags(view, lag_rows, &page);
    print_rules(view, &page);
    print_alerts(view, &page);
}
