#include "client_trust.h"

#include "io/tls_self.h"
#include "trust.h"

#include <coho/error.h>
#include <stdio.h>

static int find_pair(const char *cert_file, const char *key_file, struct coho__pem_pair *pair,
                     char *why, size_t cap) {
  if (!cert_file) {
    (void)snprintf(why, cap, "out of memory");
    return coho__tls_self_make(pair);
  }
  /* Both may be in one file. */
  return coho__pem_read_pair(cert_file, key_file ? key_file : cert_file, pair,
                             &(struct coho__why){why, cap});
}

static SSL_CTX *context(const struct coho__pem_pair *pair) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  bool ok = tls && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
            SSL_CTX_use_cert_and_key(tls, pair->leaf, pair->key, pair->chain, 1) == 1;
  if (ok) {
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    return tls;
  }
  SSL_CTX_free(tls);
  return NULL;
}

struct ssl_ctx_st *client_trust(const char *cert_file, const char *key_file, char *why,
                                size_t cap) {
  struct coho__pem_pair pair = {NULL, NULL, NULL};
  if (find_pair(cert_file, key_file, &pair, why, cap)) return NULL;
  SSL_CTX *tls = context(&pair);
  if (!tls) {
    char reason[160];
    trust_error(reason, sizeof reason);
    (void)snprintf(why, cap, "TLS cannot be set up: %s", reason);
  }
  coho__pem_pair_free(&pair);
  return tls;
}
