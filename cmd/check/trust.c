#include "trust.h"

#include "io/tls_pem.h"
#include "io/tls_words.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* Why the certificate of this thread's last handshake was refused, "" when it was not. */
static _Thread_local char doubt[COHO_TLS_WORDS];
static _Thread_local bool stranger;

/* Against others the system's clock, or the server's people, have to help. */
static bool is_stranger(int error) {
  return error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID &&
         error != X509_V_ERR_HOSTNAME_MISMATCH && error != X509_V_ERR_IP_ADDRESS_MISMATCH;
}

static int on_verify(int good, X509_STORE_CTX *found) {
  const SSL *ssl =
      (const SSL *)X509_STORE_CTX_get_ex_data(found, SSL_get_ex_data_X509_STORE_CTX_idx());
  if (!good) coho__tls_words_verify(doubt, found, (const char *)SSL_get_app_data(ssl));
  if (!good) stranger = is_stranger(X509_STORE_CTX_get_error(found));
  return good;
}

void trust_begin(void) {
  doubt[0] = '\0';
  stranger = false;
}

bool trust_met_stranger(void) { return stranger; }

void trust_error(char *why, size_t cap) {
  char words[COHO_TLS_WORDS] = "the connection broke";
  if (ERR_peek_error()) coho__tls_words_error(words);
  (void)snprintf(why, cap, "%s", *doubt ? doubt : words);
}

static bool set_trust(SSL_CTX *tls, const char *ca_file, char *why, size_t cap) {
  X509_STORE *store = NULL;
  if (!ca_file) return SSL_CTX_set_default_verify_paths(tls) == 1;
  if (coho__pem_read_trust(ca_file, &store, NULL, &(struct coho__why){why, cap})) return false;
  SSL_CTX_set_cert_store(tls, store);
  return true;
}

struct ssl_ctx_st *trust_client(const char *ca_file, bool insecure, char *why, size_t cap) {
  SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
  (void)snprintf(why, cap, "TLS cannot be set up");
  bool ok = tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
            (insecure || set_trust(tls, ca_file, why, cap));
  if (!ok) {
    SSL_CTX_free(tls);
    return NULL;
  }
  SSL_CTX_set_verify(tls, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     insecure ? NULL : on_verify);
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* An end of TCP without close_notify is an end: the WebSocket layer judges by Close frames. */
  SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return tls;
}

void trust_free(struct ssl_ctx_st *tls) { SSL_CTX_free(tls); }
