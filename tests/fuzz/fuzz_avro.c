/* The decode program with fixed schemas: whatever the bytes are, an error or a value that is well-formed
 * and within its limits. The first byte picks the pair of schemas. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/codec/avro_encode.h"
#include "core/codec/avro_program.h"
#include "core/codec/value_json.h"
#include "edge/formats/avro_schema.h"

#define FIELDS_MAX     16

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define F(name, type)  "{\"name\":\"" name "\",\"type\":" type "}"
#define LIST           F("list", "{\"type\":\"array\",\"items\":[\"null\",\"long\",\"string\"]}")
#define MAP            F("map", "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"double\"}}")
#define TREE                                                                                         \
    F("tree",                                                                                        \
      "[\"null\",{\"type\":\"record\",\"name\":\"T\",\"fields\":[" F("l", "[\"null\",\"T\"]") "," F( \
          "v", "\"bytes\"") "," F("r", "{\"type\":\"array\",\"items\":\"T\"}") "]}]")
#define ENUM                                                                                       \
    F("e", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\",\"C\"],\"default\":\"A\"}")
#define TIME F("t", "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}")
#define DECIMAL                                                                                    \
    F("d", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":20,\"scale\":3}")
#define FIXED F("x", "{\"type\":\"fixed\",\"name\":\"X\",\"size\":3}")
#define NULLS F("n", "{\"type\":\"array\",\"items\":\"null\"}")
#define SCALARS                                                                                    \
    F("b", "\"boolean\"")                                                                          \
    "," F("i", "\"int\"") "," F("l", "\"long\"") "," F("f", "\"float\"") "," F("s", "\"string\"")
#define ALL SCALARS "," LIST "," MAP "," TREE "," ENUM "," TIME "," DECIMAL "," FIXED "," NULLS

static const char *const pairs[][2] = {
    {RECORD(ALL), RECORD(ALL)},
    {RECORD(ALL), RECORD(F("s", "\"bytes\"") "," F("l", "\"double\"") "," ENUM)},
    {RECORD(ALL), RECORD("{\"name\":\"none\",\"type\":\"int\",\"default\":1}")},
    {RECORD(TREE), RECORD(TREE)},
    {RECORD(TREE), RECORD("{\"name\":\"none\",\"type\":\"int\",\"default\":1}")},
    {RECORD(LIST "," NULLS), RECORD(NULLS)},
    {RECORD(MAP),
     RECORD(
         F("map",
           "{\"type\":\"map\",\"values\":[\"null\",{\"type\":\"array\",\"items\":\"double\"}]}"))},
    {RECORD(F("self", "\"R\"")), RECORD(F("self", "\"R\""))},
};
#define PAIR_COUNT (sizeof pairs / sizeof *pairs)

static struct rf_arena programs_arena;
static struct rf_arena arena;
static const struct rf_schema *readers[PAIR_COUNT];
static const struct rf_avro_program *programs[PAIR_COUNT];

static const struct rf_schema *parse(const char *text)
{
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    bool ok = rf_avro_schema_parse(&programs_arena, rf_bytes_of_text(text), NULL, 0, &schema, &err);

    rf_assert(ok);
    return schema;
}

static void make_programs(void)
{
    rf_arena_init(&programs_arena, 1U << 16);
    rf_arena_init(&arena, 1U << 16);
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        struct rf_error err = {0};
        bool ok = false;

        readers[i] = parse(pairs[i][1]);
        ok = rf_avro_compile(&programs_arena, parse(pairs[i][0]), readers[i], NULL, NULL,
                             &programs[i], &err);
        rf_assert(ok);
    }
}

/* What was decoded can be encoded by the reader's schema, and decoded again. */
static void check_value(size_t pair, const struct rf_value *fields)
{
    struct rf_buffer body;
    const struct rf_avro_program *program = NULL;
    struct rf_value again[FIELDS_MAX];
    struct rf_error err = {0};

    rf_buffer_init(&body, 64U << 20);
    if (rf_avro_encode(readers[pair], fields, &body, &err)) {
        bool ok =
            rf_avro_compile(&arena, readers[pair], readers[pair], NULL, NULL, &program, &err) &&
            rf_avro_decode(program, rf_buffer_bytes(&body), &arena, again, &err);

        rf_assert(ok);
    }
    rf_buffer_clear(&body);
    for (size_t i = 0; i < readers[pair]->count; i++)
        rf_value_print_json(&body, fields[i]);
    rf_buffer_deinit(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_value fields[FIELDS_MAX];
    struct rf_error err = {0};
    size_t pair = 0;

    if (programs[0] == NULL)
        make_programs();
    if (size == 0)
        return 0;
    pair = data[0] % PAIR_COUNT;
    if (rf_avro_decode(programs[pair], rf_bytes_of(data + 1, size - 1), &arena, fields, &err))
        check_value(pair, fields);
    else
        rf_assert(err.kind == RF_ERROR_RECORD);
    rf_assert(arena.reserved < 64U << 20);
    rf_arena_reset(&arena, 1U << 20);
    return 0;
}
