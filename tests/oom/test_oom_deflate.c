/* Every allocation of compressed connections fails once, in the handshake, while messages go back and
   forth, and in a publish: messages arrive right and in order, plain ones perhaps, or the connection
   ends; nothing crashes, and neither memory nor the budget of contexts leaks. */
#include "support/alloc_fail.h"
#include "support/dice.h"
#include "support/world.h"

#include <coho/hub.h>
#include <string.h>

enum { LARGE = 300000, MANY = 1000 };

static struct world w;
static struct probe server, client;
static coho_hub *hub;
static char data[LARGE];
static unsigned wrong; /* messages that are not the beginning of data */

static void compare(coho_msg m) {
  if (m.len > sizeof data || memcmp(m.data, data, m.len) != 0) wrong++;
}

static void echo(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  compare(m);
  if (coho_send(c, m) < 0) coho_abort(c); /* a hole would be worse */
}

static void keep(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)c;
  compare(m);
}

static coho_options options_of(struct probe *p, unsigned mode) {
  coho_options o = probe_options(p);
  o.deflate = (coho_deflate){.mode = mode, .window = 10, .peer_window = 9, .min_size = 100};
  return o;
}

static void fresh_probes(void) {
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  server.message = echo;
  client.message = keep;
  wrong = 0;
}

static void assert_nothing_left(void) {
  assert_int_equal(wrong, 0);
  assert_int_not_equal(server.error, COHO_EINFLATE);
  assert_int_not_equal(client.error, COHO_EINFLATE);
  alloc_assert_none_live();
  assert_int_equal(coho_contexts_used(), 0);
}

/* Each i until all are tested, in both modes. */
static void for_every_allocation(bool (*attempt)(unsigned mode, long i)) {
  for (unsigned mode = COHO_DEFLATE_SHARED; mode <= COHO_DEFLATE_OWN; mode++) {
    for (long i = 1;; i++) {
      fresh_probes();
      bool failed = attempt(mode, i);
      assert_nothing_left();
      if (!failed) break;
      assert_true(i < MANY);
    }
  }
}

/* ---- the handshake -------------------------------------------------------------------------- */

/* Turns until both sides are open, or have ended. */
static void settle(void) {
  UNTIL(&w, client.closes || (client.opens && server.opens) ||
                (client.opens && server.closes == server.opens && server.closes));
  if (client.conn) (void)coho_close(client.conn, 1000, NULL);
  UNTIL(&w, client.closes && server.closes == server.opens);
}

static bool shake_hands(unsigned mode, long i) {
  coho_options so = options_of(&server, mode), co = options_of(&client, mode);
  world_open(&w, "/", &so);
  alloc_fail_at(i);
  int err = coho_connect(w.loop, w.url, &co, NULL);
  if (!err) settle();
  bool failed = alloc_failed();
  alloc_fail_at(0);
  assert_true(err == 0 || failed);
  if (!failed) assert_int_equal(client.ending.code, 1000);
  world_close(&w);
  assert_int_equal(server.closes, server.opens);
  return failed;
}

static void test_handshake(void **state) {
  (void)state;
  for_every_allocation(shake_hands);
}

/* ---- an open connection --------------------------------------------------------------------- */

static void open_pair(unsigned mode) {
  coho_options so = options_of(&server, mode), co = options_of(&client, mode);
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
}

static void close_pair(void) {
  alloc_fail_at(0);
  if (client.conn) (void)coho_close(client.conn, 1000, NULL);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
}

/* A message there and back, or the end. */
static bool there_and_back(size_t len) {
  unsigned before = client.messages;
  if (!client.conn || coho_send(client.conn, coho_text_n(data, len)) < 0) return false;
  UNTIL(&w, client.messages > before || client.closes);
  return client.messages > before;
}

static bool talk(unsigned mode, long i) {
  open_pair(mode);
  alloc_fail_at(i);
  bool fine = there_and_back(50) && there_and_back(5000) && there_and_back(LARGE) &&
              there_and_back(5000) && !client.closes;
  bool failed = alloc_failed();
  assert_true(fine || failed);
  if (fine) assert_int_equal(client.bytes, 50 + 5000 + LARGE + 5000);
  close_pair();
  return failed;
}

static void test_echo(void **state) {
  (void)state;
  for_every_allocation(talk);
}

/* Who sends may try again: what was not taken is in nobody's context. */
static bool insist(unsigned mode, long i) {
  open_pair(mode);
  alloc_fail_at(i);
  unsigned taken = 0;
  for (int k = 0; k < 4; k++)
    taken += client.conn && coho_send(client.conn, coho_text_n(data, 5000 - 700 * (size_t)k)) >= 0;
  UNTIL(&w, client.messages == taken || client.closes);
  bool failed = alloc_failed();
  if (!failed) assert_int_equal(taken, 4);
  close_pair();
  return failed;
}

static void test_what_was_not_taken_is_forgotten(void **state) {
  (void)state;
  for_every_allocation(insist);
}

/* ---- a publish ------------------------------------------------------------------------------ */

static bool publish_to_both(void) {
  return coho_subscribe(hub, server.conn, "t") == 0 && coho_subscribe(hub, client.conn, "t") == 0 &&
         coho_publish(hub, "t", coho_text_n(data, 5000)) == 0 &&
         coho_publish(hub, "t", coho_text_n(data, 6000)) == 0;
}

static bool publish(unsigned mode, long i) {
  open_pair(mode);
  server.message = keep;
  alloc_fail_at(i);
  hub = coho_hub_new(NULL);
  bool fine = hub && publish_to_both();
  if (fine)
    UNTIL(&w, (client.messages == 2 && server.messages == 2) || client.closes || server.closes);
  bool failed = alloc_failed();
  assert_true(fine || failed);
  if (!failed) assert_int_equal(client.bytes + server.bytes, 2 * (5000 + 6000));
  close_pair();
  coho_hub_free(hub);
  return failed;
}

static void test_publish(void **state) {
  (void)state;
  for_every_allocation(publish);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_handshake),
      cmocka_unit_test(test_echo),
      cmocka_unit_test(test_what_was_not_taken_is_forgotten),
      cmocka_unit_test(test_publish),
  };
  struct dice d = {1};
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (char)('a' + dice(&d, 16));
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
