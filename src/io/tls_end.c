#include "io/tls_end.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/check.h"
#include "base/clock.h"
#include "io/sock.h"
#include "io/tls.h"
#include "io/tls_words.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* An honest peer changes its keys rarely, and sends a few tickets at the beginning. */
enum { EXTRAS_MOST = 32, EXTRAS_MS = 60 * 1000 };

void coho__tls_end_init(struct coho__tls_end *e, coho_tls *tls, bool server) {
  *e = (struct coho__tls_end){.tls = coho__tls_ref(tls), .server = server};
}

/* False: it goes over the limit; not when it is less than before. */
static bool count(struct coho__tls_end *e, uint32_t bytes) {
  if (!coho__memory_count(e->counted, bytes)) return false;
  e->counted = bytes;
  return true;
}

void coho__tls_end_free(struct coho__tls_end *e) {
  /* Without this OpenSSL would take the session for broken, and others could not resume it. */
  if (e->ssl) SSL_set_shutdown(e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(e->ssl);
  (void)count(e, 0);
  coho__tls_set_unref(e->set);
  coho__free_str(e->host);
  coho__free_str(e->trouble);
  coho__tls_unref(e->tls);
}

void coho__tls_end_trouble(struct coho__tls_end *e, const char *words) {
  char text[COHO_TLS_WORDS];
  if (!words) {
    coho__tls_words_error(text);
    words = text;
  }
  if (!e->trouble) e->trouble = coho__strdup(words);
}

/* ---- handshake ------------------------------------------------------------------------------ */

int coho__tls_end_accept(struct coho__tls_end *e) {
  e->set = coho__tls_current(e->tls);
  if (!e->set->count) return COHO_ENOTLS;
  if (!coho__memory_spare(COHO_TLS_SHAKING) || !count(e, COHO_TLS_SHAKING)) return COHO_EMEMORY;
  e->ssl = SSL_new(e->set->pairs[0].context);
  if (!e->ssl || SSL_set_app_data(e->ssl, e) != 1) return COHO_ENOMEM;
  SSL_set_accept_state(e->ssl);
  return 0;
}

/* Whom to ask for, and to verify: a name, or an address, which is not asked for (RFC 6066 3). */
static bool set_host(SSL *ssl, char *host) { /* not const, for OpenSSL's macro takes that away */
  struct coho__addr a;
  /* What is a host in the subject's common name is not looked at (RFC 9525 2). */
  SSL_set_hostflags(ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (coho__addr_parse(&a, host, 0))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
  return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

/* Without the dot of the root, which no certificate has. */
static char *own_host(const char *host) {
  size_t len = strlen(host);
  return coho__strndup(host, len > 1 && host[len - 1] == '.' ? len - 1 : len);
}

static void resume(struct coho__tls_end *e) {
  SSL_SESSION *session = coho__tls_sessions_take(&e->tls->sessions, &e->key);
  if (session) (void)SSL_set_session(e->ssl, session);
  SSL_SESSION_free(session);
}

int coho__tls_end_connect(struct coho__tls_end *e, const char *host, uint16_t port) {
  const char *name = e->tls->conf.name;
  struct coho__tls_sessions *sessions = &e->tls->sessions;
  /* In this order: after a reload in between nothing is kept that the old trust let in. */
  e->generation = coho__tls_sessions_generation(sessions);
  e->set = coho__tls_current(e->tls);
  e->host = own_host(name ? name : host);
  SSL_CTX *context = coho__tls_client_context(e->tls, e->set);
  if (!e->host || !context || !count(e, COHO_TLS_SHAKING)) return COHO_ENOMEM;
  e->key = coho__tls_sessions_key(sessions, host, port, e->host);
  e->ssl = SSL_new(context);
  if (!e->ssl || SSL_set_app_data(e->ssl, e) != 1) return COHO_ENOMEM;
  SSL_set_connect_state(e->ssl);
  if (!set_host(e->ssl, e->host)) return COHO_ENOMEM;
  resume(e);
  return 0;
}

/* One of TLS 1.2 may be used again, and no new one came when it was. */
static void keep_again(struct coho__tls_end *e) {
  if (e->server || SSL_version(e->ssl) != TLS1_2_VERSION || !SSL_session_reused(e->ssl)) return;
  SSL_SESSION *session = SSL_get1_session(e->ssl);
  if (session) coho__tls_sessions_keep(&e->tls->sessions, &e->key, e->generation, session);
}

void coho__tls_end_opened(struct coho__tls_end *e) {
  e->open = true;
  (void)count(e, COHO_TLS_OPEN);
  keep_again(e);
  coho__tls_set_unref(e->set);
  e->set = NULL;
}

/* ---- what it knows -------------------------------------------------------------------------- */

void coho__tls_end_cipher(const struct coho__tls_end *e, char *buf, size_t cap) {
  (void)snprintf(buf, cap, "%s %s", SSL_get_version(e->ssl), SSL_get_cipher_name(e->ssl));
}

void coho__tls_end_subject(const struct coho__tls_end *e, char *buf, size_t cap) {
  const X509 *x = SSL_get0_peer_certificate(e->ssl);
  bool verified =
      (SSL_get_verify_mode(e->ssl) & SSL_VERIFY_PEER) && SSL_get_verify_result(e->ssl) == X509_V_OK;
  int n = 0;
  BIO *bio = x && verified ? BIO_new(BIO_s_mem()) : NULL;
  if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) >= 0)
    n = BIO_read(bio, buf, (int)COHO_MIN(cap - 1, (size_t)INT32_MAX));
  buf[n > 0 ? n : 0] = '\0';
  BIO_free(bio);
  ERR_clear_error();
}

/* ---- records without data ------------------------------------------------------------------- */

void coho__tls_end_extra(struct coho__tls_end *e) {
  uint64_t now_ms = coho__clock_ns() / 1000000;
  if (now_ms - e->extras_ms >= EXTRAS_MS) {
    e->extras_ms = now_ms;
    e->extras = 0;
  }
  e->extras++;
}

bool coho__tls_end_flooded(const struct coho__tls_end *e) { return e->extras > EXTRAS_MOST; }
