/* What TLS connections of clients under test have in common. */
#ifndef COHO_CMD_CHECK_CLIENT_TRUST_H
#define COHO_CMD_CHECK_CLIENT_TRUST_H

#include <stddef.h>

struct ssl_ctx_st;

/* For accepting. cert_file NULL: a certificate for localhost is made that signs itself. NULL: a
   sentence is in why. Freed by trust_free(). */
struct ssl_ctx_st *client_trust(const char *cert_file, const char *key_file, char *why, size_t cap);

#endif
