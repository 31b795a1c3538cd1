#include "core/engine/sketch.h"

#include <float.h>
#include <math.h>

#include "core/base/assert.h"

bool rf_sketch_add(uint8_t registers[RF_SKETCH_SIZE], uint64_t hash)
{
    uint64_t place = hash >> (64 - RF_SKETCH_BITS);
    uint64_t rest = hash << RF_SKETCH_BITS;
    uint8_t rank = rest == 0 ? RF_SKETCH_REGISTER_MAX : (uint8_t)(__builtin_clzll(rest) + 1);

    if (registers[place] >= rank)
        return false;
    registers[place] = rank;
    return true;
}

/* Equation 9's sum for registers that are still zero: x + sum of x^(2^k) * 2^(k-1). */
static double sigma(double x)
{
    double term = 1.0;
    double sum = x;
    double before = 0.0;

    if (x >= 1.0)
        return DBL_MAX;
    do {
        x *= x;
        before = sum;
        sum += x * term;
        term += term;
    } while (sum > before);
    return sum;
}

/* Its counterpart for registers at their maximum. */
static double tau(double x)
{
    double term = 1.0;
    double sum = 1.0 - x;
    double before = 0.0;

    if (x <= 0.0 || x >= 1.0)
        return 0.0;
    do {
        x = sqrt(x);
        before = sum;
        term *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * term;
    } while (sum < before);
    return sum / 3.0;
}

int64_t rf_sketch_estimate(const uint8_t registers[RF_SKETCH_SIZE])
{
    const double m = RF_SKETCH_SIZE;
    const double alpha = 0.72134752044448170368; /* 1 / (2 ln 2) */
    uint32_t counts[RF_SKETCH_REGISTER_MAX + 1] = {0};
    double z = 0.0;
    double estimate = 0.0;

    for (uint32_t i = 0; i < RF_SKETCH_SIZE; i++) {
        rf_assert(registers[i] <= RF_SKETCH_REGISTER_MAX);
        counts[registers[i]]++;
    }
    z = m * tau(1.0 - counts[RF_SKETCH_REGISTER_MAX] / m);
    for (int rank = RF_SKETCH_REGISTER_MAX - 1; rank >= 1; rank--)
        z = 0.5 * (z + counts[rank]);
    z += m * sigma(counts[0] / m);
    estimate = alpha * m * m / z + 0.5;
    return estimate < 0x1p62 ? (int64_t)estimate
                             : INT64_C(1) << 62; /* all registers full: z is 0 */
}
