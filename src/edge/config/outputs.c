#include <string.h>

#include "core/base/assert.h"
#include "core/codec/derived_codec.h"
#include "core/model/format.h"
#include "core/model/output.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/config/build.h"
#include "edge/config/value.h"
#include "edge/formats/avro_schema.h"

#define FORMAT_UNSET (-1)

static bool find_schema(struct rf_build *build, struct rf_entry *entry,
                        const struct rf_output_draft *draft, struct rf_output *output)
{
    struct rf_place place = rf_group_place(&entry->group, "schema");
    struct rf_bytes text = {0};
    struct rf_error err = {0};

    if (draft->schema_file == NULL)
        return true;
    text = rf_path_read(build->arena, draft->schema_file, RF_AVRO_SCHEMA_SIZE_MAX, &err);
    if (text.data == NULL) {
        rf_complain(&build->yaml, place, "%s", err.message);
        return false;
    }
    output->schema_text = (const char *)text.data;
    output->schema = rf_build_schema(build, text, draft->schema_file, place);
    return output->schema != NULL;
}

static bool find_format(struct rf_build *build, struct rf_entry *entry,
                        const struct rf_output_draft *draft, struct rf_output *output)
{
    /* A registry that is written badly was complained of. */
    bool registry = rf_group_find(&build->top, "schema_registry") != NULL;
    struct rf_place place = rf_group_place(&entry->group, "format");

    output->format = (enum rf_format)draft->format;
    if (draft->format == FORMAT_UNSET) {
        output->format = output->schema == NULL ? RF_FORMAT_JSON
                         : registry             ? RF_FORMAT_AVRO
                                                : RF_FORMAT_AVRO_OBJECT;
        return true;
    }
    if (output->format == RF_FORMAT_AVRO_RAW) {
        place.hint = "avro (with a registry), avro-object or json";
        rf_complain(&build->yaml, place,
                    "an output cannot be avro-raw: nobody could tell its schema");
        return false;
    }
    if (output->format == RF_FORMAT_AVRO && !registry) {
        place.hint = "set schema_registry: { url: ... }, or take avro-object or json";
        rf_complain(&build->yaml, place, "format avro needs a schema registry");
        return false;
    }
    if (output->format != RF_FORMAT_JSON && output->schema == NULL) {
        place.hint = "schema: FILE, or format: json";
        rf_complain(&build->yaml, place, "output '%s' has no schema", entry->name);
        return false;
    }
    return true;
}

static bool same_messages(const struct rf_output *a, const struct rf_output *b)
{
    if (a->format != b->format || (a->schema == NULL) != (b->schema == NULL))
        return false;
    return a->schema == NULL ||
           rf_schema_fingerprint(a->schema) == rf_schema_fingerprint(b->schema);
}

static void check_topic(struct rf_build *build, size_t i)
{
    const struct rf_output *output = &build->outputs[i];
    struct rf_place place = rf_group_place(&build->output_entries.items[i].group, "topic");

    for (size_t j = 0; j < build->plan->source_count; j++) {
        if (build->sources[j].topic == NULL || strcmp(build->sources[j].topic, output->topic) != 0)
            continue;
        place.hint = "what it emits would come back as its input, without end";
        rf_complain(&build->yaml, place, "topic '%s' is also that of source '%s'", output->topic,
                    build->sources[j].name);
    }
    for (size_t j = 0; j < i; j++) {
        if (build->output_entries.items[j].broken ||
            strcmp(build->outputs[j].topic, output->topic) != 0 ||
            same_messages(&build->outputs[j], output))
            continue;
        place.hint = "give each its topic, or both the same format and schema";
        rf_complain(&build->yaml, place,
                    "outputs '%s' and '%s' write different messages to topic '%s'",
                    build->outputs[j].name, output->name, output->topic);
    }
}

void rf_build_outputs(struct rf_build *build)
{
    struct rf_entries *entries = &build->output_entries;
    size_t count = 0;

    rf_build_entries(build, "outputs", entries);
    count = entries->count;
    build->outputs = rf_arena_alloc_zero(build->arena, (count + 1) * sizeof *build->outputs);
    build->plan->outputs = build->outputs;
    build->plan->output_count = count;
    for (size_t i = 0; i < count; i++) {
        struct rf_entry *entry = &entries->items[i];
        struct rf_output_draft draft = {.format = FORMAT_UNSET};
        build->outputs[i].name = entry->name;
        if (!rf_build_entry(build, entry, "outputs.*", &draft))
            continue;
        build->outputs[i].topic = draft.topic;
        build->outputs[i].keyed_by_rule = draft.key == 1;
        if (!find_schema(build, entry, &draft, &build->outputs[i]) ||
            !find_format(build, entry, &draft, &build->outputs[i])) {
            entry->broken = true;
            continue;
        }
        check_topic(build, i);
    }
}

/* An output's schema is bound to each rule that emits to it: a field that ringfold does not know and that
 * has no default cannot be filled. */
void rf_build_bindings(struct rf_build *build)
{
    for (size_t i = 0; i < build->plan->output_count; i++) {
        struct rf_place place = rf_group_place(&build->output_entries.items[i].group, "schema");
        const struct rf_derived_codec *codec = NULL;
        struct rf_error err = {0};
        if (rf_derived_codec_make(build->arena, build->plan, &build->outputs[i], &codec, &err))
            continue;
        place.hint = "give the field a default, or call it by a name that ringfold fills "
                     "(schemas/README.md)";
        rf_complain(&build->yaml, place, "%s", err.message);
    }
}
