#include "sim/broker.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "sim/world.h"

#define OFFSETS_BIT (UINT64_C(1) << SIM_LOGS)

static int log_index(enum sim_topic topic, int32_t partition)
{
    rf_assert(partition >= 0 && partition < SIM_PARTITIONS_MAX);
    return (int)topic * SIM_PARTITIONS_MAX + partition;
}

static uint64_t log_bit(int log)
{
    return UINT64_C(1) << log;
}

void sim_broker_init(struct sim_broker *broker, struct sim_world *world)
{
    memset(broker, 0, sizeof *broker);
    broker->world = world;
    rf_arena_init(&broker->arena, 256U << 10);
    broker->txn_count = 1;
    broker->txn_oldest = 1;
    broker->txn_capacity = 64;
    broker->txns = calloc(broker->txn_capacity, sizeof *broker->txns);
    rf_assert(broker->txns != NULL);
    memset(broker->committed, 0xff, sizeof broker->committed);
}

void sim_broker_deinit(struct sim_broker *broker)
{
    for (int i = 0; i < SIM_LOGS; i++)
        free(broker->logs[i].entries);
    free(broker->txns);
    free(broker->delayed);
    rf_arena_deinit(&broker->arena);
}

/* ---- logs ---- */

struct sim_log *sim_log_of(struct sim_broker *broker, enum sim_topic topic, int32_t partition)
{
    return &broker->logs[log_index(topic, partition)];
}

int64_t sim_log_high(struct sim_broker *broker, enum sim_topic topic, int32_t partition)
{
    return sim_log_of(broker, topic, partition)->count;
}

int64_t sim_log_stable(struct sim_broker *broker, enum sim_topic topic, int32_t partition)
{
    int index = log_index(topic, partition);
    struct sim_log *log = &broker->logs[index];

    while (log->stable < log->count) {
        uint32_t txn = log->entries[log->stable].txn;

        if (txn != 0 && (broker->txns[txn].marked & log_bit(index)) == 0)
            break;
        log->stable++;
    }
    return log->stable;
}

bool sim_entry_is_committed(const struct sim_broker *broker, const struct sim_entry *entry)
{
    return entry->kind == SIM_DATA &&
           (entry->txn == 0 || broker->txns[entry->txn].decision == SIM_COMMITTED);
}

static struct rf_bytes keep(struct sim_broker *broker, struct rf_bytes bytes)
{
    return bytes.data == NULL ? bytes : rf_arena_copy(&broker->arena, bytes);
}

int64_t sim_append(struct sim_broker *broker, enum sim_topic topic, int32_t partition,
                   const struct sim_entry *entry)
{
    int index = log_index(topic, partition);
    struct sim_log *log = &broker->logs[index];

    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 256 : log->capacity * 2;
        log->entries = realloc(log->entries, (size_t)log->capacity * sizeof *log->entries);
        rf_assert(log->entries != NULL);
    }
    log->entries[log->count] = *entry;
    log->entries[log->count].key = keep(broker, entry->key);
    log->entries[log->count].value = keep(broker, entry->value);
    if (entry->txn != 0 && entry->kind == SIM_DATA)
        broker->txns[entry->txn].touched |= log_bit(index);
    return log->count++;
}

/* ---- transactions ---- */

static uint32_t begin(struct sim_broker *broker, int producer)
{
    struct sim_txn *txn = NULL;

    if (broker->txn_count == broker->txn_capacity) {
        broker->txn_capacity *= 2;
        broker->txns = realloc(broker->txns, broker->txn_capacity * sizeof *broker->txns);
        rf_assert(broker->txns != NULL);
    }
    txn = &broker->txns[broker->txn_count];
    memset(txn, 0, sizeof *txn);
    memset(txn->offsets, 0xff, sizeof txn->offsets);
    txn->producer = producer;
    txn->began = broker->world->now;
    return broker->txn_count++;
}

static void complete(struct sim_broker *broker, uint32_t index)
{
    struct sim_txn *txn = &broker->txns[index];

    txn->complete = true;
    if (txn->producer >= 0) {
        struct sim_transactional_id *id = &broker->ids[txn->producer];

        rf_assert(id->txn == index);
        id->txn = 0;
        id->last = txn->decision;
    }
    while (broker->txn_oldest < broker->txn_count && broker->txns[broker->txn_oldest].complete)
        broker->txn_oldest++;
}

