#include "core/codec/avro_program.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/codec/avro_compiler.h"
#include "core/codec/avro_resolve.h"

static bool compile_value(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, struct rf_avro_op *op,
                          struct rf_error *err);

static bool mismatch(const struct rf_schema *writer, const struct rf_schema *reader,
                     struct rf_error *err)
{
    const char *writer_kind = rf_schema_kind_name(writer->kind);
    const char *reader_kind = rf_schema_kind_name(reader->kind);

    if (writer->kind != reader->kind || writer->name == NULL)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s cannot be read as %s", writer_kind,
                            reader_kind);
    if (writer->kind == RF_SCHEMA_FIXED && writer->count != reader->count)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "fixed %s of %zu bytes cannot be read as fixed %s of %zu", writer->name,
                            writer->count, reader->name, reader->count);
    return rf_error_set(err, RF_ERROR_RECORD, 0,
                        "%s %s cannot be read as %s %s, which has no such alias", writer_kind,
                        writer->name, reader_kind, reader->name);
}

enum unit_class {
    UNIT_NONE,
    UNIT_INSTANT,
    UNIT_TIME,
    UNIT_DECIMAL
};

static enum unit_class unit_class_of(const struct rf_schema *schema)
{
    switch (schema->logical) {
    case RF_LOGICAL_DATE:
    case RF_LOGICAL_TIMESTAMP_MILLIS:
    case RF_LOGICAL_TIMESTAMP_MICROS:
    case RF_LOGICAL_TIMESTAMP_NANOS:
        return UNIT_INSTANT;
    case RF_LOGICAL_TIME_MILLIS:
    case RF_LOGICAL_TIME_MICROS:
        return UNIT_TIME;
    case RF_LOGICAL_DECIMAL:
        return UNIT_DECIMAL;
    case RF_LOGICAL_NONE:
    case RF_LOGICAL_UUID:
        return UNIT_NONE;
    }
    return UNIT_NONE;
}

static void compile_decimal(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                            int32_t scale, struct rf_avro_op *op)
{
    struct rf_avro_decimal *decimal = NULL;

    if (writer->kind != RF_SCHEMA_FIXED) {
        op->code = RF_AVRO_DECIMAL;
        op->as.scale = scale;
        return;
    }
    decimal = rf_arena_alloc(compiler->arena, sizeof *decimal);
    *decimal = (struct rf_avro_decimal){.scale = scale, .size = writer->count};
    op->code = RF_AVRO_DECIMAL_FIXED;
    op->as.decimal = decimal;
}

/* `unit`: the schema that says what the writer's number counts. */
static void compile_unit(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                         const struct rf_schema *unit, struct rf_avro_op *op)
{
    op->code = unit_class_of(unit) == UNIT_TIME ? RF_AVRO_TIME : RF_AVRO_INSTANT;
    switch (unit->logical) {
    case RF_LOGICAL_DATE:
        op->code = RF_AVRO_DATE;
        return;
    case RF_LOGICAL_TIME_MILLIS:
    case RF_LOGICAL_TIMESTAMP_MILLIS:
        op->as.units = INT64_C(1000);
        return;
    case RF_LOGICAL_TIME_MICROS:
    case RF_LOGICAL_TIMESTAMP_MICROS:
        op->as.units = INT64_C(1000000);
        return;
    case RF_LOGICAL_TIMESTAMP_NANOS:
        op->as.units = INT64_C(1000000000);
        return;
    case RF_LOGICAL_DECIMAL:
        compile_decimal(compiler, writer, unit->scale, op);
        return;
    case RF_LOGICAL_NONE:
    case RF_LOGICAL_UUID:
        rf_assert(false);
        return;
    }
}

static enum rf_avro_code code_of(const struct rf_schema *writer, const struct rf_schema *reader)
{
    bool to_double = reader->kind == RF_SCHEMA_FLOAT || reader->kind == RF_SCHEMA_DOUBLE;

