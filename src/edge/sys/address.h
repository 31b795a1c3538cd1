/* Where to listen: ADDRESS:PORT as it is configured. Any thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"

#define RF_ADDRESS_HOST_MAX 256
#define RF_ADDRESS_TEXT_MAX (RF_ADDRESS_HOST_MAX + 10)

struct rf_address {
    char host[RF_ADDRESS_HOST_MAX]; /* a name, or an address without brackets */
    uint16_t port;                  /* 0: any that is free */
};

/* "127.0.0.1:8088", "[::1]:8088", "localhost:0". No name is looked up. */
bool rf_address_parse(const char *text, struct rf_address *address);

/* Only this machine can connect: 127.0.0.0/8, ::1, localhost. */
bool rf_address_is_loopback(const struct rf_address *address);

/* Looks the name up, and listens: *listener is a socket, and address->port the one that it has. Errors: CONFIG, with
 * origin_code EADDRINUSE where somebody listens there already. */
bool rf_address_listen(struct rf_address *address, int *listener,
                       struct rf_error *err) RF_MUST_CHECK;