static void decide(struct sim_broker *broker, uint32_t index, bool commit)
{
    struct sim_txn *txn = &broker->txns[index];

    rf_assert(txn->decision == SIM_OPEN);
    txn->decision = commit ? SIM_COMMITTED : SIM_ABORTED;
    sim_trace(broker->world, "broker: transaction %u of %d is %s", index, txn->producer,
              commit ? "committed" : "aborted");
    if (commit && txn->producer >= 0)
        sim_truth_commit(&broker->world->truth, index);
    if (txn->touched == 0)
        complete(broker, index);
}

static void mark_offsets(struct sim_broker *broker, const struct sim_txn *txn)
{
    for (int s = 0; s < SIM_SOURCES; s++) {
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++) {
            if (txn->decision == SIM_COMMITTED && txn->offsets[s][p] >= 0)
                broker->committed[s][p] = txn->offsets[s][p];
        }
    }
}

/* One marker, to one of the partitions that still lack it. */
static void mark(struct sim_broker *broker, uint32_t index)
{
    struct sim_txn *txn = &broker->txns[index];
    uint64_t left = txn->touched & ~txn->marked;
    int skip = (int)sim_random_below(&broker->world->random, __builtin_popcountll(left));

    rf_assert(left != 0);
    while (skip-- > 0)
        left &= left - 1;
    left &= ~(left - 1);
    txn->marked |= left;
    if (left == OFFSETS_BIT) {
        mark_offsets(broker, txn);
    } else {
        int log = __builtin_ctzll(left);
        struct sim_entry marker = {.kind = SIM_MARKER, .txn = index};

        sim_append(broker, (enum sim_topic)(log / SIM_PARTITIONS_MAX), log % SIM_PARTITIONS_MAX,
                   &marker);
    }
    if (txn->marked == txn->touched)
        complete(broker, index);
}

uint32_t sim_upstream_begin(struct sim_broker *broker)
{
    return begin(broker, -1);
}

void sim_upstream_end(struct sim_broker *broker, uint32_t txn, bool commit)
{
    decide(broker, txn, commit);
}

/* ---- requests ---- */

enum sim_reply sim_broker_init_producer(struct sim_broker *broker, int producer, uint32_t *epoch)
{
    struct sim_transactional_id *id = &broker->ids[producer];

    if (id->txn != 0) {
        if (broker->txns[id->txn].decision == SIM_OPEN) {
            id->epoch++; /* the old producer is fenced from here on */
            decide(broker, id->txn, false);
        }
        if (id->txn != 0)
            return SIM_CONCURRENT;
    }
    *epoch = ++id->epoch;
    return SIM_DONE;
}

/* The open transaction of the producer, begun where there is none. */
static enum sim_reply join_transaction(struct sim_broker *broker, int producer, uint32_t epoch,
                                       uint32_t *index)
{
    struct sim_transactional_id *id = &broker->ids[producer];

    if (epoch != id->epoch)
        return SIM_FENCED;
    if (id->txn != 0 && broker->txns[id->txn].decision != SIM_OPEN)
        return SIM_CONCURRENT;
    if (id->txn == 0)
        id->txn = begin(broker, producer);
    *index = id->txn;
    return SIM_DONE;
}

static bool fits(const struct sim_world *world, enum sim_topic topic, const struct sim_entry *entry)
{
    size_t size = entry->key.size + entry->value.size;

    if (topic == SIM_CHANGELOG)
        return size <= world->settings.changelog_bytes_max;
    if (topic == SIM_ALERTS)
        return size <= world->settings.alert_bytes_max;
    return topic != SIM_DEAD_LETTERS || size <= world->settings.letter_bytes_max;
}

enum sim_reply sim_broker_produce(struct sim_broker *broker,
                                  const struct sim_produce_request *request, int64_t *offset)
{
    struct sim_entry entry = request->entry;
    enum sim_reply reply = SIM_DONE;

    if (!fits(broker->world, request->topic, &entry))
        return request->epoch == broker->ids[request->producer].epoch ? SIM_TOO_LARGE : SIM_FENCED;
    reply = join_transaction(broker, request->producer, request->epoch, &entry.txn);
    if (reply != SIM_DONE)
        return reply;
    *offset = sim_append(broker, request->topic, request->partition, &entry);
    if (request->claim != NULL)
        broker->txns[entry.txn].claims[request->partition] = request->claim;
    return SIM_DONE;
}

