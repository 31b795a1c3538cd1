#include "core/codec/avro_compiler.h"

#include <string.h>

#include "core/base/assert.h"

/* Two schemas of a few hundred kilobytes can be made to resolve in millions of ways; ours never do. */
#define OPS_MAX    200000
#define BLOCKS_MAX 4000

void rf_avro_compiler_init(struct rf_avro_compiler *compiler, struct rf_arena *arena)
{
    memset(compiler, 0, sizeof *compiler);
    compiler->arena = arena;
    rf_buffer_init(&compiler->pairs, (BLOCKS_MAX + 1) * sizeof(struct rf_avro_pair));
}

void rf_avro_compiler_deinit(struct rf_avro_compiler *compiler)
{
    rf_buffer_deinit(&compiler->pairs);
}

void rf_avro_open_ops(struct rf_buffer *ops)
{
    rf_buffer_init(ops, (OPS_MAX + 1) * sizeof(struct rf_avro_op));
}

size_t rf_avro_count_ops(const struct rf_buffer *ops)
{
    return ops->size / sizeof(struct rf_avro_op);
}

struct rf_avro_op *rf_avro_op_at(const struct rf_buffer *ops, size_t index)
{
    return (struct rf_avro_op *)(void *)ops->data + index;
}

bool rf_avro_append_op(struct rf_avro_compiler *compiler, struct rf_buffer *ops,
                       struct rf_avro_op op, struct rf_error *err)
{
    if (compiler->op_count == OPS_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the schema is too large: over %d operations",
                            OPS_MAX);
    compiler->op_count++;
    rf_buffer_append(ops, &op, sizeof op);
    rf_assert(!ops->overflow);
    return true;
}

void rf_avro_close_block(struct rf_avro_compiler *compiler, struct rf_buffer *ops,
                         struct rf_avro_block *block)
{
    struct rf_avro_op *room = rf_arena_alloc(compiler->arena, ops->size);

    if (ops->size > 0)
        memcpy(room, ops->data, ops->size);
    block->ops = room;
    block->op_count = rf_avro_count_ops(ops);
    rf_buffer_deinit(ops);
}

bool rf_avro_enter(struct rf_avro_compiler *compiler, struct rf_error *err)
{
    if (compiler->depth == RF_SCHEMA_DEPTH_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the schema nests deeper than %d levels",
                            RF_SCHEMA_DEPTH_MAX);
    compiler->depth++;
    return true;
}

struct rf_avro_pair *rf_avro_pair_at(struct rf_avro_compiler *compiler, size_t index)
{
    return (struct rf_avro_pair *)(void *)compiler->pairs.data + index;
}

bool rf_avro_find_pair(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                       const struct rf_schema *reader, size_t *index)
{
    for (size_t i = 0; i < compiler->pair_count; i++) {
        const struct rf_avro_pair *pair = rf_avro_pair_at(compiler, i);

        if (pair->writer == writer && pair->reader == reader) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool rf_avro_add_pair(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                      const struct rf_schema *reader, size_t *index, struct rf_error *err)
{
    struct rf_avro_pair pair = {.writer = writer, .reader = reader};

    if (compiler->pair_count == BLOCKS_MAX)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the schema is too large: over %d records",
                            BLOCKS_MAX);
    pair.block = rf_arena_alloc_zero(compiler->arena, sizeof *pair.block);
    rf_buffer_append(&compiler->pairs, &pair, sizeof pair);
    *index = compiler->pair_count++;
    return true;
}

/* A block that does not resolve may already be part of others, where a record contains itself. It
 * becomes a block that rejects, as the union above it will. */
bool rf_avro_fail_pair(struct rf_avro_compiler *compiler, size_t index, const struct rf_error *err)
{
    struct rf_avro_pair *pair = rf_avro_pair_at(compiler, index);
    struct rf_avro_op *reject = rf_arena_alloc(compiler->arena, sizeof *reject);

    pair->failure = rf_arena_copy_text(compiler->arena, err->message);
    *reject = (struct rf_avro_op){.code = RF_AVRO_REJECT, .as.reason = pair->failure};
    pair->block->ops = reject;
    pair->block->op_count = 1;
    return false;
}
