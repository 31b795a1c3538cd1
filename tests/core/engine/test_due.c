/* core/engine/due: what comes true by time alone fires at that very millisecond, once, and nothing else does.
 *
 * The reference knows nothing of crossings: it asks at every millisecond. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/customer_codec.h"
#include "core/engine/engine.h"
#include "core/model/feature.h"
#include "core/model/rule.h"
#include "core/model/variables.h"
#include "support/plan_fixture.h"

#define START     INT64_C(1700000000000)
#define QUIET_MAX 9000 /* milliseconds: all windows of the plan are over by then */
#define FIRED_MAX 256

static struct fixture f;
static struct rf_arena arena;
static struct rf_engine *engine, *eye; /* the reference looks with an engine of its own */
static struct rf_customer alice;
static uint32_t calls;
static uint64_t seed;

static const char *const conditions[] = {
    "dropped < 2",
    "dropped >= 2",
    "spend_ago > 2.0 && spend < 1.5",
    "rate < 0.5",
    "rate > 0.3 && dropped < 3",
    "last_call != null && now - last_call >= duration('1500ms')",
    "!(spend_ago <= 1.0) || rate < 0.2",
    "dropped > 0 ? rate < 0.4 : spend_ago > 1.0",
    "slow >= 1.0 && rate < 0.1",
    "silent",
    "p_alive_mbg(calls, 0.5, double((now - begin).getSeconds()), 0.5, 2.0, 1.5, 1.0) < 0.3",
    "parties < 2",
    "recent == null || recent == 'text'",
    "spend >= 1.0 && dropped < 2",
    "net >= 0.5 && rate > 0.1",
    "!(net >= 0.5) && spend_ago >= 1.0",
    "net < 0.5 && 2 > dropped",
    "rate < 0.4 * slow",
    "rate / slow < 0.3",
    "ratio < 0.25",
    "log_rate < -1.0",
    "quiet_s == 2",
    "quiet_s != 2 && rate > 0.1",
    "quiet_s in [1, 3, 5]",
    "quiet_s in [calls, 4] || rate < 0.01",
    "risk == 'amber'",
    "risk != 'red' && dropped < 2",
    "band",
    "(rate < 0.7) == (rate > 0.2)",
    "(rate < 0.7 ? slow : rate) < 0.1",
    "last_call != null && now == last_call + duration('1234ms')",
    "int(rate * 4.0) == 1",
    "customer.events > 2 && rate < 0.9",
};
#define CONDITION_COUNT (sizeof conditions / sizeof *conditions)

static uint32_t feature(struct rf_feature of, const char *where, const char *value)
{
    uint32_t index = fixture_feature(&f, of);

    fixture_listen(&f, index, calls, where == NULL ? NULL : fixture_expr(&f, where, NULL),
                   value == NULL ? NULL : fixture_expr(&f, value, NULL));
    return index;
}

static void expression(const char *name, const char *text)
{
    fixture_feature(&f, (struct rf_feature){.name = name,
                                            .kind = RF_FEATURE_EXPR,
                                            .expr = fixture_expr(&f, text, NULL)});
}

