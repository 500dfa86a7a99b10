#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method() */
#include "support/tls_peer.h"

#include "io/tls_self.h"
#include "support/claim.h"

#include <openssl/err.h>
#include <openssl/rand.h>

uint8_t tls_pattern(enum tls_side from, size_t i) {
  return (uint8_t)((i * 7 + (i >> 8) * 13) ^ (from == FROM_SERVER ? 0x55 : 0));
}

/* ---- chance --------------------------------------------------------------------------------- */

static uint64_t drawn;

static int draw(unsigned char *buf, int len) {
  for (int i = 0; i < len; i++) {
    uint64_t x = ++drawn * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9;
    buf[i] = (unsigned char)(x >> 40);
  }
  return 1;
}

static int is_ready(void) { return 1; }

void tls_no_chance(void) {
  static const RAND_METHOD method = {.bytes = draw, .pseudorand = draw, .status = is_ready};
  static bool set;
  if (!set) CLAIM(RAND_set_rand_method(&method) == 1);
  set = true;
  drawn = 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static SSL_CTX *server_context(void) {
  static SSL_CTX *context;
  struct coho__pem_pair pair = {0};
  if (context) return context;
  context = SSL_CTX_new(TLS_server_method());
  CLAIM(context != NULL && coho__tls_self_make(&pair) == 0);
  CLAIM(SSL_CTX_use_certificate(context, pair.leaf) == 1);
  CLAIM(SSL_CTX_use_PrivateKey(context, pair.key) == 1);
  coho__pem_pair_free(&pair);
  return context;
}

static SSL_CTX *client_context(void) {
  static SSL_CTX *context;
  if (!context) context = SSL_CTX_new(TLS_client_method());
  CLAIM(context != NULL);
  return context;
}

/* What it has to say now. */
static void collect(struct tls_peer *p) {
  char buf[4096];
  int n;
  while ((n = BIO_read(p->out, buf, sizeof buf)) > 0)
    tape_bytes(&p->wire, buf, (size_t)n);
  ERR_clear_error();
}

/* false: it cannot go on. */
static bool step(struct tls_peer *p, int got) {
  int why = SSL_get_error(p->ssl, got);
  if (why == SSL_ERROR_ZERO_RETURN) p->ended = true;
  if (why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL) p->broken = true;
  return got > 0;
}

static void shake(struct tls_peer *p) {
  if (p->open || p->broken) return;
  ERR_clear_error();
  p->open = step(p, SSL_do_handshake(p->ssl));
}

void tls_peer_open(struct tls_peer *p, enum tls_side side, int most, SSL_SESSION *before) {
  bool server = side == FROM_SERVER;
  *p = (struct tls_peer){.side = side, .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem())};
  p->ssl = SSL_new(server ? server_context() : client_context());
  CLAIM(p->ssl && p->in && p->out);
  SSL_set_bio(p->ssl, p->in, p->out);
  CLAIM(SSL_set_max_proto_version(p->ssl, most) == 1);
  if (before) CLAIM(SSL_set_session(p->ssl, before) == 1);
  if (server) SSL_set_accept_state(p->ssl);
  if (!server) SSL_set_connect_state(p->ssl);
  shake(p);
  collect(p);
}

void tls_peer_close(struct tls_peer *p) {
  SSL_free(p->ssl);
  tape_free(&p->wire);
  ERR_clear_error();
}

/* ---- data ----------------------------------------------------------------------------------- */

static void receive(struct tls_peer *p) {
  enum tls_side from = p->side == FROM_SERVER ? FROM_CLIENT : FROM_SERVER;
  uint8_t buf[4096];
  int n = 1;
  while (p->open && !p->ended && !p->broken && n > 0) {
    ERR_clear_error();
    n = SSL_read(p->ssl, buf, sizeof buf);
    if (!step(p, n)) break;
    for (int i = 0; i < n; i++)
      CLAIM(buf[i] == tls_pattern(from, p->received + (size_t)i));
    p->received += (size_t)n;
  }
}

void tls_peer_input(struct tls_peer *p, const void *data, size_t len) {
  CLAIM(BIO_write(p->in, data, (int)len) == (int)len);
  shake(p);
  receive(p);
  collect(p);
}

void tls_peer_send(struct tls_peer *p, size_t len) {
  uint8_t buf[UINT8_MAX * 300];
  CLAIM(len <= sizeof buf);
  if (!p->open || p->broken || len == 0 || SSL_get_shutdown(p->ssl) & SSL_SENT_SHUTDOWN) return;
  for (size_t i = 0; i < len; i++)
    buf[i] = tls_pattern(p->side, p->sent + i);
  ERR_clear_error();
  if (step(p, SSL_write(p->ssl, buf, (int)len))) p->sent += len;
  collect(p);
}

void tls_peer_rekey(struct tls_peer *p) {
  if (!p->open || p->broken) return;
  ERR_clear_error();
  if (SSL_version(p->ssl) == TLS1_3_VERSION) {
    (void)SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED);
    (void)SSL_do_handshake(p->ssl);
  } else if (SSL_renegotiate(p->ssl) == 1) {
    (void)SSL_do_handshake(p->ssl);
  }
  collect(p);
}

void tls_peer_ticket(struct tls_peer *p) {
  if (!p->open || p->broken || p->side != FROM_SERVER) return;
  ERR_clear_error();
  if (SSL_new_session_ticket(p->ssl) == 1) (void)SSL_do_handshake(p->ssl);
  collect(p);
}

void tls_peer_end(struct tls_peer *p) {
  if (!p->open || p->broken) return;
  ERR_clear_error();
  (void)SSL_shutdown(p->ssl);
  collect(p);
}
