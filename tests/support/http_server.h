/* A small HTTP server in a thread of the test: it answers by script, and remembers what it was asked. */
#pragma once
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HTTP_ROUTES_MAX 32

struct http_route {
    const char *request; /* "GET /schemas/ids/1" */
    int status;
    const char *body;
    int times;      /* answered so often, then the next route of the same request; 0: for ever */
    int delay_ms;   /* before the answer */
    size_t padding; /* so many spaces behind the body */
};

struct http_server {
    int socket;
    int port;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct http_route routes[HTTP_ROUTES_MAX];
    int route_count;
    int request_count;
    char last_request[4096]; /* head and body */
};

static inline void http_server_read(int connection, char *request, size_t request_max)
{
    size_t size = 0;
    size_t wanted = SIZE_MAX;

    while (size < request_max - 1 && size < wanted) {
        ssize_t got = recv(connection, request + size, request_max - 1 - size, 0);

        if (got <= 0)
            break;
        size += (size_t)got;
        request[size] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strcasestr(request, "content-length:");
        if (end != NULL)
            wanted = (size_t)(end + 4 - request) +
                     (length == NULL ? 0 : (size_t)strtoul(length + 15, NULL, 10));
    }
    request[size] = '\0';
}

static inline struct http_route http_server_route(struct http_server *server, const char *request)
{
    struct http_route found = {.status = 404,
                               .body = "{\"error_code\":40403,\"message\":\"Schema not found\"}"};

    pthread_mutex_lock(&server->mutex);
    server->request_count++;
    snprintf(server->last_request, sizeof server->last_request, "%s", request);
    for (int i = 0; i < server->route_count; i++) {
        struct http_route *route = &server->routes[i];
        size_t size = strlen(route->request);

        if (strncmp(request, route->request, size) != 0 || request[size] != ' ' || route->times < 0)
            continue;
        found = *route;
        if (route->times > 0 && --route->times == 0)
            route->times = -1;
        break;
    }
    pthread_mutex_unlock(&server->mutex);
    return found;
}

static inline bool http_server_send(int connection, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(connection, data, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static inline void http_server_answer(struct http_server *server, int connection)
{
    static const char spaces[] = "                                                                ";
    char request[4096];
    char head[256];

    http_server_read(connection, request, sizeof request);
    struct http_route route = http_server_route(server, request);
    nanosleep(&(struct timespec){.tv_sec = route.delay_ms / 1000,
                                 .tv_nsec = route.delay_ms % 1000 * 1000000L},
              NULL);
    snprintf(head, sizeof head,
             "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n",
             route.status, strlen(route.body) + route.padding);
    bool ok = http_server_send(connection, head, strlen(head)) &&
              http_server_send(connection, route.body, strlen(route.body));
    for (size_t rest = route.padding; ok && rest > 0;) {
        size_t size = rest < sizeof spaces - 1 ? rest : sizeof spaces - 1;

        ok = http_server_send(connection, spaces, size);
        rest -= size;
    }
}

static inline void *http_server_run(void *argument)
{
    struct http_server *server = argument;

    for (;;) {
        int connection = accept(server->socket, NULL, NULL);

        if (connection < 0)
            return NULL;
        http_server_answer(server, connection);
        close(connection);
    }
}

/* `port` 0: any. */
static inline void http_server_start(struct http_server *server, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_mutex_init(&server->mutex, NULL);
    server->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_int_eq(bind(server->socket, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(server->socket, 16), 0);
    getsockname(server->socket, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, http_server_run, server);
}

static inline void http_server_stop(struct http_server *server)
{
    shutdown(server->socket, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->socket);
    pthread_mutex_destroy(&server->mutex);
}

static inline void http_server_add(struct http_server *server, struct http_route route)
{
    pthread_mutex_lock(&server->mutex);
    ck_assert_int_lt(server->route_count, HTTP_ROUTES_MAX);
    server->routes[server->route_count++] = route;
    pthread_mutex_unlock(&server->mutex);
}

static inline int http_server_requests(struct http_server *server)
{
    pthread_mutex_lock(&server->mutex);
    int count = server->request_count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}
