#include "edge/replay/merge.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/model/source.h"
#include "core/task/admission.h"
#include "edge/replay/reader.h"

#define ARENA_CHUNK    (64U * 1024)
#define ARENA_KEEP_MAX (1U << 20)

/* A file, one record ahead. */
struct head {
    struct rf_reader *reader;
    struct rf_arena arena; /* of the record that is ahead */
    bool ended;
    struct rf_merged merged;
};

struct rf_merge {
    const struct rf_plan *plan;
    const struct rf_replay_input *inputs;
    size_t count;
    struct head *heads;
    struct head *given; /* the last one given out: it moves on with the next call */
};

/* A file has neither keys nor timestamps of messages. */
static bool check_source(const struct rf_source *source, struct rf_error *err)
{
    if (source->customer == NULL)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "source %s takes the customer from the message key, which a file does not have: give it a"
            " 'customer'",
            source->name);
    if (source->time == NULL)
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "source %s takes the time from the message, which a file does not have: give it a 'time'",
            source->name);
    return true;
}

/* Whose event it is, and when: as the task will say again. */
static void look_at_event(struct rf_merge *merge, struct head *head)
{
    const struct rf_record_type *type = merge->plan->sources[head->merged.record.source].event_type;
    struct rf_decoder decoder = rf_reader_decoder(head->reader);
    enum rf_admission admission = RF_ADMITTED;
    struct rf_event event = {0};
    struct rf_value *fields = NULL;
    struct rf_error err = {0};

    rf_arena_reset(&head->arena, ARENA_KEEP_MAX);
    fields = rf_arena_alloc_zero(&head->arena, type->field_count * sizeof *fields);
    head->merged.customer = (struct rf_bytes){0};
    if (decoder.ops->decode(decoder.self, head->merged.record.source, head->merged.record.value,
                            &head->arena, fields, &err) &&
        rf_admit(merge->plan, &head->merged.record, fields, &head->arena, &event, &admission,
                 &err)) {
        head->merged.time = event.time;
        head->merged.customer = event.customer;
    }
}

static bool advance(struct rf_merge *merge, struct head *head, struct rf_error *err)
{
    struct rf_input *record = &head->merged.record;

    if (!rf_reader_next(head->reader, &record->value, &record->position.offset, &head->ended, err))
        return false;
    if (!head->ended)
        look_at_event(merge, head);
    return true;
}

static bool open_head(struct rf_merge *merge, uint32_t index, struct rf_error *err)
{
    const struct rf_replay_input *input = &merge->inputs[index];
    struct head *head = &merge->heads[index];

    if (!check_source(&merge->plan->sources[input->source], err))
        return false;
    head->reader = rf_reader_open(merge->plan, input->source, input->path, err);
    if (head->reader == NULL)
        return false;
    rf_arena_init(&head->arena, ARENA_CHUNK);
    merge->count++;
    head->merged = (struct rf_merged){
        .input = index,
        .record = {.source = input->source,
                   .position = {.topic = input->path},
                   .broker_time = RF_MS_MIN},
        .time = RF_MS_MIN,
    };
    return advance(merge, head, err);
}

struct rf_merge *rf_merge_open(const struct rf_plan *plan, const struct rf_replay_input *inputs,
                               size_t input_count, struct rf_error *err)
{
    struct rf_merge *merge = calloc(1, sizeof *merge);

    rf_assert(merge != NULL);
    merge->plan = plan;
    merge->inputs = inputs;
    merge->heads = calloc(input_count + 1, sizeof *merge->heads);
    rf_assert(merge->heads != NULL);
    for (uint32_t i = 0; i < input_count; i++) {
        if (open_head(merge, i, err))
            continue;
        rf_merge_close(merge);
        return NULL;
    }
    return merge;
}

void rf_merge_close(struct rf_merge *merge)
{
    if (merge == NULL)
        return;
    for (size_t i = 0; i < merge->count; i++) {
        rf_reader_close(merge->heads[i].reader);
        rf_arena_deinit(&merge->heads[i].arena);
    }
    free(merge->heads);
    free(merge);
}

bool rf_merge_next(struct rf_merge *merge, struct rf_merged *merged, bool *end,
                   struct rf_error *err)
{
    struct head *first = NULL;

    if (merge->given != NULL && !advance(merge, merge->given, err))
        return false;
    for (size_t i = 0; i < merge->count; i++) {
        struct head *head = &merge->heads[i];

        if (!head->ended && (first == NULL || head->merged.time < first->merged.time))
            first = head;
    }
    merge->given = first;
    *end = first == NULL;
    if (first != NULL)
        *merged = first->merged;
    return true;
}

struct rf_decoder rf_merge_decoder(const struct rf_merge *merge, uint32_t input)
{
    rf_assert(input < merge->count);
    return rf_reader_decoder(merge->heads[input].reader);
}
