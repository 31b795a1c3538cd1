#include <stdlib.h>
#include <string.h>

#include "core/model/plan.h"
#include "edge/ops/desk.h"

#define ARENA_CHUNK (64U * 1024)

/* Percent-encoded, whatever is not a letter, a digit or one of -._~. */
static void encode_id(struct rf_buffer *out, struct rf_bytes id)
{
    for (size_t i = 0; i < id.size; i++) {
        uint8_t c = id.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c != 0 && strchr("-._~", c) != NULL);

        if (is_plain)
            rf_buffer_append_byte(out, c);
        else
            rf_buffer_printf(out, "%%%02X", c);
    }
}

static bool was_asked(const struct rf_request *request, const char *instance)
{
    struct rf_bytes name = rf_bytes_of_text(instance);

    for (size_t begin = 0; begin < request->asked.size;) {
        size_t left = request->asked.size - begin;
        const uint8_t *comma = memchr(request->asked.text + begin, ',', left);
        size_t size = comma == NULL ? left : (size_t)(comma - request->asked.text) - begin;

        if (rf_bytes_equal(rf_bytes_of(request->asked.text + begin, size), name))
            return true;
        begin += size + 1;
    }
    return false;
}

/* "?asked=a,b": those who are named already, and this one, too. */
static void append_names(struct rf_buffer *out, const char *parameter, const struct rf_names *names,
                         const char *more)
{
    if (names->size == 0 && more == NULL)
        return;
    rf_buffer_append_text(out, parameter);
    rf_buffer_append(out, names->text, names->size);
    if (more != NULL)
        rf_buffer_printf(out, "%s%s", names->size > 0 ? "," : "", more);
}

/* Where to go on: "http://HOST:PORT/customers/ID?asked=a,b&restoring=b", in memory that the caller frees. */
static char *location_of(const struct rf_desk *desk, const struct rf_request *request,
                         const struct rf_owner *owner, bool restoring)
{
    struct rf_buffer out;
    char *location = NULL;

    rf_buffer_init(&out, RF_LOCATION_MAX);
    rf_buffer_printf(&out, "%s://%s/customers/", desk->is_tls ? "https" : "http", owner->address);
    encode_id(&out, rf_bytes_of(request->id, request->id_size));
    append_names(&out, "?asked=", &request->asked, desk->instance);
    append_names(&out, "&restoring=", &request->restoring, restoring ? desk->instance : NULL);
    if (request->no_redirect)
        rf_buffer_append_text(&out, "&redirect=no");
    rf_buffer_append_byte(&out, 0);
    if (!out.overflow)
        location = strdup((const char *)out.data);
    rf_buffer_deinit(&out);
    return location;
}

static void send_elsewhere(const struct rf_desk *desk, const struct rf_request *request,
                           const struct rf_owner *owner, bool restoring, struct rf_reply *reply)
{
    struct rf_json json = {.out = &reply->body};

    reply->location = location_of(desk, request, owner, restoring);
    if (reply->location == NULL) {
        rf_reply_problem(reply, 503, "instance %s may keep it, and too many were asked on the way",
                         owner->instance);
        return;
    }
    reply->status = request->no_redirect ? 421 : 307;
    rf_json_begin(&json, NULL, '{');
    rf_json_int(&json, "status", reply->status);
    rf_json_text(&json, "title", rf_status_text(reply->status));
    rf_json_text(&json, "detail", "another instance keeps it: ask there");
    rf_json_text(&json, "instance", owner->instance);
    rf_json_text(&json, "address", owner->address);
    rf_json_text(&json, "location", reply->location);
    rf_json_end(&json, '}');
    rf_buffer_append_byte(&reply->body, '\n');
    if (request->no_redirect) {
        free(reply->location); /* it is in the body: a 421 sends nobody on */
        reply->location = NULL;
    }
}

static void answer_restoring(const struct rf_answer *answer, struct rf_reply *reply)
{
    if (answer->restore_eta_ms >= 0) {
        rf_reply_problem(
            reply, 503,
            "it may be in a store that is being brought up to date, which takes %.1f s "
            "more",
            (double)answer->restore_eta_ms / 1000.0);
        reply->retry_after = 1 + (int)(answer->restore_eta_ms / 1000 % 3600);
    } else {
        rf_reply_problem(reply, 503, "it may be in a store that is being brought up to date");
        reply->retry_after = 2;
    }
}

