/* cli/progress: says what people want to know, on a terminal and nowhere else. */
#include <check.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/progress.h"
#include "edge/sys/clock.h"

#define SECOND_NS INT64_C(1000000000)
#define UNKNOWN   0

static const struct {
    uint64_t total;
    uint64_t done_at_start;
    uint64_t done;
    rf_ns passed;
    const char *unit;
    const char *line;
} lines[] = {
    {2900000, 0, 1200000, 4 * SECOND_NS, "records",
     "doing  41%  1.2M of 2.9M records  300k/s  6s left"},
    {2900000, 0, 0, 4 * SECOND_NS, "records", "doing  0%  0 of 2.9M records"},
    {2900000, 0, 5000, SECOND_NS / 10, "records", "doing  0%  5.0k of 2.9M records"},
    {1000, 0, 999, 2 * SECOND_NS, "records", "doing  99%  999 of 1.0k records  500/s  0s left"},
    {1000, 0, 1000, 2 * SECOND_NS, "records", "doing  100%  1.0k of 1.0k records  500/s"},
    {1000, 0, 1001, 2 * SECOND_NS, "records", "doing  1.0k records  500/s"},
    {UNKNOWN, 0, 31000, 10 * SECOND_NS, "records", "doing  31k records  3.1k/s"},
    {1000000, 900000, 950000, 10 * SECOND_NS, "records",
     "doing  95%  950k of 1.0M records  5.0k/s  10s left"},
    {1000000, 0, 100, 10 * SECOND_NS, "records",
     "doing  0%  100 of 1.0M records  10/s  1d03h left"},
    {100000, 0, 10, SECOND_NS, "files", "doing  0%  10 of 100k files  10/s  2h46m left"},
    {10000, 0, 10, SECOND_NS, "files", "doing  0%  10 of 10k files  10/s  16m39s left"},
    {UINT64_C(3) << 30, 0, UINT64_C(1) << 30, 8 * SECOND_NS, "bytes",
     "doing  33%  1.0GiB of 3.0GiB  128MiB/s  16s left"},
    {UNKNOWN, 0, 1023, SECOND_NS, "bytes", "doing  1023B  1023B/s"},
    {UNKNOWN, 0, UINT64_MAX, SECOND_NS, "records", "doing  18447P records  18447P/s"},
};

START_TEST(a_line_says_how_much_how_fast_and_how_long_still)
{
    char text[RF_PROGRESS_TEXT_MAX];
    struct rf_progress progress = {.doing = "doing",
                                   .unit = lines[_i].unit,
                                   .total = lines[_i].total,
                                   .done_at_start = lines[_i].done_at_start};

    size_t size =
        rf_progress_format(&progress, lines[_i].done, lines[_i].passed, 1000, text, sizeof text);

    ck_assert_str_eq(text, lines[_i].line);
    ck_assert_uint_eq(size, strlen(text));
}
END_TEST

START_TEST(a_line_is_cut_to_the_terminal)
{
    char text[RF_PROGRESS_TEXT_MAX];
    struct rf_progress progress = {.doing = "doing", .unit = "records", .total = 100};

    ck_assert_uint_eq(rf_progress_format(&progress, 50, SECOND_NS, 10, text, sizeof text), 10);

    ck_assert_str_eq(text, "doing  50%");
}
END_TEST

/* What a command with progress writes to standard error, a terminal or a pipe. */
static void run(bool terminal, const char *variable, const char *value, bool quiet, char *output,
                size_t size_max)
{
    int ends[2] = {-1, -1};
    int master = -1;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = terminal ? forkpty(&master, NULL, NULL, NULL) : fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct rf_progress progress;
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        if (variable != NULL)
            setenv(variable, value, 1);
        if (!terminal)
            dup2(ends[1], STDERR_FILENO);
        rf_progress_start(&progress, "replaying", "records", 1000, quiet);
        for (uint64_t done = 0; done <= 500; done++)
            rf_progress_update(&progress, done);
        rf_clock_sleep_ms(120);
        rf_progress_update(&progress, 700);
        rf_progress_end(&progress);
        rf_progress_update(&progress, 1000);
        fprintf(stderr, "done");
        _exit(0);
    }
    close(ends[1]);
    int fd = terminal ? master : ends[0];
    size_t size = 0;
    ssize_t taken = 0;
    while ((taken = read(fd, output + size, size_max - 1 - size)) > 0)
        size += (size_t)taken;
    output[size] = '\0';
    waitpid(child, NULL, 0);
    close(ends[0]);
    if (master >= 0)
        close(master);
}

START_TEST(on_a_terminal_the_line_is_rewritten_rarely_and_wiped_at_the_end)
{
    char output[10000];

    run(true, NULL, NULL, false, output, sizeof output);

    ck_assert_ptr_eq(strstr(output, "\rreplaying  0%  0 of 1.0k records\x1b[K"), output);
    ck_assert_ptr_nonnull(
        strstr(output, "\rreplaying  70%  700 of 1.0k records\x1b[K\r\x1b[Kdone"));
    int count = 0;
    for (const char *at = output; (at = strstr(at, "replaying")) != NULL; at++)
        count++;
    ck_assert_int_le(count, 6); /* of 502 updates; two where nothing else holds the machine up */
}
END_TEST

START_TEST(nothing_is_written_where_nobody_looks_or_it_is_not_wanted)
{
    char output[10000];

    run(false, NULL, NULL, false, output, sizeof output);
    ck_assert_str_eq(output, "done");
    run(true, NULL, NULL, true, output, sizeof output);
    ck_assert_str_eq(output, "done");
    run(true, "TERM", "dumb", false, output, sizeof output);
    ck_assert_str_eq(output, "done");
    run(true, "NO_COLOR", "1", false, output, sizeof output);
    ck_assert_str_eq(output, "done");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli/progress");
    TCase *tcase = tcase_create("progress");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_line_says_how_much_how_fast_and_how_long_still, 0,
                        (int)(sizeof lines / sizeof lines[0]));
    tcase_add_test(tcase, a_line_is_cut_to_the_terminal);
    tcase_add_test(tcase, on_a_terminal_the_line_is_rewritten_rarely_and_wiped_at_the_end);
    tcase_add_test(tcase, nothing_is_written_where_nobody_looks_or_it_is_not_wanted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
