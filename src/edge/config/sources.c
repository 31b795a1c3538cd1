#include <string.h>

#include "core/base/assert.h"
#include "core/model/format.h"
#include "core/model/plan.h"
#include "core/model/source.h"
#include "core/model/variables.h"
#include "edge/config/build.h"
#include "edge/config/value.h"
#include "edge/formats/avro_schema.h"

const struct rf_schema *rf_build_schema(struct rf_build *build, struct rf_bytes text,
                                        const char *name, struct rf_place place)
{
    const struct rf_schema *schema = NULL;
    struct rf_error err = {0};

    if (!rf_avro_schema_parse(build->arena, text, NULL, 0, &schema, &err)) {
        rf_complain(&build->yaml, place, "the schema %s: %s", name, err.message);
        return NULL;
    }
    if (schema->kind != RF_SCHEMA_RECORD) {
        place.hint = "events and alerts are records: {\"type\": \"record\", ...}";
        rf_complain(&build->yaml, place, "the schema is not that of a record");
        return NULL;
    }
    return schema;
}

/* The newest schema of the topic, where the configuration names no file. */
static bool ask_registry(struct rf_build *build, const struct rf_entry *entry,
                         const struct rf_source_draft *draft, struct rf_bytes *text)
{
    const struct rf_config_environment *environment = build->environment;
    struct rf_place place = rf_place_of(entry->group.key);
    struct rf_error err = {0};

    if (build->draft.config.registry.url == NULL || draft->format != RF_FORMAT_AVRO) {
        place.hint = "schema: FILE";
        rf_complain(&build->yaml, place, "source '%s' has no schema: its fields are not known",
                    entry->name);
        return false;
    }
    if (environment->schema_of == NULL) {
        place.hint = "give it a file to work without the registry (schema: FILE)";
        rf_complain(&build->yaml, place,
                    "the schema of source '%s' is in the registry, which is not asked",
                    entry->name);
        return false;
    }
    if (!environment->schema_of(environment->self, &build->draft.config.registry, draft->topic,
                                build->arena, text, &err)) {
        rf_complain(&build->yaml, place, "the schema of source '%s': %s", entry->name, err.message);
        return false;
    }
    return true;
}

static bool find_schema(struct rf_build *build, struct rf_entry *entry,
                        const struct rf_source_draft *draft, struct rf_source *source)
{
    struct rf_place place = rf_group_place(&entry->group, "schema");
    struct rf_bytes text = {0};
    struct rf_error err = {0};

    if (draft->schema_file == NULL) {
        if (!ask_registry(build, entry, draft, &text))
            return false;
    } else {
        text = rf_path_read(build->arena, draft->schema_file, RF_AVRO_SCHEMA_SIZE_MAX, &err);
        if (text.data == NULL) {
            rf_complain(&build->yaml, place, "%s", err.message);
            return false;
        }
    }
    source->schema_text = (const char *)text.data;
    source->schema = rf_build_schema(
        build, text, draft->schema_file != NULL ? draft->schema_file : draft->topic, place);
    return source->schema != NULL;
}

static int32_t add_field(struct rf_record_type *record, struct rf_field_type *fields,
                         const char *name, const struct rf_type *type)
{
    for (size_t i = 0; i < record->field_count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return -1;
    }
    fields[record->field_count] = (struct rf_field_type){.name = name, .type = type};
    return (int32_t)record->field_count++;
}

static void make_event_type(struct rf_build *build, struct rf_source *source)
{
    const struct rf_type *type = rf_schema_type(build->arena, source->schema);
    const struct rf_record_type *plain = type->record;
    struct rf_record_type *record = rf_arena_alloc(build->arena, sizeof *record);
    struct rf_field_type *fields =
        rf_arena_alloc(build->arena, (source->schema->count + 3) * sizeof *fields);

    rf_assert(type->kind == RF_TYPE_RECORD);
    rf_assert(plain->field_count == source->schema->count);
    for (size_t i = 0; i < plain->field_count; i++)
        fields[i] = plain->fields[i];
    *record = (struct rf_record_type){
        .name = rf_arena_printf(build->arena, "the event of source '%s'", source->name),
        .field_count = plain->field_count,
        .fields = fields};
    source->time_field = add_field(record, fields, "time", &rf_type_timestamp);
    source->kind_field = add_field(record, fields, "kind", &rf_type_string);
    source->source_field = add_field(record, fields, "source", &rf_type_string);
    source->event_type = record;
    build->fields_used[source - build->sources] =
        rf_arena_alloc_zero(build->arena, (source->schema->count + 1) * sizeof(bool));
    source->fields_used = build->fields_used[source - build->sources];
}

static const struct rf_expr *compile(struct rf_build *build, struct rf_entry *entry,
                                     const struct rf_source *source,
                                     const struct rf_yaml_node *node, const struct rf_type *want)
{
    struct rf_scope scope = {
        .variable_count = 1, .source = source, .is_source = true, .for_whom = ""};
    const struct rf_expr *expr = rf_build_entry_expr(build, entry, node, &scope, want);

    rf_build_reads(build, expr, source, NULL, NULL);
    return expr;
}