static void setup(void)
{
    fixture_init(&f);
    rf_arena_init(&arena, 64U << 10);
    calls = fixture_source(&f, "calls", 0);
    feature(
        (struct rf_feature){
            .name = "dropped", .kind = RF_FEATURE_COUNT, .window = 2000, .bucket = 100},
        "event.flag", NULL);
    feature((struct rf_feature){.name = "spend",
                                .kind = RF_FEATURE_SUM,
                                .window = 2000,
                                .bucket = 100,
                                .state_type = &rf_type_double},
            NULL, "event.amount");
    feature((struct rf_feature){.name = "spend_ago",
                                .kind = RF_FEATURE_SUM,
                                .window = 2000,
                                .offset = 1000,
                                .bucket = 100,
                                .state_type = &rf_type_double},
            NULL, "event.amount");
    feature((struct rf_feature){.name = "last_call",
                                .kind = RF_FEATURE_LAST,
                                .state_type = &rf_type_timestamp},
            NULL, "event.time");
    feature((struct rf_feature){.name = "rate", .kind = RF_FEATURE_DECAY, .half_life = 700}, NULL,
            NULL);
    feature((struct rf_feature){.name = "slow", .kind = RF_FEATURE_DECAY, .half_life = 3000}, NULL,
            "event.amount");
    feature((struct rf_feature){.name = "calls", .kind = RF_FEATURE_COUNT}, NULL, NULL);
    expression("silent", "rate < 0.05 || dropped == 0 && spend < 0.5");
    expression("ratio", "slow > 0.0 ? rate / slow : 1.0");
    expression("log_rate", "rate > 0.0 ? math.log(rate) : 0.0");
    expression("quiet_s", "last_call == null ? -1 : (now - last_call).getSeconds()");
    expression("risk", "rate > 0.6 ? 'green' : rate > 0.2 ? 'amber' : 'red'");
    expression("band", "last_call != null && now - last_call > duration('1200ms') && "
                       "now - last_call < duration('2100ms')");
    fixture_feature(&f, (struct rf_feature){
                            .name = "begin",
                            .kind = RF_FEATURE_EXPR,
                            .expr = fixture_expr(&f, "timestamp('2023-11-14T22:13:20Z')", NULL)});
    feature(
        (struct rf_feature){.name = "parties", .kind = RF_FEATURE_COUNT_DISTINCT, .window = 1700},
        NULL, "event.number");
    feature((struct rf_feature){.name = "recent",
                                .kind = RF_FEATURE_LAST,
                                .window = 1234,
                                .state_type = &rf_type_string},
            NULL, "event.text");
    feature((struct rf_feature){.name = "net",
                                .kind = RF_FEATURE_SUM,
                                .window = 1500,
                                .bucket = 100,
                                .state_type = &rf_type_double},
            NULL, "event.amount - 1.0");
    engine = eye = NULL;
    seed = 20260101;
}

static void teardown(void)
{
    rf_engine_close(engine);
    rf_engine_close(eye);
    engine = eye = NULL;
    rf_arena_deinit(&arena);
    fixture_deinit(&f);
}

static void open_engine(void)
{
    engine = rf_engine_open(&f.plan);
    eye = rf_engine_open(&f.plan);
    rf_customer_init(&arena, &f.plan, rf_bytes_of_text("alice"), &alice);
}

/* ---- what happened ---- */

struct fired {
    rf_ms at;
    uint32_t rule;
    enum rf_status status;
    int64_t episode;
    bool by_timer;
};

struct log {
    size_t count;
    struct fired items[FIRED_MAX];
};

static void note(struct log *log, const struct rf_fold *fold)
{
    for (size_t i = 0; i < fold->derived_count; i++) {
        const struct rf_derived *d = &fold->derived[i];

        ck_assert_uint_lt(log->count, FIRED_MAX);
        log->items[log->count++] = (struct fired){d->occurred_at, d->rule, d->status, d->episode,
                                                  strcmp(d->position.topic, RF_TIMER_TOPIC) == 0};
        if (log->items[log->count - 1].by_timer)
            ck_assert_int_eq(d->position.offset, d->occurred_at);
    }
}

static struct rf_fold call_with(rf_ms at, double amount, int64_t number, bool flag)
{
    struct rf_event event;
    struct rf_fold fold;
    struct rf_error err = {0};
    struct rf_value *fields = fixture_event(&arena, calls, at, &event);

    fields[FIELD_FLAG] = rf_value_bool(flag);
    fields[FIELD_AMOUNT] = rf_value_double(amount);
    fields[FIELD_NUMBER] = rf_value_int(number);
    event.position.offset = at;
    ck_assert_msg(rf_engine_fold(engine, &alice, &event, RF_MS_MIN, &arena, &fold, &err), "%s",
                  err.message);
    return fold;
}

static struct rf_fold call(rf_ms at)
{
    return call_with(at, 1.0, 1, true);
}

static struct rf_fold advance(rf_ms to)
{
    struct rf_fold fold;

    rf_engine_advance(engine, &alice, to, &arena, &fold);
    return fold;
}

/* ---- the reference ---- */

struct reference {
    bool held, raised, risen, was, was_clear;
    rf_ms since, last_fired;
    int64_t fired;
};

