#include "cli/top_feed.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

#define LINE_SIZE_MAX    ((size_t)4 << 20)
#define NAME_SIZE_MAX    64
#define CONNECT_WAIT_MS  3000L
#define SILENCE_SECONDS  10L /* a tick comes each second */
#define STATUS_FINE      200
#define STATUS_NO_TOKEN  401
#define STATUS_FORBIDDEN 403

struct rf_top_feed {
    struct rf_top_feed_options options;
    CURLM *multi;
    CURL *easy; /* NULL: not connected */
    char *url;
    struct rf_buffer line; /* what of a line has come */
    struct rf_buffer data; /* of the event that is being read */
    char name[NAME_SIZE_MAX];
    char id
        [NAME_SIZE_MAX]; /* of the last event that has one: what comes after it is asked for anew */
    struct curl_slist *headers; /* of the connection */
    size_t events;              /* given out in the present wait */
    char fault[CURL_ERROR_SIZE];
};

struct rf_top_feed *rf_top_feed_open(const struct rf_top_feed_options *options,
                                     struct rf_error *err)
{
    struct rf_top_feed *feed = NULL;
    size_t size = strlen(options->url);

    if (strncmp(options->url, "http://", 7) != 0 && strncmp(options->url, "https://", 8) != 0) {
        rf_error_set(err, RF_ERROR_CONFIG, 0, "'%s' is no address like http://127.0.0.1:8088",
                     options->url);
        return NULL;
    }
    feed = calloc(1, sizeof *feed);
    rf_assert(feed != NULL);
    feed->options = *options;
    while (size > 0 && options->url[size - 1] == '/')
        size--;
    feed->url = malloc(size + sizeof "/events");
    rf_assert(feed->url != NULL);
    memcpy(feed->url, options->url, size);
    memcpy(feed->url + size, "/events", sizeof "/events");
    rf_buffer_init(&feed->line, LINE_SIZE_MAX);
    rf_buffer_init(&feed->data, LINE_SIZE_MAX);
    feed->multi = curl_multi_init();
    rf_assert(feed->multi != NULL);
    return feed;
}

static void disconnect(struct rf_top_feed *feed)
{
    if (feed->easy == NULL)
        return;
    curl_multi_remove_handle(feed->multi, feed->easy);
    curl_easy_cleanup(feed->easy);
    feed->easy = NULL;
    curl_slist_free_all(feed->headers);
    feed->headers = NULL;
    rf_buffer_clear(&feed->line);
    rf_buffer_clear(&feed->data);
    feed->name[0] = '\0';
}

void rf_top_feed_close(struct rf_top_feed *feed)
{
    if (feed == NULL)
        return;
    disconnect(feed);
    curl_multi_cleanup(feed->multi);
    rf_buffer_deinit(&feed->line);
    rf_buffer_deinit(&feed->data);
    free(feed->url);
    free(feed);
}

/* ---- lines ---- */

static bool begins(const struct rf_buffer *line, const char *with)
{
    return line->size >= strlen(with) && memcmp(line->data, with, strlen(with)) == 0;
}

/* The field's value, where it is as short as names and ids are. */
static void take_short(const struct rf_buffer *line, size_t from, char text[NAME_SIZE_MAX])
{
    size_t size = line->size - from;

    if (size >= NAME_SIZE_MAX)
        return;
    memcpy(text, line->data + from, size);
    text[size] = '\0';
}

/* As the specification of server-sent events says: fields up to an empty line; what is unknown is passed over. */
static void take_line(struct rf_top_feed *feed)
{
    struct rf_buffer *line = &feed->line;

    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    if (line->size == 0) {
        if (feed->data.size > 0 && !feed->data.overflow) {
            feed->options.event(feed->options.self, feed->name, rf_buffer_bytes(&feed->data));
            feed->events++;
        }
        rf_buffer_clear(&feed->data);
        feed->name[0] = '\0';
    } else if (begins(line, "event: ")) {
        take_short(line, strlen("event: "), feed->name);
    } else if (begins(line, "id: ")) {
        take_short(line, strlen("id: "), feed->id);
    } else if (begins(line, "data: ")) {
        rf_buffer_append(&feed->data, line->data + 6, line->size - 6);
    }
}

