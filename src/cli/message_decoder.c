#include "cli/message_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "cli/runtime.h"
#include "core/base/assert.h"
#include "core/base/number.h"
#include "core/codec/avro_decoder.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoders.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/formats/json_decoder.h"
#include "edge/formats/json_dynamic.h"

#define ARENA_CHUNK     (64U * 1024)
#define OWN_PREFIX      "ringfold-"
#define OWN_PREFIX_SIZE (sizeof OWN_PREFIX - 1)

enum topic_kind {
    TOPIC_TYPED, /* its schema is known */
    TOPIC_JSON,  /* JSON without one */
    TOPIC_DEAD_LETTERS,
    TOPIC_OTHER /* what its messages look like */
};

struct rf_message_decoder {
    struct rf_arena arena;
    struct rf_registry *registry;
    struct rf_plan plan; /* a source for each topic, of which only format and schema count */
    struct rf_source *sources;
    enum topic_kind *kinds;
    const struct rf_type **types;
    struct rf_schemas schemas; /* the registry's */
    struct rf_avro_decoder *avro;
    struct rf_json_decoder *json;
    struct rf_decoder *ports; /* by topic */
};

static void describe_changelog(struct rf_message_decoder *decoder, const struct rf_config *config,
                               struct rf_source *source)
{
    const struct rf_customer_codec *codec = rf_customer_codec_make(&decoder->arena, config->plan);

    source->format = config->registry.url == NULL ? RF_FORMAT_AVRO_OBJECT : RF_FORMAT_AVRO;
    source->schema = rf_customer_codec_schema(codec);
    source->schema_text = rf_customer_codec_schema_text(codec);
}

/* Format and schema of a topic, from whatever of the configuration writes or reads it. */
static enum topic_kind describe(struct rf_message_decoder *decoder, const struct rf_config *config,
                                struct rf_source *source)
{
    const struct rf_plan *plan = config->plan;

    source->format = RF_FORMAT_JSON;
    if (strcmp(source->topic, config->topics.dead_letters) == 0)
        return TOPIC_DEAD_LETTERS;
    if (strcmp(source->topic, config->topics.changelog) == 0) {
        describe_changelog(decoder, config, source);
        return TOPIC_TYPED;
    }
    for (size_t i = 0; i < plan->output_count; i++) {
        if (strcmp(source->topic, plan->outputs[i].topic) != 0)
            continue;
        source->format = plan->outputs[i].format;
        source->schema = plan->outputs[i].schema;
        source->schema_text = plan->outputs[i].schema_text;
        return source->schema == NULL ? TOPIC_JSON : TOPIC_TYPED;
    }
    for (size_t i = 0; i < plan->source_count; i++) {
        if (strcmp(source->topic, plan->sources[i].topic) != 0)
            continue;
        source->format = plan->sources[i].format;
        source->schema = plan->sources[i].schema;
        source->schema_text = plan->sources[i].schema_text;
        return TOPIC_TYPED;
    }
    return TOPIC_OTHER;
}

static bool describe_all(struct rf_message_decoder *decoder, const struct rf_config *config,
                         const char *const *topics, struct rf_error *err)
{
    for (size_t i = 0; i < decoder->plan.source_count; i++) {
        struct rf_source *source = &decoder->sources[i];

        source->name = source->topic = topics[i];
        decoder->kinds[i] = describe(decoder, config, source);
        decoder->types[i] = decoder->kinds[i] == TOPIC_TYPED
                                ? rf_schema_type(&decoder->arena, source->schema)
                                : &rf_type_dyn;
        rf_assert(decoder->kinds[i] != TOPIC_TYPED || decoder->types[i]->kind == RF_TYPE_RECORD);
        if (source->format == RF_FORMAT_AVRO_OBJECT &&
            !rf_registry_add(decoder->registry, rf_bytes_of_text(source->schema_text), err))
            return false;
    }
    return true;
}

struct rf_message_decoder *rf_message_decoder_open(const struct rf_config *config,
                                                   const char *const *topics, size_t topic_count,
                                                   struct rf_error *err)
{
    struct rf_message_decoder *decoder = calloc(1, sizeof *decoder);
    struct rf_arena *arena = NULL;

    rf_assert(decoder != NULL);
    arena = &decoder->arena;
    rf_arena_init(arena, ARENA_CHUNK);
    decoder->sources = rf_arena_alloc_zero(arena, topic_count * sizeof *decoder->sources);
    decoder->kinds = rf_arena_alloc_zero(arena, topic_count * sizeof *decoder->kinds);
    decoder->types = rf_arena_alloc_zero(arena, topic_count * sizeof(struct rf_type *));
    decoder->ports = rf_arena_alloc_zero(arena, topic_count * sizeof *decoder->ports);
    decoder->plan = (struct rf_plan){.source_count = topic_count,
                                     .sources = decoder->sources,
                                     .event_bytes_max = config->plan->event_bytes_max};
    if (decoder->plan.event_bytes_max < config->plan->record_bytes_max)
        decoder->plan.event_bytes_max = config->plan->record_bytes_max;
    decoder->registry = rf_runtime_registry_open(config, NULL, NULL, err);
    if (decoder->registry == NULL || !describe_all(decoder, config, topics, err)) {
        rf_message_decoder_close(decoder);
        return NULL;
    }
    decoder->schemas = rf_registry_schemas(decoder->registry);
    decoder->avro = rf_avro_decoder_open(&decoder->plan, &decoder->schemas);
    decoder->json = rf_json_decoder_open(&decoder->plan);
    rf_decoders_assign(&decoder->plan, rf_avro_decoder_port(decoder->avro),
                       rf_json_decoder_port(decoder->json), decoder->ports);
    return decoder;
}

