#include "io/tls_context.h"

#include "base/log.h"
#include "io/sock.h"
#include "io/tls_end.h"
#include "io/tls_wire.h"
#include "io/tls_words.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

enum {
  LEVEL_LEAST = 2,               /* 112 bits (RFC 9325 3.2) */
  SESSION_SECONDS = 4 * 60 * 60, /* less than a ticket's key lives */
  TICKETS = 1,                   /* for each full handshake */
  CLIENT_CHAIN_MOST = 32 * 1024  /* what a client may show before it is known */
};

/* Forward secrecy and AEAD, nothing else (RFC 9325 4.2). */
static const char CIPHERS_12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char CIPHERS_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* A server computes in these only: some that OpenSSL offers cost a hundred times as much. Not const,
   for OpenSSL's macro takes that away. */
static char GROUPS[][40] = {"X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384"};

static const unsigned char ALPN[] = "\x08http/1.1"; /* RFC 7301 6 */
enum { ALPN_LEN = sizeof ALPN - 1 };

static struct coho__tls_end *end_of(const SSL *ssl) {
  return (struct coho__tls_end *)SSL_get_app_data(ssl);
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static bool is_address(const char *host) {
  struct coho__addr a;
  return coho__addr_parse(&a, host, 0);
}

static int refuse_name(struct coho__tls_end *e, const char *host, int *alert) {
  char words[COHO_TLS_WORDS], name[128];
  coho__escape(name, sizeof name, host, strlen(host));
  (void)snprintf(words, sizeof words, "there is no certificate for the name \"%s\"", name);
  coho__tls_end_trouble(e, words);
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* RFC 6066 3 */
static int on_name(SSL *ssl, int *alert, void *arg) {
  struct coho__tls_end *e = end_of(ssl);
  const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  (void)arg;
  if (!host || !e->set) return SSL_TLSEXT_ERR_NOACK;
  const struct coho__tls_pair *pair = coho__tls_set_find(e->set, host);
  if (!pair) {
    bool any = is_address(host) || (e->tls->conf.flags & COHO_TLS_ANY_NAME);
    return any ? SSL_TLSEXT_ERR_NOACK : refuse_name(e, host, alert);
  }
  if (SSL_get_SSL_CTX(ssl) != pair->context && !SSL_set_SSL_CTX(ssl, pair->context)) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 3.2 */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg) {
  (void)ssl;
  (void)arg;
  for (unsigned at = 0; at < in_len; at += 1U + in[at]) {
    if (in_len - at < ALPN_LEN || memcmp(in + at, ALPN, ALPN_LEN) != 0) continue;
    *out = ALPN + 1;
    *out_len = ALPN[0];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_verify(int fine, X509_STORE_CTX *found) {
  char words[COHO_TLS_WORDS];
  if (fine) return 1;
  const SSL *ssl =
      (const SSL *)X509_STORE_CTX_get_ex_data(found, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct coho__tls_end *e = end_of(ssl);
  coho__tls_words_verify(words, found, e->host);
  coho__tls_end_trouble(e, words);
  return 0;
}

static int on_session(SSL *ssl, SSL_SESSION *session) {
  struct coho__tls_end *e = end_of(ssl);
  coho__tls_sessions_keep(&e->tls->sessions, &e->key, e->generation, session);
  return 1; /* the reference is ours */
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal) {
  int got = coho__tls_tickets_use(&end_of(ssl)->tls->tickets, name, iv, cipher, mac, seal);
  /* A ticket of TLS 1.3 is used once (RFC 8446 C.4): whoever resumes gets another. */
  return !seal && got == 1 && SSL_version(ssl) >= TLS1_3_VERSION ? 2 : got;
}

/* Of TLS 1.3 the outer type is always data, the inner one tells. The parameters are OpenSSL's:
   NOLINTNEXTLINE(readability-function-size) */
static void on_record(int written, int version, int type, const void *data, size_t len, SSL *ssl,
                      void *arg) {
  const unsigned char *bytes = (const unsigned char *)data;
  struct coho__tls_end *e = end_of(ssl);
  bool head = type == SSL3_RT_HEADER || type == SSL3_RT_INNER_CONTENT_TYPE;
  (void)version;
  (void)arg;
  if (!written && head && len && e->open && bytes[0] != SSL3_RT_APPLICATION_DATA)
    coho__tls_end_extra(e);
}

/* ---- both ----------------------------------------------------------------------------------- */

static void harden(SSL_CTX *c) {
  /* Whatever the machine's configuration says. */
  SSL_CTX_clear_options(c, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY); /* so that records without data are counted in time */
  if (SSL_CTX_get_security_level(c) < LEVEL_LEAST) SSL_CTX_set_security_level(c, LEVEL_LEAST);
  SSL_CTX_set_msg_callback(c, on_record);
  SSL_CTX_set_timeout(c, SESSION_SECONDS);
}

/* NULL: out of memory. */
static SSL_CTX *context_new(const SSL_METHOD *method) {
  SSL_CTX *c = SSL_CTX_new(method);
  if (!c) return NULL;
  harden(c);
  bool fine = SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set_max_proto_version(c, 0) == 1 &&
              SSL_CTX_set_cipher_list(c, CIPHERS_12) == 1 &&
              SSL_CTX_set_ciphersuites(c, CIPHERS_13) == 1 &&
              SSL_CTX_set_max_send_fragment(c, COHO_WIRE_PLAIN) == 1;
  if (fine) return c;
  SSL_CTX_free(c);
  return NULL;
}

/* OpenSSL refuses what is too weak for the security level. */
static int set_pair(SSL_CTX *c, const struct coho__pem_pair *pair, const char *file,
                    const struct coho__why *why) {
  char words[COHO_TLS_WORDS];
  ERR_clear_error();
  if (SSL_CTX_use_cert_and_key(c, pair->leaf, pair->key, pair->chain, 1) == 1) return 0;
  coho__tls_words_error(words);
  return coho__why_set(why, COHO_EPEM, "the certificate in %s cannot be used: %s", file, words);
}

/* ---- servers -------------------------------------------------------------------------------- */

static bool set_groups(SSL_CTX *c) {
  for (size_t i = 0; i < COHO_COUNT(GROUPS); i++)
    if (SSL_CTX_set1_groups_list(c, GROUPS[i]) == 1) return true;
  return false;
}

static bool set_guests(SSL_CTX *c, const struct coho__tls_guests *g) {
  if (SSL_CTX_set_session_id_context(c, g->id, sizeof g->id) != 1) return false;
  if (!g->trust) return true;
  STACK_OF(X509_NAME) *names = SSL_dup_CA_list(g->names);
  if (!names) return false;
  SSL_CTX_set_client_CA_list(c, names);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | (g->optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
                     on_verify);
  return SSL_CTX_set1_verify_cert_store(c, g->trust) == 1;
}

static void set_callbacks(SSL_CTX *c) {
  SSL_CTX_set_tlsext_servername_callback(c, on_name);
  SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(c, on_ticket);
  /* Sessions are in tickets; a cache would only grow. */
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(c, CLIENT_CHAIN_MOST);
}

int coho__tls_context_server(const struct coho__pem_pair *pair, const char *file,
                             const struct coho__tls_guests *guests, SSL_CTX **out,
                             const struct coho__why *why) {
  SSL_CTX *c = context_new(TLS_server_method());
  if (!c) return COHO_ENOMEM;
  set_callbacks(c);
  bool fine = set_groups(c) && set_guests(c, guests) && SSL_CTX_set_num_tickets(c, TICKETS) == 1;
  int err = fine ? set_pair(c, pair, file, why) : COHO_ENOMEM;
  ERR_clear_error();
  if (err) SSL_CTX_free(c);
  if (!err) *out = c;
  return err;
}

/* ---- clients -------------------------------------------------------------------------------- */

static bool set_trust(SSL_CTX *c, X509_STORE *trust) {
  if (!trust) return SSL_CTX_set_default_verify_paths(c) == 1;
  SSL_CTX_set1_cert_store(c, trust);
  return true;
}

SSL_CTX *coho__tls_context_client(const struct coho__pem_pair *pair, X509_STORE *trust,
                                  bool insecure) {
  static const struct coho__why nobody = {NULL, 0};
  SSL_CTX *c = context_new(TLS_client_method());
  if (!c) return NULL;
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(c, on_session);
  if (!insecure) SSL_CTX_set_verify(c, SSL_VERIFY_PEER, on_verify);
  bool fine = SSL_CTX_set_alpn_protos(c, ALPN, ALPN_LEN) == 0 &&
              (insecure || set_trust(c, trust)) && (!pair || set_pair(c, pair, "", &nobody) == 0);
  ERR_clear_error();
  if (fine) return c;
  SSL_CTX_free(c);
  return NULL;
}
