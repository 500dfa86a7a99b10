/* Every allocation while messages go back and forth fails once: they arrive whole and in order, or
   the connection ends; nothing crashes or leaks. */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <coho/hub.h>
#include <string.h>

enum { LARGE = 100000 };

static struct world w;
static struct probe server, client;
static coho_hub *hub;
static char data[LARGE];

static void echo(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  if (coho_send(c, m) < 0) coho_abort(c); /* a hole would be worse */
}

static void open_pair(void) {
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  server.message = echo;
  coho_options so = probe_options(&server), co = probe_options(&client);
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
}

static void close_pair(void) {
  alloc_fail_at(0);
  if (client.conn) (void)coho_close(client.conn, 1000, NULL);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
  alloc_assert_none_live();
}

/* A message there and back, or the end. */
static bool there_and_back(coho_msg m) {
  unsigned before = client.messages;
  if (!client.conn || coho_send(client.conn, m) < 0) return false;
  UNTIL(&w, client.messages > before || client.closes);
  return client.messages > before;
}

static bool talk(void) {
  coho_msg part = coho_text_n(data, 1000), rest = coho_text_n(data, 30000);
  part.flags = COHO_MORE;
  bool fine = there_and_back(coho_text("small")) && there_and_back(coho_text_n(data, 5000)) &&
              there_and_back(coho_text_n(data, LARGE));
  fine = fine && coho_send(client.conn, part) >= 0 && there_and_back(rest);
  fine = fine && coho_ping(client.conn, "?", 1) == 0;
  if (fine) UNTIL(&w, client.pongs == 1 || client.closes);
  return fine && !client.closes;
}

static void test_echo(void **state) {
  (void)state;
  memset(data, 'd', sizeof data);
  for (long i = 1;; i++) {
    open_pair();
    alloc_fail_at(i);
    bool fine = talk();
    bool failed = alloc_failed();
    assert_true(fine || failed);
    if (fine) assert_int_equal(client.bytes, 5 + 5000 + LARGE + 31000);
    close_pair();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

/* Outside handlers, to a peer that is slow, and paused in between. */
static void fill_and_drain(void) {
  for (int i = 0; i < 40 && server.conn; i++)
    if (coho_send(server.conn, coho_text_n(data, i % 2 ? 100 : LARGE)) < 0) break;
  if (client.conn) coho_pause(client.conn);
  for (int i = 0; i < 3; i++)
    world_turn(&w);
  if (client.conn) coho_resume(client.conn);
  UNTIL(&w, client.closes || !server.conn || coho_conn_queued(server.conn) == 0);
}

static void test_queue(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    open_pair();
    alloc_fail_at(i);
    fill_and_drain();
    bool failed = alloc_failed();
    close_pair();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

static void pause_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  coho_pause(c);
}

static void test_kept_input(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    open_pair();
    server.message = pause_it;
    alloc_fail_at(i);
    for (int k = 0; k < 3; k++)
      if (client.conn) (void)coho_send(client.conn, coho_text("one of three"));
    UNTIL(&w, server.messages == 1 || server.closes);
    world_turn(&w);
    server.message = NULL;
    if (server.conn) coho_resume(server.conn);
    UNTIL(&w, server.messages == 3 || server.closes || client.closes || alloc_failed());
    bool failed = alloc_failed();
    close_pair();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

static bool publish_once(void) {
  coho_msg part = coho_text("half");
  part.flags = COHO_MORE;
  bool fine = coho_subscribe(hub, server.conn, "t") == 0 &&
              coho_subscribe(hub, client.conn, "t") == 0 &&
              coho_publish(hub, "t", coho_text("one")) == 0 && coho_send(server.conn, part) >= 0 &&
              coho_publish(hub, "t", coho_text("two")) == 0;
  world_turn(&w);
  fine = fine && server.conn && client.conn && coho_send(server.conn, coho_text("rest")) >= 0;
  if (fine) UNTIL(&w, client.messages == 3 || client.closes || server.closes);
  return fine && !client.closes && !server.closes;
}

static void test_publish(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    open_pair();
    server.message = NULL;
    hub = NULL;
    alloc_fail_at(i);
    hub = coho_hub_new(NULL);
    bool fine = hub && publish_once();
    bool failed = alloc_failed();
    assert_true(fine || failed);
    alloc_fail_at(0);
    if (client.conn) (void)coho_close(client.conn, 1000, NULL);
    UNTIL(&w, client.closes == 1 && server.closes == 1);
    world_close(&w);
    coho_hub_free(hub);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_echo),
      cmocka_unit_test(test_queue),
      cmocka_unit_test(test_kept_input),
      cmocka_unit_test(test_publish),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