    switch (writer->kind) {
    case RF_SCHEMA_NULL:
        return RF_AVRO_NULL;
    case RF_SCHEMA_BOOLEAN:
        return RF_AVRO_BOOLEAN;
    case RF_SCHEMA_INT:
        return to_double ? RF_AVRO_INTEGER_TO_DOUBLE : RF_AVRO_INT;
    case RF_SCHEMA_LONG:
        return to_double ? RF_AVRO_INTEGER_TO_DOUBLE : RF_AVRO_LONG;
    case RF_SCHEMA_FLOAT:
        return RF_AVRO_FLOAT;
    case RF_SCHEMA_DOUBLE:
        return RF_AVRO_DOUBLE;
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
        return reader->kind == RF_SCHEMA_STRING ? RF_AVRO_STRING : RF_AVRO_BYTES;
    case RF_SCHEMA_FIXED:
        return RF_AVRO_FIXED;
    case RF_SCHEMA_RECORD:
    case RF_SCHEMA_ENUM:
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
    case RF_SCHEMA_UNION:
        break;
    }
    rf_assert(false);
    return RF_AVRO_REJECT;
}

static bool compile_scalar(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                           const struct rf_schema *reader, struct rf_avro_op *op,
                           struct rf_error *err)
{
    enum unit_class written = unit_class_of(writer);
    enum unit_class wanted = unit_class_of(reader);

    if (wanted != UNIT_NONE && written != UNIT_NONE && written != wanted)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the logical types of writer and reader contradict each other");
    if (wanted != UNIT_NONE) {
        compile_unit(compiler, writer, written == UNIT_NONE ? reader : writer, op);
        return true;
    }
    op->code = (uint8_t)code_of(writer, reader);
    if (op->code == RF_AVRO_FIXED)
        op->as.size = writer->count;
    return true;
}

static struct rf_value value_of_symbol(const struct rf_schema *reader, const char *symbol)
{
    int32_t found = reader->default_symbol;

    for (size_t i = 0; i < reader->count; i++) {
        if (strcmp(reader->symbols[i], symbol) == 0) {
            found = (int32_t)i;
            break;
        }
    }
    if (found < 0)
        return rf_value_null();
    return rf_value_string(rf_bytes_of_text(reader->symbols[found]));
}

static void compile_enum(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                         const struct rf_schema *reader, struct rf_avro_op *op)
{
    struct rf_avro_enumeration *enumeration = rf_arena_alloc(compiler->arena, sizeof *enumeration);
    struct rf_value *symbols = rf_arena_alloc(compiler->arena, writer->count * sizeof *symbols);

    for (size_t i = 0; i < writer->count; i++)
        symbols[i] = value_of_symbol(reader, writer->symbols[i]);
    *enumeration = (struct rf_avro_enumeration){.count = writer->count, .symbols = symbols};
    op->code = RF_AVRO_ENUM;
    op->as.enumeration = enumeration;
}

/* A record's least size is taken as 0: it may contain itself. */
static size_t size_min_of(const struct rf_schema *writer)
{
    switch (writer->kind) {
    case RF_SCHEMA_NULL:
    case RF_SCHEMA_RECORD:
        return 0;
    case RF_SCHEMA_FLOAT:
        return 4;
    case RF_SCHEMA_DOUBLE:
        return 8;
    case RF_SCHEMA_FIXED:
        return writer->count;
    case RF_SCHEMA_BOOLEAN:
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
    case RF_SCHEMA_ENUM:
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
    case RF_SCHEMA_UNION:
        return 1;
    }
    return 0;
}

static bool compile_items(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, struct rf_avro_op *op,
                          struct rf_error *err)
{
    struct rf_avro_items *items = rf_arena_alloc_zero(compiler->arena, sizeof *items);

    items->has_keys = writer->kind == RF_SCHEMA_MAP;
    items->item_size_min = size_min_of(writer->element) + (items->has_keys ? 1 : 0);
    op->code = items->has_keys ? RF_AVRO_MAP : RF_AVRO_ARRAY;
    op->as.items = items;
    return compile_value(compiler, writer->element, reader->element, &items->element, err);
}

/* A branch that does not resolve is refused when a value of it comes; where none does, here: `reason` is the last. */
static bool end_union(struct rf_avro_op *op, const struct rf_avro_choice *choice, size_t resolved,
                      const struct rf_error *reason, struct rf_error *err)
{
    if (resolved == 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "no branch of the writer's union resolves: %s",
                            reason->message);
    op->code = RF_AVRO_UNION;
    op->as.choice = choice;
    return true;
}

static bool compile_union(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, struct rf_avro_op *op,
                          struct rf_error *err)
{
    struct rf_avro_choice *choice = rf_arena_alloc(compiler->arena, sizeof *choice);
    struct rf_avro_op *branches =
        rf_arena_alloc_zero(compiler->arena, writer->count * sizeof *branches);
    struct rf_error reason = {0};
    size_t resolved = 0;

