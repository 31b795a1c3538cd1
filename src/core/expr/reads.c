/* Which variables, and which fields of records, a program can ever look at. */
#include "core/base/assert.h"
#include "core/expr/program.h"

#define PATH_DEPTH_MAX 32

struct collector {
    struct rf_arena *arena;
    struct rf_expr_read *items;
    size_t count;
    size_t capacity;
};

static bool same(const struct rf_expr_read *a, const struct rf_expr_read *b)
{
    return a->variable == b->variable && a->depth == b->depth &&
           (a->depth == 0 || memcmp(a->path, b->path, a->depth * sizeof *a->path) == 0);
}

static void add(struct collector *collector, struct rf_expr_read read)
{
    for (size_t i = 0; i < collector->count; i++) {
        if (same(&collector->items[i], &read))
            return;
    }
    if (collector->count == collector->capacity) {
        size_t capacity = collector->capacity == 0 ? 8 : collector->capacity * 2;
        struct rf_expr_read *items = rf_arena_alloc(collector->arena, capacity * sizeof *items);

        if (collector->count > 0)
            memcpy(items, collector->items, collector->count * sizeof *items);
        collector->items = items;
        collector->capacity = capacity;
    }
    collector->items[collector->count++] = read;
}

/* The variable at the root of a chain of fields of records, NULL where it is something else. */
static const struct rf_node *root_of(const struct rf_node *node, uint32_t *depth)
{
    *depth = 0;
    while (node->kind == RF_NODE_SELECT && node->resolved == RF_RESOLVED_FIELD) {
        node = node->children[0];
        ++*depth;
    }
    if (node->kind != RF_NODE_IDENT || node->resolved != RF_RESOLVED_VARIABLE)
        return NULL;
    return *depth <= PATH_DEPTH_MAX ? node : NULL;
}

static void add_path(struct collector *collector, const struct rf_node *node,
                     const struct rf_node *root, uint32_t depth)
{
    uint32_t *path = rf_arena_alloc(collector->arena, depth * sizeof *path);
    const char *text = rf_arena_printf(collector->arena, "%.*s", (int)root->name.size,
                                       (const char *)root->name.data);
    const struct rf_node *nodes[PATH_DEPTH_MAX];

    for (uint32_t i = depth; i > 0; i--) {
        nodes[i - 1] = node;
        node = node->children[0];
    }
    for (uint32_t i = 0; i < depth; i++) {
        path[i] = nodes[i]->index;
        text = rf_arena_printf(collector->arena, "%s.%.*s", text, (int)nodes[i]->name.size,
                               (const char *)nodes[i]->name.data);
    }
    add(collector,
        (struct rf_expr_read){.variable = root->index, .depth = depth, .path = path, .text = text});
}

static void collect(struct collector *collector, const struct rf_node *node)
{
    uint32_t depth = 0;
    const struct rf_node *root = root_of(node, &depth);

    if (root != NULL) {
        add_path(collector, node, root, depth);
        return;
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        collect(collector, node->children[i]);
}

void rf_reads_collect(struct rf_arena *arena, const struct rf_node *root, struct rf_expr *expr)
{
    struct collector collector = {.arena = arena};

    collect(&collector, root);
    expr->reads = collector.items;
    expr->read_count = collector.count;
}
