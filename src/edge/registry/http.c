#include "edge/registry/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "edge/sys/clock.h"

#define PAUSE_MIN      (RF_SECOND_MS / 2)
#define STOP_CHECK_MS  50
#define URL_COUNT_MAX  16
#define JSON_TYPE      "application/vnd.schemaregistry.v1+json"
#define STATUS_TIMEOUT 408
#define STATUS_BUSY    429
#define STATUS_SERVER  500

struct address {
    char *url;   /* owned; without a slash at its end */
    char *shown; /* owned; without user and password */
};

struct rf_http {
    CURL *curl;
    struct curl_slist *headers;
    struct address addresses[URL_COUNT_MAX];
    size_t address_count;
    size_t current; /* the one that answered last */
    const atomic_bool *stop;
    struct rf_http_counts *counts; /* not owned; NULL: none */
    char fault[CURL_ERROR_SIZE];
};

/* "http://user:password@host" → "http://host" */
static char *without_password(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    const char *end = host + strcspn(host, "/?#");
    const char *at = memrchr(host, '@', (size_t)(end - host));
    char *shown = strdup(url);

    rf_assert(shown != NULL);
    if (at != NULL)
        snprintf(shown + (host - url), strlen(url) + 1 - (size_t)(host - url), "%s", at + 1);
    return shown;
}

static bool add_address(struct rf_http *http, const char *begin, size_t size, struct rf_error *err)
{
    struct address *address = &http->addresses[http->address_count];

    while (size > 0 && begin[size - 1] == '/')
        size--;
    if (http->address_count == URL_COUNT_MAX)
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "more than %d addresses of the schema registry", URL_COUNT_MAX);
    if ((size <= 7 || strncmp(begin, "http://", 7) != 0) &&
        (size <= 8 || strncmp(begin, "https://", 8) != 0))
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "an address of the schema registry begins with http:// or https://");
    address->url = strndup(begin, size);
    rf_assert(address->url != NULL);
    address->shown = without_password(address->url);
    http->address_count++;
    return true;
}

static bool add_addresses(struct rf_http *http, const char *urls, struct rf_error *err)
{
    for (const char *at = urls + strspn(urls, ", "); *at != '\0'; at += strspn(at, ", ")) {
        size_t size = strcspn(at, ", ");

        if (!add_address(http, at, size, err))
            return false;
        at += size;
    }
    return http->address_count > 0 ||
           rf_error_set(err, RF_ERROR_CONFIG, 0, "the schema registry has no address");
}

static bool stopped(const struct rf_http *http)
{
    return http->stop != NULL && atomic_load(http->stop);
}

static int check_stop(void *self, curl_off_t download_size, curl_off_t downloaded,
                      curl_off_t upload_size, curl_off_t uploaded)
{
    (void)download_size;
    (void)downloaded;
    (void)upload_size;
    (void)uploaded;
    return stopped(self) ? 1 : 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *self)
{
    struct rf_http_answer *answer = self;

    rf_buffer_append(&answer->body, data, size * count);
    answer->too_large = answer->body.overflow;
    return answer->too_large ? 0 : size * count; /* 0: curl gives up */
}

static void set_identity(struct rf_http *http, const struct rf_http_settings *settings)
{
    if (settings->user != NULL) {
        curl_easy_setopt(http->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(http->curl, CURLOPT_USERNAME, settings->user);
        curl_easy_setopt(http->curl, CURLOPT_PASSWORD,
                         settings->password == NULL ? "" : settings->password);
    } else if (settings->token != NULL) {
        curl_easy_setopt(http->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(http->curl, CURLOPT_XOAUTH2_BEARER, settings->token);
    }
    if (settings->ca_location != NULL)
        curl_easy_setopt(http->curl, CURLOPT_CAINFO, settings->ca_location);
}

static void set_options(struct rf_http *http, const struct rf_http_settings *settings)
{
    http->headers = curl_slist_append(
        NULL,
        "Accept: " JSON_TYPE ", application/vnd.schemaregistry+json;q=0.9, application/json;q=0.8");
    http->headers = curl_slist_append(http->headers, "Content-Type: " JSON_TYPE);
    http->headers = curl_slist_append(http->headers, "Expect:"); /* no wait before a body */
    rf_assert(http->headers != NULL);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(http->curl, CURLOPT_USERAGENT, "ringfold/" RF_VERSION);
    curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(http->curl, CURLOPT_FOLLOWLOCATION, 0L); /* not with our password */
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)settings->timeout);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->fault);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, check_stop);
    curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
    set_identity(http, settings);
}

struct rf_http *rf_http_open(const struct rf_http_settings *settings, struct rf_error *err)
{
    struct rf_http *http = calloc(1, sizeof *http);

    rf_assert(http != NULL);
    rf_assert(settings->timeout > 0 && settings->connect_timeout > 0);
    rf_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); /* counted */
    http->curl = curl_easy_init();
    rf_assert(http->curl != NULL);
    http->stop = settings->stop;
    http->counts = settings->counts;
    if (!add_addresses(http, settings->urls, err)) {
        rf_http_close(http);
        return NULL;
    }
    set_options(http, settings);
    return http;
}