    for (size_t i = 0; i < writer->count; i++) {
        rf_error_clear(&reason);
        if (compile_value(compiler, writer->branches[i], reader, &branches[i], &reason)) {
            resolved++;
            continue;
        }
        branches[i] = (struct rf_avro_op){
            .code = RF_AVRO_REJECT,
            .as.reason = rf_arena_copy_text(compiler->arena, reason.message),
        };
    }
    *choice = (struct rf_avro_choice){.count = writer->count, .branches = branches};
    return end_union(op, choice, resolved, &reason, err);
}

static bool append_default(struct rf_avro_compiler *compiler, const struct rf_schema *reader,
                           size_t index, struct rf_buffer *ops, struct rf_error *err)
{
    const struct rf_schema_field *field = &reader->fields[index];

    if (!field->has_default)
        return rf_error_set(
            err, RF_ERROR_RECORD, 0,
            "field %s: the writer has no such field, and the reader no default for it",
            field->name);
    return rf_avro_append_op(compiler, ops,
                             (struct rf_avro_op){.code = RF_AVRO_CONSTANT,
                                                 .target = (uint32_t)index,
                                                 .as.value = &field->default_value},
                             err);
}

/* What happens to one field of the writer: `target` is the reader's, -1: nobody wants it. */
static bool append_field(struct rf_avro_compiler *compiler, const struct rf_schema_field *written,
                         const struct rf_schema *reader, int32_t target, struct rf_buffer *ops,
                         struct rf_error *err)
{
    struct rf_avro_op op = {0};

    if (target < 0) {
        if (rf_avro_append_skip(compiler, written->type, ops, err))
            return true;
        return rf_error_wrap(err, "field %s", written->name);
    }
    if (!compile_value(compiler, written->type, reader->fields[target].type, &op, err))
        return rf_error_wrap(err, "field %s", reader->fields[target].name);
    op.target = (uint32_t)target;
    return rf_avro_append_op(compiler, ops, op, err);
}

static int32_t target_of(const int32_t *sources, const struct rf_schema *reader, const bool *used,
                         size_t written)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (sources[i] == (int32_t)written && (used == NULL || used[i]))
            return (int32_t)i;
    }
    return -1;
}

static bool compile_block(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, const bool *used,
                          struct rf_avro_block *block, struct rf_error *err)
{
    int32_t *sources = rf_arena_alloc(compiler->arena, reader->count * sizeof *sources);
    struct rf_buffer ops;
    bool ok = true;

    rf_avro_open_ops(&ops);
    rf_avro_match_fields(writer, reader, sources);
    for (size_t i = 0; ok && i < writer->count; i++)
        ok = append_field(compiler, &writer->fields[i], reader, target_of(sources, reader, used, i),
                          &ops, err);
    for (size_t i = 0; ok && i < reader->count; i++) {
        if (sources[i] < 0 && (used == NULL || used[i]))
            ok = append_default(compiler, reader, i, &ops, err);
    }
    if (!ok) {
        rf_buffer_deinit(&ops);
        return false;
    }
    rf_avro_close_block(compiler, &ops, block);
    return true;
}

static bool compile_record(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                           const struct rf_schema *reader, struct rf_avro_op *op,
                           struct rf_error *err)
{
    struct rf_avro_block *block = NULL;
    size_t index = 0;

    op->code = RF_AVRO_RECORD;
    if (rf_avro_find_pair(compiler, writer, reader, &index)) {
        if (rf_avro_pair_at(compiler, index)->failure != NULL)
            return rf_error_set(err, RF_ERROR_RECORD, 0, "%s",
                                rf_avro_pair_at(compiler, index)->failure);
        op->as.block = rf_avro_pair_at(compiler, index)->block;
        return true;
    }
    if (!rf_avro_add_pair(compiler, writer, reader, &index, err))
        return false;
    block = rf_avro_pair_at(compiler, index)->block;
    block->type = rf_schema_type(compiler->arena, reader)->record;
    op->as.block = block;
    if (!compile_block(compiler, writer, reader, NULL, block, err))
        return rf_avro_fail_pair(compiler, index, err);
    return true;
}

