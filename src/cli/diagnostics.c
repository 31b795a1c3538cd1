#include "cli/diagnostics.h"

#include <string.h>

#include "cli/terminal.h"

#define EXCERPT_POINTS_MAX 120 /* a longer line is shown around the caret */

struct colours {
    const char *error, *warning, *caret, *bold, *off;
};

static const struct colours plain = {"", "", "", "", ""};
static const struct colours bright = {"\033[31m", "\033[35m", "\033[32m", "\033[1m", "\033[0m"};

static const struct colours *colours_for(FILE *out)
{
    return rf_terminal_colour(out) ? &bright : &plain;
}

static const char *next_point(const char *c)
{
    c++;
    while (((unsigned char)*c & 0xC0U) == 0x80U)
        c++;
    return c;
}

static size_t count_points(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text = next_point(text))
        count++;
    return count;
}

static void print_excerpt(FILE *out, const struct rf_diagnostic *diagnostic,
                          const struct colours *colours)
{
    const char *from = diagnostic->excerpt;
    const char *to = NULL;
    size_t total = count_points(from);
    size_t column = diagnostic->column - 1;
    size_t skipped = column > EXCERPT_POINTS_MAX / 2 && total > EXCERPT_POINTS_MAX
                         ? column - EXCERPT_POINTS_MAX / 2
                         : 0;
    size_t shown = total - skipped < EXCERPT_POINTS_MAX ? total - skipped : EXCERPT_POINTS_MAX;
    size_t width = diagnostic->width;

    if (column > total)
        return;
    for (size_t i = 0; i < skipped; i++)
        from = next_point(from);
    to = from;
    for (size_t i = 0; i < shown; i++)
        to = next_point(to);
    fprintf(out, "%6zu | %s%.*s%s\n", diagnostic->line, skipped > 0 ? "..." : "", (int)(to - from),
            from, shown < total - skipped ? "..." : "");
    if (width > shown - (column - skipped))
        width = shown - (column - skipped) > 0 ? shown - (column - skipped) : 1;
    fprintf(out, "       | %s%*s%s^", skipped > 0 ? "   " : "", (int)(column - skipped), "",
            colours->caret);
    for (size_t i = 1; i < width; i++)
        fputc('~', out);
    fprintf(out, "%s\n", colours->off);
}

static void print_one(FILE *out, const struct rf_diagnostic *diagnostic,
                      const struct colours *colours)
{
    bool warning = diagnostic->level == RF_DIAGNOSTIC_WARNING;

    fprintf(out, "%sringfold: %s", colours->bold, diagnostic->file);
    if (diagnostic->line > 0)
        fprintf(out, ":%zu:%zu", diagnostic->line, diagnostic->column);
    fprintf(out, ": %s%s%s%s%s%s\n", warning ? colours->warning : colours->error,
            warning ? "warning: " : "", colours->off, colours->bold, diagnostic->message,
            colours->off);
    if (diagnostic->line > 0 && diagnostic->excerpt != NULL)
        print_excerpt(out, diagnostic, colours);
    if (diagnostic->hint != NULL)
        fprintf(out, "       = %s\n", diagnostic->hint);
}

void rf_diagnostics_print(FILE *out, const struct rf_diagnostics *diagnostics)
{
    const struct colours *colours = colours_for(out);
    size_t shown_errors = 0;

    for (size_t i = 0; i < diagnostics->count; i++) {
        print_one(out, &diagnostics->items[i], colours);
        shown_errors += diagnostics->items[i].level == RF_DIAGNOSTIC_ERROR ? 1 : 0;
    }
    if (diagnostics->error_count > shown_errors)
        fprintf(out, "ringfold: and %zu more errors\n", diagnostics->error_count - shown_errors);
}

static void print_json_text(FILE *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    fprintf(out, ",\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

void rf_diagnostics_print_json(FILE *out, const struct rf_diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct rf_diagnostic *diagnostic = &diagnostics->items[i];
        fprintf(out, "{\"level\":\"%s\"",
                diagnostic->level == RF_DIAGNOSTIC_WARNING ? "warning" : "error");
        print_json_text(out, "file", diagnostic->file);
        if (diagnostic->line > 0)
            fprintf(out, ",\"line\":%zu,\"column\":%zu,\"width\":%zu", diagnostic->line,
                    diagnostic->column, diagnostic->width);
        print_json_text(out, "message", diagnostic->message);
        print_json_text(out, "hint", diagnostic->hint);
        fprintf(out, "}\n");
    }
}
