/* JSON payloads and CSV rows into fields: an error or values, never more. The first byte picks which. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/codec/value_json.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/formats/avro_schema.h"
#include "edge/formats/csv.h"
#include "edge/formats/json_decoder.h"

#define F(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define SCHEMA                                                                                                                                                                                                                                                                          \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" F("i", "[\"null\",\"int\"]") "," F("s", "\"string\"") "," F("t", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}") "," F("d", "[\"null\",\"double\",{\"type\":\"map\",\"values\":[\"null\",\"R\",\"bytes\"]}]") "," F( \
        "e",                                                                                                                                                                                                                                                                            \
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"],\"default\":\"A\"}") "," F("m",                                                                                                                                                                                    \
                                                                                                "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}") "," F("h",                                                                                              \
                                                                                                                                                                                      "{\"type\":\"int\",\"logicalType\":\"time-millis\"}") "]}"
#define FIELD_COUNT 7

static struct rf_source source;
static struct rf_plan plan;
static struct rf_decoder ports[2];
static struct rf_arena arena;

static void open_decoders(void)
{
    static struct rf_arena schema_arena;
    struct rf_csv_decoder *csv = NULL;
    struct rf_error err = {0};
    bool ok = false;

    rf_arena_init(&schema_arena, 1U << 16);
    rf_arena_init(&arena, 1U << 16);
    ok = rf_avro_schema_parse(&schema_arena, rf_bytes_of_text(SCHEMA), NULL, 0, &source.schema,
                              &err);
    rf_assert(ok);
    plan = (struct rf_plan){.source_count = 1, .sources = &source, .event_bytes_max = 1U << 20};
    ports[0] = rf_json_decoder_port(rf_json_decoder_open(&plan));
    csv = rf_csv_decoder_open(&plan);
    ok = rf_csv_decoder_bind(csv, 0, rf_bytes_of_text("i,s,t,d,e,m,h"), ',', &err);
    rf_assert(ok);
    ports[1] = rf_csv_decoder_port(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_value fields[FIELD_COUNT];
    struct rf_decoder port;
    struct rf_error err = {0};

    if (source.schema == NULL)
        open_decoders();
    if (size == 0)
        return 0;
    port = ports[data[0] % 2];
    if (port.ops->decode(port.self, 0, rf_bytes_of(data + 1, size - 1), &arena, fields, &err)) {
        struct rf_buffer text;

        rf_buffer_init(&text, 64U << 20);
        for (size_t i = 0; i < FIELD_COUNT; i++)
            rf_value_print_json(&text, fields[i]);
        rf_buffer_deinit(&text);
    } else {
        rf_assert(err.kind == RF_ERROR_RECORD);
    }
    rf_arena_reset(&arena, 1U << 20);
    return 0;
}
