#include "ws/client.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "io/connect.h"
#include "io/resolve.h"
#include "io/stream_tls.h"
#include "proto/upgrade_client.h"
#include "ws/retry.h"

#include <stdio.h>
#include <string.h>

enum { NONCE = 16, REQUEST_MOST = 64 * 1024, DETAIL = 512, WORDS = 200 };

enum stage { RESOLVING, WAITING, DIALING, SHAKING };

/* Attempts to one address and port: one is under way, the others wait. */
struct gate {
  struct coho__list waiting; /* coho__client */
  size_t key_len;
  char key[COHO_ADDR_MAX];
};

struct coho__client {
  coho_conn *conn;
  struct coho__url url;
  struct coho__upgrade_client upgrade;
  struct coho__buf request; /* what of it was not written yet */
  enum stage stage;
  struct coho__resolve *resolve;
  struct coho__connect *connect;
  struct coho__list node; /* in gate->waiting */
  struct gate *gate;      /* NULL: none entered */
  size_t addr_count;
  struct coho__addr addrs[COHO_RESOLVE_MAX];
};

static void dial(struct coho__client *k);

/* ---- the gate ------------------------------------------------------------------------------- */

static struct coho__view key_of(const struct gate *g) {
  return (struct coho__view){g->key, g->key_len};
}

static struct gate *gate_new(struct coho__map *gates, struct coho__view key) {
  struct gate *g = (struct gate *)coho__alloc(sizeof *g);
  if (!g) return NULL;
  coho__list_init(&g->waiting);
  g->key_len = key.len;
  memcpy(g->key, key.data, key.len);
  if (!coho__map_add(gates, key_of(g), g)) return g;
  coho__free(g, sizeof *g);
  return NULL;
}

/* 1: the way is free, 0: others are first, or COHO_ENOMEM. */
static int enter_gate(struct coho__client *k) {
  struct coho__map *gates = &k->conn->home->table->gates;
  char text[COHO_ADDR_MAX];
  if (k->conn->opt->set.flags & COHO_CONNECT_TOGETHER) return 1;
  struct coho__view key = coho__view_of(coho__addr_format(&k->addrs[0], text, sizeof text));
  struct gate *g = (struct gate *)coho__map_get(gates, key);
  bool first = !g;
  if (first) g = gate_new(gates, key);
  if (!g) return COHO_ENOMEM;
  k->gate = g;
  if (!first) coho__list_append(&g->waiting, &k->node);
  return first;
}

