#include "support/world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t world_clock_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the probe ------------------------------------------------------------------------------ */

static struct probe *probe_of(coho_conn *c) { return (struct probe *)coho_conn_user(c); }

static void note(struct probe *p, char what) {
  size_t n = strlen(p->order);
  if (n + 1 < sizeof p->order) p->order[n] = what;
}

static void keep(struct probe *p, coho_msg m) {
  size_t n = m.len < sizeof p->last - 1 ? m.len : sizeof p->last - 1;
  if (n) memcpy(p->last, m.data, n);
  p->last[n] = '\0';
  p->last_type = m.type;
  p->last_flags = m.flags;
}

static void on_open(coho_conn *c) {
  struct probe *p = probe_of(c);
  p->opens++;
  p->conn = c;
  p->id = coho_conn_id(c);
  note(p, 'o');
  if (p->opened) p->opened(p, c);
}

static void on_message(coho_conn *c, coho_msg m) {
  struct probe *p = probe_of(c);
  p->messages++;
  p->bytes += m.len;
  keep(p, m);
  note(p, 'm');
  if (p->message) p->message(p, c, m);
}

static void on_drain(coho_conn *c) {
  struct probe *p = probe_of(c);
  p->drains++;
  note(p, 'd');
  if (p->drained) p->drained(p, c);
}

static void on_ping(coho_conn *c, coho_msg m) {
  struct probe *p = probe_of(c);
  p->pings++;
  keep(p, m);
  note(p, 'i');
  if (p->pinged) p->pinged(p, c);
}

static void on_pong(coho_conn *c, coho_msg m) {
  struct probe *p = probe_of(c);
  p->pongs++;
  keep(p, m);
  note(p, 'p');
  if (p->ponged) p->ponged(p, c);
}

static void on_error(coho_conn *c, int err) {
  struct probe *p = probe_of(c);
  p->errors++;
  p->error = err;
  note(p, 'e');
  if (p->failed) p->failed(p, c);
}

static void on_close(coho_conn *c, const coho_ending *how) {
  struct probe *p = probe_of(c);
  p->closes++;
  snprintf(p->reason, sizeof p->reason, "%s", how->reason);
  snprintf(p->detail, sizeof p->detail, "%s", how->detail);
  p->ending = *how;
  p->ending.reason = p->reason;
  p->ending.detail = p->detail;
  note(p, 'c');
  if (p->closed) p->closed(p, c);
  if (p->conn == c) p->conn = NULL;
}

coho_options probe_options(struct probe *p) {
  return (coho_options){.on_open = on_open,
                        .on_message = on_message,
                        .on_drain = on_drain,
                        .on_ping = on_ping,
                        .on_pong = on_pong,
                        .on_error = on_error,
                        .on_close = on_close,
                        .user = p};
}

void probe_echo(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  assert_true(coho_send(c, m) >= 0);
}

/* ---- the world ------------------------------------------------------------------------------ */

void world_open(struct world *w, const char *pattern, const coho_options *opt) {
  memset(w, 0, sizeof *w);
  w->loop = coho_loop_new();
  assert_non_null(w->loop);
  coho_server_options so = {.loop = w->loop, .drain_timeout_ms = 10000};
  w->server = coho_server_new(&so);
  assert_non_null(w->server);
  if (!opt) return;
  assert_int_equal(coho_route_ws(w->server, pattern, opt), 0);
  world_start(w);
}

void world_start(struct world *w) {
  assert_int_equal(coho_server_listen(w->server, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(w->server), 0);
  const char *url = coho_server_url(w->server, 0);
  assert_non_null(url);
  snprintf(w->url, sizeof w->url, "%s", url);
  w->url[strlen(w->url) - 1] = '\0';
  w->port = (uint16_t)strtoul(strrchr(w->url, ':') + 1, NULL, 10);
}

void world_close(struct world *w) {
  coho_server_free(w->server);
  coho_loop_free(w->loop);
}

coho_conn *world_connect(struct world *w, const char *path, const coho_options *opt) {
  char url[256];
  coho_conn *c = NULL;
  snprintf(url, sizeof url, "%s%s", w->url, path);
  assert_int_equal(coho_connect(w->loop, url, opt, &c), 0);
  return c;
}

void world_turn(struct world *w) { assert_true(coho_loop_turn(w->loop, 5) >= 0); }

void world_wait(struct world *w, uint64_t begun_ms, const char *what) {
  world_turn(w);
  if (world_clock_ms() - begun_ms > 20000) fail_msg("never: %s", what);
}
