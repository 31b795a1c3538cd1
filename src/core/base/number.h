/* Numbers to text and back, the same bits on every machine and under every locale. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* A decimal floating-point number, correctly rounded (IEEE 754 round half to even): optional sign,
 * digits with an optional point, optional exponent; also "inf", "infinity", "nan" in any case, with an
 * optional sign. The whole of `text` must be the number. Overflow gives an infinity. */
bool rf_double_parse(struct rf_bytes text, double *number);

/* The shortest decimal that reads back as the same double: "0.1", "1e+100", "-5", "NaN", "+infinity" is
 * written "Infinity", "-Infinity". Returns the length; `size_max` at least RF_DOUBLE_TEXT_MAX. */
#define RF_DOUBLE_TEXT_MAX 32
size_t rf_double_format(char *text, size_t size_max, double number);

/* Decimal integers; the whole of `text`; false on overflow. */
bool rf_int64_parse(struct rf_bytes text, int64_t *number);
bool rf_uint64_parse(struct rf_bytes text, uint64_t *number);

/* "512MiB", "64KiB", "1GiB", "100000": bytes. */
bool rf_size_parse(struct rf_bytes text, uint64_t *size);
