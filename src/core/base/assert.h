/* Assertions that hold in every build: NDEBUG decides nothing here.
 *
 * They are for mistakes of ours, never for bad input. A failed one prints where the process was in
 * its input (rf_assert_at) and aborts; every store and topic survives that by design. */
#pragma once
#include <stdint.h>

#define rf_assert(condition)                                                                       \
    ((condition) ? (void)0 : rf_assert_failed(__FILE__, __LINE__, #condition))

#ifdef RF_ASSERT_SLOW
#define rf_assert_slow(condition) rf_assert(condition)
#else
#define rf_assert_slow(condition) ((void)0)
#endif

_Noreturn void rf_assert_failed(const char *file, int line, const char *condition);

/* What this thread is working on, printed by a failed assert. `topic` must outlive the work;
 * NULL: nothing in particular. Cheap enough to call for every event. */
void rf_assert_at(const char *topic, int32_t partition, int64_t offset);
