#include "tls_pair.h"

#include "support/stream_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 64 * 1024, ASKS = 7000, PIECES = 8 };

/* ---- one side ------------------------------------------------------------------------------- */

static void make_room(struct tls_side *x, size_t n) {
  if (x->cap - x->len >= n) return;
  x->cap = 2 * x->cap + n;
  x->in = (char *)realloc(x->in, x->cap);
  assert_non_null(x->in);
}

static void side_read(struct tls_side *x, unsigned events) {
  while (x->end == 1) {
    make_room(x, x->asks);
    ssize_t n = coho__stream_read(x->s, x->in + x->len, x->asks);
    if (n == COHO_STREAM_AGAIN) return;
    if (n <= 0) x->end = n;
    if (n > 0) x->len += (size_t)n;
    if (n > 0 && (size_t)n < x->asks && !(events & COHO_IO_HANGUP)) return;
  }
}

/* The next pieces of what is to be sent; their sum. */
static size_t cut(const struct tls_side *x, struct iovec iov[PIECES], int *count) {
  size_t left = x->out_len - x->out_done, sum = 0;
  size_t piece = x->piece ? x->piece : left;
  union {
    const char *in;
    char *out;
  } at = {.in = x->out + x->out_done};
  for (*count = 0; *count < PIECES && sum < left; ++*count) {
    size_t n = COHO_MIN(piece, left - sum);
    iov[*count] = (struct iovec){at.out + sum, n};
    sum += n;
  }
  return sum;
}

static void side_write(struct tls_side *x) {
  while (x->out_done < x->out_len && !x->broken) {
    struct iovec iov[PIECES];
    int count;
    size_t sum = cut(x, iov, &count);
    ssize_t n = coho__stream_writev(x->s, iov, count);
    if (n == COHO_STREAM_AGAIN) return;
    if (n < 0) x->broken = n;
    if (n < 0) return;
    assert_true((size_t)n <= sum);
    x->out_done += (size_t)n;
    if ((size_t)n < sum) return; /* an event will come */
  }
  if (x->shuts && !x->broken) (void)coho__stream_shutdown(x->s);
  x->shuts = false;
}

static void on_event(struct coho__stream *s, unsigned events) {
  struct tls_side *x = (struct tls_side *)s->owner;
  assert_ptr_equal(x->s, s);
  x->events++;
  if (events & (COHO_IO_READ | COHO_IO_HANGUP) && !x->hold) side_read(x, events);
  if (events & COHO_IO_WRITE) side_write(x);
}

static void adopt(struct tls_side *x, struct coho__stream *s) {
  *x = (struct tls_side){.s = s, .asks = ASKS, .end = 1};
  assert_non_null(s);
  s->owner = x;
  s->on_event = on_event;
}

void tls_side_send(struct tls_side *x, const void *data, size_t len) {
  x->out = (const char *)data;
  x->out_len = len;
  x->out_done = 0;
  side_write(x);
}

void tls_side_close(struct tls_side *x, bool reset) {
  if (x->s) coho__stream_close(x->s, reset);
  x->s = NULL;
}

const char *tls_side_trouble(const struct tls_side *x) {
  static char text[512];
  return coho__stream_tell(x->s, COHO_STREAM_TROUBLE, text, sizeof text);
}

/* ---- both ----------------------------------------------------------------------------------- */

static void open_inner(struct tls_pair *p, const struct tls_pair_spec *spec) {
  memset(p, 0, sizeof *p);
  p->loop = coho_loop_new();
  assert_non_null(p->loop);
  size_t room = spec->room ? spec->room : ROOM;
  assert_int_equal(stream_memory(p->loop, room, spec->piece, p->inner), 0);
}

static void make_server(struct tls_pair *p, const struct tls_pair_spec *spec) {
  int err;
  uint32_t ms = spec->timeout_ms ? spec->timeout_ms : UINT32_MAX;
  adopt(&p->server, coho__stream_tls_server(p->inner[1], spec->server, ms, &err));
  assert_int_equal(err, 0);
}

static void make_client(struct tls_pair *p, const struct tls_pair_spec *spec) {
  int err;
  const char *host = spec->host ? spec->host : "localhost";
  adopt(&p->client, coho__stream_tls_client(p->inner[0], spec->client, host, 443, &err));
  assert_int_equal(err, 0);
}

void tls_pair_open_server(struct tls_pair *p, const struct tls_pair_spec *spec) {
  open_inner(p, spec);
  make_server(p, spec);
}

void tls_pair_open_client(struct tls_pair *p, const struct tls_pair_spec *spec) {
  open_inner(p, spec);
  make_client(p, spec);
}

void tls_pair_open(struct tls_pair *p, const struct tls_pair_spec *spec) {
  open_inner(p, spec);
  make_server(p, spec);
  make_client(p, spec);
}

void tls_pair_settle(struct tls_pair *p) {
  do
    assert_true(coho_loop_turn(p->loop, 0) >= 0);
  while (coho_loop_timeout(p->loop) == 0);
}

void tls_pair_close(struct tls_pair *p) {
  tls_side_close(&p->client, false);
  tls_side_close(&p->server, false);
  coho_loop_free(p->loop);
  free(p->client.in);
  free(p->server.in);
}

void tls_trust_make(struct tls_trust *t) {
  cert_make(&t->root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&t->leaf,
            &(struct cert_spec){.name = "leaf", .alt = "DNS:localhost", .issuer = &t->root});
  coho_tls_options so = {.cert = certs_cert("leaf.pem", &t->leaf),
                         .key = certs_key("leaf-key.pem", &t->leaf)};
  coho_tls_options co = {.ca = certs_cert("root.pem", &t->root)};
  assert_int_equal(coho_tls_new(&so, &t->server, NULL, 0), 0);
  assert_int_equal(coho_tls_new(&co, &t->client, NULL, 0), 0);
}

void tls_trust_free(struct tls_trust *t) {
  coho_tls_free(t->server);
  coho_tls_free(t->client);
  cert_free(&t->leaf);
  cert_free(&t->root);
  certs_clean();
}
