/* What stands for a customer's id in logs and audit lines: a keyed hash (SipHash-2-4, Aumasson and
 * Bernstein 2012), so that lines about one customer can be found together by whoever holds the key, and
 * nobody else can try all telephone numbers. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define RF_PSEUDONYM_KEY_SIZE 16
#define RF_PSEUDONYM_TEXT_MAX 20

/* Before threads start. Without it the key is random and dies with the process. */
void rf_pseudonym_set_key(const uint8_t key[RF_PSEUDONYM_KEY_SIZE]);

/* "c-" and 16 hexadecimal digits; returns the length. `size_max` at least RF_PSEUDONYM_TEXT_MAX. */
size_t rf_pseudonym_format(char *text, size_t size_max, struct rf_bytes customer);

uint64_t rf_pseudonym_hash(const uint8_t key[RF_PSEUDONYM_KEY_SIZE], struct rf_bytes bytes);
