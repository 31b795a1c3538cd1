/* The simulator: the real task and the real transaction against a modelled broker that crashes, delays and lies. One
 * seed, one run; the same seed, the same run.
 *
 *   sim --seed S [--trace] [--steps N] [--plant NAME]     one run
 *   sim --seeds A..B [--plant NAME]                       many; ends at the first that fails, and names it
 *   sim --seeds A..B --plant NAME --find                  0 where the mistake is found, 1 where it is not
 *   sim --seeds A..B --twice                              each seed twice: is it the same run?
 *   sim --plants                                          the mistakes that can be planted */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/world.h"

#define COVERED_AFTER 500 /* seeds; by then every fault has happened */

struct options {
    uint64_t first, last;
    int64_t steps;
    enum sim_plant plant;
    bool trace, find, twice, quiet;
};

static struct sim_world world;

_Noreturn static void usage(const char *why)
{
    fprintf(
        stderr,
        "sim: %s\nusage: sim --seed S | --seeds A..B [--steps N] [--trace] [--twice] [--plant NAME [--find]]\n",
        why);
    exit(2);
}

static enum sim_plant plant_of(const char *name)
{
    for (int i = 0; i < SIM_PLANT_COUNT; i++) {
        if (strcmp(sim_plant_name((enum sim_plant)i), name) == 0)
            return (enum sim_plant)i;
    }
    usage("no such plant");
}

static void list_plants(void)
{
    for (int i = 1; i < SIM_PLANT_COUNT; i++)
        printf("%s\n", sim_plant_name((enum sim_plant)i));
    exit(0);
}

static void parse_seeds(struct options *options, const char *text)
{
    char *end = NULL;

    options->first = strtoull(text, &end, 10);
    options->last = options->first;
    if (strncmp(end, "..", 2) == 0)
        options->last = strtoull(end + 2, &end, 10);
    if (*end != '\0' || options->last < options->first)
        usage("seeds are a number, or A..B");
}

static const char *value_of(int argc, char **argv, int *at)
{
    if (*at + 1 >= argc)
        usage("an option lacks its value");
    return argv[++*at];
}

static struct options parse(int argc, char **argv)
{
    struct options options = {.first = 1, .last = 1};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--seeds") == 0)
            parse_seeds(&options, value_of(argc, argv, &i));
        else if (strcmp(argv[i], "--steps") == 0)
            options.steps = strtoll(value_of(argc, argv, &i), NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            options.plant = plant_of(value_of(argc, argv, &i));
        else if (strcmp(argv[i], "--trace") == 0)
            options.trace = true;
        else if (strcmp(argv[i], "--find") == 0)
            options.find = true;
        else if (strcmp(argv[i], "--twice") == 0)
            options.twice = true;
        else if (strcmp(argv[i], "--plants") == 0)
            list_plants();
        else
            usage("unknown option");
    }
    return options;
}

/* A failed assert of the core is as good a finding as a failed check. */
static void on_signal(int number)
{
    sim_print_trace(&world);
    fprintf(stderr, "sim: signal %d\n", number);
    _Exit(1);
}

/* On a stack of its own: a fiber may have come to the end of its. */
static void catch_signals(void)
{
    static char stack[64 << 10];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

    sigaltstack(&alternate, NULL);
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

static void print_counts(const struct options *options)
{
    const struct sim_counts *c = &world.counts;

    printf(
        "%llu seeds, %llu steps: %llu inputs, %llu timers, %llu derived events, %llu dead letters\n",
        (unsigned long long)(options->last - options->first + 1), (unsigned long long)c->steps,
        (unsigned long long)c->events, (unsigned long long)c->timers,
        (unsigned long long)c->derived, (unsigned long long)c->letters);
    printf(
        "  transactions: %llu committed, %llu aborted, %llu of unknown outcome (%llu not aborted), "
        "%llu given up\n",
        (unsigned long long)c->committed, (unsigned long long)c->aborted,
        (unsigned long long)c->unknown, (unsigned long long)c->elsewhere,
        (unsigned long long)c->lost);
    printf(
        "  %llu records restored, %llu stores rebuilt, %llu inputs put aside, %llu producers renewed, "
        "%llu late requests refused\n",
        (unsigned long long)c->restored, (unsigned long long)c->rebuilt,
        (unsigned long long)c->quarantined, (unsigned long long)c->renewed,
        (unsigned long long)c->torn_refused);
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        printf("  %-28s %llu\n", sim_fault_names[i], (unsigned long long)c->faults[i]);
}

/* A simulator that no longer does what it is for must not pass. */
static int check_coverage(const struct options *options)
{
    if (options->last - options->first + 1 < COVERED_AFTER)
        return 0;
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        if (world.counts.faults[i] == 0) {
            fprintf(stderr, "sim: no run had this fault: %s\n", sim_fault_names[i]);
            return 1;
        }
    }
    return 0;
}

static int run_all(const struct options *options)
{
    world.print_trace = options->trace;
    catch_signals();
    for (uint64_t seed = options->first; seed <= options->last; seed++) {
        uint64_t digest = 0;

        sim_world_run(&world, seed, options->plant, options->steps);
        digest = world.digest;
        if (!options->twice)
            continue;
        sim_world_run(&world, seed, options->plant, options->steps);
        if (world.digest != digest) {
            fprintf(stderr, "sim: seed %llu: the second run is not like the first\n",
                    (unsigned long long)seed);
            return 1;
        }
    }
    if (!options->find)
        print_counts(options);
    return check_coverage(options);
}

/* In a process of its own, as the finding ends it. */
static int find(const struct options *options)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        exit(run_all(options));
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1) {
        printf("%s: found\n", sim_plant_name(options->plant));
        return 0;
    }
    fprintf(stderr, "sim: %s was not found\n", sim_plant_name(options->plant));
    return 1;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);

    return options.find ? find(&options) : run_all(&options);
}