static bool compile_match(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, struct rf_avro_op *op,
                          struct rf_error *err)
{
    if (rf_avro_match(writer, reader) == RF_AVRO_MATCH_NONE)
        return mismatch(writer, reader, err);
    if (writer->kind == RF_SCHEMA_RECORD)
        return compile_record(compiler, writer, reader, op, err);
    if (writer->kind == RF_SCHEMA_ARRAY || writer->kind == RF_SCHEMA_MAP)
        return compile_items(compiler, writer, reader, op, err);
    if (writer->kind != RF_SCHEMA_ENUM)
        return compile_scalar(compiler, writer, reader, op, err);
    compile_enum(compiler, writer, reader, op);
    return true;
}

static bool compile_value(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, struct rf_avro_op *op,
                          struct rf_error *err)
{
    bool ok = false;

    if (!rf_avro_enter(compiler, err))
        return false;
    if (writer->kind == RF_SCHEMA_UNION) {
        ok = compile_union(compiler, writer, reader, op, err);
    } else if (reader->kind == RF_SCHEMA_UNION) {
        const struct rf_schema *branch = rf_avro_find_branch(reader, writer);

        ok = branch == NULL
                 ? rf_error_set(err, RF_ERROR_RECORD, 0, "no branch of the reader's union takes %s",
                                rf_schema_kind_name(writer->kind))
                 : compile_match(compiler, writer, branch, op, err);
    } else {
        ok = compile_match(compiler, writer, reader, op, err);
    }
    compiler->depth--;
    return ok;
}

/* The outermost record fills the caller's fields, and only those that are wanted. */

static bool compile_entry_record(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                                 const struct rf_schema *reader, const bool *used,
                                 struct rf_avro_op *op, struct rf_error *err)
{
    struct rf_avro_block *block = rf_arena_alloc_zero(compiler->arena, sizeof *block);

    if (writer->kind != RF_SCHEMA_RECORD || rf_avro_match(writer, reader) == RF_AVRO_MATCH_NONE)
        return mismatch(writer, reader, err);
    op->code = RF_AVRO_RECORD;
    op->as.block = block;
    return compile_block(compiler, writer, reader, used, block, err);
}

static bool compile_entry(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                          const struct rf_schema *reader, const bool *used, struct rf_avro_op *op,
                          struct rf_error *err)
{
    struct rf_avro_choice *choice = NULL;
    struct rf_avro_op *branches = NULL;
    struct rf_error reason = {0};
    size_t resolved = 0;

    if (writer->kind != RF_SCHEMA_UNION)
        return compile_entry_record(compiler, writer, reader, used, op, err);
    choice = rf_arena_alloc(compiler->arena, sizeof *choice);
    branches = rf_arena_alloc_zero(compiler->arena, writer->count * sizeof *branches);
    for (size_t i = 0; i < writer->count; i++) {
        rf_error_clear(&reason);
        if (compile_entry_record(compiler, writer->branches[i], reader, used, &branches[i],
                                 &reason)) {
            resolved++;
            continue;
        }
        branches[i].code = RF_AVRO_REJECT;
        branches[i].as.reason = rf_arena_copy_text(compiler->arena, reason.message);
    }
    *choice = (struct rf_avro_choice){.count = writer->count, .branches = branches};
    return end_union(op, choice, resolved, &reason, err);
}

bool rf_avro_compile(struct rf_arena *arena, const struct rf_schema *writer,
                     const struct rf_schema *reader, const bool *used,
                     const struct rf_avro_limits *limits, const struct rf_avro_program **program,
                     struct rf_error *err)
{
    struct rf_avro_compiler compiler;
    struct rf_avro_program *made = rf_arena_alloc_zero(arena, sizeof *made);
    bool ok = false;

    rf_assert(reader->kind == RF_SCHEMA_RECORD);
    made->reader = reader;
    made->limits = limits == NULL ? RF_AVRO_LIMITS_DEFAULT : *limits;
    rf_assert(made->limits.depth_max <= RF_SCHEMA_DEPTH_MAX);
    rf_avro_compiler_init(&compiler, arena);
    ok = compile_entry(&compiler, writer, reader, used, &made->entry, err);
    rf_avro_compiler_deinit(&compiler);
    if (!ok)
        return rf_error_wrap(err, "resolving what %s wrote to the reader's %s",
                             writer->name == NULL ? "a union" : writer->name, reader->name);
    *program = made;
    return true;
}
