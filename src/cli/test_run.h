/* One test: its events through the task, and what differs from what it expects. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/codec/customer_codec.h"
#include "core/codec/decoder.h"
#include "core/engine/engine.h"
#include "core/engine/explain.h"
#include "edge/config/tests.h"

/* What the tests of one configuration share. */
struct rf_test_bench {
    const struct rf_config *config;
    const struct rf_customer_codec *codec;
    const struct rf_decoder *decoders; /* by source */
    struct rf_engine *engine;          /* for the features */
    struct rf_explainer *explainer;
    struct rf_value *values; /* room for all features */
};

/* An expectation that did not come true. */
struct rf_test_failure {
    size_t line;
    const char *message; /* one line */
    const char *details; /* lines, each with its end; differences begin with - and + */
};

#define RF_TEST_FAILURES_MAX 20

struct rf_test_outcome {
    size_t failure_count; /* 0: passed */
    struct rf_test_failure failures[RF_TEST_FAILURES_MAX];
    double seconds;
};

/* Texts are made in `arena`. It begins without customers. */
void rf_test_run(const struct rf_test_bench *bench, const struct rf_test_case *test,
                 struct rf_arena *arena, struct rf_test_outcome *outcome);
