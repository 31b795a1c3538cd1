#include "core/expr/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/assert.h"

#define BACKTRACKS_MIN     10000
#define BACKTRACKS_A_BYTE  50
#define HEAP_KIBIBYTES_MAX 1024
#define BACKTRACKS_A_STEP  64 /* of cost */
#define REPEAT_MAX         1000
#define NESTING_MAX        100

/* States that pcre2_dfa_match() may keep, in its own unit. */
#define WORKSPACE_COUNT 4096

struct rf_regex {
    pcre2_code *code;
    size_t pattern_size;
};

/* Memory of a match or of a pattern: from an arena, never given back singly. */
struct memory {
    struct rf_arena *arena;
    struct rf_eval *eval; /* NULL while a pattern is compiled before any evaluation */
};

static void *take_memory(PCRE2_SIZE size, void *data)
{
    struct memory *memory = data;

    return memory->eval != NULL ? rf_eval_alloc(memory->eval, size)
                                : rf_arena_alloc(memory->arena, size);
}

static void leave_memory(void *block, void *data)
{
    (void)block;
    (void)data;
}

/* The syntax that PCRE2 has and RE2 has not */

struct scan {
    const uint8_t *at;
    const uint8_t *end;
    const char *message;
    uint32_t nesting;
};

static bool scan_fails(struct scan *scan, const char *message)
{
    scan->message = message;
    return false;
}