void rf_message_decoder_close(struct rf_message_decoder *decoder)
{
    if (decoder == NULL)
        return;
    if (decoder->avro != NULL)
        rf_avro_decoder_close(decoder->avro);
    if (decoder->json != NULL)
        rf_json_decoder_close(decoder->json);
    if (decoder->registry != NULL)
        rf_registry_close(decoder->registry);
    rf_arena_deinit(&decoder->arena);
    free(decoder);
}

const struct rf_type *rf_message_decoder_type(const struct rf_message_decoder *decoder,
                                              size_t topic)
{
    rf_assert(topic < decoder->plan.source_count);
    return decoder->types[topic];
}

/* ---- messages ---- */

static bool decode_typed(struct rf_message_decoder *decoder, const struct rf_message *message,
                         struct rf_arena *arena, struct rf_value *value, struct rf_error *err)
{
    const struct rf_source *source = &decoder->sources[message->topic];
    const struct rf_decoder *port = &decoder->ports[message->topic];
    struct rf_value *fields = rf_arena_alloc_zero(arena, source->schema->count * sizeof *fields);
    struct rf_record *record = rf_arena_alloc(arena, sizeof *record);

    if (!port->ops->decode(port->self, message->topic, message->value, arena, fields, err))
        return false;
    *record = (struct rf_record){.type = decoder->types[message->topic]->record, .fields = fields};
    *value = rf_value_record(record);
    return true;
}

static struct rf_value text_or_bytes(struct rf_bytes bytes)
{
    if (bytes.data == NULL)
        return rf_value_null();
    return rf_bytes_is_utf8(bytes) ? rf_value_string(bytes) : rf_value_bytes(bytes);
}

/* error-class → error_class, so that `event.error_class` can be written. */
static struct rf_value field_name(struct rf_arena *arena, const char *name)
{
    char *copy = rf_arena_copy_text(arena, name);

    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
    return rf_value_string(rf_bytes_of_text(copy));
}

static struct rf_value number_or_text(struct rf_bytes text)
{
    int64_t number = 0;

    return text.data != NULL && rf_int64_parse(text, &number) ? rf_value_int(number)
                                                              : text_or_bytes(text);
}

/* What ringfold wrote of it, then key and value. Of a header that stands twice the last is ringfold's. */
static struct rf_value letter_value(const struct rf_message *message, struct rf_arena *arena)
{
    struct rf_map *map = rf_arena_alloc(arena, sizeof *map);
    size_t room = message->header_count + 2;
    struct rf_value *keys = rf_arena_alloc(arena, room * sizeof *keys);
    struct rf_value *values = rf_arena_alloc(arena, room * sizeof *values);
    size_t count = 0;

    for (size_t i = 0; i < message->header_count; i++) {
        const struct rf_header *header = &message->headers[i];
        struct rf_value key;
        size_t at = 0;

        if (strncmp(header->name, OWN_PREFIX, OWN_PREFIX_SIZE) != 0)
            continue;
        key = field_name(arena, header->name + OWN_PREFIX_SIZE);
        while (at < count && !rf_value_equal(keys[at], key))
            at++;
        keys[at] = key;
        values[at] = number_or_text(header->value);
        count += at == count ? 1 : 0;
    }
    keys[count] = rf_value_string(rf_bytes_of_text("key"));
    values[count++] = text_or_bytes(message->key);
    keys[count] = rf_value_string(rf_bytes_of_text("value"));
    values[count++] = text_or_bytes(message->value);
    *map = (struct rf_map){.count = count, .keys = keys, .values = values};
    return (struct rf_value){.kind = RF_VALUE_MAP, .as.map = map};
}

bool rf_message_decode(struct rf_message_decoder *decoder, const struct rf_message *message,
                       struct rf_arena *arena, struct rf_value *value, struct rf_error *err)
{
    enum topic_kind kind = decoder->kinds[message->topic];

    if (kind == TOPIC_DEAD_LETTERS) {
        *value = letter_value(message, arena);
        return true;
    }
    if (message->value.data == NULL) {
        *value = rf_value_null();
        return true;
    }
    if (kind == TOPIC_TYPED)
        return decode_typed(decoder, message, arena, value, err);
    if (rf_json_dynamic(message->value, arena, value, err))
        return true;
    if (kind == TOPIC_JSON)
        return false;
    rf_error_clear(err);
    *value = text_or_bytes(message->value);
    return true;
}
