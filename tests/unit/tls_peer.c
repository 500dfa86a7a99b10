#include "tls_peer.h"

#include "support/stream_memory.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- the stream below ----------------------------------------------------------------------- */

static void leave(struct tls_peer *x) {
  x->ended = true;
  if (x->lingers) return;
  coho__stream_close(x->inner, false);
  x->inner = NULL;
}

static void take(struct tls_peer *x, const char *data, size_t n) {
  if (x->ssl) {
    assert_int_equal(BIO_write(SSL_get_rbio(x->ssl), data, (int)n), n);
    return;
  }
  assert_true(n <= sizeof x->bytes - x->len);
  memcpy(x->bytes + x->len, data, n);
  x->len += n;
}

static void on_event(struct coho__stream *s, unsigned events) {
  struct tls_peer *x = (struct tls_peer *)s->owner;
  char buf[4096];
  ssize_t n = COHO_STREAM_AGAIN;
  (void)events;
  while (!x->ended && (n = coho__stream_read(s, buf, sizeof buf)) > 0)
    take(x, buf, (size_t)n);
  if (!x->ended && n != COHO_STREAM_AGAIN) leave(x);
}

void tls_peer_put(struct tls_peer *x, const void *data, size_t len) {
  const union {
    const void *in;
    void *out;
  } at = {.in = data};
  size_t done = 0;
  for (int i = 0; x->inner && done < len; i++) {
    struct iovec iov = {(char *)at.out + done, len - done};
    ssize_t n = coho__stream_writev(x->inner, &iov, 1);
    if (n < 0 && n != COHO_STREAM_AGAIN) return;
    if (n > 0) done += (size_t)n;
    if (done < len) tls_pair_settle(x->p);
    assert_true(i < 10000);
  }
}

/* ---- OpenSSL -------------------------------------------------------------------------------- */

static void note_error(struct tls_peer *x) {
  int reason = ERR_GET_REASON(ERR_peek_error());
  if (!reason || x->reason) return;
  x->reason = reason;
  if (reason > SSL_AD_REASON_OFFSET) x->alert = reason - SSL_AD_REASON_OFFSET;
}

static bool send_out(struct tls_peer *x) {
  char buf[16384];
  bool any = false;
  int n;
  while ((n = BIO_read(SSL_get_wbio(x->ssl), buf, sizeof buf)) > 0) {
    tls_peer_put(x, buf, (size_t)n);
    any = true;
  }
  return any;
}

static void advance(struct tls_peer *x) {
  char none;
  ERR_clear_error();
  if (SSL_do_handshake(x->ssl) == 1) (void)SSL_peek(x->ssl, &none, 1);
  note_error(x);
  ERR_clear_error();
}

void tls_peer_settle(struct tls_peer *x) {
  do {
    tls_pair_settle(x->p);
    if (x->ssl) advance(x);
  } while (x->ssl && send_out(x));
}

void tls_peer_write(struct tls_peer *x, const void *data, size_t len, size_t piece) {
  for (size_t at = 0; at < len; at += piece) {
    size_t n = COHO_MIN(piece, len - at);
    assert_int_equal(SSL_write(x->ssl, (const char *)data + at, (int)n), n);
  }
}

size_t tls_peer_read(struct tls_peer *x, void *buf, size_t cap) {
  size_t got = 0, n;
  while (got < cap && SSL_read_ex(x->ssl, (char *)buf + got, cap - got, &n) == 1)
    got += n;
  ERR_clear_error();
  return got;
}

/* ---- life ----------------------------------------------------------------------------------- */

static SSL_CTX *context_new(const SSL_METHOD *method) {
  SSL_CTX *c = SSL_CTX_new(method);
  SSL_CTX_set_security_level(c, 0);
  assert_int_equal(SSL_CTX_set_min_proto_version(c, TLS1_VERSION), 1);
  assert_int_equal(SSL_CTX_set_cipher_list(c, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), 1);
  return c;
}

static void adopt(struct tls_peer *x, struct tls_pair *p, bool server) {
  memset(x, 0, sizeof *x);
  x->p = p;
  x->inner = p->inner[server ? 1 : 0];
  x->inner->owner = x;
  x->inner->on_event = on_event;
}

static void begin(struct tls_peer *x) {
  x->ssl = SSL_new(x->context);
  assert_non_null(x->ssl);
  SSL_set_bio(x->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(SSL_get_rbio(x->ssl), -1);
}

void tls_peer_bytes(struct tls_peer *x, struct tls_pair *p, bool server) { adopt(x, p, server); }

void tls_peer_client(struct tls_peer *x, struct tls_pair *p) {
  adopt(x, p, false);
  x->context = context_new(TLS_client_method());
  begin(x);
  SSL_set_connect_state(x->ssl);
}

void tls_peer_server(struct tls_peer *x, struct tls_pair *p, const struct cert *c) {
  adopt(x, p, true);
  x->context = context_new(TLS_server_method());
  assert_int_equal(SSL_CTX_use_certificate(x->context, c->x), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey(x->context, c->key), 1);
  begin(x);
  SSL_set_accept_state(x->ssl);
}

void tls_peer_close(struct tls_peer *x) {
  if (x->inner) coho__stream_close(x->inner, true);
  SSL_free(x->ssl);
  SSL_CTX_free(x->context);
  tls_pair_close(x->p);
}
