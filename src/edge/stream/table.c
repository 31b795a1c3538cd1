#include "edge/stream/table.h"

#include "edge/stream/follow.h"

#define POLL_MS 100

bool rf_table_read(const struct rf_table_options *options, const struct rf_table_listener *listener,
                   struct rf_error *err)
{
    struct rf_follow_options wanted = {
        .kafka = options->kafka,
        .kafka_count = options->kafka_count,
        .client = options->app,
        .topics = &options->topic,
        .topic_count = 1,
        .from = RF_FOLLOW_BEGINNING,
        .to_end = true,
    };
    struct rf_follow *follow = rf_follow_open(&wanted, err);
    const struct rf_message *message = NULL;
    bool ok = follow != NULL;

    if (ok)
        listener->partitions(listener->self, rf_follow_partitions(follow, 0));
    while (ok && !rf_follow_is_done(follow)) {
        ok = rf_follow_next(follow, POLL_MS, &message, err);
        if (ok && message != NULL)
            listener->record(listener->self, message->partition, message->key, message->value,
                             message->offset);
    }
    rf_follow_close(follow);
    return ok;
}
