/* What all TLS connections of a kind have in common: versions, ciphers, callbacks. */
#ifndef COHO_IO_TLS_CONTEXT_H
#define COHO_IO_TLS_CONTEXT_H

#include "io/tls_pem.h"

#include <openssl/sha.h>
#include <stdbool.h>

/* Whom a server lets in. */
struct coho__tls_guests {
  X509_STORE *trust; /* NULL: everybody */
  STACK_OF(X509_NAME) * names;
  bool optional;                          /* also without certificate */
  unsigned char id[SHA256_DIGEST_LENGTH]; /* sessions of other rules are not resumed */
};

/* For a server that shows this pair. 0, COHO_EPEM (OpenSSL refuses it, such as too small a key),
   COHO_ENOMEM. */
int coho__tls_context_server(const struct coho__pem_pair *pair, const char *file,
                             const struct coho__tls_guests *guests, SSL_CTX **out,
                             const struct coho__why *why);
/* For clients. pair NULL: they show none. trust NULL: that of the system. NULL: out of memory. */
SSL_CTX *coho__tls_context_client(const struct coho__pem_pair *pair, X509_STORE *trust,
                                  bool insecure);

#endif