static void set_pending(struct sim_txn *txn, const int64_t offsets[SIM_SOURCES][SIM_PARTITIONS_MAX])
{
    txn->touched |= OFFSETS_BIT;
    for (int s = 0; s < SIM_SOURCES; s++) {
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++) {
            if (offsets[s][p] >= 0)
                txn->offsets[s][p] = offsets[s][p];
        }
    }
}

enum sim_reply sim_broker_send_offsets(struct sim_broker *broker,
                                       const struct sim_offsets_request *request)
{
    uint32_t index = 0;
    enum sim_reply reply = join_transaction(broker, request->producer, request->epoch, &index);

    if (reply != SIM_DONE)
        return reply;
    if (!request->any_member &&
        !sim_group_knows(broker, request->producer, request->member_id, request->generation))
        return SIM_STALE_MEMBER;
    set_pending(&broker->txns[index], request->offsets);
    return SIM_DONE;
}

enum sim_reply sim_broker_end(struct sim_broker *broker, int producer, uint32_t epoch, bool commit)
{
    struct sim_transactional_id *id = &broker->ids[producer];
    enum sim_decision asked = commit ? SIM_COMMITTED : SIM_ABORTED;

    if (epoch != id->epoch)
        return SIM_FENCED;
    if (id->txn == 0)
        return id->last == asked ? SIM_DONE : SIM_INVALID; /* repeated, or nonsense */
    if (broker->txns[id->txn].decision == SIM_OPEN) {
        decide(broker, id->txn, commit);
        return SIM_DONE;
    }
    return broker->txns[id->txn].decision == asked ? SIM_DONE : SIM_INVALID;
}

bool sim_broker_committed(struct sim_broker *broker, int32_t partition, bool stable,
                          int64_t offsets[SIM_SOURCES])
{
    for (uint32_t i = broker->txn_oldest; stable && i < broker->txn_count; i++) {
        const struct sim_txn *txn = &broker->txns[i];

        for (int s = 0; s < SIM_SOURCES; s++) {
            if (txn->offsets[s][partition] >= 0 && (txn->touched & ~txn->marked & OFFSETS_BIT) != 0)
                return false;
        }
    }
    for (int s = 0; s < SIM_SOURCES; s++)
        offsets[s] = broker->committed[s][partition];
    return true;
}

/* ---- what goes on by itself ---- */

void sim_broker_delay(struct sim_broker *broker, const struct sim_delayed *delayed)
{
    if (broker->delayed_count == broker->delayed_capacity) {
        broker->delayed_capacity = broker->delayed_capacity == 0 ? 8 : broker->delayed_capacity * 2;
        broker->delayed =
            realloc(broker->delayed, broker->delayed_capacity * sizeof *broker->delayed);
        rf_assert(broker->delayed != NULL);
    }
    broker->delayed[broker->delayed_count++] = *delayed;
}

static void deliver(struct sim_broker *broker, const struct sim_delayed *request)
{
    const struct sim_transactional_id *id = &broker->ids[request->producer];
    bool open = id->txn != 0 && broker->txns[id->txn].decision == SIM_OPEN;

    if (id->epoch != request->epoch) {
        broker->world->counts.torn_refused++;
        return;
    }
    sim_trace(broker->world, "network: a late %s of %d arrives",
              request->is_end ? (request->commit ? "commit" : "abort") : "offset commit",
              request->producer);
    if (request->is_end && open)
        decide(broker, id->txn, request->commit);
    /* Offsets are taken where the transaction has any: that is all that the broker verifies. */
    if (!request->is_end && open && (broker->txns[id->txn].touched & OFFSETS_BIT) != 0 &&
        sim_group_knows(broker, request->producer, request->member_id, request->generation))
        set_pending(&broker->txns[id->txn], request->offsets);
}

static void deliver_delayed(struct sim_broker *broker)
{
    for (size_t i = 0; i < broker->delayed_count; i++) {
        struct sim_delayed request = broker->delayed[i];

        if (request.due > broker->world->now)
            continue;
        broker->delayed[i--] = broker->delayed[--broker->delayed_count];
        deliver(broker, &request);
    }
}