void rf_http_close(struct rf_http *http)
{
    if (http == NULL)
        return;
    for (size_t i = 0; i < http->address_count; i++) {
        free(http->addresses[i].url);
        free(http->addresses[i].shown);
    }
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    curl_global_cleanup();
    free(http);
}

const char *rf_http_escape(struct rf_http *http, struct rf_arena *arena, const char *text)
{
    char *escaped = curl_easy_escape(http->curl, text, 0);
    const char *copied = NULL;

    rf_assert(escaped != NULL);
    copied = rf_arena_copy_text(arena, escaped);
    curl_free(escaped);
    return copied;
}

rf_span_ms rf_http_pause(unsigned tries)
{
    rf_span_ms pause = PAUSE_MIN;
    rf_ns now = rf_clock_monotonic_ns();
    uint64_t chance = rf_hash64(rf_bytes_of(&now, sizeof now));

    while (tries-- > 1 && pause < RF_HTTP_PAUSE_MAX)
        pause *= 2;
    if (pause > RF_HTTP_PAUSE_MAX)
        pause = RF_HTTP_PAUSE_MAX;
    return pause / 2 + (rf_span_ms)(chance % (uint64_t)(pause / 2 + 1));
}

static bool is_passing(long status)
{
    return status >= STATUS_SERVER || status == STATUS_BUSY || status == STATUS_TIMEOUT;
}

static const struct {
    const char *name;
    long status; /* 0: none */
} statuses[RF_HTTP_STATUSES] = {
    {"200", 200}, {"201", 201}, {"400", 400}, {"401", 401}, {"403", 403}, {"404", 404},
    {"408", 408}, {"409", 409}, {"422", 422}, {"429", 429}, {"500", 500}, {"502", 502},
    {"503", 503}, {"504", 504}, {"other", 0}, {"error", 0},
};

const char *rf_http_status_name(size_t index)
{
    rf_assert(index < RF_HTTP_STATUSES);
    return statuses[index].name;
}

static void count_answer(struct rf_http *http, bool answered, long status)
{
    size_t index = 0;

    if (http->counts == NULL)
        return;
    while (answered && index < RF_HTTP_STATUSES - 2 && statuses[index].status != status)
        index++;
    if (!answered)
        index = RF_HTTP_STATUSES - 1;
    atomic_fetch_add(&http->counts->answers[index], 1);
}

/* One try at one address. */
static bool ask_one(struct rf_http *http, const struct address *address, const char *path,
                    struct rf_http_answer *answer, struct rf_error *err)
{
    size_t size = strlen(address->url) + strlen(path) + 1;
    char *url = malloc(size);
    CURLcode code = CURLE_OK;

    rf_assert(url != NULL);
    snprintf(url, size, "%s%s", address->url, path);
    rf_buffer_clear(&answer->body);
    answer->status = 0;
    answer->too_large = false;
    answer->url = address->shown;
    http->fault[0] = '\0';
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, answer);
    code = curl_easy_perform(http->curl);
    free(url);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    count_answer(http, code == CURLE_OK || answer->too_large, answer->status);
    if (code != CURLE_OK && !answer->too_large)
        return rf_error_set(err, RF_ERROR_RETRY, (int32_t)code, "%s%s: %s", address->shown, path,
                            http->fault[0] != '\0' ? http->fault : curl_easy_strerror(code));
    if (is_passing(answer->status))
        return rf_error_set(err, RF_ERROR_RETRY, (int32_t)answer->status, "%s%s: HTTP status %ld",
                            address->shown, path, answer->status);
    return true;
}

/* False where somebody asked to stop. */
static bool pause_before(const struct rf_http *http, unsigned tries)
{
    rf_ns until = rf_clock_monotonic_ns() + rf_http_pause(tries) * 1000000;

    while (!stopped(http)) {
        rf_span_ms rest = (until - rf_clock_monotonic_ns()) / 1000000;

        if (rest <= 0)
            return true;
        rf_clock_sleep_ms(rest < STOP_CHECK_MS ? rest : STOP_CHECK_MS);
    }
    return false;
}

static bool ask_all(struct rf_http *http, const char *path, struct rf_http_answer *answer,
                    struct rf_error *err)
{
    for (size_t i = 0; i < http->address_count && !stopped(http); i++) {
        rf_error_clear(err);
        if (ask_one(http, &http->addresses[http->current], path, answer, err))
            return true;
        http->current = (http->current + 1) % http->address_count;
    }
    return false;
}

bool rf_http_ask(struct rf_http *http, const char *path, const char *body, unsigned tries_max,
                 struct rf_http_answer *answer, struct rf_error *err)
{
    rf_assert(err->kind == RF_ERROR_NONE);
    rf_assert(tries_max > 0 && path[0] == '/');
    *answer = (struct rf_http_answer){0};
    rf_buffer_init(&answer->body, RF_HTTP_ANSWER_SIZE_MAX);
    if (body == NULL) {
        curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body); /* not copied */
    }
    for (unsigned tries = 0; tries < tries_max; tries++) {
        if (tries > 0 && !pause_before(http, tries))
            break;
        if (ask_all(http, path, answer, err))
            return true;
    }
    if (err->kind == RF_ERROR_NONE)
        rf_error_set(err, RF_ERROR_RETRY, 0, "asking the schema registry: stopped");
    return false;
}