static bool truth(const struct rf_expr *expr, rf_ms at)
{
    struct rf_value variables[RF_VARIABLE_FEATURE + 24] = {0};
    struct rf_arena scratch_arena;
    struct rf_expr_scratch scratch = {.arena = &scratch_arena};
    struct rf_value value = {0};
    struct rf_error err = {0};
    struct rf_value fields[RF_CUSTOMER_FIELDS] = {
        [RF_CUSTOMER_ID] = rf_value_string(alice.id),
        [RF_CUSTOMER_FIRST_SEEN] = rf_value_timestamp_ms(alice.first_seen),
        [RF_CUSTOMER_EVENTS] = rf_value_int((int64_t)alice.event_count)};
    const struct rf_record customer = {.type = &rf_customer_type, .fields = fields};
    bool ok = false;

    rf_arena_init(&scratch_arena, 4096);
    variables[RF_VARIABLE_CUSTOMER] = rf_value_record(&customer);
    variables[RF_VARIABLE_NOW] = rf_value_timestamp_ms(at);
    rf_engine_features(eye, &alice, at, &scratch_arena, variables + RF_VARIABLE_FEATURE);
    ok = rf_expr_eval(expr, variables, &scratch, &value, &err);
    rf_arena_deinit(&scratch_arena);
    return ok && value.as.boolean;
}

static void emit(struct log *log, rf_ms at, uint32_t rule, enum rf_status status, int64_t episode,
                 bool by_timer)
{
    ck_assert_uint_lt(log->count, FIRED_MAX);
    log->items[log->count++] = (struct fired){at, rule, status, episode, by_timer};
}

static void reference_fire(struct reference *r, uint32_t index, rf_ms at, bool by_timer,
                           struct log *log)
{
    r->fired++;
    r->last_fired = at;
    r->raised = f.rules[index].clear_when != NULL;
    r->risen = false;
    emit(log, at, index, RF_STATUS_RAISED, r->fired, by_timer);
    r->was = truth(f.rules[index].when, at);
    r->was_clear = r->raised && truth(f.rules[index].clear_when, at);
}

static bool is_cool(const struct reference *r, const struct rf_rule *rule, rf_ms at)
{
    return r->fired == 0 || at - r->last_fired >= rule->cooldown;
}

static bool is_ripe(const struct reference *r, const struct rf_rule *rule, rf_ms at)
{
    return at - r->since >= rule->hold && (r->fired == 0 || r->last_fired < r->since + rule->hold);
}

static void reference_tick(struct reference *r, uint32_t index, rf_ms at, struct log *log)
{
    const struct rf_rule *rule = &f.rules[index];
    bool holds = false;

    if (r->raised) {
        bool clear = truth(rule->clear_when, at);

        if (clear && !r->was_clear) {
            r->raised = false;
            r->held = r->risen = false;
            r->was = truth(rule->when, at);
            emit(log, at, index, RF_STATUS_CLEARED, r->fired, true);
        }
        r->was_clear = clear;
        return;
    }
    holds = truth(rule->when, at);
    if (rule->hold == 0) {
        r->risen = holds && (r->risen || !r->was);
        r->was = holds;
        if (r->risen && is_cool(r, rule, at))
            reference_fire(r, index, at, true, log);
        return;
    }
    if (!holds)
        r->held = false;
    else if (!r->held && !r->was) {
        r->held = true;
        r->since = at;
    }
    r->was = holds;
    if (r->held && is_cool(r, rule, at) && is_ripe(r, rule, at))
        reference_fire(r, index, at, true, log);
}

static void reference_event(struct reference *r, uint32_t index, rf_ms at, struct log *log)
{
    const struct rf_rule *rule = &f.rules[index];
    bool holds = truth(rule->when, at);

    if (r->raised) {
        if (truth(rule->clear_when, at)) {
            r->raised = false;
            r->held = false;
            emit(log, at, index, RF_STATUS_CLEARED, r->fired, false);
        }
        r->risen = false;
        r->was = holds;
        r->was_clear = r->raised && truth(rule->clear_when, at);
        return;
    }
    r->risen = false;
    r->was = holds;
    if (rule->hold == 0 && !is_cool(r, rule, at))
        return;
    if (!holds) {
        r->held = false;
        return;
    }
    if (!r->held) {
        r->held = true;
        r->since = at;
    }
    if (is_cool(r, rule, at) && (rule->hold == 0 || is_ripe(r, rule, at)))
        reference_fire(r, index, at, false, log);
}

/* ---- both ---- */

