/* What became of tests: for people, for programs, for build servers. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "cli/test_run.h"
#include "core/base/buffer.h"

/* One test and what became of it; a list of them is a run. */
struct rf_test_result {
    const char *file;
    const struct rf_test_case *test;
    struct rf_test_outcome outcome;
};

/* A line, and under it what differs; `quiet`: nothing where it passed. */
void rf_test_report_text(FILE *out, const struct rf_test_result *result, bool quiet);
/* One JSON object a line: file, line, test, result, seconds, failures. */
void rf_test_report_json(const struct rf_test_result *result, struct rf_buffer *out);
/* A document of JUnit's form: a suite a file, a case a test. `results` of one file stand together. */
void rf_test_report_junit(const struct rf_test_result *const *results, size_t count,
                          struct rf_buffer *out);