/* Behind a backslash. */
static bool scan_escape(struct scan *scan, bool in_class)
{
    static const char refused[] = "123456789gkKGRXNhHVo";
    static const char letters[] = "pPdDsSwWbBAzCQEafnrtvx0";
    uint8_t c = 0;

    if (scan->at == scan->end)
        return scan_fails(scan, "trailing backslash");
    c = *scan->at++;
    if (c == 'Q') {
        while (scan->at < scan->end &&
               (scan->at[0] != '\\' || scan->at + 1 == scan->end || scan->at[1] != 'E'))
            scan->at++;
        return true;
    }
    if (c == '0' || c >= 0x80)
        return true;
    if (strchr(refused, c) != NULL)
        return scan_fails(scan, c >= '1' && c <= '9' ? "back references are not supported"
                                                     : "unknown escape");
    if (in_class && (c == 'A' || c == 'z' || c == 'B' || c == 'C'))
        return scan_fails(scan, "unknown escape in a class");
    if (((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) && strchr(letters, c) == NULL)
        return scan_fails(scan, "unknown escape");
    return true;
}

/* Behind an opening bracket, up to the closing one. */
static bool scan_class(struct scan *scan)
{
    if (scan->at < scan->end && *scan->at == '^')
        scan->at++;
    if (scan->at < scan->end && *scan->at == ']')
        scan->at++;
    while (scan->at < scan->end && *scan->at != ']') {
        uint8_t c = *scan->at++;

        if (c == '\\' && !scan_escape(scan, true))
            return false;
        if (c == '[' && scan->at < scan->end && *scan->at == ':') {
            while (scan->at < scan->end && *scan->at != ']')
                scan->at++;
            if (scan->at < scan->end)
                scan->at++;
        }
    }
    if (scan->at == scan->end)
        return scan_fails(scan, "missing ]");
    scan->at++;
    return true;
}

/* Behind an opening parenthesis: (?:, (?P<name>, (?<name>, (?i), (?i: and nothing else with a mark. */
static bool scan_group(struct scan *scan)
{
    static const char unsupported[] = "look-around, conditions and atomic groups are not supported";

    if (++scan->nesting > NESTING_MAX)
        return scan_fails(scan, "nested too deeply");
    if (scan->at == scan->end || (*scan->at != '?' && *scan->at != '*'))
        return true;
    if (*scan->at == '*')
        return scan_fails(scan, "missing argument to repetition");
    scan->at++;
    if (scan->end - scan->at > 1 && scan->at[0] == 'P' && scan->at[1] == '<')
        scan->at++;
    if (scan->end - scan->at > 1 && scan->at[0] == '<' && scan->at[1] != '=' && scan->at[1] != '!')
        return true;
    while (scan->at < scan->end && *scan->at != ')' && *scan->at != ':') {
        if (strchr("imsU-", *scan->at) == NULL)
            return scan_fails(scan, unsupported);
        scan->at++;
    }
    return true;
}

/* At an opening brace: {2}, {2,} and {2,3} repeat; anything else is text. */
static bool scan_brace(struct scan *scan, bool *repeats)
{
    const uint8_t *at = scan->at + 1;
    uint32_t number = 0;
    uint32_t digits = 0;

    *repeats = false;
    for (; at < scan->end && *at != '}'; at++) {
        if (*at == ',' && digits > 0) {
            number = 0;
            continue;
        }
        if (*at < '0' || *at > '9')
            return true;
        digits++;
        number = number * 10 + (uint32_t)(*at - '0');
        if (number > REPEAT_MAX)
            return scan_fails(scan, "repetition of more than 1000");
    }
    *repeats = at < scan->end && digits > 0;
    return true;
}

/* Behind a repetition: a `?` makes it lazy; `+` and a second repetition are not RE2's. */
static bool scan_after_repeat(struct scan *scan)
{
    bool repeats = false;

    if (scan->at < scan->end && *scan->at == '?')
        scan->at++;
    if (scan->at == scan->end)
        return true;
    if (*scan->at == '*' || *scan->at == '+' || *scan->at == '?')
        return scan_fails(scan, "repetition of a repetition");
    if (*scan->at == '{') {
        if (!scan_brace(scan, &repeats))
            return false;
        if (repeats)
            return scan_fails(scan, "repetition of a repetition");
    }
    return true;
}

static bool scan_one(struct scan *scan)
{
    bool repeats = false;

    switch (*scan->at) {
    case '\\':
        scan->at++;
        return scan_escape(scan, false);
    case '[':
        scan->at++;
        return scan_class(scan);
    case '(':
        scan->at++;
        return scan_group(scan);
    case ')':
        scan->nesting -= scan->nesting > 0;
        scan->at++;
        return true;
    case '*':
    case '+':
    case '?':
        scan->at++;
        return scan_after_repeat(scan);
    case '{':
        if (!scan_brace(scan, &repeats))
            return false;
        if (!repeats) {
            scan->at++;
            return true;
        }
        while (*scan->at != '}')
            scan->at++;
        scan->at++;
        return scan_after_repeat(scan);
    default:
        scan->at++;
        return true;
    }
}

static const char *refused_syntax(struct rf_bytes pattern)
{
    struct scan scan = {.at = pattern.data, .end = pattern.data + pattern.size};

    while (scan.at < scan.end) {
        if (!scan_one(&scan))
            return scan.message;
    }
    return NULL;
}

static const struct rf_regex *compile(struct memory *memory, struct rf_bytes pattern,
                                      const char **message)
{
    /* what RE2 takes for granted: a dot is anything but \n, $ is the very end, text is UTF-8 */
    uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_DOLLAR_ENDONLY | PCRE2_NO_AUTO_CAPTURE;
    pcre2_general_context *general = NULL;
    pcre2_compile_context *context = NULL;
    struct rf_regex *regex = take_memory(sizeof *regex, memory);
    struct memory *kept = take_memory(sizeof *kept, memory);
    char *text = take_memory(128, memory);
    PCRE2_SIZE offset = 0;
    int code = 0;

    *message = "too much memory";
    if (regex == NULL || kept == NULL || text == NULL)
        return NULL;
    *kept = *memory; /* the code remembers it */
    general = pcre2_general_context_create(take_memory, leave_memory, kept);
    context = general == NULL ? NULL : pcre2_compile_context_create(general);
    if (context == NULL)
        return NULL;
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, NESTING_MAX);
    regex->code = pcre2_compile(pattern.size == 0 ? (PCRE2_SPTR) "" : pattern.data, pattern.size,
                                options, &code, &offset, context);
    regex->pattern_size = pattern.size;
    if (regex->code != NULL)
        return regex;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, 128);
    *message = text;
    return NULL;
}

static const struct rf_regex *scan_and_compile(struct memory *memory, struct rf_bytes pattern,
                                               const char **message)
{
    *message =
        pattern.size > RF_REGEX_PATTERN_MAX ? "longer than 4096 bytes" : refused_syntax(pattern);
    return *message != NULL ? NULL : compile(memory, pattern, message);
}

const struct rf_regex *rf_regex_compile(struct rf_arena *arena, struct rf_bytes pattern,
                                        const char **message)
{
    struct memory memory = {.arena = arena};

    return scan_and_compile(&memory, pattern, message);
}

/* Matching */

