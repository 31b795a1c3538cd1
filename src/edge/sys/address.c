#include "edge/sys/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/number.h"

#define BACKLOG 128

bool rf_address_parse(const char *text, struct rf_address *address)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    int64_t port = 0;
    size_t size = 0;

    if (colon == NULL || !rf_int64_parse(rf_bytes_of_text(colon + 1), &port) || port < 0 ||
        port > UINT16_MAX)
        return false;
    size = (size_t)(colon - text);
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        host = text + 1;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false; /* an IPv6 address without brackets: which of the colons is the port's? */
    }
    if (size == 0 || size >= sizeof address->host)
        return false;
    memcpy(address->host, host, size);
    address->host[size] = '\0';
    address->port = (uint16_t)port;
    return strpbrk(address->host, " /[]") == NULL;
}

bool rf_address_is_loopback(const struct rf_address *address)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, address->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address->host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcmp(address->host, "localhost") == 0;
}

static uint16_t bound_port(int listener)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;

    rf_assert(getsockname(listener, (struct sockaddr *)&bound, &size) == 0);
    if (bound.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&bound)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)&bound)->sin_port);
}

/* A socket that listens, or -1 with errno. */
static int listen_on(const struct addrinfo *found)
{
    int on = 1;
    int reason = 0;
    int listener = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);

    if (listener < 0)
        return -1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(listener, found->ai_addr, found->ai_addrlen) == 0 && listen(listener, BACKLOG) == 0)
        return listener;
    reason = errno;
    close(listener);
    errno = reason;
    return -1;
}

bool rf_address_listen(struct rf_address *address, int *listener, struct rf_error *err)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    int reason = 0;

    snprintf(port, sizeof port, "%u", address->port);
    reason = getaddrinfo(address->host, port, &wanted, &found);
    if (reason != 0)
        return rf_error_set(err, RF_ERROR_CONFIG, reason, "listening on %s: %s", address->host,
                            gai_strerror(reason));
    *listener = -1;
    for (const struct addrinfo *one = found; one != NULL && *listener < 0; one = one->ai_next)
        *listener = listen_on(one);
    reason = errno;
    freeaddrinfo(found);
    if (*listener < 0)
        return rf_error_set(err, RF_ERROR_CONFIG, reason, "listening on %s, port %u: %s",
                            address->host, address->port, strerror(reason));
    address->port = bound_port(*listener);
    rf_assert(address->port != 0);
    return true;
}
