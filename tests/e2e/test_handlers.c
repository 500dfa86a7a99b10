/* Attack 47: whatever a program does inside a handler, it is told the end once, last, and nothing
   is used after it is freed (the sanitizers look). */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <coho/hub.h>
#include <string.h>
#include <unistd.h>

static struct world w;
static struct probe server, other;
static struct raw raw;
static coho_hub *hub;

static const char request[] =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* ---- what may be done ----------------------------------------------------------------------- */

static void do_close(struct probe *p, coho_conn *c) {
  (void)p;
  (void)coho_close(c, 1000, "enough");
}

static void do_abort(struct probe *p, coho_conn *c) {
  (void)p;
  coho_abort(c);
}

static void do_close_and_abort(struct probe *p, coho_conn *c) {
  do_close(p, c);
  do_abort(p, c);
}

static void do_send(struct probe *p, coho_conn *c) {
  static char large[40000];
  (void)p;
  (void)coho_send(c, coho_text("more"));
  (void)coho_send(c, coho_binary(large, sizeof large));
  (void)coho_ping(c, "?", 1);
}

static void do_pause(struct probe *p, coho_conn *c) {
  (void)p;
  coho_pause(c);
  coho_pause(c);
  coho_resume(c);
}

static void do_stop_server(struct probe *p, coho_conn *c) {
  (void)p;
  (void)c;
  if (w.server) coho_server_stop(w.server);
}

static void do_free_server(struct probe *p, coho_conn *c) {
  (void)p;
  (void)c;
  coho_server_free(w.server);
  w.server = NULL;
}

static void do_abort_and_free(struct probe *p, coho_conn *c) {
  do_abort(p, c);
  do_free_server(p, c);
}

static void do_stop_loop(struct probe *p, coho_conn *c) {
  (void)p;
  coho_loop_stop(coho_conn_loop(c));
}

static void do_subscribe(struct probe *p, coho_conn *c) {
  (void)p;
  (void)coho_subscribe(hub, c, "news");
  (void)coho_publish(hub, "news", coho_text("x"));
  (void)coho_subscribe(hub, c, "more news");
  (void)coho_unsubscribe(hub, c, "news");
}

static void do_by_id(struct probe *p, coho_conn *c) {
  (void)p;
  (void)coho_send_id(coho_conn_id(c), coho_text("id"));
  (void)coho_close_id(coho_conn_id(c), 1000, NULL);
}

static void do_connect(struct probe *p, coho_conn *c) {
  coho_options co = probe_options(&other);
  (void)p;
  if (other.opens + other.closes == 0) (void)coho_connect(coho_conn_loop(c), w.url, &co, NULL);
}

static void (*const actions[])(struct probe *p, coho_conn *c) = {
    do_close,       do_abort,          do_close_and_abort, do_send,      do_pause, do_stop_server,
    do_free_server, do_abort_and_free, do_stop_loop,       do_subscribe, do_by_id, do_connect};

enum { ACTIONS = sizeof actions / sizeof *actions };

/* ---- where ---------------------------------------------------------------------------------- */

static void (*action)(struct probe *p, coho_conn *c);

static void in_message(struct probe *p, coho_conn *c, coho_msg m) {
  (void)m;
  action(p, c);
}

static void ping_first(struct probe *p, coho_conn *c) {
  (void)p;
  (void)coho_ping(c, "!", 1);
}

static void plant(int handler) {
  server.opened = ping_first;
  switch (handler) {
  case 0: server.opened = action; break;
  case 1: server.message = in_message; break;
  case 2: server.pinged = action; break;
  case 3: server.ponged = action; break;
  case 4: server.failed = action; break;
  default: server.closed = action; break;
  }
}

enum { HANDLERS = 6 };

/* Something for each handler, and an end of either kind. */
static void play(bool violation) {
  static const char events[] =
      "\x82\x81\0\0\0\0a\x89\x81\0\0\0\0?\x8a\x81\0\0\0\0!\x82\x81\0\0\0\0b";
  raw_send(&raw, events, sizeof events - 1);
  if (violation)
    raw_send(&raw, "\x83\x80\0\0\0\0", 6);
  else
    raw_send(&raw, "\x88\x82\0\0\0\0\x03\xe8", 8);
}