static void random_rule(void)
{
    struct rf_rule rule = {.name = "r"};
    size_t when = fixture_random_below(&seed, CONDITION_COUNT);
    size_t clear = fixture_random_below(&seed, 2 * CONDITION_COUNT);

    rule.when = fixture_expr(&f, conditions[when], &rf_type_bool);
    if (clear < CONDITION_COUNT && clear != when)
        rule.clear_when = fixture_expr(&f, conditions[clear], &rf_type_bool);
    if (fixture_random_below(&seed, 3) == 0)
        rule.hold = 1 + (rf_span_ms)fixture_random_below(&seed, 2500);
    if (fixture_random_below(&seed, 2) == 0)
        rule.cooldown = (rf_span_ms)fixture_random_below(&seed, 4000);
    fixture_rule(&f, rule);
}

static void print(const char *whose, const struct log *log)
{
    fprintf(stderr, "%s:", whose);
    for (size_t i = 0; i < log->count; i++)
        fprintf(stderr, " %s@%lld%s", rf_status_name(log->items[i].status),
                (long long)(log->items[i].at - START), log->items[i].by_timer ? "t" : "");
    fprintf(stderr, "\n");
}

static void compare(const struct log *expected, const struct log *log, uint32_t rule)
{
    if (expected->count != log->count) {
        print("expected", expected);
        print("found", log);
    }
    ck_assert_msg(expected->count == log->count, "rule %u: %zu instead of %zu; first at %lld/%lld",
                  rule, log->count, expected->count,
                  log->count > 0 ? (long long)(log->items[0].at - START) : -1,
                  expected->count > 0 ? (long long)(expected->items[0].at - START) : -1);
    for (size_t i = 0; i < expected->count; i++) {
        const struct fired *a = &expected->items[i], *b = &log->items[i];

        ck_assert_msg(a->at == b->at && a->status == b->status && a->episode == b->episode &&
                          a->by_timer == b->by_timer,
                      "%zu: %s %lld at %lld by timer %d instead of %s %lld at %lld by timer %d", i,
                      rf_status_name(b->status), (long long)b->episode, (long long)(b->at - START),
                      b->by_timer, rf_status_name(a->status), (long long)a->episode,
                      (long long)(a->at - START), a->by_timer);
    }
}

/* One rule, a few events, and the quiet after them. The engine is advanced in strides that have nothing to do
 * with what comes due. */
START_TEST(it_fires_as_if_it_were_asked_at_every_millisecond)
{
    struct log expected = {0}, log = {0};
    struct reference reference = {.last_fired = RF_MS_MIN};
    size_t count = 0;
    rf_ms at = START;
    struct rf_fold fold;

    seed = 1000 + (uint64_t)_i;
    count = 1 + fixture_random_below(&seed, 8);
    random_rule();
    open_engine();
    for (size_t i = 0; i < count; i++) {
        rf_ms gap = 1 + (rf_ms)fixture_random_below(&seed, 1200);
        double amount = (double)fixture_random_below(&seed, 5) * 0.5;
        int64_t number = (int64_t)fixture_random_below(&seed, 3);
        bool flag = fixture_random_below(&seed, 3) > 0;
        bool before = fixture_random_below(&seed, 2) == 0;

        for (rf_ms t = at + 1; i > 0 && t <= at + gap; t++)
            reference_tick(&reference, 0, t, &expected);
        if (i > 0 && before) {
            fold = advance(at + gap);
            note(&log, &fold);
        }
        at += gap;
        fold = call_with(at, amount, number, flag);
        note(&log, &fold);
        reference_event(&reference, 0, at, &expected);
    }
    for (rf_ms t = at + 1; t <= at + QUIET_MAX; t++)
        reference_tick(&reference, 0, t, &expected);
    for (rf_ms t = at; t < at + QUIET_MAX;) {
        t += 1 + (rf_ms)fixture_random_below(&seed, 700);
        t = t > at + QUIET_MAX ? at + QUIET_MAX : t;
        fold = advance(t);
        note(&log, &fold);
        ck_assert_int_gt(fold.due, t);
    }
    compare(&expected, &log, 0);
}
END_TEST