/* `time` makes event.time, so it cannot read it; the customer and the filter come before it too. */
static void check_own_time(struct rf_build *build, struct rf_entry *entry,
                           const struct rf_source *source, const struct rf_expr *expr,
                           const struct rf_yaml_node *node)
{
    size_t count = 0;
    const struct rf_expr_read *reads = expr == NULL ? NULL : rf_expr_reads(expr, &count);
    struct rf_place place = {0};

    for (size_t i = 0; i < count; i++) {
        if (source->time_field < 0 || reads[i].variable != RF_VARIABLE_EVENT ||
            reads[i].depth == 0 || reads[i].path[0] != (uint32_t)source->time_field)
            continue;
        place = rf_place_of(node);
        place.hint = "name a field of the event, or leave it out for the message's timestamp";
        rf_complain(&build->yaml, place, "event.time is what this expression makes");
        entry->broken = true;
        return;
    }
}

static void check_id(struct rf_build *build, struct rf_entry *entry, const struct rf_source *source,
                     const struct rf_yaml_node *node)
{
    const struct rf_type *type = source->id == NULL ? &rf_type_string : rf_expr_type(source->id);
    struct rf_place place = {0};

    if ((type->kind == RF_TYPE_STRING || type->kind == RF_TYPE_INT || type->kind == RF_TYPE_UINT) &&
        !type->nullable)
        return;
    place = rf_place_of(node);
    place.hint = "string(x) makes a text of it; a value that may be null needs a default";
    rf_complain(&build->yaml, place, "an id has to be a string or an int");
    entry->broken = true;
}

static void compile_expressions(struct rf_build *build, struct rf_entry *entry,
                                const struct rf_source_draft *draft, struct rf_source *source)
{
    source->where = compile(build, entry, source, draft->where, &rf_type_bool);
    source->customer = compile(build, entry, source, draft->customer, &rf_type_string);
    source->time = compile(build, entry, source, draft->time, &rf_type_timestamp);
    source->id = compile(build, entry, source, draft->id, NULL);
    check_own_time(build, entry, source, source->time, draft->time);
    check_id(build, entry, source, draft->id);
    if (source->role == RF_ROLE_ERASE && draft->id != NULL) {
        struct rf_place place = rf_group_place(&entry->group, "id");
        place.hint = "remove it: to erase twice does no harm";
        rf_complain(&build->yaml, place, "an erasure is not de-duplicated");
    }
    if (draft->id == NULL && rf_group_find(&entry->group, "dedup") != NULL) {
        struct rf_place place = rf_group_place(&entry->group, "dedup");
        place.hint = "id: EXPRESSION";
        rf_complain(&build->yaml, place, "'dedup' needs an 'id' to go by");
    }
}

static void build_source(struct rf_build *build, struct rf_entry *entry, size_t i)
{
    struct rf_source_draft *draft = &build->source_drafts[i];
    struct rf_source *source = &build->sources[i];

    if (draft->kind == NULL)
        draft->kind = entry->name;
    *source = (struct rf_source){
        .name = entry->name,
        .topic = draft->topic,
        .kind = draft->kind,
        .role = strcmp(draft->kind, "erase") == 0 ? RF_ROLE_ERASE : RF_ROLE_EVENTS,
        .format = (enum rf_format)draft->format,
        .time_field = -1,
        .kind_field = -1,
        .source_field = -1,
        .dedup = draft->id == NULL ? 0 : draft->dedup,
    };
    if (entry->broken)
        return;
    if (source->format == RF_FORMAT_AVRO && rf_group_find(&build->top, "schema_registry") == NULL) {
        struct rf_place place = rf_group_place(&entry->group, "format");
        place.hint = "set schema_registry: { url: ... }, or take avro-object, avro-raw or json";
        rf_complain(&build->yaml, place, "format avro needs a schema registry");
    }
    if (!find_schema(build, entry, draft, source)) {
        entry->broken = true;
        return;
    }
    make_event_type(build, source);
    compile_expressions(build, entry, draft, source);
}

void rf_build_sources(struct rf_build *build)
{
    struct rf_entries *entries = &build->source_entries;
    size_t count = 0;

    rf_build_entries(build, "sources", entries);
    count = entries->count;
    build->sources = rf_arena_alloc_zero(build->arena, (count + 1) * sizeof *build->sources);
    build->fields_used =
        rf_arena_alloc_zero(build->arena, (count + 1) * sizeof *build->fields_used);
    build->source_drafts =
        rf_arena_alloc_zero(build->arena, (count + 1) * sizeof *build->source_drafts);
    if (count == 0 && build->draft.sources != NULL)
        rf_complain(&build->yaml, rf_group_place(&build->top, "sources"), "there are no sources");
    for (size_t i = 0; i < count; i++)
        rf_build_entry(build, &entries->items[i], "sources.*", &build->source_drafts[i]);
    /* All at once, before any expression: a hint may name any feature. */
    rf_build_entries(build, "features", &build->feature_entries);
    for (size_t i = 0; i < count; i++)
        build_source(build, &entries->items[i], i);
    build->plan->sources = build->sources;
    build->plan->source_count = count;
}
