/* Every allocation of requests that are answered later, or in parts, fails once: a reply is whole or the
   connection ends, whoever waits is told, nothing crashes or leaks. */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 3000, ANSWERS = 3, MOST = 1000 };

static struct raw raw;
static coho_request *held;
static unsigned deferred, ended, gone;
static char data[LARGE];

static void on_gone(coho_request *r, void *ctx) {
  (void)r;
  (void)ctx;
  held = NULL;
  gone++;
}

static void hold(coho_request *r, void *user) {
  static const coho_late late = {.on_gone = on_gone};
  (void)user;
  if (coho_request_defer(r, &late) < 0) {
    (void)coho_reply(r, 503, NULL, NULL, 0);
    return;
  }
  deferred++;
  held = r;
}

/* Each call may fail and be made again, since nothing was taken then. */
#define TWICE(call) ((call) >= 0 || (call) >= 0)

static bool say_all(coho_request *r) {
  coho_request_forget(r);
  if (!TWICE(coho_reply_header(r, "A", "b"))) return false;
  if (!TWICE(coho_reply_begin(r, 200, "text/plain"))) return false;
  return TWICE(coho_reply_part(r, data, 10)) && TWICE(coho_reply_part(r, data, LARGE)) &&
         TWICE(coho_reply_part(r, data, 20)) && TWICE(coho_reply_end(r));
}

static int prepare(struct world *w) {
  w->server = coho_server_new(&(coho_server_options){.loop = w->loop});
  if (!w->server) return COHO_ENOMEM;
  int err = coho_route_http(w->server, "POST", "/:room", hold, NULL);
  if (!err) err = coho_server_listen(w->server, "ws://127.0.0.1:0");
  if (!err) err = coho_server_start(w->server);
  if (err) return err;
  w->port = (uint16_t)strtoul(strrchr(coho_server_url(w->server, 0), ':') + 1, NULL, 10);
  return 0;
}

static uint64_t sockets(const struct world *w) {
  coho_stats s;
  coho_server_stats(w->server, &s);
  return s.sockets;
}

static void talk(struct world *w) {
  static const char request[] = "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  raw_connect(&raw, w);
  for (int i = 0; i < ANSWERS; i++)
    raw_send(&raw, request, sizeof request - 1); /* all but the first are kept */
  for (int i = 0; i < ANSWERS; i++) {
    /* What fails early has no callback: the socket is gone, or its refusal on the way. */
    for (int turns = 0; !held && turns < 20; turns++)
      assert_true(coho_loop_turn(w->loop, alloc_failed() ? 1 : 5) >= 0);
    if (!held) break;
    coho_request *r = held;
    if (!say_all(r)) break;
    if (held == r) {
      held = NULL;
      ended++;
    }
  }
  raw_close(&raw);
  UNTIL(w, sockets(w) == 0);
}

static void attempt(void) {
  struct world w = {0};
  held = NULL;
  deferred = ended = gone = 0;
  w.loop = coho_loop_new();
  if (!w.loop) return;
  int err = prepare(&w);
  if (!err) talk(&w);
  assert_true(err == 0 || alloc_failed());
  if (w.server) coho_server_free(w.server);
  coho_loop_free(w.loop);
  assert_int_equal(deferred, ended + gone);
}

static void test_late_replies(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    attempt();
    alloc_assert_none_live();
    if (!alloc_failed()) break;
    assert_true(i < MOST);
  }
  assert_int_equal(ended, ANSWERS);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_late_replies)};
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
