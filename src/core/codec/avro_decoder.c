#include "core/codec/avro_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/avro_program.h"
#include "core/codec/wire.h"
#include "core/model/format.h"
#include "core/model/source.h"

#define ARENA_CHUNK  (64U << 10)
#define ITEMS_MAX    100000
#define DEPTH_MAX    32
#define PROGRAMS_MAX 4096 /* beyond it all are forgotten: a registry has fewer schemas in use */
#define SLOTS_MIN    16

/* What became of a writer's schema, for one source. */
struct program {
    uint64_t key; /* schema id or fingerprint */
    const struct rf_avro_program *code;
    const char *failure; /* why it does not resolve; NULL: it does */
};

struct source {
    enum rf_format format;
    const struct rf_schema *reader;
    const bool *used;
    const struct rf_schema *writer; /* of raw bodies; NULL: the reader */
    struct program raw;             /* of raw bodies; empty: not compiled yet */
    const struct program *last;     /* most messages are of the same schema as the one before */
    struct program *slots; /* owned; open addressing, empty where code and failure are NULL */
    size_t slot_count;     /* a power of two, or 0 */
    size_t program_count;
};

struct rf_avro_decoder {
    struct rf_schemas schemas; /* ops NULL: there are none */
    struct rf_avro_limits limits;
    struct rf_arena arena; /* the programs */
    size_t program_count;
    size_t source_count;
    struct source *sources; /* owned */
};

struct rf_avro_decoder *rf_avro_decoder_open(const struct rf_plan *plan,
                                             const struct rf_schemas *schemas)
{
    struct rf_avro_decoder *decoder = calloc(1, sizeof *decoder);

    rf_assert(decoder != NULL);
    rf_arena_init(&decoder->arena, ARENA_CHUNK);
    decoder->limits = (struct rf_avro_limits){
        .depth_max = DEPTH_MAX, .items_max = ITEMS_MAX, .bytes_max = plan->event_bytes_max};
    if (schemas != NULL)
        decoder->schemas = *schemas;
    decoder->source_count = plan->source_count;
    decoder->sources = calloc(plan->source_count + 1, sizeof *decoder->sources);
    rf_assert(decoder->sources != NULL);
    for (size_t i = 0; i < plan->source_count; i++) {
        decoder->sources[i].format = plan->sources[i].format;
        decoder->sources[i].reader = plan->sources[i].schema;
        decoder->sources[i].used = plan->sources[i].fields_used;
    }
    return decoder;
}

void rf_avro_decoder_close(struct rf_avro_decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (size_t i = 0; i < decoder->source_count; i++)
        free(decoder->sources[i].slots);
    free(decoder->sources);
    rf_arena_deinit(&decoder->arena);
    free(decoder);
}

void rf_avro_decoder_set_writer(struct rf_avro_decoder *decoder, uint32_t source,
                                const struct rf_schema *writer)
{
    rf_assert(source < decoder->source_count);
    decoder->sources[source].writer = writer;
    decoder->sources[source].raw = (struct program){0};
}

static bool is_made(const struct program *program)
{
    return program->code != NULL || program->failure != NULL;
}

/* The slot of a key, or the empty one where it would be. */
static struct program *find_slot(const struct source *source, uint64_t key)
{
    size_t mask = source->slot_count - 1;
    /* ids count up from 1, fingerprints are spread: the low bits of a product serve both */
    size_t slot = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

    while (is_made(&source->slots[slot]) && source->slots[slot].key != key)
        slot = (slot + 1) & mask;
    return &source->slots[slot];
}

static void grow(struct source *source)
{
    struct program *old = source->slots;
    size_t old_count = source->slot_count;

    source->slot_count = old_count == 0 ? SLOTS_MIN : 2 * old_count;
    source->slots = calloc(source->slot_count, sizeof *source->slots);
    rf_assert(source->slots != NULL);
    for (size_t i = 0; i < old_count; i++) {
        if (is_made(&old[i]))
            *find_slot(source, old[i].key) = old[i];
    }
    free(old);
}

static void forget_all(struct rf_avro_decoder *decoder)
{
    for (size_t i = 0; i < decoder->source_count; i++) {
        struct source *source = &decoder->sources[i];

        free(source->slots);
        source->slots = NULL;
        source->slot_count = 0;
        source->program_count = 0;
        source->last = NULL;
        source->raw = (struct program){0};
    }
    rf_arena_reset(&decoder->arena, ARENA_CHUNK);
    decoder->program_count = 0;
}