static void advance_transactions(struct sim_broker *broker)
{
    struct sim_world *world = broker->world;
    int64_t chance = world->settings.faults[SIM_FAULT_SLOW_MARKERS] > 0 && !world->calm ? 60 : 500;

    for (uint32_t i = broker->txn_oldest; i < broker->txn_count; i++) {
        struct sim_txn *txn = &broker->txns[i];

        if (txn->complete)
            continue;
        if (txn->decision != SIM_OPEN) {
            if (sim_random_chance(&world->random, chance))
                mark(broker, i);
        } else if (txn->producer >= 0 &&
                   world->now - txn->began > world->settings.transaction_timeout) {
            sim_trace(world, "broker: transaction %u of %d timed out", i, txn->producer);
            broker->ids[txn->producer].epoch++;
            decide(broker, i, false);
        }
    }
}

static void advance_group(struct sim_broker *broker)
{
    struct sim_world *world = broker->world;

    for (int i = 0; i < SIM_PRODUCERS_MAX; i++) {
        const struct sim_member *member = &broker->group.members[i];

        if (member->exists && world->now - member->heard > world->settings.session_timeout)
            sim_group_remove(broker, i);
    }
}

/* ---- the group ---- */

static void assign_ranges(struct sim_broker *broker)
{
    struct sim_group *group = &broker->group;
    int32_t partitions = broker->world->settings.partitions;
    int members[SIM_PRODUCERS_MAX];
    int count = 0;
    int first = 0;

    for (int i = 0; i < SIM_PRODUCERS_MAX; i++) {
        if (group->members[i].exists)
            members[count++] = i;
    }
    if (count == 0)
        return;
    first = (int)sim_random_below(&broker->world->random, count);
    group->generation++;
    for (int i = 0; i < count; i++) {
        group->members[members[i]].assigned = 0;
        group->members[members[i]].generation = group->generation;
    }
    for (int32_t p = 0; p < partitions; p++)
        group->members[members[(first + p * count / partitions) % count]].assigned |= 1U << p;
    sim_trace(broker->world, "group: generation %u of %d members", group->generation, count);
}

static void complete_rebalance(struct sim_broker *broker)
{
    struct sim_group *group = &broker->group;

    for (int i = 0; group->rebalancing && i < SIM_PRODUCERS_MAX; i++) {
        if (group->members[i].exists && !group->members[i].joined)
            return;
    }
    if (!group->rebalancing)
        return;
    group->rebalancing = false;
    assign_ranges(broker);
}

void sim_group_rebalance(struct sim_broker *broker)
{
    struct sim_group *group = &broker->group;

    if (group->rebalancing)
        return;
    group->rebalancing = true;
    for (int i = 0; i < SIM_PRODUCERS_MAX; i++)
        group->members[i].joined = false;
}

void sim_group_remove(struct sim_broker *broker, int worker)
{
    if (!broker->group.members[worker].exists)
        return;
    sim_trace(broker->world, "group: member %d is out", worker);
    broker->group.members[worker].exists = false;
    sim_group_rebalance(broker);
}

/* A static member that comes back may take its former place without a rebalance. */
uint32_t sim_group_join(struct sim_broker *broker, int worker)
{
    struct sim_group *group = &broker->group;
    struct sim_member *member = &group->members[worker];
    bool keeps =
        member->exists && !group->rebalancing && sim_random_chance(&broker->world->random, 500);

    member->exists = true;
    member->id = ++group->ids;
    member->heard = broker->world->now;
    if (!keeps) {
        sim_group_rebalance(broker);
        member->joined = true;
        member->generation = 0;
    }
    sim_trace(broker->world, "group: member %d joins as %u%s", worker, member->id,
              keeps ? ", and keeps its partitions" : "");
    return member->id;
}

bool sim_group_knows(const struct sim_broker *broker, int worker, uint32_t member_id,
                     uint32_t generation)
{
    const struct sim_member *member = &broker->group.members[worker];

    return member->exists && member->id == member_id && broker->group.generation == generation;
}

void sim_broker_tick(struct sim_broker *broker)
{
    deliver_delayed(broker);
    advance_transactions(broker);
    advance_group(broker);
    complete_rebalance(broker);
}

bool sim_broker_is_settled(const struct sim_broker *broker)
{
    return broker->delayed_count == 0 && broker->txn_oldest == broker->txn_count &&
           !broker->group.rebalancing;
}
