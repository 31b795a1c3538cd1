/* RE2's regular expressions, as CEL's matches() wants them, on PCRE2.
 *
 * What RE2 does not have (look-around, back references, recursion, possessive and atomic groups) is refused
 * when the pattern is compiled. What PCRE2 does not promise, linear time, is replaced by a limit on
 * backtracking, proportional to the text, and a second attempt that does not backtrack, within the cost left.
 * Beyond both the evaluation fails with "the pattern takes too long on this text". */
#pragma once
#include "core/base/arena.h"
#include "core/expr/function.h"

#define RF_REGEX_PATTERN_MAX 4096 /* bytes */

struct rf_regex;

/* NULL and a message (static or in the arena) where the pattern is no good. The pattern's memory is the
 * arena's. */
const struct rf_regex *rf_regex_compile(struct rf_arena *arena, struct rf_bytes pattern,
                                        const char **message);
/* A bool, true where the pattern is found anywhere in the text; or a failure. */
struct rf_value rf_regex_match(struct rf_eval *eval, const struct rf_regex *regex,
                               struct rf_bytes text);
