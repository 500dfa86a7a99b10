/* Every allocation during the ends of a connection fails once: each side is told the end once. */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <string.h>

static struct world w;
static struct probe server, client;
static struct raw raw;

static void open_pair(void) {
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  coho_options so = probe_options(&server), co = probe_options(&client);
  so.close_timeout_ms = co.close_timeout_ms = 50;
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
}

static void close_gently(void) { (void)coho_close(client.conn, 4000, "reason"); }
static void close_both(void) {
  (void)coho_close(client.conn, 4000, "reason");
  (void)coho_close(server.conn, 4001, NULL);
}
static void close_by_id(void) { (void)coho_close_id(server.id, 4000, "reason"); }
static void stop_server(void) { coho_server_stop(w.server); }
static void abort_it(void) { coho_abort(client.conn); }

static void run(void (*end)(void)) {
  for (long i = 1;; i++) {
    open_pair();
    alloc_fail_at(i);
    end();
    for (int k = 0; k < 5; k++)
      world_turn(&w);
    bool failed = alloc_failed();
    alloc_fail_at(0);
    if (client.conn) (void)coho_close(client.conn, 1000, NULL);
    UNTIL(&w, client.closes == 1 && server.closes == 1);
    world_close(&w);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

static void test_close(void **state) {
  (void)state;
  run(close_gently);
  run(close_both);
  run(close_by_id);
}

static void test_stop_and_abort(void **state) {
  (void)state;
  run(stop_server);
  run(abort_it);
}

/* A violation, and a Close in two pieces: the engine needs memory for them. */
static void send_and_end(const char *first, size_t len, const char *second, size_t len2) {
  for (long i = 1;; i++) {
    memset(&server, 0, sizeof server);
    coho_options so = probe_options(&server);
    world_open(&w, "/", &so);
    raw_connect(&raw, &w);
    assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
    UNTIL(&w, server.opens == 1);
    alloc_fail_at(i);
    raw_send(&raw, first, len);
    for (int k = 0; k < 3; k++)
      world_turn(&w);
    raw_send(&raw, second, len2);
    UNTIL(&w, server.closes == 1);
    bool failed = alloc_failed();
    alloc_fail_at(0);
    raw_close(&raw);
    world_close(&w);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

static void test_frames_in_pieces(void **state) {
  (void)state;
  send_and_end("\x88\x85\0\0\0\0\x03\xe8", 8, "bye", 3);
  send_and_end("\x81\x85\0\0\0\0he", 8, "\xff\xff\xff", 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_close),
      cmocka_unit_test(test_stop_and_abort),
      cmocka_unit_test(test_frames_in_pieces),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
