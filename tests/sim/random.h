/* splitmix64: everything that a run leaves to chance comes from here, and so from its seed. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct sim_random {
    uint64_t state;
};

static inline uint64_t sim_random_next(struct sim_random *random)
{
    uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline int64_t sim_random_below(struct sim_random *random, int64_t limit)
{
    return (int64_t)(sim_random_next(random) % (uint64_t)limit);
}

static inline int64_t sim_random_between(struct sim_random *random, int64_t low, int64_t high)
{
    return low + sim_random_below(random, high - low + 1);
}

static inline bool sim_random_chance(struct sim_random *random, int64_t per_mille)
{
    return sim_random_below(random, 1000) < per_mille;
}
