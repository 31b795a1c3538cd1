/* ringfold eval: one expression, or many of them as lines of JSON. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/expr/expr.h"
#include "edge/zones/zones.h"

#define VARIABLES_MAX    64
#define LINE_SIZE_MAX    (4 * 1024 * 1024)
#define VALUE_SIZE_MAX   (16 * 1024 * 1024)
#define ARENA_CHUNK_SIZE (64 * 1024)

enum outcome {
    OUTCOME_FINE,
    OUTCOME_PARSE,
    OUTCOME_CHECK,
    OUTCOME_EVAL,
};

static const char *const outcome_names[] = {"", "parse", "check", "eval"};

/* Everything about one expression: made for it, dropped after it. */
struct session {
    struct rf_arena arena;
    struct rf_expr_variable variables[VARIABLES_MAX];
    struct rf_value values[VARIABLES_MAX];
    size_t variable_count;
    struct rf_zones zones;
    const struct rf_expr_fault *fault; /* of the last compilation, NULL: it was an evaluation */
    struct rf_expr_faults faults;
    struct rf_error err;
};

static void session_init(struct session *session, struct rf_zones zones)
{
    *session = (struct session){.zones = zones};
    rf_arena_init(&session->arena, ARENA_CHUNK_SIZE);
}

static void session_reset(struct session *session)
{
    rf_arena_reset(&session->arena, 16 * ARENA_CHUNK_SIZE);
    session->variable_count = 0;
    session->fault = NULL;
    session->err = (struct rf_error){0};
}

static enum outcome outcome_of_fault(struct session *session)
{
    session->fault = &session->faults.items[0];
    return session->fault->stage == RF_EXPR_AT_PARSE ? OUTCOME_PARSE : OUTCOME_CHECK;
}

/* Nothing is declared here, so what the checker finds only counts where the evaluation fails as well. */
static enum outcome evaluate(struct session *session, struct rf_bytes text, struct rf_value *value)
{
    struct rf_expr_env env = {.variables = session->variables,
                              .variable_count = session->variable_count,
                              .zones = &session->zones,
                              .undeclared_is_dyn = true};
    struct rf_expr_scratch scratch = {.arena = &session->arena};
    const struct rf_expr *expr = NULL;

    session->fault = NULL;
    if (!rf_expr_compile(&session->arena, &env, text, NULL, &expr, &session->faults))
        return outcome_of_fault(session);
    if (rf_expr_eval(expr, session->values, &scratch, value, &session->err))
        return OUTCOME_FINE;
    return session->faults.count > 0 ? outcome_of_fault(session) : OUTCOME_EVAL;
}

/* A variable, whose value is an expression without variables. */
static enum outcome add_variable(struct session *session, const char *name, const char *text)
{
    struct rf_expr_env env = {.zones = &session->zones, .undeclared_is_dyn = true};
    struct rf_expr_scratch scratch = {.arena = &session->arena};
    const struct rf_expr *expr = NULL;
    size_t index = session->variable_count;

    if (index == VARIABLES_MAX) {
        rf_error_set(&session->err, RF_ERROR_RECORD, 0, "more than %d variables", VARIABLES_MAX);
        return OUTCOME_EVAL;
    }
    if (!rf_expr_compile(&session->arena, &env, rf_bytes_of_text(text), NULL, &expr,
                         &session->faults))
        return outcome_of_fault(session);
    if (!rf_expr_eval(expr, NULL, &scratch, &session->values[index], &session->err))
        return session->faults.count > 0 ? outcome_of_fault(session) : OUTCOME_EVAL;
    session->variables[index] = (struct rf_expr_variable){
        .name = rf_arena_copy_text(&session->arena, name), .type = &rf_type_dyn};
    session->variable_count++;
    return OUTCOME_FINE;
}

static const char *message_of(const struct session *session)
{
    return session->fault != NULL ? session->fault->message : session->err.message;
}

/* One expression from the command line */

static void print_fault(const struct session *session, const char *text)
{
    const struct rf_expr_fault *fault = session->fault;
    int column = (int)fault->offset;

    fprintf(stderr, "ringfold eval: %s\n", fault->message);
    if (strchr(text, '\n') == NULL)
        fprintf(stderr, "  %s\n  %*s^\n", text, column, "");
    if (fault->hint != NULL)
        fprintf(stderr, "  %s\n", fault->hint);
}

static int report(const struct session *session, enum outcome outcome, const char *text)
{
    if (session->fault != NULL)
        print_fault(session, text);
    else
        fprintf(stderr, "ringfold eval: %s\n", session->err.message);
    return outcome == OUTCOME_EVAL ? RF_EXIT_FAILED : RF_EXIT_USAGE;
}

static int print_value(struct rf_value value)
{
    struct rf_buffer buffer;
    int status = RF_EXIT_FINE;

    rf_buffer_init(&buffer, VALUE_SIZE_MAX);
    rf_value_print(&buffer, value);
    if (buffer.overflow) {
        fprintf(stderr, "ringfold eval: the value is too long to be printed\n");
        status = RF_EXIT_FAILED;
    } else {
        fwrite(buffer.data, 1, buffer.size, stdout);
        fputc('\n', stdout);
    }
    rf_buffer_deinit(&buffer);
    return status;
}