/* That a schema does not resolve is remembered too: it will not at the next message either. */
static struct program compile(struct rf_avro_decoder *decoder, const struct source *source,
                              const struct rf_schema *writer, uint64_t key)
{
    struct program program = {.key = key};
    struct rf_error reason = {0};

    if (!rf_avro_compile(&decoder->arena, writer, source->reader, source->used, &decoder->limits,
                         &program.code, &reason)) {
        program.code = NULL;
        program.failure = rf_arena_copy_text(&decoder->arena, reason.message);
    }
    return program;
}

static const struct program *add(struct rf_avro_decoder *decoder, struct source *source,
                                 const struct rf_schema *writer, uint64_t key)
{
    struct program *slot = NULL;

    if (decoder->program_count == PROGRAMS_MAX)
        forget_all(decoder);
    if (2 * (source->program_count + 1) > source->slot_count)
        grow(source);
    slot = find_slot(source, key);
    *slot = compile(decoder, source, writer, key);
    source->program_count++;
    decoder->program_count++;
    return slot;
}

static bool find_writer(struct rf_avro_decoder *decoder, const struct rf_wire *wire,
                        const struct rf_schema **writer, struct rf_error *err)
{
    const struct rf_schemas *schemas = &decoder->schemas;

    if (schemas->ops == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "it names its schema, but there is no registry to ask");
    if (wire->format == RF_FORMAT_AVRO)
        return schemas->ops->by_id(schemas->self, wire->id, writer, err);
    return schemas->ops->by_fingerprint(schemas->self, wire->fingerprint, writer, err);
}

static bool find_program(struct rf_avro_decoder *decoder, struct source *source,
                         const struct rf_wire *wire, const struct program **program,
                         struct rf_error *err)
{
    uint64_t key = wire->format == RF_FORMAT_AVRO ? wire->id : wire->fingerprint;
    const struct rf_schema *writer = NULL;
    const struct program *found = source->last;

    if (found == NULL || found->key != key) {
        found = source->slot_count == 0 ? NULL : find_slot(source, key);
        if (found == NULL || !is_made(found)) {
            if (!find_writer(decoder, wire, &writer, err))
                return false;
            source->last = NULL; /* the table may move */
            found = add(decoder, source, writer, key);
        }
        source->last = found;
    }
    *program = found;
    if (found->failure != NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s", found->failure);
    return true;
}

static bool decode_raw(struct rf_avro_decoder *decoder, struct source *source,
                       struct rf_bytes payload, struct rf_arena *arena, struct rf_value *fields,
                       struct rf_error *err)
{
    const struct rf_schema *writer = source->writer == NULL ? source->reader : source->writer;

    if (!is_made(&source->raw))
        source->raw = compile(decoder, source, writer, 0);
    if (source->raw.failure != NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s", source->raw.failure);
    return rf_avro_decode(source->raw.code, payload, arena, fields, err);
}

static bool decode(void *self, uint32_t source_index, struct rf_bytes payload,
                   struct rf_arena *arena, struct rf_value *fields, struct rf_error *err)
{
    struct rf_avro_decoder *decoder = self;
    struct source *source = &decoder->sources[source_index];
    const struct program *program = NULL;
    struct rf_wire wire = {0};
    struct rf_bytes body = {0};

    rf_assert(source_index < decoder->source_count);
    if (payload.data == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the message has no value");
    if (source->writer != NULL || source->format == RF_FORMAT_AVRO_RAW)
        return decode_raw(decoder, source, payload, arena, fields, err);
    if (!rf_wire_read(source->format, payload, &wire, &body, err))
        return false;
    if (!find_program(decoder, source, &wire, &program, err))
        return wire.format == RF_FORMAT_AVRO
                   ? rf_error_wrap(err, "schema %u", wire.id)
                   : rf_error_wrap(err, "schema %016llx", (unsigned long long)wire.fingerprint);
    return rf_avro_decode(program->code, body, arena, fields, err);
}

static const struct rf_decoder_ops ops = {.decode = decode};

struct rf_decoder rf_avro_decoder_port(struct rf_avro_decoder *decoder)
{
    return (struct rf_decoder){.ops = &ops, .self = decoder};
}
