/* Avro's decimal (an unscaled two's-complement integer, big endian, and a scale) to a double and back. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define RF_DECIMAL_SIZE_MAX 64 /* bytes of the unscaled integer: 153 digits */

/* The nearest double (round half to even). False where `unscaled` is empty or longer than the maximum. */
bool rf_decimal_to_double(struct rf_bytes unscaled, int32_t scale, double *number);

/* The nearest decimal, in exactly `size` bytes (at most 8 carry the number, the rest its sign), or in as few
 * as are needed where `size` is 0. Returns the size; 0 where the number does not fit or is not finite. */
size_t rf_decimal_from_double(double number, int32_t scale, size_t size,
                              uint8_t unscaled[RF_DECIMAL_SIZE_MAX]);