static int eval_one(struct session *session, const char *text)
{
    struct rf_value value;
    enum outcome outcome = evaluate(session, rf_bytes_of_text(text), &value);

    return outcome == OUTCOME_FINE ? print_value(value) : report(session, outcome, text);
}

/* NAME=EXPR */
static int set_variable(struct session *session, const char *setting)
{
    const char *equals = strchr(setting, '=');
    char *name = NULL;
    enum outcome outcome = OUTCOME_FINE;

    if (equals == NULL || equals == setting)
        return rf_command_usage("eval", "--var needs NAME=EXPR, this is '%s'", setting);
    name = strndup(setting, (size_t)(equals - setting));
    outcome = add_variable(session, name, equals + 1);
    free(name);
    return outcome == OUTCOME_FINE ? RF_EXIT_FINE : report(session, outcome, equals + 1);
}

/* Lines of JSON */

static json_t *failure(const char *message, enum outcome outcome)
{
    return json_pack("{s:s, s:s}", "error", message, "at", outcome_names[outcome]);
}

static json_t *value_answer(struct rf_value value)
{
    struct rf_buffer buffer;
    json_t *answer = NULL;

    rf_buffer_init(&buffer, VALUE_SIZE_MAX);
    rf_value_print(&buffer, value);
    if (!buffer.overflow)
        answer = json_pack("{s:s%}", "value", (const char *)buffer.data, buffer.size);
    rf_buffer_deinit(&buffer);
    return answer != NULL ? answer : failure("the value is too long to be printed", OUTCOME_EVAL);
}

static json_t *answer_line(struct session *session, const json_t *line)
{
    const json_t *vars = json_object_get(line, "vars");
    const json_t *expr = json_object_get(line, "expr");
    void *at = json_object_iter((json_t *)(uintptr_t)vars);
    struct rf_value value;
    enum outcome outcome = OUTCOME_FINE;

    if (!json_is_string(expr))
        return failure("a line needs an \"expr\" that is a string", OUTCOME_PARSE);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)vars, at)) {
        const char *literal = json_string_value(json_object_iter_value(at));

        if (literal == NULL)
            return failure("a variable's value has to be a string: a CEL literal", OUTCOME_PARSE);
        outcome = add_variable(session, json_object_iter_key(at), literal);
        if (outcome != OUTCOME_FINE)
            return failure(message_of(session), outcome);
    }
    outcome =
        evaluate(session, rf_bytes_of(json_string_value(expr), json_string_length(expr)), &value);
    return outcome == OUTCOME_FINE ? value_answer(value) : failure(message_of(session), outcome);
}

static int eval_batch(struct session *session)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = 0;

    while ((size = getline(&line, &capacity, stdin)) >= 0) {
        json_error_t err;
        json_t *parsed = json_loadb(line, (size_t)size, JSON_ALLOW_NUL, &err);
        json_t *answer = NULL;

        if (size == 1 && line[0] == '\n')
            continue;
        session_reset(session);
        answer = json_is_object(parsed) ? answer_line(session, parsed)
                                        : failure("the line is not a JSON object", OUTCOME_PARSE);
        json_dumpf(answer, stdout, JSON_COMPACT);
        fputc('\n', stdout);
        json_decref(answer);
        json_decref(parsed);
    }
    free(line);
    return fflush(stdout) == 0 ? RF_EXIT_FINE : RF_EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"var", required_argument, NULL, 'v'},
        {"batch", no_argument, NULL, 'b'},
        {NULL, 0, NULL, 0},
    };
    struct rf_zone_table *zones = rf_zone_table_open();
    struct session session;
    bool batch = false;
    int status = RF_EXIT_FINE;

    session_init(&session, rf_zone_table_zones(zones));
    for (int c = 0;
         status == RF_EXIT_FINE && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'v')
            status = set_variable(&session, optarg);
        else if (c == 'b')
            batch = true;
        else
            status = rf_command_usage("eval", "what is '%s'?", argv[optind - 1]);
    }
    if (status == RF_EXIT_FINE && argc - optind != (batch ? 0 : 1))
        status = rf_command_usage("eval", batch ? "--batch takes no expression"
                                                : "one expression is needed");
    if (status == RF_EXIT_FINE)
        status = batch ? eval_batch(&session) : eval_one(&session, argv[optind]);
    rf_arena_deinit(&session.arena);
    rf_zone_table_close(zones);
    return status;
}

const struct rf_command rf_command_eval = {
    .name = "eval",
    .summary = "evaluate a CEL expression",
    .help =
        "usage: ringfold eval [--var NAME=EXPR]... EXPR\n"
        "       ringfold eval --batch < LINES\n\n"
        "Evaluates an expression of the rule language (CEL) and prints its value as a literal.\n\n"
        "  --var NAME=EXPR  a variable and its value, itself an expression without variables\n"
        "  --batch          read lines {\"expr\": \"...\", \"vars\": {\"NAME\": \"LITERAL\"}} and answer each with\n"
        "                   {\"value\": \"LITERAL\"} or {\"error\": \"...\", \"at\": \"parse\"|\"check\"|\"eval\"}\n\n"
        "Exit status: 0 fine, 1 the evaluation failed, 2 the expression does not compile.\n\n"
        "Example:\n"
        "  ringfold eval --var 'calls=[3, 0, 5]' 'calls.filter(n, n > 0).size()'\n",
    .run = run,
};
