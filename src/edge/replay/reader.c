#include "edge/replay/reader.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/avro_decoder.h"
#include "edge/formats/csv.h"
#include "edge/formats/json_decoder.h"
#include "edge/formats/ocf.h"
#include "edge/formats/text_file.h"

struct rf_reader {
    const char *path; /* the caller's */
    char separator;   /* CSV; '\0': one JSON object a line */
    struct rf_text_file *text;
    struct rf_ocf_reader *container;
    int64_t number; /* of the container's last datum */
    struct rf_json_decoder *json;
    struct rf_csv_decoder *csv;
    struct rf_avro_decoder *avro;
};

static bool ends_with(const char *text, const char *end)
{
    size_t text_size = strlen(text);
    size_t end_size = strlen(end);

    return text_size >= end_size && strcmp(text + text_size - end_size, end) == 0;
}

static bool open_container(struct rf_reader *reader, const struct rf_plan *plan, uint32_t source,
                           struct rf_error *err)
{
    if (!rf_ocf_open(reader->path, &reader->container, err))
        return false;
    reader->avro = rf_avro_decoder_open(plan, NULL);
    rf_avro_decoder_set_writer(reader->avro, source, rf_ocf_schema(reader->container));
    return true;
}

static bool open_rows(struct rf_reader *reader, const struct rf_plan *plan, uint32_t source,
                      struct rf_error *err)
{
    struct rf_text_record header;
    bool end = false;

    reader->separator = ends_with(reader->path, ".tsv") ? '\t' : ',';
    reader->csv = rf_csv_decoder_open(plan);
    if (!rf_text_file_open(reader->path, plan->event_bytes_max, &reader->text, err) ||
        !rf_text_file_next(reader->text, reader->separator, &header, &end, err))
        return false;
    if (end)
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "%s is empty: its first row has to name the columns", reader->path);
    return rf_csv_decoder_bind(reader->csv, source, header.text, reader->separator, err) ||
           rf_error_wrap(err, "%s", reader->path);
}

struct rf_reader *rf_reader_open(const struct rf_plan *plan, uint32_t source, const char *path,
                                 struct rf_error *err)
{
    struct rf_reader *reader = calloc(1, sizeof *reader);
    bool ok = false;

    rf_assert(reader != NULL);
    reader->path = path;
    if (ends_with(path, ".avro")) {
        ok = open_container(reader, plan, source, err);
    } else if (ends_with(path, ".csv") || ends_with(path, ".tsv")) {
        ok = open_rows(reader, plan, source, err);
    } else {
        reader->json = rf_json_decoder_open(plan);
        ok = rf_text_file_open(path, plan->event_bytes_max, &reader->text, err);
    }
    if (ok)
        return reader;
    rf_reader_close(reader);
    return NULL;
}

void rf_reader_close(struct rf_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->text != NULL)
        rf_text_file_close(reader->text);
    if (reader->container != NULL)
        rf_ocf_close(reader->container);
    if (reader->json != NULL)
        rf_json_decoder_close(reader->json);
    if (reader->csv != NULL)
        rf_csv_decoder_close(reader->csv);
    if (reader->avro != NULL)
        rf_avro_decoder_close(reader->avro);
    free(reader);
}

bool rf_reader_next(struct rf_reader *reader, struct rf_bytes *payload, int64_t *number, bool *end,
                    struct rf_error *err)
{
    struct rf_text_record record;

    if (reader->container != NULL) {
        *number = ++reader->number;
        return rf_ocf_next(reader->container, payload, end, err);
    }
    if (!rf_text_file_next(reader->text, reader->separator, &record, end, err))
        return false;
    if (*end)
        return true;
    *payload = record.text;
    *number = (int64_t)record.line;
    return true;
}

struct rf_decoder rf_reader_decoder(const struct rf_reader *reader)
{
    if (reader->avro != NULL)
        return rf_avro_decoder_port(reader->avro);
    if (reader->csv != NULL)
        return rf_csv_decoder_port(reader->csv);
    rf_assert(reader->json != NULL);
    return rf_json_decoder_port(reader->json);
}
