#include "unit/httpd.h"

#include "support/stream_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the server ------------------------------------------------------------------------------ */

static void on_line(void *ctx, const char *line) {
  struct httpd *d = (struct httpd *)ctx;
  size_t len = strlen(d->log);
  (void)snprintf(d->log + len, sizeof d->log - len, "%s\n", line);
}

static void on_log(void *ctx, int level, const char *line) {
  struct httpd *d = (struct httpd *)ctx;
  (void)level;
  (void)snprintf(d->last, sizeof d->last, "%s", line);
}

void httpd_start(struct httpd *d) {
  memset(d, 0, sizeof *d);
  coho_set_log(on_log, d, COHO_LOG_INFO);
  d->loop = coho_loop_new();
  assert_non_null(d->loop);
  coho__routes_init(&d->routes);
  coho__admission_init(&d->admission, 1000);
  d->conf.routes = &d->routes;
  d->conf.admission = &d->admission;
  d->conf.access_log = on_line;
  d->conf.access_log_ctx = d;
  coho__http_init(&d->http, d->loop, &d->conf, &d->counters);
}

void httpd_settle(struct httpd *d) {
  int turns = 0;
  while (coho_loop_timeout(d->loop) == 0) {
    assert_true(coho_loop_turn(d->loop, 0) >= 0);
    assert_true(++turns < 1000000);
  }
}

void httpd_stop(struct httpd *d) {
  httpd_settle(d);
  /* Some may linger, until their timer ends it. */
  while (!coho__list_empty(&d->http.conns))
    assert_true(coho_loop_turn(d->loop, -1) >= 0);
  assert_int_equal(atomic_load(&d->admission.now), 0);
  assert_int_equal(atomic_load(&d->counters.sockets), 0);
  assert_int_equal(d->http.turned_away, 0);
  coho_loop_free(d->loop);
  coho__routes_free(&d->routes);
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
}

static void add_route(struct httpd *d, enum coho__route_kind kind, const char *method,
                      const char *pattern, void (*fn)(coho_request *r, void *ctx)) {
  char copy[16] = "";
  if (method) (void)snprintf(copy, sizeof copy, "%s", method);
  struct coho__route route = {.kind = kind, .method = method ? copy : NULL, .serve = fn, .ctx = d};
  assert_int_equal(coho__routes_add(&d->routes, pattern, &route), 0);
}

void httpd_route(struct httpd *d, const char *method, const char *pattern,
                 void (*fn)(coho_request *r, void *ctx)) {
  add_route(d, COHO_ROUTE_HTTP, method, pattern, fn);
}

void httpd_route_ws(struct httpd *d, const char *pattern, void (*fn)(coho_request *r, void *ctx)) {
  add_route(d, COHO_ROUTE_WS, NULL, pattern, fn);
}

/* ---- a client -------------------------------------------------------------------------------- */

static void take(struct client *c, const char *data, size_t len) {
  if (c->len + len + 1 > c->cap) {
    c->cap = (c->len + len + 1) * 2;
    c->in = (char *)realloc(c->in, c->cap);
    assert_non_null(c->in);
  }
  memcpy(c->in + c->len, data, len);
  c->len += len;
  c->in[c->len] = 0;
}

static void on_event(struct coho__stream *s, unsigned events) {
  struct client *c = (struct client *)s->owner;
  char buf[4096];
  (void)events;
  while (!c->paused && !c->eof) {
    ssize_t n = coho__stream_read(s, buf, sizeof buf);
    if (n == COHO_STREAM_AGAIN) return;
    if (n <= 0) {
      c->eof = true;
      c->err = (int)n;
      return;
    }
    take(c, buf, (size_t)n);
  }
}

struct coho__stream *client_make(struct client *c, struct httpd *d, size_t buffer, size_t piece) {
  struct coho__stream *ends[2];
  memset(c, 0, sizeof *c);
  c->d = d;
  assert_int_equal(stream_memory(d->loop, buffer, piece, ends), 0);
  c->s = ends[0];
  c->s->owner = c;
  c->s->on_event = on_event;
  take(c, "", 0);
  return ends[1];
}

void client_open(struct client *c, struct httpd *d, size_t buffer, size_t piece) {
  coho__http_accept(&d->http, client_make(c, d, buffer, piece));
  httpd_settle(d);
}

void client_send(struct client *c, const char *data, size_t len) {
  union {
    const char *from;
    void *to;
  } base = {.from = data};
  while (len && !c->eof) {
    struct iovec iov = {.iov_base = base.to, .iov_len = len};
    ssize_t n = coho__stream_writev(c->s, &iov, 1);
    if (n < 0 && n != COHO_STREAM_AGAIN) break;
    if (n > 0) {
      base.from += n;
      len -= (size_t)n;
    }
    httpd_settle(c->d);
    if (n == COHO_STREAM_AGAIN) break; /* the server does not read */
  }
  httpd_settle(c->d);
}

void client_say(struct client *c, const char *text) { client_send(c, text, strlen(text)); }

const char *client_text(struct client *c) {
  static const char date[] = "\r\nDate: ";
  char *at = c->in;
  while ((at = strstr(at, date))) {
    at += sizeof date - 1;
    char *end = strstr(at, "\r\n");
    assert_non_null(end);
    if (end - at > 1) {
      at[0] = '-';
      memmove(at + 1, end, c->len - (size_t)(end - c->in) + 1);
      c->len -= (size_t)(end - at) - 1;
    }
  }
  static char *text;
  free(text);
  text = c->in;
  c->in = NULL;
  c->len = c->cap = 0;
  take(c, "", 0);
  return text;
}

void client_wait_end(struct client *c) {
  while (!c->eof)
    assert_true(coho_loop_turn(c->d->loop, -1) >= 0);
}

void client_close(struct client *c) {
  coho__stream_close(c->s, false);
  httpd_settle(c->d);
  free(c->in);
  c->in = NULL;
}

/* ---- requests -------------------------------------------------------------------------------- */

static const char *collect(struct client *c) {
  if (c->eof) take(c, "[end]", 5);
  const char *text = client_text(c);
  client_close(c);
  return text;
}

const char *httpd_ask(struct httpd *d, const char *request) {
  struct client c;
  client_open(&c, d, 1 << 20, 0);
  client_say(&c, request);
  return collect(&c);
}

static void expect_cut(struct httpd *d, const char *request, size_t len, size_t cut,
                       const char *answer) {
  struct client c;
  client_open(&c, d, 1 << 20, 0);
  client_send(&c, request, cut);
  client_send(&c, request + cut, len - cut);
  assert_string_equal(collect(&c), answer);
}

static void expect_bytewise(struct httpd *d, const char *request, size_t len, const char *answer) {
  struct client c;
  client_open(&c, d, 1 << 20, 0);
  for (size_t i = 0; i < len; i++)
    client_send(&c, request + i, 1);
  assert_string_equal(collect(&c), answer);
}

void httpd_expect_n(struct httpd *d, const char *request, size_t len, const char *answer) {
  expect_cut(d, request, len, len, answer);
  expect_bytewise(d, request, len, answer);
  for (size_t cut = 1; cut < len; cut++)
    expect_cut(d, request, len, cut, answer);
  d->log[0] = 0;
}

void httpd_expect(struct httpd *d, const char *request, const char *answer) {
  httpd_expect_n(d, request, strlen(request), answer);
}
