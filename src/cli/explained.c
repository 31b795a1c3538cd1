#include "cli/explained.h"

#include <string.h>

#include "cli/customer_text.h"
#include "core/base/assert.h"
#include "core/codec/explanation_json.h"
#include "core/engine/explain.h"

#define ARENA_CHUNK (16U * 1024)

void rf_explained_append_json(const struct rf_plan *plan, const struct rf_explanation *explanation,
                              struct rf_buffer *out)
{
    static const char end[] = "}\n";

    if (out->overflow)
        return;
    rf_assert(out->size >= strlen(end));
    rf_assert(memcmp(out->data + out->size - strlen(end), end, strlen(end)) == 0);
    out->size -= strlen(end);
    rf_buffer_append_text(out, ",\"explain\":");
    rf_explanation_print_json(plan, explanation, out);
    rf_buffer_append_text(out, end);
}

void rf_explained_print_json(const struct rf_plan *plan, const struct rf_customer *customer,
                             const struct rf_value *values, rf_ms now, struct rf_buffer *out)
{
    struct rf_explainer *explainer = rf_explainer_open(plan);
    struct rf_explanation explanation;
    struct rf_arena arena;

    rf_arena_init(&arena, ARENA_CHUNK);
    rf_customer_print_json(plan, customer, values, now, out);
    rf_explain(explainer, customer, now, &arena, &explanation);
    rf_explained_append_json(plan, &explanation, out);
    rf_arena_deinit(&arena);
    rf_explainer_close(explainer);
}
