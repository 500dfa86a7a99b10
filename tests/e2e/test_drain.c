/* A stop that closes connections one after the other. */
#include "support/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 300, HOUR = 3600 * 1000 };

static struct world w;
static struct probe clients[MANY];

static struct {
  unsigned opens, closes;
  int order[MANY]; /* which connection closed as the n-th */
} server;

static int setup(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  memset(clients, 0, sizeof clients);
  memset(&server, 0, sizeof server);
  return 0;
}

static void on_open(coho_conn *c) { coho_conn_set_user(c, &clients[server.opens++]); }

static void on_close(coho_conn *c, const coho_ending *how) {
  (void)how;
  if (server.closes < MANY)
    server.order[server.closes] = (int)((struct probe *)coho_conn_user(c) - clients);
  server.closes++;
}

static void open_world(coho_server_options o) {
  coho_options so = {.on_open = on_open, .on_close = on_close};
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  o.loop = w.loop;
  w.server = coho_server_new(&o);
  assert_non_null(w.server);
  assert_int_equal(coho_route_ws(w.server, "/", &so), 0);
  world_start(&w);
}

static void connect_all(size_t count) {
  for (size_t i = 0; i < count; i++) {
    coho_options co = probe_options(&clients[i]);
    world_connect(&w, "/", &co);
    UNTIL(&w, clients[i].opens == 1 && server.opens == i + 1);
  }
}

static unsigned told(void) {
  unsigned n = 0;
  for (size_t i = 0; i < MANY; i++)
    n += clients[i].closes;
  return n;
}

/* Never more are closed than the time that passed allows; in the end all are, in their order. */
static void test_connections_close_evenly_and_in_order(void **state) {
  (void)state;
  enum { SPREAD = 400 };
  open_world((coho_server_options){.drain_spread_ms = SPREAD, .drain_code = 1012});
  connect_all(MANY);
  uint64_t begun = world_clock_ms();
  coho_server_stop(w.server);
  while (!coho_server_stopped(w.server)) {
    world_turn(&w);
    uint64_t elapsed = world_clock_ms() - begun + 1;
    if (elapsed < SPREAD) assert_true(server.closes <= MANY * elapsed / SPREAD + 1);
    assert_true(elapsed < 60000);
  }
  assert_int_equal(server.closes, MANY);
  assert_int_equal(told(), MANY);
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(clients[i].ending.code, 1012);
    assert_int_equal(clients[i].ending.err, 0);
    assert_int_equal(server.order[i], i);
  }
  world_close(&w);
}

static void test_the_first_closes_at_once_and_nobody_comes_in(void **state) {
  (void)state;
  struct raw raw;
  open_world((coho_server_options){.drain_spread_ms = HOUR});
  connect_all(10);
  coho_server_stop(w.server);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.order[0], 0);
  assert_int_equal(clients[0].ending.code, 1001);
  assert_false(raw_try_connect(&raw, &w));
  for (int i = 0; i < 20; i++)
    world_turn(&w);
  assert_int_equal(server.closes, 1);
  assert_false(coho_server_stopped(w.server));
  for (size_t i = 1; i < 10; i++) /* who leaves need not wait */
    coho_close(clients[i].conn, 1000, NULL);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_int_equal(server.closes, 10);
  world_close(&w);
}

/* ---- requests that wait for their answer ----------------------------------------------------- */

enum { WAITING = 6 };

static struct { unsigned deferred, stops, gone; } late;

static void on_stop(coho_request *r, void *ctx) {
  (void)ctx;
  late.stops++;
  assert_int_equal(coho_reply(r, 204, NULL, NULL, 0), 0);
}

static void on_gone(coho_request *r, void *ctx) {
  (void)r;
  (void)ctx;
  late.gone++;
}

static void defer(coho_request *r, void *user) {
  (void)user;
  assert_int_equal(coho_request_defer(r, &(coho_late){.on_stop = on_stop, .on_gone = on_gone}), 0);
  late.deferred++;
}

