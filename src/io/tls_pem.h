/* Certificates and keys from PEM files (RFC 7468). Errors are told in a sentence that names the file. */
#ifndef COHO_IO_TLS_PEM_H
#define COHO_IO_TLS_PEM_H

#include "io/tls_why.h"

#include <openssl/ssl.h>

/* A certificate to be shown, its issuers without the root, and its key. */
struct coho__pem_pair {
  X509 *leaf;
  STACK_OF(X509) * chain;
  EVP_PKEY *key;
};

/* 0, COHO_EPEM, COHO_EKEYMATCH, COHO_ENOENT, COHO_EACCES, COHO_ESYSTEM, COHO_ENOMEM. A certificate
   that has expired, or is not valid yet, is a line in the log. */
int coho__pem_read_pair(const char *cert, const char *key, struct coho__pem_pair *out,
                        const struct coho__why *why);
void coho__pem_pair_free(struct coho__pem_pair *p); /* empty is fine */

/* The authorities of a file, and their names to be told to clients (names may be NULL). The same
   errors. */
int coho__pem_read_trust(const char *file, X509_STORE **store, STACK_OF(X509_NAME) * *names,
                         const struct coho__why *why);

#endif
