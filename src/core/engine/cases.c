#include "core/engine/cases.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/engine/number.h"

#define CASES_FIRST 2
#define OPENS       0
#define CLOSES      1

static rf_ms time_of(int64_t mark)
{
    return rf_floor_div(mark, 2);
}

static void step(struct rf_case_run *run, int64_t mark)
{
    rf_ms time = time_of(mark);

    run->changed = time;
    if (mark % 2 == 0 && !run->open) {
        run->open = true;
        run->opened_at = time;
        run->opened++;
    } else if (mark % 2 != 0 && run->open) {
        run->open = false;
        run->resolved++;
        run->resolved_at = time;
        run->resolved_last_ms = time - run->opened_at;
        run->resolved_ms = rf_number_add_saturated(run->resolved_ms, run->resolved_last_ms);
    }
}

static struct rf_case_run run_of(const struct rf_case *one)
{
    struct rf_case_run run = one->settled;

    for (uint32_t i = 0; i < one->mark_count; i++)
        step(&run, one->marks[i]);
    return run;
}

/* ---- marks ---------------------------------------------------------------------------------------- */

static bool add_mark(struct rf_case *one, int64_t mark)
{
    uint32_t place = one->mark_count;

    if (time_of(mark) < one->settled.changed)
        return false;
    while (place > 0 && one->marks[place - 1] > mark)
        place--;
    if (place > 0 && one->marks[place - 1] == mark)
        return false;
    memmove(one->marks + place + 1, one->marks + place,
            (one->mark_count - place) * sizeof *one->marks);
    one->marks[place] = mark;
    one->mark_count++;
    if (one->mark_count <= RF_CASE_MARKS_MAX)
        return true;
    step(&one->settled, one->marks[0]);
    one->mark_count--;
    memmove(one->marks, one->marks + 1, one->mark_count * sizeof *one->marks);
    return true;
}

/* ---- cases ---------------------------------------------------------------------------------------- */

