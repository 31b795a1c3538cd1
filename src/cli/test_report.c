#include "cli/test_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/codec/value_json.h"

/* ---- for people ---- */

static bool is_bright(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR");

    return isatty(fileno(out)) && (no_colour == NULL || no_colour[0] == '\0');
}

static const char *colour_of(const char *line)
{
    line += strspn(line, " ");
    if (strncmp(line, "- ", 2) == 0)
        return "\033[31m";
    return strncmp(line, "+ ", 2) == 0 ? "\033[32m" : NULL;
}

static void print_details(FILE *out, const char *details, bool bright)
{
    while (*details != '\0') {
        int size = (int)strcspn(details, "\n");
        const char *colour = bright ? colour_of(details) : NULL;

        fprintf(out, "        %s%.*s%s\n", colour == NULL ? "" : colour, size, details,
                colour == NULL ? "" : "\033[0m");
        details += size;
        details += *details == '\n' ? 1 : 0;
    }
}

void rf_test_report_text(FILE *out, const struct rf_test_result *result, bool quiet)
{
    const struct rf_test_outcome *outcome = &result->outcome;
    bool bright = is_bright(out);

    if (outcome->failure_count == 0) {
        if (!quiet)
            fprintf(out, "%sok%s    %s\n", bright ? "\033[32m" : "", bright ? "\033[0m" : "",
                    result->test->name);
        return;
    }
    fprintf(out, "%sFAIL%s  %s\n", bright ? "\033[1;31m" : "", bright ? "\033[0m" : "",
            result->test->name);
    for (size_t i = 0; i < outcome->failure_count; i++) {
        const struct rf_test_failure *failure = &outcome->failures[i];

        fprintf(out, "      %s:%zu: %s%s%s\n", result->file, failure->line, bright ? "\033[1m" : "",
                failure->message, bright ? "\033[0m" : "");
        print_details(out, failure->details, bright);
    }
}

/* ---- for programs ---- */

static void print_text(struct rf_buffer *out, const char *name, const char *text)
{
    rf_buffer_printf(out, "\"%s\":", name);
    rf_json_print_text(out, rf_bytes_of_text(text));
}

void rf_test_report_json(const struct rf_test_result *result, struct rf_buffer *out)
{
    const struct rf_test_outcome *outcome = &result->outcome;

    rf_buffer_append_byte(out, '{');
    print_text(out, "file", result->file);
    rf_buffer_printf(out, ",\"line\":%zu,", result->test->line);
    print_text(out, "test", result->test->name);
    rf_buffer_printf(out, ",\"result\":\"%s\",\"seconds\":%.6f,\"failures\":[",
                     outcome->failure_count == 0 ? "passed" : "failed", outcome->seconds);
    for (size_t i = 0; i < outcome->failure_count; i++) {
        rf_buffer_printf(out, "%s{\"line\":%zu,", i == 0 ? "" : ",", outcome->failures[i].line);
        print_text(out, "message", outcome->failures[i].message);
        rf_buffer_append_byte(out, ',');
        print_text(out, "details", outcome->failures[i].details);
        rf_buffer_append_byte(out, '}');
    }
    rf_buffer_append_text(out, "]}\n");
}

/* ---- for build servers ---- */

/* XML 1.0 has no way to write most control characters: they become U+FFFD. */
static void print_xml(struct rf_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '<')
            rf_buffer_append_text(out, "&lt;");
        else if (byte == '>')
            rf_buffer_append_text(out, "&gt;");
        else if (byte == '&')
            rf_buffer_append_text(out, "&amp;");
        else if (byte == '"')
            rf_buffer_append_text(out, "&quot;");
        else if (byte == '\n' || byte == '\t')
            rf_buffer_printf(out, "&#%u;", byte);
        else if (byte < 0x20)
            rf_buffer_append_text(out, "\xEF\xBF\xBD");
        else
            rf_buffer_append_byte(out, byte);
    }
}

static void print_attribute(struct rf_buffer *out, const char *name, const char *value)
{
    rf_buffer_printf(out, " %s=\"", name);
    print_xml(out, value);
    rf_buffer_append_byte(out, '"');
}

static void print_case(struct rf_buffer *out, const struct rf_test_result *result)
{
    const struct rf_test_outcome *outcome = &result->outcome;

    rf_buffer_append_text(out, "    <testcase");
    print_attribute(out, "name", result->test->name);
    print_attribute(out, "classname", result->file);
    print_attribute(out, "file", result->file);
    rf_buffer_printf(out, " line=\"%zu\" time=\"%.6f\"%s>\n", result->test->line, outcome->seconds,
                     outcome->failure_count == 0 ? "/" : "");
    for (size_t i = 0; i < outcome->failure_count; i++) {
        const struct rf_test_failure *failure = &outcome->failures[i];

        rf_buffer_append_text(out, "      <failure");
        print_attribute(out, "message", failure->message);
        rf_buffer_append_byte(out, '>');
        print_xml(out, result->file);
        rf_buffer_printf(out, ":%zu: ", failure->line);
        print_xml(out, failure->message);
        rf_buffer_append_byte(out, '\n');
        print_xml(out, failure->details);
        rf_buffer_append_text(out, "</failure>\n");
    }
    if (outcome->failure_count > 0)
        rf_buffer_append_text(out, "    </testcase>\n");
}

/* tests, failures and time of a run of results. */
static void print_totals(struct rf_buffer *out, const struct rf_test_result *const *results,
                         size_t count)
{
    size_t failures = 0;
    double seconds = 0;

    for (size_t i = 0; i < count; i++) {
        failures += results[i]->outcome.failure_count > 0 ? 1 : 0;
        seconds += results[i]->outcome.seconds;
    }
    rf_buffer_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.6f\">\n", count,
                     failures, seconds);
}

void rf_test_report_junit(const struct rf_test_result *const *results, size_t count,
                          struct rf_buffer *out)
{
    rf_buffer_append_text(
        out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ringfold\"");
    print_totals(out, results, count);
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        while (end < count && strcmp(results[end]->file, results[begin]->file) == 0)
            end++;
        rf_buffer_append_text(out, "  <testsuite");
        print_attribute(out, "name", results[begin]->file);
        print_totals(out, results + begin, end - begin);
        for (size_t i = begin; i < end; i++)
            print_case(out, results[i]);
        rf_buffer_append_text(out, "  </testsuite>\n");
    }
    rf_buffer_append_text(out, "</testsuites>\n");
}
