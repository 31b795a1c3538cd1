#include "edge/sys/pseudonym.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/assert.h"

static uint8_t process_key[RF_PSEUDONYM_KEY_SIZE];
static bool process_key_is_set;
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

void rf_pseudonym_set_key(const uint8_t key[RF_PSEUDONYM_KEY_SIZE])
{
    memcpy(process_key, key, sizeof process_key);
    process_key_is_set = true;
}

static void make_key(void)
{
    if (!process_key_is_set)
        rf_assert(getrandom(process_key, sizeof process_key, 0) == (ssize_t)sizeof process_key);
}

static uint64_t read_word(const uint8_t *bytes, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, 2);
    v[0] ^= word;
}

uint64_t rf_pseudonym_hash(const uint8_t key[RF_PSEUDONYM_KEY_SIZE], struct rf_bytes bytes)
{
    uint64_t low = read_word(key, 8);
    uint64_t high = read_word(key + 8, 8);
    uint64_t v[4] = {
        low ^ UINT64_C(0x736f6d6570736575),
        high ^ UINT64_C(0x646f72616e646f6d),
        low ^ UINT64_C(0x6c7967656e657261),
        high ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = bytes.size - bytes.size % 8;

    for (size_t at = 0; at < whole; at += 8)
        absorb(v, read_word(bytes.data + at, 8));
    absorb(v, (whole < bytes.size ? read_word(bytes.data + whole, bytes.size - whole) : 0) |
                  (uint64_t)bytes.size << 56);
    v[2] ^= 0xff;
    mix(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

size_t rf_pseudonym_format(char *text, size_t size_max, struct rf_bytes customer)
{
    rf_assert(size_max >= RF_PSEUDONYM_TEXT_MAX);
    pthread_once(&process_key_once, make_key);
    return (size_t)snprintf(text, size_max, "c-%016" PRIx64,
                            rf_pseudonym_hash(process_key, customer));
}