static uint32_t lower_bound(const struct rf_cases *cases, struct rf_bytes id)
{
    uint32_t low = 0;
    uint32_t high = cases->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (rf_bytes_compare(cases->items[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct rf_cases *cases, uint32_t place, struct rf_bytes id,
                   struct rf_arena *arena)
{
    if (cases->count >= cases->capacity) {
        uint32_t capacity = cases->count < CASES_FIRST ? CASES_FIRST : 2 * cases->count;
        struct rf_case *items = rf_arena_alloc(arena, capacity * sizeof *items);

        if (cases->count > 0)
            memcpy(items, cases->items, cases->count * sizeof *items);
        cases->items = items;
        cases->capacity = capacity;
    }
    memmove(cases->items + place + 1, cases->items + place,
            (cases->count - place) * sizeof *cases->items);
    cases->items[place] = (struct rf_case){
        .id = rf_arena_copy(arena, id),
        .settled = {.changed = RF_MS_MIN, .resolved_at = RF_MS_MIN},
    };
    cases->count++;
}

/* The longer of two that were resolved at one instant: the order of cases does not matter. */
static void take_resolution(struct rf_cases *totals, const struct rf_case_run *run)
{
    if (run->resolved == 0)
        return;
    totals->resolved += run->resolved;
    totals->resolved_ms = rf_number_add_saturated(totals->resolved_ms, run->resolved_ms);
    if (run->resolved_at < totals->resolved_at)
        return;
    if (run->resolved_at > totals->resolved_at || run->resolved_last_ms > totals->resolved_last_ms)
        totals->resolved_last_ms = run->resolved_last_ms;
    totals->resolved_at = run->resolved_at;
}

static void take_totals(struct rf_cases *totals, const struct rf_case_run *run)
{
    if (run->opened == 0)
        return;
    totals->opened++;
    totals->reopened += run->opened - 1;
    take_resolution(totals, run);
}

static void forget_one(struct rf_cases *cases)
{
    struct rf_case_run leaving = run_of(&cases->items[0]);
    uint32_t victim = 0;

    for (uint32_t i = 1; i < cases->count; i++) {
        struct rf_case_run run = run_of(&cases->items[i]);
        bool sooner = run.open == leaving.open ? run.changed < leaving.changed : leaving.open;

        if (!sooner)
            continue;
        victim = i;
        leaving = run;
    }
    take_totals(cases, &leaving);
    cases->count--;
    memmove(cases->items + victim, cases->items + victim + 1,
            (cases->count - victim) * sizeof *cases->items);
}

bool rf_cases_add(struct rf_feature_state *state, struct rf_bytes id, bool opens, bool closes,
                  rf_ms time, struct rf_arena *arena)
{
    struct rf_cases *cases = state->cases;
    uint32_t place = 0;
    bool changed = false;

    rf_assert(opens || closes);
    if (cases == NULL) {
        cases = state->cases = rf_arena_alloc_zero(arena, sizeof *cases);
        cases->resolved_at = RF_MS_MIN;
    }
    place = lower_bound(cases, id);
    if (place == cases->count || !rf_bytes_equal(cases->items[place].id, id))
        insert(cases, place, id, arena);
    if (opens)
        changed = add_mark(&cases->items[place], 2 * time + OPENS);
    if (closes)
        changed = add_mark(&cases->items[place], 2 * time + CLOSES) || changed;
    if (cases->count > RF_CASES_MAX)
        forget_one(cases);
    return changed;
}

/* ---- what they come to ---------------------------------------------------------------------------- */

struct open_case {
    rf_ms opened_at;
    int64_t reopened;
    struct rf_bytes id;
};

static struct rf_value case_value(const struct open_case *one, struct rf_arena *arena)
{
    struct rf_record *record = rf_arena_alloc(arena, sizeof *record);
    struct rf_value *fields = rf_arena_alloc(arena, rf_case_type.field_count * sizeof *fields);

    rf_assert(rf_case_type.field_count == 3);
    fields[0] = rf_value_string(one->id);
    fields[1] = rf_value_timestamp_ms(one->opened_at);
    fields[2] = rf_value_int(one->reopened);
    *record = (struct rf_record){.type = &rf_case_type, .fields = fields};
    return rf_value_record(record);
}

/* By when they were opened; they come by id, and those of one instant stay so. */
static uint32_t collect_open(const struct rf_cases *cases, struct open_case open[RF_CASES_MAX])
{
    uint32_t count = 0;

    rf_assert(cases->count <= RF_CASES_MAX);
    for (uint32_t i = 0; i < cases->count; i++) {
        struct rf_case_run run = run_of(&cases->items[i]);
        uint32_t place = count;

        if (!run.open)
            continue;
        while (place > 0 && open[place - 1].opened_at > run.opened_at)
            place--;
        memmove(open + place + 1, open + place, (count - place) * sizeof *open);
        open[place] = (struct open_case){run.opened_at, run.opened - 1, cases->items[i].id};
        count++;
    }
    return count;
}

struct rf_value rf_cases_value(const struct rf_feature_state *state, struct rf_arena *arena)
{
    struct open_case open[RF_CASES_MAX];
    struct rf_list *list = rf_arena_alloc(arena, sizeof *list);
    struct rf_value *items = NULL;

    list->count = state->cases == NULL ? 0 : collect_open(state->cases, open);
    items = rf_arena_alloc(arena, list->count * sizeof *items);
    for (size_t i = 0; i < list->count; i++)
        items[i] = case_value(&open[i], arena);
    list->items = items;
    return (struct rf_value){.kind = RF_VALUE_LIST, .as.list = list};
}

static struct rf_value oldest_of(const struct rf_cases *cases)
{
    rf_ms oldest = RF_MS_MAX;
    bool some = false;

    for (uint32_t i = 0; i < cases->count; i++) {
        struct rf_case_run run = run_of(&cases->items[i]);

        some = some || run.open;
        if (run.open && run.opened_at < oldest)
            oldest = run.opened_at;
    }
    return some ? rf_value_timestamp_ms(oldest) : rf_value_null();
}

struct rf_value rf_cases_stat(const struct rf_feature *feature,
                              const struct rf_feature_state *state)
{
    struct rf_cases totals = {.resolved_at = RF_MS_MIN};

    rf_assert(feature->kind == RF_FEATURE_CASES_OF);
    if (state->cases != NULL && feature->stat == RF_STAT_OLDEST)
        return oldest_of(state->cases);
    if (state->cases != NULL) {
        totals = *state->cases;
        for (uint32_t i = 0; i < state->cases->count; i++) {
            struct rf_case_run run = run_of(&state->cases->items[i]);

            take_totals(&totals, &run);
        }
    }
    if (feature->stat == RF_STAT_OPENED)
        return rf_value_int(totals.opened);
    if (feature->stat == RF_STAT_REOPENED)
        return rf_value_int(totals.reopened);
    if (feature->stat == RF_STAT_RESOLVED)
        return rf_value_int(totals.resolved);
    if (totals.resolved == 0)
        return rf_value_null();
    if (feature->stat == RF_STAT_RESOLUTION_LAST)
        return rf_number_duration_ms(totals.resolved_last_ms);
    rf_assert(feature->stat == RF_STAT_RESOLUTION_MEAN);
    return rf_number_duration_ms(totals.resolved_ms / totals.resolved);
}
