#include "core/engine/quantile.h"

#include <float.h>
#include <math.h>

#include "core/base/assert.h"
#include "core/base/math.h"

#define ERROR_MAX 0.01
#define LOG_GAMMA 0.020000666706669435 /* log((1 + ERROR_MAX) / (1 - ERROR_MAX)) */
#define BIN_FIRST 1037 /* added to a positive value's: the least of them is at least 1 */

int64_t rf_quantile_bin(double number)
{
    int64_t bin = 0;

    rf_assert(isfinite(number));
    if (fabs(number) < RF_QUANTILE_LEAST)
        return 0;
    bin = (int64_t)ceil(rf_log(fabs(number)) / LOG_GAMMA) + BIN_FIRST;
    rf_assert(bin > 0);
    return number < 0 ? -bin : bin;
}

double rf_quantile_number(int64_t bin)
{
    double size = 0.0;

    if (bin == 0)
        return 0.0;
    size = (1.0 - ERROR_MAX) * rf_exp((double)((bin < 0 ? -bin : bin) - BIN_FIRST) * LOG_GAMMA);
    if (size > DBL_MAX)
        size = DBL_MAX;
    return bin < 0 ? -size : size;
}
