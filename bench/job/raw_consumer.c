/* Reads a topic and does nothing with it: what any program on librdkafka has to pay, and no more.
 *
 * usage: raw_consumer BROKERS GROUP TOPIC
 *
 * The partitions' queues are forwarded to one queue of our own, from which librdkafka calls back message by message:
 * its cheapest way to consume in 2.0.2 that is sound (rd_kafka_consume_batch loses messages around a rebalance, and
 * serving the consumer's own queue this way aborts the process at the first rebalance). The positions are committed
 * every COMMIT_MS, so that an onlooker sees how far it is. Ends on SIGTERM. */
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define POLL_MS   50
#define COMMIT_MS 200

static volatile sig_atomic_t is_ending;

struct consumer {
    rd_kafka_t *handle;
    rd_kafka_queue_t *messages; /* of all assigned partitions */
    unsigned long count;
    unsigned long bytes;
};

static void end(int signal_number)
{
    (void)signal_number;
    is_ending = 1;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "raw_consumer: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        fail(name, reason);
}

static void consume(rd_kafka_message_t *message, void *opaque)
{
    struct consumer *consumer = opaque;

    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("consuming", rd_kafka_message_errstr(message));
    consumer->count++;
    consumer->bytes += message->len;
}

/* A forward is lost when a partition is taken away, so it is set at every assignment. */
static void forward(struct consumer *consumer, const rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(
            consumer->handle, partitions->elems[i].topic, partitions->elems[i].partition);

        if (queue == NULL)
            fail(partitions->elems[i].topic, "the partition has no queue");
        rd_kafka_queue_forward(queue, consumer->messages);
        rd_kafka_queue_destroy(queue);
    }
}

static void rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t reason,
                      rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct consumer *consumer = opaque;

    if (reason == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        forward(consumer, partitions);
        rd_kafka_assign(handle, partitions);
    } else {
        rd_kafka_assign(handle, NULL);
    }
}

static void consumer_open(struct consumer *consumer, const char *brokers, const char *group,
                          const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    char reason[256];

    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", group);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "check.crcs", "true");
    /* A smaller queue makes 2.0.2's fetcher sleep whole seconds when it is full. */
    set(conf, "queued.min.messages", "1000000");
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    rd_kafka_conf_set_opaque(conf, consumer);
    consumer->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (consumer->handle == NULL)
        fail("opening the consumer", reason);
    consumer->messages = rd_kafka_queue_new(consumer->handle);
    rd_kafka_poll_set_consumer(consumer->handle);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(consumer->handle, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("subscribing", topic);
    rd_kafka_topic_partition_list_destroy(topics);
}

static void commit_positions(struct consumer *consumer, int is_last)
{
    rd_kafka_topic_partition_list_t *partitions = NULL;

    if (rd_kafka_assignment(consumer->handle, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_position(consumer->handle, partitions);
    for (int i = partitions->cnt - 1; i >= 0; i--) {
        if (partitions->elems[i].offset < 0)
            rd_kafka_topic_partition_list_del_by_idx(partitions, i);
    }
    if (partitions->cnt > 0)
        rd_kafka_commit(consumer->handle, partitions, !is_last);
    rd_kafka_topic_partition_list_destroy(partitions);
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    struct consumer consumer = {0};
    struct sigaction action = {.sa_handler = end};
    long committed_ms = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: raw_consumer BROKERS GROUP TOPIC\n");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    consumer_open(&consumer, argv[1], argv[2], argv[3]);
    while (!is_ending) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer.handle, 0); /* rebalances */

        if (message != NULL) {
            consume(message, &consumer);
            rd_kafka_message_destroy(message);
        }
        rd_kafka_consume_callback_queue(consumer.messages, POLL_MS, consume, &consumer);
        if (now_ms() - committed_ms >= COMMIT_MS) {
            commit_positions(&consumer, 0);
            committed_ms = now_ms();
        }
    }
    commit_positions(&consumer, 1);
    printf("%lu messages, %lu bytes\n", consumer.count, consumer.bytes);
    rd_kafka_queue_destroy(consumer.messages);
    rd_kafka_consumer_close(consumer.handle);
    rd_kafka_destroy(consumer.handle);
    return 0;
}
