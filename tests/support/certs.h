/*
 * Certificates for tests, made when they are needed and written to PEM files in a folder of their
 * own. A failure ends the process.
 */
#ifndef TESTS_SUPPORT_CERTS_H
#define TESTS_SUPPORT_CERTS_H

#include <openssl/x509.h>
#include <stdbool.h>

struct cert {
  X509 *x;
  EVP_PKEY *key;
  const struct cert *issuer; /* NULL: itself */
};

/* Zero is the default of every field. */
struct cert_spec {
  const char *name;          /* the common name; none */
  const char *alt;           /* such as "DNS:localhost,IP:127.0.0.1"; none */
  const struct cert *issuer; /* itself; lives longer */
  bool authority;            /* may sign others */
  int days;                  /* from now until it expires; 30; less than 0: it has expired */
  int starts;                /* days from now; yesterday */
  int rsa;                   /* bits; 0: a key of P-256 */
};

/* Made by cert_make(), freed by cert_free(). */
void cert_make(struct cert *c, const struct cert_spec *spec);
void cert_free(struct cert *c);

/* The path of a file in the folder, which is made when there is none; valid until certs_clean(). */
const char *certs_path(const char *name);
/* Writes a file, whose path it returns: any text, a certificate with its issuers but the last one, or
   a key. */
const char *certs_text(const char *name, const char *text);
const char *certs_cert(const char *name, const struct cert *c);
const char *certs_key(const char *name, const struct cert *c);
/* Removes the folder and all that is in it. */
void certs_clean(void);

#endif
