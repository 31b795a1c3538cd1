/* HyperLogLog: how many distinct hashes were seen, in 2^RF_SKETCH_BITS registers of one byte.
 *
 * The first RF_SKETCH_BITS bits of a hash choose a register, which remembers the longest run of zeroes seen
 * at the front of the rest, plus one. The estimate is Ertl's improved raw estimator (O. Ertl, "New
 * cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, algorithm 6): unbiased over
 * the whole range without tables or thresholds. Its standard error is 1.04 / sqrt(2^RF_SKETCH_BITS): 3.25 %
 * with 10 bits. Only +, -, *, / and sqrt, which IEEE 754 fixes: the same bits on every machine. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/model/customer.h"

#define RF_SKETCH_REGISTER_MAX (64 - RF_SKETCH_BITS + 1)

/* True where a register changed. */
bool rf_sketch_add(uint8_t registers[RF_SKETCH_SIZE], uint64_t hash);
int64_t rf_sketch_estimate(const uint8_t registers[RF_SKETCH_SIZE]);
