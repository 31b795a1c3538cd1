#include "edge/registry/answer.h"

#include <jansson.h>
#include <string.h>

#include "core/base/assert.h"

#define STATUS_OK             200
#define SERVER_TEXT_MAX       200
#define FIRST_BYTES_SHOWN_MAX 40

static const struct {
    int64_t code; /* of the registry, or the HTTP status where it gives none */
    enum rf_error_kind kind;
    const char *words;
} faults[] = {
    {40401, RF_ERROR_RECORD, "the registry has no such subject"},
    {40402, RF_ERROR_RECORD, "the registry has no such version of the subject"},
    {40403, RF_ERROR_RECORD, "the registry has no such schema"},
    {40901, RF_ERROR_CONFIG, "the schema is not compatible with an earlier version of the subject"},
    {42201, RF_ERROR_CONFIG, "the registry does not take it for a schema"},
    {42202, RF_ERROR_CONFIG, "the registry does not take it for a version"},
    {42203, RF_ERROR_CONFIG, "the registry does not take it for a compatibility level"},
    {42205, RF_ERROR_CONFIG, "the registry takes nothing new at present"},
    {42209, RF_ERROR_CONFIG, "the registry does not take a reference of the schema"},
    {401, RF_ERROR_CONFIG, "the registry does not know who is asking: see user and password"},
    {403, RF_ERROR_CONFIG, "the registry does not allow it"},
    {404, RF_ERROR_CONFIG, "not found, and not as a registry says it: is this its address?"},
    {409, RF_ERROR_CONFIG, "the schema is not compatible with an earlier version of the subject"},
};

/* {"error_code": 40403, "message": "Schema 7 not found"}; 0 and "" where it is something else. */
static int64_t fault_code(const struct rf_http_answer *answer, char *text, size_t text_max)
{
    json_error_t ignored;
    json_t *root = json_loadb((const char *)answer->body.data, answer->body.size,
                              JSON_REJECT_DUPLICATES, &ignored);
    int64_t code = json_integer_value(json_object_get(root, "error_code"));
    const char *message = json_string_value(json_object_get(root, "message"));

    snprintf(text, text_max, "%s", message == NULL ? "" : message);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' '; /* an error is one line */
    }
    json_decref(root);
    return code;
}

bool rf_registry_answer_check(const struct rf_http_answer *answer, const char *what,
                              struct rf_error *err)
{
    char text[SERVER_TEXT_MAX];
    int64_t code = 0;
    enum rf_error_kind kind = RF_ERROR_CONFIG;
    const char *words = "the registry refuses it";

    if (answer->too_large)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s: %s answers more than %zu bytes", what,
                            answer->url, RF_HTTP_ANSWER_SIZE_MAX);
    if (answer->status == STATUS_OK)
        return true;
    code = fault_code(answer, text, sizeof text);
    if (code == 0)
        code = answer->status;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].code == code) {
            kind = faults[i].kind;
            words = faults[i].words;
        }
    }
    return rf_error_set(err, kind, (int32_t)code, "%s: %s (%s, %lld)%s%s", what, words, answer->url,
                        (long long)code, text[0] == '\0' ? "" : ": ", text);
}

static bool not_an_answer(const struct rf_http_answer *answer, struct rf_error *err)
{
    char first[FIRST_BYTES_SHOWN_MAX + 1];
    size_t size =
        answer->body.size < FIRST_BYTES_SHOWN_MAX ? answer->body.size : FIRST_BYTES_SHOWN_MAX;

    for (size_t i = 0; i < size; i++)
        first[i] = answer->body.data[i] >= ' ' && answer->body.data[i] < 0x7f
                       ? (char)answer->body.data[i]
                       : '.';
    first[size] = '\0';
    return rf_error_set(err, RF_ERROR_RETRY, 0, "%s does not answer like a schema registry: %s",
                        answer->url, first);
}

static json_t *load(const struct rf_http_answer *answer)
{
    json_error_t ignored;
    json_t *root = json_loadb((const char *)answer->body.data, answer->body.size,
                              JSON_REJECT_DUPLICATES, &ignored);

    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

static int64_t number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool read_references(const json_t *list, struct rf_arena *arena,
                            struct rf_registry_answer *schema)
{
    size_t count = json_array_size(list);
    struct rf_registry_reference *references = NULL;

    if (count > RF_REFERENCES_MAX)
        return false;
    references = rf_arena_alloc_zero(arena, count * sizeof *references);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        const char *subject = json_string_value(json_object_get(item, "subject"));

        references[i].version = number_of(item, "version");
        if (subject == NULL || references[i].version < 0)
            return false;
        references[i].subject = rf_arena_copy_text(arena, subject);
    }
    schema->reference_count = count;
    schema->references = references;
    return true;
}

static bool read_schema(const struct rf_http_answer *answer, const json_t *root,
                        struct rf_arena *arena, struct rf_registry_answer *schema,
                        struct rf_error *err)
{
    const json_t *text = json_object_get(root, "schema");
    const char *type = json_string_value(json_object_get(root, "schemaType"));

    if (!json_is_string(text))
        return not_an_answer(answer, err);
    if (type != NULL && strcmp(type, "AVRO") != 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "it is a schema of type %.20s, not of Avro",
                            type);
    schema->id = number_of(root, "id");
    schema->version = number_of(root, "version");
    schema->text =
        rf_arena_copy(arena, rf_bytes_of(json_string_value(text), json_string_length(text)));
    if (!read_references(json_object_get(root, "references"), arena, schema))
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "its references cannot be read, or are more than %d",
                            RF_REFERENCES_MAX);
    return true;
}

bool rf_registry_answer_schema(const struct rf_http_answer *answer, struct rf_arena *arena,
                               struct rf_registry_answer *schema, struct rf_error *err)
{
    json_t *root = load(answer);
    bool ok = false;

    *schema = (struct rf_registry_answer){.id = -1, .version = -1};
    ok = root == NULL ? not_an_answer(answer, err) : read_schema(answer, root, arena, schema, err);
    json_decref(root);
    return ok;
}

bool rf_registry_answer_id(const struct rf_http_answer *answer, uint32_t *id, struct rf_error *err)
{
    json_t *root = load(answer);
    int64_t number = number_of(root, "id");

    json_decref(root);
    if (number < 0 || number > INT32_MAX)
        return not_an_answer(answer, err);
    *id = (uint32_t)number;
    return true;
}

bool rf_registry_answer_compatibility(const struct rf_http_answer *answer, struct rf_arena *arena,
                                      const char **level, struct rf_error *err)
{
    json_t *root = load(answer);
    const char *text = json_string_value(json_object_get(root, "compatibilityLevel"));
    bool ok = text != NULL || not_an_answer(answer, err);

    if (ok)
        *level = rf_arena_copy_text(arena, text);
    json_decref(root);
    return ok;
}

const char *rf_registry_question(struct rf_arena *arena, struct rf_bytes text)
{
    json_t *root =
        json_pack("{s:s%,s:s}", "schema", (const char *)text.data, text.size, "schemaType", "AVRO");
    char *dumped = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    const char *question = dumped == NULL ? NULL : rf_arena_copy_text(arena, dumped);

    free(dumped);
    json_decref(root);
    return question;
}
