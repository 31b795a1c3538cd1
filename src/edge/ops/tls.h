/* Certificates: ours, and whom we trust with clients'. The one place that knows GnuTLS, which libmicrohttpd is made
 * with: it asks clients for certificates, and leaves checking them to us. */
#pragma once
#include <microhttpd.h>

#include "core/base/arena.h"
#include "core/base/error.h"

struct rf_tls {
    const char *certificate, *key, *client_ca; /* PEM text, in the arena; NULL: none */
    struct rf_arena arena;
};

/* Reads the files, any of which may be NULL, and checks that they can be used. To be closed in any case. Errors: CONFIG. */
bool rf_tls_open(struct rf_tls *tls, const char *certificate, const char *key,
                 const char *client_ca, struct rf_error *err) RF_MUST_CHECK;
void rf_tls_close(struct rf_tls *tls);

/* Has the client shown a certificate that client_ca has signed and that is valid now? `name` is its common name then. */
bool rf_tls_client(struct MHD_Connection *connection, char *name, size_t name_max);
