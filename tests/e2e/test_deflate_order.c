/*
 * Who compresses with a context of its own has to send in the order in which it compressed. What a
 * connection sends by itself, in parts, by id and by publications, and what its peer unpacks.
 */
#include "support/alloc_fail.h"
#include "support/dice.h"
#include "support/raw.h"
#include "support/zip.h"

#include <coho/hub.h>
#include <string.h>

enum {
  WINDOW = 15,
  MEMORY = 8,
  ROUNDS = 400,
  LONGEST = 60 * 1000,
  SOURCES = 4,
  SEEDS = 12,
  HEAD = 16
};
enum source { WHOLE, PARTS, BY_ID, PUBLISHED };

static struct world w;
static struct probe server;
static struct raw raw;
static struct zip *zip;
static coho_hub *hub;
static struct dice luck;
static char text[2 * LONGEST];
static struct tally {
  unsigned sent, got;
  size_t lengths[ROUNDS + 1];
} tallies[SOURCES];
static size_t parts_left; /* of the message sent in parts, 0: none is open */
static char received[LONGEST];

static int teardown(void **state) {
  (void)state;
  zip_free(zip);
  zip = NULL;
  return coho_contexts_used() == 0 ? 0 : -1;
}

/* Source, number, text from that place on. */
static coho_msg message(enum source from, char *dst) {
  struct tally *t = &tallies[from];
  assert_true(t->sent <= ROUNDS);
  size_t len = HEAD + dice(&luck, dice(&luck, 4) ? 2000 : LONGEST - HEAD);
  memcpy(dst, (const uint32_t[]){from, t->sent, 0, 0}, HEAD);
  memcpy(dst + HEAD, text + t->sent, len - HEAD);
  t->lengths[t->sent] = len;
  return coho_binary(dst, len);
}

static void took(enum source from, int got) {
  assert_true(got == COHO_SENT || got == COHO_QUEUED);
  tallies[from].sent++;
}

static void send_part(coho_conn *c) {
  static char data[LONGEST];
  static size_t len;
  if (!parts_left) parts_left = len = message(PARTS, data).len;
  coho_msg m = coho_binary(data + len - parts_left, 1 + dice(&luck, (uint32_t)parts_left));
  if (m.len < parts_left) m.flags = COHO_MORE;
  int got = coho_send(c, m);
  assert_true(got == COHO_SENT || got == COHO_QUEUED);
  parts_left -= m.len;
  if (!parts_left) tallies[PARTS].sent++;
}

static void send_something(coho_conn *c) {
  char data[LONGEST];
  switch ((enum source)dice(&luck, SOURCES)) {
  case WHOLE:
    if (!parts_left) took(WHOLE, coho_send(c, message(WHOLE, data)));
    break;
  case PARTS: send_part(c); break;
  case BY_ID: took(BY_ID, coho_send_id(coho_conn_id(c), message(BY_ID, data))); break;
  case PUBLISHED: took(PUBLISHED, coho_publish(hub, "all", message(PUBLISHED, data))); break;
  }
}

static void on_something(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  for (uint32_t n = dice(&luck, 5); n; n--)
    send_something(c);
  while (parts_left) /* who receives would wait for what waits for them */
    send_part(c);
}

static void check(const char *data, size_t len) {
  uint32_t head[2]; /* source, number */
  assert_true(len >= HEAD);
  memcpy(head, data, sizeof head);
  assert_true(head[0] < SOURCES);
  struct tally *t = &tallies[head[0]];
  assert_int_equal(head[1], t->got);
  assert_int_equal(len, t->lengths[t->got]);
  assert_memory_equal(data + HEAD, text + t->got, len - HEAD);
  t->got++;
}

/* One message, pieced together from its fragments. */
static void receive(void) {
  struct raw_frame f;
  size_t len = 0;
  do {
    assert_true(raw_next(&raw, &f));
    if (f.rsv1) {
      size_t n;
      const char *data = zip_unpack(zip, f.data, f.len, &n);
      assert_non_null(data);
      assert_true(f.fin);
      check(data, n);
      return;
    }
    assert_true(len + f.len <= LONGEST);
    memcpy(received + len, f.data, f.len);
    len += f.len;
  } while (!f.fin);
  check(received, len);
}

static bool all_received(void) {
  for (int i = 0; i < SOURCES; i++)
    if (tallies[i].got != tallies[i].sent) return false;
  return true;
}

static void open_own(void) {
  memset(&server, 0, sizeof server);
  zip_free(zip);
  zip = zip_new(WINDOW, MEMORY, WINDOW);
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = i < 3000 || !dice(&luck, 50) ? (char)('a' + dice(&luck, 16)) : text[i - 2999];
  coho_options so = probe_options(&server);
  so.deflate = (coho_deflate){.mode = COHO_DEFLATE_OWN, .window = WINDOW};
  so.max_queue = 64 * 1024 * 1024;
  world_open(&w, "/", &so);
  raw_connect_narrow(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
  UNTIL(&w, server.opens == 1);
}

static void close_own(void) {
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

/* The next message is this. Without memory it may come uncompressed. */
static void expect(coho_msg m, bool memory) {
  struct raw_frame f;
  assert_true(raw_next(&raw, &f) && f.fin);
  if (memory) assert_true(f.rsv1);
  size_t n = f.len;
  const char *data = f.rsv1 ? zip_unpack(zip, f.data, f.len, &n) : f.data;
  assert_non_null(data);
  assert_int_equal(n, m.len);
  assert_memory_equal(data, m.data, n);
}

static void play(uint64_t seed) {
  luck = dice_of(seed);
  memset(tallies, 0, sizeof tallies);
  parts_left = 0;
  hub = coho_hub_new(NULL);
  assert_non_null(hub);
  open_own();
  server.message = on_something;
  assert_int_equal(coho_subscribe(hub, server.conn, "all"), 0);
  for (int i = 0; i < ROUNDS; i++) {
    if (dice(&luck, 2))
      send_something(server.conn);
    else if (dice(&luck, 4) == 0)
      raw_frame(&raw, COHO_BINARY, true, "", 0);
    else if (!all_received() && !parts_left)
      receive();
    else
      (void)coho_loop_turn(w.loop, 0);
  }
  server.message = NULL;
  while (parts_left)
    send_part(server.conn);
  while (!all_received())
    receive();
  close_own();
  coho_hub_free(hub);
}

static void test_the_context_knows_the_order(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    play(seed);
}

/* What was packed and not sent is nothing that a later message may refer to. */
static void test_a_send_without_memory_is_forgotten(void **state) {
  static const size_t lengths[] = {300, 6000, 50 * 1000};
  (void)state;
  open_own();
  unsigned failed = 0;
  for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
    coho_msg m = coho_binary(text + 1000 * k, lengths[k]);
    for (long i = 1;; i++) {
      alloc_fail_at(i);
      int got = coho_send(server.conn, m);
      bool reached = alloc_failed();
      alloc_fail_at(0);
      if (got == COHO_ENOMEM)
        failed++;
      else
        assert_int_equal(got, COHO_SENT);
      if (got == COHO_SENT) expect(m, !reached);
      m.data++;
      assert_int_equal(coho_send(server.conn, m), COHO_SENT);
      expect(m, true);
      if (!reached) break;
    }
  }
  assert_true(failed > 0);
  close_own();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_the_context_knows_the_order, teardown),
      cmocka_unit_test_teardown(test_a_send_without_memory_is_forgotten, teardown),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
