/* Which instance has a partition, and where it answers questions: each member's client.id says so, and the group's
 * coordinator tells it to everybody. */
#include <stdio.h>
#include <string.h>

#include "core/model/plan.h"
#include "core/model/source.h"
#include "edge/stream/watch.h"
#include "edge/sys/log.h"

#define TIMEOUT_MS 2000 /* a broker that is down is waited for as long */
#define ADDRESS    ";http="

void rf_owner_name(const char *member, const char *address, char *name, size_t size_max)
{
    bool has_address = address != NULL && address[0] != '\0';

    snprintf(name, size_max, "%s%s%s", member, has_address ? ADDRESS : "",
             has_address ? address : "");
}

bool rf_owner_parse(const char *name, struct rf_watched_owner *owner)
{
    const char *address = strstr(name, ADDRESS);
    size_t size = address == NULL ? strlen(name) : (size_t)(address - name);

    memset(owner, 0, sizeof *owner);
    while (size > 0 && name[size - 1] != '-') /* the worker's number */
        size--;
    if (size < 2 || size > sizeof owner->instance)
        return false;
    memcpy(owner->instance, name, size - 1);
    if (address != NULL)
        snprintf(owner->address, sizeof owner->address, "%s", address + sizeof ADDRESS - 1);
    return true;
}

/* What is left of a member's assignment, as the consumer protocol has it (ConsumerProtocolAssignment of Kafka):
 *
 *     version (2), topics (4)                 numbers with the most significant byte first
 *       each: size (2), name, partitions (4)
 *         each: partition (4)
 *     user data */
struct assignment {
    const uint8_t *at;
    size_t left;
    bool short_of; /* it ended before it should */
};

static uint32_t take_number(struct assignment *assignment, size_t size)
{
    uint32_t number = 0;

    if (assignment->left < size) {
        assignment->short_of = true;
        assignment->left = 0;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        number = number << 8 | *assignment->at++;
    assignment->left -= size;
    return number;
}

static struct rf_bytes take_text(struct assignment *assignment)
{
    size_t size = take_number(assignment, 2);
    struct rf_bytes text = rf_bytes_of(assignment->at, size);

    if (assignment->left < size) {
        assignment->short_of = true;
        assignment->left = 0;
        return (struct rf_bytes){0};
    }
    assignment->at += size;
    assignment->left -= size;
    return text;
}

void rf_owner_note(struct rf_bytes assignment, const char *topic,
                   const struct rf_watched_owner *owner, struct rf_watched_owner *owners,
                   int32_t partition_count)
{
    struct assignment reading = {.at = assignment.data, .left = assignment.size};
    uint32_t topic_count = 0;

    take_number(&reading, 2);
    topic_count = take_number(&reading, 4);
    for (uint32_t i = 0; i < topic_count && !reading.short_of; i++) {
        bool is_wanted = rf_bytes_equal(take_text(&reading), rf_bytes_of_text(topic));
        uint32_t count = take_number(&reading, 4);

        for (uint32_t p = 0; p < count && !reading.short_of; p++) {
            uint32_t partition = take_number(&reading, 4);

            if (is_wanted && !reading.short_of && partition < (uint32_t)partition_count)
                owners[partition] = *owner;
        }
    }
}

/* By the call that asks every broker for its groups: DescribeConsumerGroups, the newer one, leaves a queue behind in
 * librdkafka 2.0.2 where no coordinator answers, on which the client then hangs when it is closed. */
bool rf_owners_ask(const struct rf_watch *watch, struct rf_watched_owner *owners, char state[32],
                   bool *answered)
{
    const char *group = watch->options->plan->app;
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(watch->client, group, &list, TIMEOUT_MS);
    bool told = false;

    for (int i = 0; list != NULL && i < list->group_cnt && !told; i++) {
        const struct rd_kafka_group_info *info = &list->groups[i];

        if (strcmp(info->group, group) != 0 || info->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        memset(owners, 0, (size_t)watch->partition_count * sizeof *owners);
        for (int m = 0; m < info->member_cnt; m++) {
            struct rf_watched_owner owner;

            if (info->members[m].member_assignment_size > 0 &&
                rf_owner_parse(info->members[m].client_id, &owner))
                rf_owner_note(rf_bytes_of(info->members[m].member_assignment,
                                          (size_t)info->members[m].member_assignment_size),
                              watch->options->plan->sources[0].topic, &owner, owners,
                              watch->partition_count);
        }
        snprintf(state, 32, "%s", info->state);
        told = true;
    }
    if (list != NULL)
        rd_kafka_group_list_destroy(list);
    /* Who may not see the group is answered, too. */
    *answered = told || code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__PARTIAL;
    if (!told)
        rf_log_debug(RF_FIELDS(rf_field_text("group", group),
                               rf_field_text("reason", rd_kafka_err2str(code))),
                     "nobody says who has which partition");
    return told;
}