static void answer_elsewhere(const struct rf_desk *desk, const struct rf_request *request,
                             const struct rf_answer *answer, struct rf_reply *reply)
{
    const struct rf_owner *silent = NULL;

    for (size_t i = 0; i < answer->other_count; i++) {
        const struct rf_owner *owner = &answer->others[i];

        if (owner->instance == NULL || was_asked(request, owner->instance))
            continue;
        if (owner->address != NULL) {
            send_elsewhere(desk, request, owner, answer->restoring, reply);
            return;
        }
        silent = owner;
    }
    if (answer->restoring) {
        answer_restoring(answer, reply);
    } else if (request->restoring.size > 0) {
        rf_reply_problem(reply, 503,
                         "it may be in a store of %.*s that is being brought up to date",
                         (int)request->restoring.size, (const char *)request->restoring.text);
        reply->retry_after = 2;
    } else if (silent != NULL) {
        rf_reply_problem(reply, 503,
                         "instance %s may keep it, and has no HTTP address (http.listen)",
                         silent->instance);
    } else if (answer->unowned_count > 0) {
        rf_reply_problem(
            reply, 503,
            "not with those that answer, and %zu partitions are nobody's at the moment: "
            "the group is handing them on",
            answer->unowned_count);
        reply->retry_after = 2;
    } else {
        rf_reply_problem(reply, 404, "nothing is known of this customer by any instance");
    }
}

static void print_found(const struct rf_desk *desk, const struct rf_answer *answer,
                        struct rf_reply *reply)
{
    struct rf_json json = {.out = &reply->body};
    struct rf_buffer record;

    rf_buffer_init(&record, RF_REPLY_BYTES_MAX / 2);
    desk->print_customer(answer->plan, answer->customer, answer->features, answer->at, &record);
    rf_json_begin(&json, NULL, '{');
    rf_json_raw(&json, "record", rf_buffer_bytes(&record));
    rf_json_int(&json, "partition", answer->partition);
    rf_json_text(&json, "instance", desk->instance);
    rf_json_text(&json, "plan_version", answer->plan->version);
    rf_json_begin(&json, "as_of", '{');
    rf_json_int(&json, "changelog_offset", answer->changelog_offset);
    rf_json_time(&json, "committed_at", answer->committed_at);
    if (answer->lag_records < 0)
        rf_json_text(&json, "lag_records", NULL);
    else
        rf_json_int(&json, "lag_records", answer->lag_records);
    rf_json_seconds(&json, "age_seconds", answer->lag_ms);
    rf_json_bool(&json, "restoring", answer->restoring);
    rf_json_seconds(&json, "restore_eta_seconds", answer->restoring ? answer->restore_eta_ms : 0);
    rf_json_end(&json, '}');
    rf_json_end(&json, '}');
    rf_buffer_append_byte(&reply->body, '\n');
    rf_buffer_deinit(&record);
}

static void answer_failure(const struct rf_error *err, struct rf_reply *reply)
{
    int status = err->kind == RF_ERROR_RETRY ? 503 : err->kind == RF_ERROR_RECORD ? 404 : 500;

    rf_reply_problem(reply, status, "%s", err->message);
    if (status == 503)
        reply->retry_after = 1;
}

void rf_desk_customer(const struct rf_desk *desk, const struct rf_desk_view *view,
                      const struct rf_request *request, struct rf_reply *reply)
{
    struct rf_question question = {.customer = rf_bytes_of(request->id, request->id_size)};
    struct rf_answer answer = {0};
    struct rf_error err = {0};
    struct rf_arena arena;

    if (view->inspect == NULL) {
        rf_reply_problem(reply, 503, "no worker runs yet: %s", view->phase);
        reply->retry_after = 2;
        return;
    }
    rf_arena_init(&arena, ARENA_CHUNK);
    if (!view->inspect->ops->ask(view->inspect->self, &question, &arena, &answer, &err))
        answer_failure(&err, reply);
    else if (answer.kind == RF_ANSWER_FOUND)
        print_found(desk, &answer, reply);
    else if (answer.kind == RF_ANSWER_ELSEWHERE)
        answer_elsewhere(desk, request, &answer, reply);
    else if (answer.kind == RF_ANSWER_RESTORING)
        answer_restoring(&answer, reply);
    else
        rf_reply_problem(reply, 404, "nothing is known of this customer");
    rf_arena_deinit(&arena);
}
