/*
 * coho: TLS 1.2 and 1.3 for servers and clients (RFC 8446, RFC 5246, RFC 9325).
 *
 *   coho_tls *tls;
 *   char why[256];
 *   coho_tls_new(&(coho_tls_options){.cert = "cert.pem", .key = "key.pem"}, &tls, why, sizeof why);
 *   coho_serve("wss://:9443", &(coho_options){.on_message = echo, .tls = tls});
 *
 * Clients need none of this: without a coho_tls they verify the server's certificate and name
 * against the trust of the system.
 *
 * What a coho_tls holds is read from files once, and again by coho_tls_reload(), which replaces all
 * of it or nothing; connections that are open keep what they began with. Functions are for any
 * thread.
 */
#ifndef COHO_TLS_H
#define COHO_TLS_H

#include <coho/coho.h>

#ifdef __cplusplus
extern "C" {
#endif

enum coho_tls_flag {
  /* Makes a certificate for localhost, 127.0.0.1 and ::1 that it signs itself, in memory, instead of
     reading cert and key. For trying things. */
  COHO_TLS_SELF_SIGNED = 1,
  /* Client: does not verify the server's certificate. Whoever sits between can read all. */
  COHO_TLS_INSECURE = 2,
  /* Server: asks clients for a certificate of client_ca, but lets those in that have none. */
  COHO_TLS_CLIENT_OPTIONAL = 4,
  /* Server: a client that names a host (SNI) for which there is no certificate gets the first one
     instead of the alert unrecognized_name (RFC 6066 3). */
  COHO_TLS_ANY_NAME = 8
};

/* A certificate with its chain, the leaf first, and its key, both PEM files. */
typedef struct coho_tls_pair {
  const char *cert;
  const char *key;
} coho_tls_pair;

/* Zero is the default of every field. Copied. Set fields by name: the structure grows. */
typedef struct coho_tls_options {
  const char *cert; /* server: what it shows; client: mutual TLS */
  const char *key;
  /* Server: further pairs, ended by one without cert. Each serves the names in its certificate
     (SNI, RFC 6066 3), the first of all who name none. */
  const coho_tls_pair *pairs;
  /* Server: mutual TLS; PEM file of the authorities whose clients are let in. */
  const char *client_ca;
  /* Client: PEM file of the authorities to trust instead of the system's. */
  const char *ca;
  /* Client: the name to ask for and to verify instead of the URL's host. */
  const char *name;
  uint64_t flags; /* enum coho_tls_flag */
} coho_tls_options;

COHO_API int coho_tls_new_sized(const coho_tls_options *opt, size_t size, coho_tls **out, char *why,
                                size_t cap);
/*
 * Reads the files. 0; COHO_EPEM, COHO_EKEYMATCH, COHO_ENOENT, COHO_EACCES, COHO_EOPTION,
 * COHO_ENOMEM: then *out is NULL and why, unless NULL, is a sentence that names the file. One
 * reference; freed by coho_tls_free(), when servers and connections that use it are gone.
 */
static inline int coho_tls_new(const coho_tls_options *opt, coho_tls **out, char *why, size_t cap) {
  return coho_tls_new_sized(opt, sizeof *opt, out, why, cap);
}
COHO_API void coho_tls_free(coho_tls *t); /* NULL is fine */
/* Reads the same files again: new connections get what is in them now. On an error, as above,
   nothing changes. */
COHO_API int coho_tls_reload(coho_tls *t, char *why, size_t cap);

/* "TLSv1.3 TLS_AES_128_GCM_SHA256" into buf, "" without TLS; returns buf. */
COHO_API const char *coho_conn_tls(const coho_conn *c, char *buf, size_t cap);
COHO_API const char *coho_request_tls(const coho_request *r, char *buf, size_t cap);
/* The subject of the peer's verified certificate, such as "CN=ann,O=Example" (RFC 2253), "" when it
   showed none. A server's is there with mutual TLS only. */
COHO_API const char *coho_conn_tls_subject(const coho_conn *c, char *buf, size_t cap);
COHO_API const char *coho_request_tls_subject(const coho_request *r, char *buf, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
