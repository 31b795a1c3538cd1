#include "edge/formats/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/buffer.h"

#define READ_SIZE 65536

struct rf_text_file {
    FILE *stream;  /* owned, but for standard input */
    char *path;    /* owned */
    uint64_t line; /* of the next byte */
    struct rf_buffer record;
    size_t at, filled; /* in `bytes` */
    bool is_failed;
    uint8_t bytes[READ_SIZE];
};

/* Where in a CSV row a byte stands. */
enum quoting {
    CELL_BEGINS,
    IN_PLAIN,
    IN_QUOTES,
    QUOTE_CLOSES /* or is the first of two */
};

bool rf_text_file_open(const char *path, size_t record_max, struct rf_text_file **file,
                       struct rf_error *err)
{
    bool is_standard = strcmp(path, "-") == 0;
    FILE *stream = is_standard ? stdin : fopen(path, "rb");
    struct rf_text_file *made = NULL;

    if (stream == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, errno, "opening %s: %s", path, strerror(errno));
    made = calloc(1, sizeof *made);
    rf_assert(made != NULL);
    made->stream = stream;
    made->path = strdup(is_standard ? "standard input" : path);
    rf_assert(made->path != NULL);
    made->line = 1;
    rf_buffer_init(&made->record, record_max);
    *file = made;
    return true;
}

void rf_text_file_close(struct rf_text_file *file)
{
    if (file == NULL)
        return;
    if (file->stream != stdin)
        fclose(file->stream);
    rf_buffer_deinit(&file->record);
    free(file->path);
    free(file);
}

const char *rf_text_file_path(const struct rf_text_file *file)
{
    return file->path;
}

/* True while there are bytes in the buffer, after filling it where it was used up. */
static bool has_bytes(struct rf_text_file *file)
{
    if (file->at < file->filled)
        return true;
    file->at = 0;
    file->filled = fread(file->bytes, 1, sizeof file->bytes, file->stream);
    file->is_failed = ferror(file->stream) != 0;
    return file->filled > 0;
}

static void skip_byte_order_mark(struct rf_text_file *file)
{
    if (file->filled == 0 && has_bytes(file) && file->filled >= 3 &&
        memcmp(file->bytes, "\xef\xbb\xbf", 3) == 0)
        file->at = 3;
}

static enum quoting step(enum quoting quoting, uint8_t byte, uint8_t separator)
{
    if (quoting == IN_QUOTES)
        return byte == '"' ? QUOTE_CLOSES : IN_QUOTES;
    if (byte == separator)
        return CELL_BEGINS;
    if (byte == '"' && quoting != IN_PLAIN)
        return IN_QUOTES; /* opens, or is the second of two */
    return IN_PLAIN;
}

/* How much of the buffer belongs to the record; *ended where its line end follows. */
static size_t scan(struct rf_text_file *file, char separator, enum quoting *quoting, bool *ended)
{
    size_t at = file->at;

    if (separator == '\0') {
        const uint8_t *newline = memchr(file->bytes + at, '\n', file->filled - at);

        *ended = newline != NULL;
        return newline == NULL ? file->filled - at : (size_t)(newline - (file->bytes + at));
    }
    for (; at < file->filled; at++) {
        if (file->bytes[at] == '\n' && *quoting != IN_QUOTES)
            break;
        if (file->bytes[at] == '\n')
            file->line++;
        *quoting = step(*quoting, file->bytes[at], (uint8_t)separator);
    }
    *ended = at < file->filled;
    return at - file->at;
}

/* Gathers one record, as long as it may be. False: there are no more bytes. */
static bool gather(struct rf_text_file *file, char separator)
{
    enum quoting quoting = CELL_BEGINS;
    bool ended = false;
    bool any = false;

    rf_buffer_clear(&file->record);
    while (!ended && has_bytes(file)) {
        size_t size = scan(file, separator, &quoting, &ended);

        any = true;
        rf_buffer_append(&file->record, file->bytes + file->at, size);
        file->at += size + (ended ? 1 : 0);
    }
    if (ended)
        file->line++;
    return any;
}

bool rf_text_file_next(struct rf_text_file *file, char separator, struct rf_text_record *record,
                       bool *end, struct rf_error *err)
{
    uint64_t line = 0;
    struct rf_buffer *gathered = &file->record;

    skip_byte_order_mark(file);
    *end = false;
    do {
        line = file->line;
        if (!gather(file, separator)) {
            if (file->is_failed)
                return rf_error_set(err, RF_ERROR_CONFIG, errno, "reading %s", file->path);
            *end = true;
            return true;
        }
        if (gathered->size > 0 && gathered->data[gathered->size - 1] == '\r')
            gathered->size--;
    } while (gathered->size == 0 && !gathered->overflow);
    if (gathered->overflow)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s:%llu: it is longer than %zu bytes",
                            file->path, (unsigned long long)line, gathered->size_max);
    *record = (struct rf_text_record){.text = rf_buffer_bytes(gathered), .line = line};
    return true;
}