static void leave_gate(struct coho__client *k) {
  struct coho__conn_table *t = k->conn->home->table;
  struct gate *g = k->gate;
  k->gate = NULL;
  if (!g) return;
  coho__list_remove(&k->node);
  if (k->stage == WAITING) return;
  struct coho__list *next = coho__list_pop(&g->waiting);
  if (next) {
    dial(COHO_LIST_ENTRY(next, struct coho__client, node));
    return;
  }
  coho__map_remove(&t->gates, key_of(g));
  coho__free(g, sizeof *g);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void free_client(struct coho__client *k) {
  coho__upgrade_client_free(&k->upgrade);
  coho__buf_release(&k->request);
  coho__url_free(&k->url);
  coho__free(k, sizeof *k);
}

void coho__client_drop(coho_conn *c) {
  struct coho__client *k = c->more.client;
  c->more.client = NULL;
  if (!k) return;
  if (k->resolve) coho__resolve_cancel(k->resolve);
  if (k->connect) coho__connect_cancel(k->connect);
  leave_gate(k);
  free_client(k);
}

static const char *host_of(const struct coho__client *k, char *buf, size_t cap) {
  if (k->url.file)
    (void)snprintf(buf, cap, "%s", k->url.file);
  else
    (void)snprintf(buf, cap, k->url.ipv6 ? "[%s]:%u" : "%s:%u", k->url.host, k->url.port);
  return buf;
}

static uint64_t retry_after_of(const struct coho__http1 *answer) {
  struct coho__view value;
  if (!coho__http1_only(answer, "Retry-After", &value)) return 0;
  return coho__retry_after(value, (int64_t)(coho__clock_wall_ms() / 1000));
}

/* detail, or a sentence that begins with the host. */
static void fail(struct coho__client *k, int err, const char *detail) {
  coho_conn *c = k->conn;
  char text[DETAIL], host[DETAIL / 2];
  if (detail)
    (void)snprintf(text, sizeof text, "%s", detail);
  else
    (void)snprintf(text, sizeof text, "%s: %s", host_of(k, host, sizeof host), coho_strerror(err));
  coho_ending how = {.err = err, .code = 1006, .reason = "", .detail = text};
  if (k->stage == SHAKING) how.status = k->upgrade.head.status;
  if (err == COHO_ESTATUS) how.retry_after_ms = retry_after_of(&k->upgrade.head);
  coho__client_drop(c);
  coho__conn_end(c, &how);
  coho__conn_linger(c);
}

/* The stream failed, which may know more than the error. */
static void fail_stream(struct coho__client *k, int err) {
  char text[DETAIL], host[DETAIL / 2], trouble[DETAIL];
  coho__stream_tell(k->conn->stream, COHO_STREAM_TROUBLE, trouble, sizeof trouble);
  (void)snprintf(text, sizeof text, "%s: %.250s", host_of(k, host, sizeof host), trouble);
  fail(k, err, *trouble ? text : NULL);
}

/* How far it came. */
static const char *missing(const struct coho__client *k) {
  char tls[DETAIL];
  if (k->stage != SHAKING) return "could not be reached";
  if (k->url.secure && !*coho__stream_tell(k->conn->stream, COHO_STREAM_TLS, tls, sizeof tls))
    return "did not complete the TLS handshake";
  return "did not answer the handshake";
}

void coho__client_timeout(coho_conn *c) {
  struct coho__client *k = c->more.client;
  char text[DETAIL], host[DETAIL / 2];
  bool connected = k->stage == SHAKING;
  (void)snprintf(text, sizeof text, "%s %s within %u ms", host_of(k, host, sizeof host), missing(k),
                 c->opt->set.connect_timeout_ms);
  fail(k, connected ? COHO_EHANDSHAKETIMEOUT : COHO_ETIMEDOUT, text);
}

/* rest: what came behind the answer's head. */
static void fail_handshake(struct coho__client *k, int err, struct coho__view rest) {
  char text[DETAIL], host[DETAIL / 2], words[WORDS];
  unsigned status = k->upgrade.head.status;
  if (err != COHO_ESTATUS) {
    fail(k, err, NULL);
    return;
  }
  const char *reason = coho__http1_reason((int)status);
  struct coho__view said = coho__upgrade_client_words(&k->upgrade, rest);
  bool more = said.len && !coho__view_eq_nocase(said, coho__view_of(reason));
  (void)snprintf(text, sizeof text, "%s answered %u%s%s instead of switching to WebSocket%s%s",
                 host_of(k, host, sizeof host), status, *reason ? " " : "", reason,
                 more ? ": " : "",
                 more ? coho__escape(words, sizeof words, said.data, said.len) : "");
  fail(k, err, text);
}

/* ---- the handshake -------------------------------------------------------------------------- */

/* False: the client is gone. */
static bool write_request(struct coho__client *k) {
  while (k->request.len) {
    struct iovec iov = {.iov_base = k->request.data, .iov_len = k->request.len};
    ssize_t n = coho__stream_writev(k->conn->stream, &iov, 1);
    if (n == COHO_STREAM_AGAIN) return true;
    if (n < 0) {
      fail_stream(k, (int)n);
      return false;
    }
    coho__buf_consume(&k->request, (size_t)n);
  }
  return true;
}

/* The loop's buffer holds n bytes, of which the answer took the first `used`. */
static void opened(struct coho__client *k, size_t used, size_t n, bool more) {
  coho_conn *c = k->conn;
  struct coho__conn_start start = {.stream = c->stream,
                                   .rest = {c->home->loop->recv + used, n - used},
                                   .protocol = coho__upgrade_client_protocol(&k->upgrade)};
  int err = coho__conn_deflate(c, &k->upgrade.terms);
  if (err) {
    fail(k, err, NULL);
    return;
  }
  coho__loop_stop_timer(c->home->loop, &c->timer);
  coho__client_drop(c);
  coho__conn_open(c, &start);
  if (more && c->state == COHO_CONN_OPEN)
    coho__stream_again(c->stream, COHO_IO_READ | COHO_IO_HANGUP);
}

static void read_answer(struct coho__client *k, unsigned events) {
  coho_conn *c = k->conn;
  char *buf = c->home->loop->recv;
  size_t used = 0;
  ssize_t n = coho__stream_read(c->stream, buf, COHO_LOOP_RECV);
  if (n == COHO_STREAM_AGAIN) return;
  if (n <= 0) {
    fail_stream(k, n < 0 ? (int)n : COHO_EABNORMAL);
    return;
  }
  bool more = n == COHO_LOOP_RECV || (events & COHO_IO_HANGUP);
  int got = coho__upgrade_client_input(&k->upgrade, buf, (size_t)n, &used);
  if (got < 0)
    fail_handshake(k, got, (struct coho__view){buf + used, (size_t)n - used});
  else if (got > 0)
    opened(k, used, (size_t)n, more);
  else if (more)
    coho__stream_again(c->stream, events);
}

static void on_event(struct coho__stream *s, unsigned events) {
  coho_conn *c = (coho_conn *)s->owner;
  if (c->state != COHO_CONN_CONNECTING || c->stop & COHO_STOP_DOOMED) return;
  if (events & COHO_IO_WRITE && !write_request(c->more.client)) return;
  if (events & (COHO_IO_READ | COHO_IO_HANGUP)) read_answer(c->more.client, events);
}

/* ---- the connection ------------------------------------------------------------------------- */

/* Takes the stream in any case. A client without a coho_tls has the process's. */
static struct coho__stream *secure(struct coho__client *k, struct coho__stream *s, int *err) {
  coho_tls *own = k->conn->opt->set.tls;
  coho_tls *tls = own ? coho__tls_ref(own) : coho__tls_default();
  s = coho__stream_tls_client(s, tls, k->url.host, k->url.port, err);
  coho__tls_unref(tls);
  return s;
}

static void on_connected(void *owner, struct coho__stream *s, int err, const char *detail) {
  struct coho__client *k = (struct coho__client *)owner;
  k->connect = NULL;
  if (s && k->url.secure) s = secure(k, s, &err);
  if (!s) {
    fail(k, err, *detail ? detail : NULL);
    return;
  }
  k->stage = SHAKING;
  k->conn->stream = s;
  s->owner = k->conn;
  s->on_event = on_event;
  (void)write_request(k);
}

static void start_deadline(coho_conn *c) {
  uint32_t limit = c->opt->set.connect_timeout_ms;
  if (limit != UINT32_MAX) coho__loop_set_timer(c->home->loop, &c->timer, limit);
}

/* The gate is open. The time spent before it does not count. */
static void dial(struct coho__client *k) {
  coho_conn *c = k->conn;
  k->stage = DIALING;
  if (c->home->table->closing) return; /* about to be cut */
  k->connect = coho__connect_addrs(c->home->loop, k->addrs, k->addr_count, on_connected, k);
  start_deadline(c);
  if (!k->connect) coho__conn_doom(c, COHO_ENOMEM);
}

static void on_resolved(void *owner, int err, const struct coho__addr *addrs, size_t n) {
  struct coho__client *k = (struct coho__client *)owner;
  coho_conn *c = k->conn;
  char text[DETAIL], host[DETAIL / 2];
  k->resolve = NULL;
  if (err) {
    (void)snprintf(text, sizeof text, "cannot resolve %s: %s", host_of(k, host, sizeof host),
                   coho_strerror(err));
    fail(k, err, text);
    return;
  }
  memcpy(k->addrs, addrs, n * sizeof *addrs);
  k->addr_count = n;
  int free_way = enter_gate(k);
  if (free_way < 0) {
    fail(k, free_way, NULL);
  } else if (free_way) {
    dial(k);
  } else {
    k->stage = WAITING;
    coho__loop_stop_timer(c->home->loop, &c->timer);
  }
}

/* ---- the beginning -------------------------------------------------------------------------- */

static int make_request(struct coho__client *k, const coho_options *set) {
  unsigned char nonce[NONCE]; /* fresh for each connection (RFC 6455 4.1) */
  coho__random(nonce, sizeof nonce);
  struct coho__upgrade_request request = {.url = &k->url,
                                          .protocols = set->protocols,
                                          .headers = set->headers,
                                          .origin = set->origin,
                                          .deflate = &set->deflate,
                                          .protocol_required =
                                              (set->flags & COHO_PROTOCOL_REQUIRED) != 0};
  int err = coho__upgrade_client_init(&k->upgrade, &request, nonce, &k->request);
  return err == COHO_EINVAL || err == COHO_EFULL ? COHO_EOPTION : err;
}

static int start(struct coho__client *k) {
  int err = make_request(k, &k->conn->opt->set);
  if (err) return err;
  const char *host = k->url.file ? k->url.file : k->url.host;
  k->resolve = coho__resolve_start(k->conn->home->loop, host, k->url.port, on_resolved, k);
  if (!k->resolve) return COHO_ENOMEM;
  start_deadline(k->conn);
  return 0;
}

static struct coho__client *client_new(struct coho__home *home, struct coho__options *opt) {
  struct coho__client *k = (struct coho__client *)coho__zalloc(sizeof *k);
  if (!k) return NULL;
  coho__buf_init(&k->request, REQUEST_MOST);
  coho__list_init(&k->node);
  k->conn = coho__conn_new(home, opt);
  if (k->conn) return k;
  coho__free(k, sizeof *k);
  return NULL;
}

int coho__client_start(struct coho__home *home, const char *url, struct coho__options *opt,
                       coho_conn **out) {
  struct coho__url parsed;
  const char *why;
  if (home->table->closing) return COHO_ESTOPPED;
  int err = coho__url_parse(&parsed, url, COHO_URL_CONNECT_ANY, &why);
  if (err) return err;
  struct coho__client *k = client_new(home, opt);
  if (!k) {
    coho__url_free(&parsed);
    return COHO_ENOMEM;
  }
  k->url = parsed;
  err = start(k);
  if (err) {
    coho_conn *c = k->conn;
    free_client(k);
    coho__conn_unmake(c);
    return err;
  }
  k->conn->more.client = k;
  if (out) *out = k->conn;
  return 0;
}

int coho_connect_sized(coho_loop *loop, const char *url, const coho_options *opt, size_t size,
                       coho_conn **out) {
  struct coho__options *options;
  if (!url) return COHO_EURL;
  struct coho__conn_table *t = coho__conn_table_of(loop);
  if (!t) return COHO_ENOMEM;
  int err = coho__options_new(COHO_CLIENT, opt, size, &options);
  if (err) return err;
  err = coho__client_start(&t->clients, url, options, out);
  coho__options_unref(options);
  return err;
}
