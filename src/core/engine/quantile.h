/* The bins of QUANTILE: DDSketch (C. Masson, J. Rim, H. Lee, VLDB 2019) with a relative error of 1 %.
 *
 * A value x > 0 is in bin ceil(log(x) / log(g)), g = 1.01 / 0.99, whose representative is within 1 % of every
 * value in it. Negative values mirror positive ones; what is nearer to 0 than RF_QUANTILE_LEAST counts as 0. The
 * numbers are for ever: they are stored. They ascend with the values. */
#pragma once
#include <stdint.h>

#define RF_QUANTILE_LEAST 1e-9

/* Of a finite number. */
int64_t rf_quantile_bin(double number);
double rf_quantile_number(int64_t bin);
