/* What both halves of the compiler share: operations that gather into blocks, and the pairs of records that
 * have been met. Of this room only; avro_skip.c passes over what nobody wants, avro_program.c reads. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/buffer.h"
#include "core/codec/avro_ops.h"

/* A pair of records that has been, or is being, compiled. */
struct rf_avro_pair {
    const struct rf_schema *writer;
    const struct rf_schema *reader; /* NULL: it is skipped */
    struct rf_avro_block *block;
    const char *failure; /* why it does not resolve; NULL: it does */
};

struct rf_avro_compiler {
    struct rf_arena *arena;
    struct rf_buffer pairs; /* struct rf_avro_pair each */
    size_t pair_count;
    size_t op_count;
    size_t depth;
};

void rf_avro_compiler_init(struct rf_avro_compiler *compiler, struct rf_arena *arena);
void rf_avro_compiler_deinit(struct rf_avro_compiler *compiler);

/* Operations gather in a buffer and move to the arena when their block is complete. */
void rf_avro_open_ops(struct rf_buffer *ops);
size_t rf_avro_count_ops(const struct rf_buffer *ops);
struct rf_avro_op *rf_avro_op_at(const struct rf_buffer *ops, size_t index);
bool rf_avro_append_op(struct rf_avro_compiler *compiler, struct rf_buffer *ops,
                       struct rf_avro_op op, struct rf_error *err);
void rf_avro_close_block(struct rf_avro_compiler *compiler, struct rf_buffer *ops,
                         struct rf_avro_block *block);

/* One level deeper into the schema; the caller takes `depth` back. */
bool rf_avro_enter(struct rf_avro_compiler *compiler, struct rf_error *err);

struct rf_avro_pair *rf_avro_pair_at(struct rf_avro_compiler *compiler, size_t index);
bool rf_avro_find_pair(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                       const struct rf_schema *reader, size_t *index);
bool rf_avro_add_pair(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                      const struct rf_schema *reader, size_t *index, struct rf_error *err);
/* Returns false. */
bool rf_avro_fail_pair(struct rf_avro_compiler *compiler, size_t index, const struct rf_error *err);

/* Appends what passes over one datum of `writer` (avro_skip.c). */
bool rf_avro_append_skip(struct rf_avro_compiler *compiler, const struct rf_schema *writer,
                         struct rf_buffer *ops, struct rf_error *err);