START_TEST(a_look_that_came_to_nothing_leaves_no_trace)
{
    struct rf_rule_state before;
    rf_ms due = 0;
    struct rf_fold fold;

    fixture_rule(&f,
                 (struct rf_rule){.name = "r",
                                  .when = fixture_expr(&f, "spend_ago > 100.0", &rf_type_bool)});
    open_engine();
    call(START);
    due = alice.due;
    before = alice.rules[0];

    fold = advance(START + 5000);

    ck_assert(!fold.changed);
    ck_assert_uint_eq(fold.derived_count, 0);
    ck_assert_int_eq(alice.due, due);
    ck_assert_int_eq(memcmp(&before, &alice.rules[0], sizeof before), 0);
    ck_assert_int_eq(alice.as_of, START);
}
END_TEST

START_TEST(what_can_only_end_by_itself_needs_no_timer)
{
    fixture_rule(
        &f, (struct rf_rule){.name = "r",
                             .when = fixture_expr(&f, "dropped >= 3 && calls > 1", &rf_type_bool)});
    open_engine();

    call(START);

    ck_assert(!rf_engine_has_timers(engine));
    ck_assert_int_eq(alice.due, RF_MS_MAX);
}
END_TEST

START_TEST(an_episode_keeps_its_id_until_it_is_cleared)
{
    struct rf_fold raised, cleared, again;

    fixture_rule(&f, (struct rf_rule){.name = "r",
                                      .when = fixture_expr(&f, "rate > 1.5", &rf_type_bool),
                                      .clear_when = fixture_expr(&f, "rate < 0.5", &rf_type_bool)});
    open_engine();
    call(START);
    raised = call(START + 10);
    cleared = advance(START + 4000);
    call(START + 5000);
    again = call(START + 5001);

    ck_assert_uint_eq(raised.derived_count, 1);
    ck_assert_int_eq(raised.derived[0].status, RF_STATUS_RAISED);
    ck_assert_uint_eq(cleared.derived_count, 1);
    ck_assert_int_eq(cleared.derived[0].status, RF_STATUS_CLEARED);
    ck_assert_str_eq(cleared.derived[0].episode_id, raised.derived[0].episode_id);
    ck_assert_str_ne(cleared.derived[0].id, raised.derived[0].id);
    ck_assert_int_eq(again.derived[0].episode, 2);
    ck_assert_str_ne(again.derived[0].episode_id, raised.derived[0].episode_id);
}
END_TEST

/* `share` divides by a window that is empty by then. */
START_TEST(an_alert_is_cleared_although_its_reason_cannot_be_had)
{
    uint32_t share = 0;
    struct rf_fold fold;

    expression("share", "10 / dropped");
    share = (uint32_t)f.plan.feature_count - 1;
    fixture_rule(&f,
                 (struct rf_rule){.name = "r",
                                  .when = fixture_expr(&f, "dropped >= 2", &rf_type_bool),
                                  .clear_when = fixture_expr(&f, "dropped == 0", &rf_type_bool),
                                  .reason_features = &share,
                                  .reason_count = 1,
                                  .offer_value = fixture_expr(&f, "double(10 / dropped)", NULL)});
    open_engine();
    call(START);
    fold = call(START + 10);
    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived[0].reasons[0].value.as.integer, 5);

    fold = advance(START + 8000);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived[0].status, RF_STATUS_CLEARED);
    ck_assert_int_eq(fold.derived[0].reasons[0].value.kind, RF_VALUE_NULL);
    ck_assert_int_eq(fold.derived[0].offer_value.kind, RF_VALUE_NULL);
}
END_TEST

/* What the offer is worth reads is no reason: the value is of now, not of when it was last looked at. */
START_TEST(an_end_has_the_offers_value_of_its_own_moment)
{
    struct rf_fold fold;

    fixture_rule(&f, (struct rf_rule){.name = "r",
                                      .when = fixture_expr(&f, "calls >= 2", &rf_type_bool),
                                      .clear_when = fixture_expr(&f, "rate < 0.001", &rf_type_bool),
                                      .offer_value = fixture_expr(&f, "spend", NULL)});
    open_engine();
    call(START);
    fold = call(START + 10);
    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert(fold.derived[0].offer_value.as.number >= 2);

    fold = advance(START + 20000);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived[0].status, RF_STATUS_CLEARED);
    ck_assert(fold.derived[0].offer_value.as.number <= 0);
}
END_TEST

