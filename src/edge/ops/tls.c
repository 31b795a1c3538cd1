#include "edge/ops/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "edge/sys/file.h"

#define PEM_SIZE_MAX (1U << 20)

static bool read_pem(struct rf_tls *tls, const char *path, const char *setting, const char **text,
                     struct rf_error *err)
{
    struct rf_buffer content;
    bool ok = true;

    *text = NULL;
    if (path == NULL)
        return true;
    rf_buffer_init(&content, PEM_SIZE_MAX);
    ok = rf_file_read(path, &content, err);
    if (ok)
        *text = (const char *)rf_arena_copy(&tls->arena, rf_buffer_bytes(&content)).data;
    else
        rf_error_wrap(err, "http.tls.%s", setting);
    if (content.size > 0)
        explicit_bzero(content.data, content.size);
    rf_buffer_deinit(&content);
    return ok;
}

static gnutls_datum_t datum(const char *text)
{
    union {
        const char *given;
        unsigned char *asked; /* GnuTLS does not write there, and does not say so */
    } bytes = {.given = text};

    return (gnutls_datum_t){.data = bytes.asked, .size = (unsigned)strlen(text)};
}

/* libmicrohttpd would only say that it did not start. */
static bool check(const struct rf_tls *tls, struct rf_error *err)
{
    gnutls_certificate_credentials_t credentials = NULL;
    gnutls_datum_t certificate = datum(tls->certificate);
    gnutls_datum_t key = datum(tls->key);
    int result = gnutls_certificate_allocate_credentials(&credentials);

    rf_assert(result == GNUTLS_E_SUCCESS); /* memory */
    result =
        gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    if (result < 0)
        rf_error_set(err, RF_ERROR_CONFIG, result,
                     "http.tls.certificate and http.tls.key cannot be used: %s",
                     gnutls_strerror(result));
    if (result >= 0 && tls->client_ca != NULL) {
        gnutls_datum_t trust = datum(tls->client_ca);

        result = gnutls_certificate_set_x509_trust_mem(credentials, &trust, GNUTLS_X509_FMT_PEM);
        if (result <= 0)
            rf_error_set(err, RF_ERROR_CONFIG, result,
                         "http.tls.client_ca cannot be used: there is no certificate in it");
    }
    gnutls_certificate_free_credentials(credentials);
    return err->kind == RF_ERROR_NONE;
}

bool rf_tls_open(struct rf_tls *tls, const char *certificate, const char *key,
                 const char *client_ca, struct rf_error *err)
{
    *tls = (struct rf_tls){0};
    rf_arena_init(&tls->arena, PEM_SIZE_MAX / 16);
    if (!read_pem(tls, certificate, "certificate", &tls->certificate, err) ||
        !read_pem(tls, key, "key", &tls->key, err) ||
        !read_pem(tls, client_ca, "client_ca", &tls->client_ca, err))
        return false;
    if (tls->certificate == NULL && tls->key == NULL && tls->client_ca == NULL)
        return true;
    if (tls->certificate == NULL || tls->key == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "http.tls needs both a certificate and its key");
    return check(tls, err);
}

void rf_tls_close(struct rf_tls *tls)
{
    rf_arena_deinit(&tls->arena);
}

/* The common name of the certificate that the session has verified. */
static bool common_name(gnutls_session_t session, char *name, size_t name_max)
{
    gnutls_x509_crt_t certificate = NULL;
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    bool ok = false;

    if (chain == NULL || count == 0 || gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
        return false;
    ok = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS;
    if (ok && gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name,
                                            &name_max) != GNUTLS_E_SUCCESS)
        snprintf(name, 16, "certificate"); /* it has no common name, or a very long one */
    gnutls_x509_crt_deinit(certificate);
    return ok;
}

bool rf_tls_client(struct MHD_Connection *connection, char *name, size_t name_max)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned status = 0;

    rf_assert(name_max >= 16);
    if (info == NULL || info->tls_session == NULL)
        return false;
    if (gnutls_certificate_type_get(info->tls_session) != GNUTLS_CRT_X509 ||
        gnutls_certificate_verify_peers2(info->tls_session, &status) != GNUTLS_E_SUCCESS ||
        status != 0)
        return false;
    return common_name(info->tls_session, name, name_max);
}
