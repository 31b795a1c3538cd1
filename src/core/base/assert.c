#include "core/base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local struct {
    const char *topic;
    int32_t partition;
    int64_t offset;
} at;

void rf_assert_at(const char *topic, int32_t partition, int64_t offset)
{
    at.topic = topic;
    at.partition = partition;
    at.offset = offset;
}

_Noreturn void rf_assert_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "ringfold: %s:%d: does not hold: %s", file, line, condition);
    if (at.topic != NULL)
        fprintf(stderr, " (at %s partition %" PRId32 " offset %" PRId64 ")", at.topic, at.partition,
                at.offset);
    fprintf(stderr, "\n");
    abort();
}