static struct rf_value match_result(int code)
{
    if (code >= 0)
        return rf_value_bool(true);
    if (code == PCRE2_ERROR_NOMATCH)
        return rf_value_bool(false);
    if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT ||
        code == PCRE2_ERROR_DEPTHLIMIT || code == PCRE2_ERROR_NOMEMORY)
        return rf_failure(RF_FAILURE_ARGUMENT, "matches: the pattern takes too long on this text");
    return rf_failure(RF_FAILURE_ARGUMENT, "matches: the pattern cannot be used");
}

/* One match: the pattern, the text and PCRE2's own state. */
struct attempt {
    const struct rf_regex *regex;
    struct rf_bytes text;
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static PCRE2_SPTR subject(struct rf_bytes text)
{
    return text.size == 0 ? (PCRE2_SPTR) "" : text.data;
}

/* Without backtracking: all ways at once, from every start. That is slow but never exponential, so it is tried
 * where backtracking has failed and the budget allows for its worst case. */
static int match_in_parallel(struct rf_eval *eval, const struct attempt *attempt)
{
    size_t size = attempt->text.size;
    uint64_t cost = (uint64_t)size * size / BACKTRACKS_A_STEP * attempt->regex->pattern_size;
    int *workspace = NULL;

    if (cost > eval->cost_left || !rf_eval_spend(eval, cost))
        return PCRE2_ERROR_MATCHLIMIT;
    workspace = rf_eval_alloc(eval, WORKSPACE_COUNT * sizeof *workspace);
    if (workspace == NULL)
        return PCRE2_ERROR_NOMEMORY;
    return pcre2_dfa_match(attempt->regex->code, subject(attempt->text), size, 0,
                           PCRE2_NO_UTF_CHECK | PCRE2_DFA_SHORTEST, attempt->data, attempt->context,
                           workspace, WORKSPACE_COUNT);
}

static struct rf_value match(struct rf_eval *eval, const struct attempt *attempt)
{
    uint64_t backtracks = BACKTRACKS_MIN + BACKTRACKS_A_BYTE * (uint64_t)attempt->text.size;
    int code = 0;

    pcre2_set_match_limit(attempt->context, (uint32_t)backtracks);
    pcre2_set_heap_limit(attempt->context, HEAP_KIBIBYTES_MAX);
    code = pcre2_match(attempt->regex->code, subject(attempt->text), attempt->text.size, 0,
                       PCRE2_NO_UTF_CHECK, attempt->data, attempt->context);
    if (code == PCRE2_ERROR_MATCHLIMIT) {
        if (!rf_eval_spend(eval, backtracks / BACKTRACKS_A_STEP))
            return rf_eval_exhausted(eval);
        code = match_in_parallel(eval, attempt);
    }
    return eval->exhausted ? rf_eval_exhausted(eval) : match_result(code);
}

struct rf_value rf_regex_match(struct rf_eval *eval, const struct rf_regex *regex,
                               struct rf_bytes text)
{
    struct memory memory = {.arena = eval->arena, .eval = eval};
    struct attempt attempt = {.regex = regex, .text = text};
    pcre2_general_context *general = NULL;

    if (!rf_eval_spend(eval, 4 + text.size / 4))
        return rf_eval_exhausted(eval);
    general = pcre2_general_context_create(take_memory, leave_memory, &memory);
    if (general != NULL)
        attempt.context = pcre2_match_context_create(general);
    if (attempt.context != NULL)
        attempt.data = pcre2_match_data_create(1, general);
    return attempt.data == NULL ? rf_eval_exhausted(eval) : match(eval, &attempt);
}

/* matches() with a pattern that is only known now. */
static struct rf_value matches(struct rf_eval *eval, const struct rf_value *arguments)
{
    struct memory memory = {.arena = eval->arena, .eval = eval};
    struct rf_bytes pattern = arguments[1].as.text;
    const struct rf_regex *regex = NULL;
    const char *message = NULL;

    if (!rf_eval_spend(eval, 20 + pattern.size))
        return rf_eval_exhausted(eval);
    regex = scan_and_compile(&memory, pattern, &message);
    if (regex != NULL)
        return rf_regex_match(eval, regex, arguments[0].as.text);
    if (eval->exhausted)
        return rf_eval_exhausted(eval);
    return rf_failure(RF_FAILURE_ARGUMENT,
                      rf_arena_printf(eval->arena, "matches: invalid pattern: %s", message));
}

const struct rf_overload rf_functions_regex[] = {
    {"matches", true, "ss", "b", matches},
    {"matches", false, "ss", "b", matches},
    {NULL, false, NULL, NULL, NULL},
};
