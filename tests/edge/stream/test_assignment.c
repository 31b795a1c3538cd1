/* edge/stream/assignment: what the group still gives to a consumer that leaves it is not taken. */
#include <check.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>

#include "edge/stream/assignment.h"
#include "edge/stream/worker.h"

#define PARTITION 1

/* Without a plan: where it began to take the partition it would have to ask that for its sources. */
static struct rf_slot slots[2];
static struct rf_worker worker = {.slots = slots};

static rd_kafka_t *consumer(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[512];
    rd_kafka_t *rk = NULL;

    ck_assert_int_eq(rd_kafka_conf_set(conf, "group.id", "g", why, sizeof why), RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    ck_assert_msg(rk != NULL, "%s", why);
    return rk;
}

START_TEST(what_is_given_to_a_consumer_that_closes_is_not_taken)
{
    rd_kafka_topic_partition_list_t *given = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *assigned = NULL;
    rd_kafka_t *rk = consumer();

    rd_kafka_topic_partition_list_add(given, "calls", PARTITION);
    worker.consumer = rk;
    worker.closing = true;
    rf_rebalanced(rk, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, given, &worker);

    ck_assert_int_eq(slots[PARTITION].state, RF_SLOT_NONE);
    ck_assert_int_eq(rd_kafka_assignment(rk, &assigned), RD_KAFKA_RESP_ERR_NO_ERROR);
    ck_assert_int_eq(assigned->cnt, 0);
    rd_kafka_topic_partition_list_destroy(assigned);
    rd_kafka_topic_partition_list_destroy(given);
    rd_kafka_destroy(rk);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge/stream/assignment");
    TCase *tcase = tcase_create("assignment");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_test(tcase, what_is_given_to_a_consumer_that_closes_is_not_taken);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