static void run_one(int handler, size_t which, bool violation) {
  memset(&server, 0, sizeof server);
  memset(&other, 0, sizeof other);
  action = actions[which];
  plant(handler);
  coho_options so = probe_options(&server);
  so.close_timeout_ms = 50;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  raw_send(&raw, request, sizeof request - 1); /* an abort in on_open also drops the answer */
  UNTIL(&w, server.opens == 1);
  if (server.conn) play(violation);
  UNTIL(&w, server.closes == server.opens);
  for (int i = 0; i < 3; i++)
    world_turn(&w);
  raw_close(&raw);
  world_close(&w);
  assert_int_equal(server.closes, server.opens);
  assert_int_equal(other.opens > other.closes, 0);
  if (server.opens == 1) {
    assert_int_equal(server.order[strlen(server.order) - 1], 'c');
    assert_ptr_equal(strchr(server.order, 'c'), strrchr(server.order, 'c'));
    assert_int_equal(server.errors, server.ending.err != 0);
  }
}

static void test_every_action_in_every_handler(void **state) {
  (void)state;
  hub = coho_hub_new(NULL);
  for (int handler = 0; handler < HANDLERS; handler++)
    for (size_t which = 0; which < ACTIONS; which++) {
      run_one(handler, which, false);
      run_one(handler, which, true);
    }
  coho_hub_free(hub);
}

/* ---- in on_drain ---------------------------------------------------------------------------- */

static void drain_one(size_t which) {
  static char block[100000];
  memset(&server, 0, sizeof server);
  memset(&other, 0, sizeof other);
  action = actions[which];
  server.drained = action;
  coho_options so = probe_options(&server);
  so.close_timeout_ms = 50;
  world_open(&w, "/", &so);
  raw_connect_narrow(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  while (coho_send(server.conn, coho_binary(block, sizeof block)) >= 0) {}
  struct raw_frame f;
  while (server.drains == 0 && raw_next(&raw, &f)) {}
  assert_true(server.drains > 0);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

static void test_every_action_in_on_drain(void **state) {
  (void)state;
  hub = coho_hub_new(NULL);
  for (size_t which = 0; which < ACTIONS; which++)
    drain_one(which);
  coho_hub_free(hub);
}

/* ---- in on_upgrade -------------------------------------------------------------------------- */

static unsigned upgrades;

static void stop_in_upgrade(coho_request *r) {
  (void)r;
  upgrades++;
  coho_server_stop(w.server);
}

static void free_in_upgrade(coho_request *r) {
  (void)r;
  upgrades++;
  coho_server_free(w.server);
  w.server = NULL;
}

static void begin_upgrade(void (*handler)(coho_request *r)) {
  memset(&server, 0, sizeof server);
  upgrades = 0;
  coho_options so = probe_options(&server);
  so.on_upgrade = handler;
  so.close_timeout_ms = 50;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  raw_send(&raw, request, sizeof request - 1);
  UNTIL(&w, upgrades == 1);
}

static void test_stop_in_on_upgrade(void **state) {
  (void)state;
  char head[512];
  struct raw_frame f;
  begin_upgrade(stop_in_upgrade);
  raw_head(&raw, head, sizeof head);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1001);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1 && coho_server_stopped(w.server));
  world_close(&w);
}

static void test_free_in_on_upgrade(void **state) {
  (void)state;
  begin_upgrade(free_in_upgrade);
  (void)raw_eof(&raw);
  raw_close(&raw);
  world_close(&w);
  assert_int_equal(server.opens, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_action_in_every_handler),
      cmocka_unit_test(test_every_action_in_on_drain),
      cmocka_unit_test(test_stop_in_on_upgrade),
      cmocka_unit_test(test_free_in_on_upgrade),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
