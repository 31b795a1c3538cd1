/* CPU nanoseconds to decode one record: the decode program and Avro-C, on the same bytes, one after the other.
 *
 * The record is flat: ten fields, 59 bytes; every event of the samples has its like. Seven rounds each, the median
 * is what is printed. */
#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/codec/avro_encode.h"
#include "core/codec/avro_program.h"
#include "edge/formats/avro_schema.h"

#define ROUNDS      7
#define RECORDS     1000000
#define FIELD_COUNT 10

#define SCHEMA                                                                                           \
    "{\"type\":\"record\",\"name\":\"Call\",\"fields\":["                                                \
    "{\"name\":\"id\",\"type\":\"string\"},"                                                             \
    "{\"name\":\"customer\",\"type\":\"string\"},"                                                       \
    "{\"name\":\"started_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"       \
    "{\"name\":\"duration_s\",\"type\":\"double\"},"                                                     \
    "{\"name\":\"direction\",\"type\":{\"type\":\"enum\",\"name\":\"D\",\"symbols\":[\"IN\",\"OUT\"]}}," \
    "{\"name\":\"called\",\"type\":[\"null\",\"string\"]},"                                              \
    "{\"name\":\"cell\",\"type\":\"int\"},"                                                              \
    "{\"name\":\"roaming\",\"type\":\"boolean\"},"                                                       \
    "{\"name\":\"bytes\",\"type\":\"long\"},"                                                            \
    "{\"name\":\"cost\",\"type\":\"double\"}]}"

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *rounds)
{
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    return rounds[ROUNDS / 2];
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_avro: %s\n", what);
    exit(EXIT_FAILURE);
}

static void make_body(const struct rf_schema *schema, struct rf_buffer *body)
{
    const struct rf_value fields[FIELD_COUNT] = {
        rf_value_string(rf_bytes_of_text("cdr-00012345")),
        rf_value_string(rf_bytes_of_text("cust-4711")),
        rf_value_timestamp(1700000000, 123000000),
        rf_value_double(312.5),
        rf_value_string(rf_bytes_of_text("OUT")),
        rf_value_null(),
        rf_value_int(31415),
        rf_value_bool(false),
        rf_value_int(123456),
        rf_value_double(0.25),
    };
    struct rf_error err = {0};

    rf_buffer_init(body, 1000);
    if (!rf_avro_encode(schema, fields, body, &err))
        fail(err.message);
}

static double measure_program(const struct rf_avro_program *program, struct rf_bytes body)
{
    double rounds[ROUNDS];
    struct rf_arena arena;
    struct rf_error err = {0};
    int64_t sum = 0;

    rf_arena_init(&arena, 1U << 16);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();

        for (int i = 0; i < RECORDS; i++) {
            struct rf_value fields[FIELD_COUNT];

            if (!rf_avro_decode(program, body, &arena, fields, &err))
                fail(err.message);
            sum += fields[8].as.integer;
        }
        rounds[round] = (now_ns() - start) / RECORDS;
    }
    rf_arena_deinit(&arena);
    if (sum == 42)
        puts(""); /* the sum has a reader, so the work is not removed */
    return median(rounds);
}

static double measure_avro_c(struct rf_bytes body)
{
    double rounds[ROUNDS];
    avro_schema_t schema = NULL;
    avro_value_iface_t *iface = NULL;
    avro_value_t value;
    avro_reader_t reader = avro_reader_memory(NULL, 0);

    if (avro_schema_from_json_length(SCHEMA, strlen(SCHEMA), &schema) != 0)
        fail(avro_strerror());
    iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &value);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();

        for (int i = 0; i < RECORDS; i++) {
            avro_reader_memory_set_source(reader, (const char *)body.data, (int64_t)body.size);
            if (avro_value_read(reader, &value) != 0)
                fail(avro_strerror());
        }
        rounds[round] = (now_ns() - start) / RECORDS;
    }
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return median(rounds);
}

int main(void)
{
    const bool some[FIELD_COUNT] = {[1] = true, [2] = true, [3] = true};
    const struct rf_schema *schema = NULL;
    const struct rf_avro_program *all_fields = NULL;
    const struct rf_avro_program *three_fields = NULL;
    struct rf_arena arena;
    struct rf_buffer body;
    struct rf_error err = {0};

    rf_arena_init(&arena, 1U << 16);
    if (!rf_avro_schema_parse(&arena, rf_bytes_of_text(SCHEMA), NULL, 0, &schema, &err) ||
        !rf_avro_compile(&arena, schema, schema, NULL, NULL, &all_fields, &err) ||
        !rf_avro_compile(&arena, schema, schema, some, NULL, &three_fields, &err))
        fail(err.message);
    make_body(schema, &body);
    printf("%zu bytes, %d fields; CPU ns per record, median of %d rounds of %d\n", body.size,
           FIELD_COUNT, ROUNDS, RECORDS);
    printf("program, all fields    %7.1f\n", measure_program(all_fields, rf_buffer_bytes(&body)));
    printf("program, three fields  %7.1f\n", measure_program(three_fields, rf_buffer_bytes(&body)));
    printf("Avro-C, value reused   %7.1f\n", measure_avro_c(rf_buffer_bytes(&body)));
    rf_buffer_deinit(&body);
    rf_arena_deinit(&arena);
    return EXIT_SUCCESS;
}