static void wait_for_answers(struct raw *raws, coho_server_options o) {
  memset(&late, 0, sizeof late);
  w.loop = coho_loop_new();
  o.loop = w.loop;
  w.server = coho_server_new(&o);
  assert_non_null(w.server);
  assert_int_equal(coho_route_http(w.server, "GET", "/", defer, NULL), 0);
  world_start(&w);
  for (unsigned i = 0; i < WAITING; i++) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    raw_connect(&raws[i], &w);
    raw_send(&raws[i], request, sizeof request - 1);
    UNTIL(&w, late.deferred == i + 1);
  }
}

static void test_deferred_requests_are_told_one_after_the_other(void **state) {
  (void)state;
  static struct raw raws[WAITING];
  wait_for_answers(raws, (coho_server_options){.drain_spread_ms = HOUR});
  coho_server_stop(w.server);
  UNTIL(&w, late.stops == 1);
  for (int i = 0; i < 20; i++)
    world_turn(&w);
  assert_int_equal(late.stops, 1);
  for (size_t i = 0; i < WAITING; i++)
    raw_close(&raws[i]);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_int_equal(late.gone, WAITING - 1);
  world_close(&w);
}

static void test_in_the_end_all_deferred_requests_are_told(void **state) {
  (void)state;
  static struct raw raws[WAITING];
  char head[1024];
  wait_for_answers(raws, (coho_server_options){.drain_spread_ms = 60});
  coho_server_stop(w.server);
  UNTIL(&w, late.stops == WAITING);
  for (size_t i = 0; i < WAITING; i++) {
    assert_non_null(strstr(raw_head(&raws[i], head, sizeof head), " 204 "));
    raw_close(&raws[i]);
  }
  UNTIL(&w, coho_server_stopped(w.server));
  assert_int_equal(late.gone, 0);
  world_close(&w);
}

/* ---- and the rest ---------------------------------------------------------------------------- */

static void test_without_spread_all_close_in_one_turn(void **state) {
  (void)state;
  open_world((coho_server_options){.drain_code = 4000});
  connect_all(50);
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  for (size_t i = 0; i < 50; i++)
    assert_int_equal(clients[i].ending.code, 4000);
  world_close(&w);
}

/* What is freed does not wait for the end of the spread. */
static void test_cutting_ends_a_drain(void **state) {
  (void)state;
  open_world((coho_server_options){.drain_spread_ms = HOUR});
  connect_all(5);
  coho_server_stop(w.server);
  UNTIL(&w, server.closes == 1);
  coho_server_free(w.server);
  w.server = NULL;
  UNTIL(&w, server.closes == 5);
  world_close(&w);
}

static void test_the_deadline_begins_with_the_end_of_the_spread(void **state) {
  (void)state;
  static struct raw raw; /* never answers the Close */
  open_world((coho_server_options){.drain_spread_ms = 40, .drain_timeout_ms = 40});
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  uint64_t begun = world_clock_ms();
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_true(world_clock_ms() - begun >= 79);
  raw_close(&raw);
  world_close(&w);
}

static void test_codes_that_cannot_be_sent(void **state) {
  (void)state;
  static const uint32_t wrong[] = {1, 999, 1004, 1005, 1006, 1010, 1015, 2999, 5000, UINT32_MAX};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_null(coho_server_new(&(coho_server_options){.drain_code = wrong[i]}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_connections_close_evenly_and_in_order, setup),
      cmocka_unit_test_setup(test_the_first_closes_at_once_and_nobody_comes_in, setup),
      cmocka_unit_test_setup(test_deferred_requests_are_told_one_after_the_other, setup),
      cmocka_unit_test_setup(test_in_the_end_all_deferred_requests_are_told, setup),
      cmocka_unit_test_setup(test_without_spread_all_close_in_one_turn, setup),
      cmocka_unit_test_setup(test_cutting_ends_a_drain, setup),
      cmocka_unit_test_setup(test_the_deadline_begins_with_the_end_of_the_spread, setup),
      cmocka_unit_test_setup(test_codes_that_cannot_be_sent, setup),
  };
  return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