START_TEST(an_open_alert_is_told_again_when_its_reasons_differ_and_not_too_often)
{
    static const uint32_t reasons[] = {6};

    fixture_rule(&f, (struct rf_rule){.name = "r",
                                      .when = fixture_expr(&f, "calls > 0", &rf_type_bool),
                                      .clear_when = fixture_expr(&f, "calls > 100", &rf_type_bool),
                                      .update = 100,
                                      .reason_features = reasons,
                                      .reason_count = 1});
    open_engine();

    ck_assert_int_eq(call(START).derived[0].status, RF_STATUS_RAISED);
    ck_assert_uint_eq(call(START + 99).derived_count, 0);
    struct rf_fold updated = call(START + 100);
    ck_assert_uint_eq(updated.derived_count, 1);
    ck_assert_int_eq(updated.derived[0].status, RF_STATUS_UPDATED);
    ck_assert_int_eq(updated.derived[0].reasons[0].value.as.integer, 3);
    ck_assert_uint_eq(call(START + 150).derived_count, 0);
}
END_TEST

/* Fader, Hardie and Lee's parameters; (x, t_x) = (5, 30) falls to P = 0.5 at T = 46.8775 (weeks there, days here). */
START_TEST(p_alive_crosses_where_its_closed_form_says)
{
    struct rf_fold fold;
    rf_ms expected = START + (rf_ms)(46.8775 * (double)RF_DAY_MS);

    fixture_rule(
        &f,
        (struct rf_rule){
            .name = "r",
            .when = fixture_expr(
                &f,
                "last_call != null && p_alive(5, 30.0, 30.0 + double((now - last_call).getSeconds()) / 86400.0, 0.243, 4.414, 0.793, 2.426) < 0.5",
                &rf_type_bool)});
    open_engine();
    call(START + 30 * RF_DAY_MS);
    fold = advance(START + 100 * RF_DAY_MS);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_le(llabs(fold.derived[0].occurred_at - expected), 10 * RF_SECOND_MS);
    ck_assert(!truth(f.rules[0].when, fold.derived[0].occurred_at - 1));
    ck_assert(truth(f.rules[0].when, fold.derived[0].occurred_at));
}
END_TEST

START_TEST(a_customer_not_seen_for_its_time_to_live_is_evicted)
{
    f.plan.ttl = 10 * RF_DAY_MS;
    f.plan.lifecycle_output = 0;
    open_engine();
    call(START);
    call(START + RF_DAY_MS);

    struct rf_fold before = advance(START + 11 * RF_DAY_MS - 1);
    struct rf_fold fold = advance(START + 11 * RF_DAY_MS);

    ck_assert_int_eq(alice.due, START + 11 * RF_DAY_MS);
    ck_assert(!before.evicted);
    ck_assert(fold.evicted);
    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived[0].status, RF_STATUS_EVICTED);
    ck_assert_uint_eq(fold.derived[0].rule, RF_RULE_NONE);
    ck_assert_int_eq(fold.derived[0].occurred_at, START + 11 * RF_DAY_MS);
}
END_TEST

START_TEST(an_event_finds_what_was_due_before_it_done)
{
    fixture_rule(
        &f, (struct rf_rule){
                .name = "silent",
                .when = fixture_expr(&f, "last_call != null && now - last_call >= duration('1s')",
                                     &rf_type_bool),
                .cooldown = RF_DAY_MS});
    open_engine();
    call(START);

    struct rf_fold fold = call(START + 5000);

    ck_assert_uint_eq(fold.derived_count, 1);
    ck_assert_int_eq(fold.derived[0].occurred_at, START + 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("due");
    TCase *tcase = tcase_create("all");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, it_fires_as_if_it_were_asked_at_every_millisecond, 0, 1200);
    tcase_add_test(tcase, a_look_that_came_to_nothing_leaves_no_trace);
    tcase_add_test(tcase, what_can_only_end_by_itself_needs_no_timer);
    tcase_add_test(tcase, an_episode_keeps_its_id_until_it_is_cleared);
    tcase_add_test(tcase, an_alert_is_cleared_although_its_reason_cannot_be_had);
    tcase_add_test(tcase, an_end_has_the_offers_value_of_its_own_moment);
    tcase_add_test(tcase, an_open_alert_is_told_again_when_its_reasons_differ_and_not_too_often);
    tcase_add_test(tcase, p_alive_crosses_where_its_closed_form_says);
    tcase_add_test(tcase, a_customer_not_seen_for_its_time_to_live_is_evicted);
    tcase_add_test(tcase, an_event_finds_what_was_due_before_it_done);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
