#include "core/base/assert.h"
#include "core/codec/avro_compiler.h"
#include "core/codec/avro_program.h"

#define INLINE_OPS_MAX 8 /* a skipped record this small is passed over in place */

/* Neighbours of a fixed size are passed over in one step, and so are neighbouring integers. */
static bool append_skip_op(struct rf_avro_compiler *compiler, struct rf_buffer *ops,
                           struct rf_avro_op op, struct rf_error *err)
{
    struct rf_avro_op *last =
        rf_avro_count_ops(ops) == 0 ? NULL : rf_avro_op_at(ops, rf_avro_count_ops(ops) - 1);
    bool adds_up = op.code == RF_AVRO_SKIP_SIZE || op.code == RF_AVRO_SKIP_INTEGER;

    if (adds_up && op.as.size == 0)
        return true;
    if (adds_up && last != NULL && last->code == op.code) {
        last->as.size += op.as.size;
        return true;
    }
    return rf_avro_append_op(compiler, ops, op, err);
}

static bool compile_skip_block(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                               struct rf_avro_block *block, struct rf_error *err)
{
    struct rf_buffer ops;

    rf_avro_open_ops(&ops);
    if (!rf_avro_append_skip(compiler, writer, &ops, err)) {
        rf_buffer_deinit(&ops);
        return false;
    }
    rf_avro_close_block(compiler, &ops, block);
    return true;
}

static bool compile_skip_record(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                                struct rf_avro_block *block, struct rf_error *err)
{
    struct rf_buffer ops;
    bool ok = true;

    rf_avro_open_ops(&ops);
    for (size_t i = 0; ok && i < writer->count; i++)
        ok = rf_avro_append_skip(compiler, writer->fields[i].type, &ops, err);
    if (!ok) {
        rf_buffer_deinit(&ops);
        return false;
    }
    rf_avro_close_block(compiler, &ops, block);
    return true;
}

static bool append_skip_record(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                               struct rf_buffer *ops, struct rf_error *err)
{
    struct rf_avro_block *block = NULL;
    size_t index = 0;
    bool ok = true;

    if (!rf_avro_find_pair(compiler, writer, NULL, &index)) {
        if (!rf_avro_add_pair(compiler, writer, NULL, &index, err))
            return false;
        if (!compile_skip_record(compiler, writer, rf_avro_pair_at(compiler, index)->block, err))
            return rf_avro_fail_pair(compiler, index, err);
    }
    block = rf_avro_pair_at(compiler, index)->block;
    if (block->ops == NULL || block->op_count > INLINE_OPS_MAX)
        return rf_avro_append_op(
            compiler, ops, (struct rf_avro_op){.code = RF_AVRO_SKIP_BLOCK, .as.block = block}, err);
    for (size_t i = 0; ok && i < block->op_count; i++)
        ok = append_skip_op(compiler, ops, block->ops[i], err);
    return ok;
}

static bool append_skip_items(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                              struct rf_buffer *ops, struct rf_error *err)
{
    struct rf_avro_items *items = rf_arena_alloc_zero(compiler->arena, sizeof *items);

    items->has_keys = writer->kind == RF_SCHEMA_MAP;
    if (!compile_skip_block(compiler, writer->element, &items->block, err))
        return false;
    return rf_avro_append_op(
        compiler, ops, (struct rf_avro_op){.code = RF_AVRO_SKIP_ITEMS, .as.items = items}, err);
}

/* A branch of a union is one operation, so a longer one gets a block. */
static bool compile_skip_branch(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                                struct rf_avro_op *op, struct rf_error *err)
{
    struct rf_avro_block *block = rf_arena_alloc_zero(compiler->arena, sizeof *block);

    if (!compile_skip_block(compiler, writer, block, err))
        return false;
    if (block->op_count == 0)
        *op = (struct rf_avro_op){.code = RF_AVRO_SKIP_SIZE};
    else if (block->op_count == 1)
        *op = block->ops[0];
    else
        *op = (struct rf_avro_op){.code = RF_AVRO_SKIP_BLOCK, .as.block = block};
    return true;
}

static bool append_skip_union(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                              struct rf_buffer *ops, struct rf_error *err)
{
    struct rf_avro_choice *choice = rf_arena_alloc(compiler->arena, sizeof *choice);
    struct rf_avro_op *branches = rf_arena_alloc(compiler->arena, writer->count * sizeof *branches);

    for (size_t i = 0; i < writer->count; i++) {
        if (!compile_skip_branch(compiler, writer->branches[i], &branches[i], err))
            return false;
    }
    *choice = (struct rf_avro_choice){.count = writer->count, .branches = branches};
    return rf_avro_append_op(
        compiler, ops, (struct rf_avro_op){.code = RF_AVRO_SKIP_UNION, .as.choice = choice}, err);
}

static bool append_skip_scalar(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                               struct rf_buffer *ops, struct rf_error *err)
{
    struct rf_avro_op op = {.code = RF_AVRO_SKIP_SIZE};

    switch (writer->kind) {
    case RF_SCHEMA_NULL:
        return true;
    case RF_SCHEMA_BOOLEAN:
        op.as.size = 1;
        break;
    case RF_SCHEMA_FLOAT:
        op.as.size = 4;
        break;
    case RF_SCHEMA_DOUBLE:
        op.as.size = 8;
        break;
    case RF_SCHEMA_FIXED:
        op.as.size = writer->count;
        break;
    case RF_SCHEMA_INT:
    case RF_SCHEMA_LONG:
    case RF_SCHEMA_ENUM:
        op.code = RF_AVRO_SKIP_INTEGER;
        op.as.size = 1;
        break;
    case RF_SCHEMA_BYTES:
    case RF_SCHEMA_STRING:
        op.code = RF_AVRO_SKIP_BYTES;
        break;
    case RF_SCHEMA_RECORD:
    case RF_SCHEMA_ARRAY:
    case RF_SCHEMA_MAP:
    case RF_SCHEMA_UNION:
        rf_assert(false);
        break;
    }
    return append_skip_op(compiler, ops, op, err);
}

bool rf_avro_append_skip(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                         struct rf_buffer *ops, struct rf_error *err)
{
    bool ok = false;

    if (!rf_avro_enter(compiler, err))
        return false;
    if (writer->kind == RF_SCHEMA_RECORD)
        ok = append_skip_record(compiler, writer, ops, err);
    else if (writer->kind == RF_SCHEMA_ARRAY || writer->kind == RF_SCHEMA_MAP)
        ok = append_skip_items(compiler, writer, ops, err);
    else if (writer->kind == RF_SCHEMA_UNION)
        ok = append_skip_union(compiler, writer, ops, err);
    else
        ok = append_skip_scalar(compiler, writer, ops, err);
    compiler->depth--;
    return ok;
}

bool rf_avro_skip_compile(struct rf_arena *arena, const struct rf_schema *writer,
                          const struct rf_avro_skip **skip, struct rf_error *err)
{
    struct rf_avro_compiler compiler;
    struct rf_avro_skip *made = rf_arena_alloc_zero(arena, sizeof *made);
    bool ok = false;

    rf_avro_compiler_init(&compiler, arena);
    ok = compile_skip_block(&compiler, writer, &made->block, err);
    rf_avro_compiler_deinit(&compiler);
    if (ok)
        *skip = made;
    return ok;
}