static size_t take_bytes(char *bytes, size_t one, size_t size, void *self)
{
    struct rf_top_feed *feed = self;

    rf_assert(one == 1);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            rf_buffer_append_byte(&feed->line, (uint8_t)bytes[i]);
            continue;
        }
        if (!feed->line.overflow)
            take_line(feed);
        rf_buffer_clear(&feed->line);
    }
    return size;
}

/* ---- the connection ---- */

static void connect_to(struct rf_top_feed *feed)
{
    feed->easy = curl_easy_init();
    rf_assert(feed->easy != NULL);
    curl_easy_setopt(feed->easy, CURLOPT_URL, feed->url);
    curl_easy_setopt(feed->easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(feed->easy, CURLOPT_WRITEDATA, feed);
    curl_easy_setopt(feed->easy, CURLOPT_ERRORBUFFER, feed->fault);
    curl_easy_setopt(feed->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_WAIT_MS);
    curl_easy_setopt(feed->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(feed->easy, CURLOPT_LOW_SPEED_TIME, SILENCE_SECONDS);
    curl_easy_setopt(feed->easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(feed->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(feed->easy, CURLOPT_NOPROXY, "*");
    if (feed->options.ca_file != NULL)
        curl_easy_setopt(feed->easy, CURLOPT_CAINFO, feed->options.ca_file);
    if (feed->options.token != NULL) {
        curl_easy_setopt(feed->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(feed->easy, CURLOPT_XOAUTH2_BEARER, feed->options.token);
    }
    if (feed->id[0] != '\0') {
        char header[NAME_SIZE_MAX + 32];

        snprintf(header, sizeof header, "Last-Event-ID: %s", feed->id);
        feed->headers = curl_slist_append(NULL, header);
        curl_easy_setopt(feed->easy, CURLOPT_HTTPHEADER, feed->headers);
    }
    feed->fault[0] = '\0';
    curl_multi_add_handle(feed->multi, feed->easy);
}

/* The transfer has ended: that is an error, since a stream has no end. */
static bool has_ended(struct rf_top_feed *feed, struct rf_error *err)
{
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(feed->multi, &left);
    CURLcode code = CURLE_OK;
    long status = 0;

    if (message == NULL || message->msg != CURLMSG_DONE)
        return false;
    code = message->data.result;
    curl_easy_getinfo(feed->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == STATUS_NO_TOKEN || status == STATUS_FORBIDDEN)
        rf_error_set(err, RF_ERROR_CONFIG, 0,
                     "%s wants to know who asks: --token-file FILE names a file with the token",
                     feed->options.url);
    else if (status != 0 && status != STATUS_FINE)
        rf_error_set(err, RF_ERROR_RETRY, 0,
                     "%s answers with status %ld: is it an instance of ringfold?",
                     feed->options.url, status);
    else
        rf_error_set(err, RF_ERROR_RETRY, 0, "%s: %s", feed->options.url,
                     code == CURLE_OK         ? "the instance has ended the connection"
                     : feed->fault[0] != '\0' ? feed->fault
                                              : curl_easy_strerror(code));
    disconnect(feed);
    return true;
}

bool rf_top_feed_wait(struct rf_top_feed *feed, int wait_ms, int extra_fd, struct rf_error *err)
{
    struct curl_waitfd extra = {.fd = extra_fd, .events = CURL_WAIT_POLLIN};
    int running = 0;

    feed->events = 0;
    if (feed->easy == NULL)
        connect_to(feed);
    curl_multi_perform(feed->multi, &running);
    if (feed->events == 0 && running > 0) {
        curl_multi_poll(feed->multi, extra_fd < 0 ? NULL : &extra, extra_fd < 0 ? 0 : 1, wait_ms,
                        NULL);
        curl_multi_perform(feed->multi, &running);
    }
    return !has_ended(feed, err);
}
