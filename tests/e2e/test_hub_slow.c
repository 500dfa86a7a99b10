/* Connections whose peer does not read for a while, and then does: what each policy makes of it. B16 */
#include "support/alloc_fail.h"
#include "support/hubs.h"
#include "support/raw.h"

#include "hub/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 20000, COUNT = 400 };

static struct world w;
static struct probe server;
static struct raw a;
static coho_hub *hub;
static coho_pos told; /* of the last gap */
static unsigned gaps;

/* The program's own marker, in the place where something is missing. */
static void mark_gap(coho_conn *c, const char *topic, uint64_t lost, coho_pos pos) {
  char text[100];
  gaps++;
  told = pos;
  snprintf(text, sizeof text, "gap %s %llu %llu", topic, (unsigned long long)lost,
           (unsigned long long)pos.offset);
  assert_true(coho_send(c, coho_text(text)) >= 0);
}

static void open_slow(const coho_hub_options *opt, const coho_topic_options *topic) {
  coho_options so = probe_options(&server);
  memset(&server, 0, sizeof server);
  so.close_timeout_ms = 10000;
  gaps = 0;
  hub = hub_with(opt, topic);
  assert_non_null(hub);
  world_open(&w, "/", &so);
  raw_connect_narrow(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  assert_int_equal(coho_subscribe(hub, server.conn, "t"), 0);
}

static void close_slow(void) {
  coho__hub_check(hub);
  raw_close(&a);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(coho_hub_subscribers(hub, "t"), 0);
  world_close(&w);
  coho_hub_free(hub);
  alloc_assert_none_live();
}

static int publish_block(unsigned n, const char *key) {
  static char data[BLOCK];
  memset(data, 'b', sizeof data);
  int len = snprintf(data, sizeof data, "%u", n);
  data[len] = ' ';
  coho_publish_options opt = {.key = key};
  return coho_publish_with(hub, "t", coho_text_n(data, sizeof data), &opt, NULL);
}

static void publish_blocks(unsigned first, unsigned last) {
  for (unsigned n = first; n <= last; n++) {
    assert_int_equal(publish_block(n, NULL), 0);
    world_turn(&w);
  }
}

/* Numbers one after the other, or a marker that says how many are missing. Returns how many came;
   *lost as told; f is the last frame, the first that is not text or the message `last`. */
static unsigned read_run(struct raw_frame *f, unsigned last, uint64_t *lost) {
  unsigned next = 1, count = 0;
  *lost = 0;
  while (next <= last && raw_next(&a, f) && f->opcode == 1) {
    char text[64];
    size_t len = f->len < sizeof text ? f->len : sizeof text - 1;
    memcpy(text, f->data, len);
    text[len] = '\0';
    if (strncmp(text, "gap t ", 6) == 0) {
      char *end;
      unsigned long long missing = strtoull(text + 6, &end, 10);
      *lost += missing;
      next += (unsigned)missing;
      assert_int_equal(strtoull(end, NULL, 10), next - 1);
    } else {
      assert_int_equal(strtoul(text, NULL, 10), next);
      next++;
      count++;
    }
  }
  return count;
}

static void test_drop_oldest(void **state) {
  (void)state;
  struct raw_frame f;
  coho_hub_stats st;
  uint64_t lost;
  open_slow(&(coho_hub_options){.on_gap = mark_gap}, NULL);
  publish_blocks(1, COUNT);
  unsigned count = read_run(&f, COUNT, &lost);
  assert_true(lost > 0);
  assert_int_equal(count + lost, COUNT);
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.dropped, lost);
  assert_int_equal(st.gaps, gaps);
  assert_true(told.offset < COUNT);
  close_slow();
}

static void test_drop_newest(void **state) {
  (void)state;
  struct raw_frame f;
  uint64_t lost;
  open_slow(&(coho_hub_options){.on_gap = mark_gap},
            &(coho_topic_options){.slow = COHO_SLOW_DROP_NEWEST});
  publish_blocks(1, COUNT);
  /* What it could not take is not for it, although the last of it is held. */
  unsigned count = read_run(&f, COUNT, &lost);
  assert_true(count > 0 && lost > 0);
  assert_int_equal(gaps, 1);
  assert_int_equal(told.offset, COUNT);
  publish_blocks(COUNT + 1, COUNT + 1);
  assert_true(raw_next(&a, &f));
  assert_int_equal(strtoul(f.data, NULL, 10), COUNT + 1);
  close_slow();
}

static void test_without_marker_it_is_closed_with_4408(void **state) {
  (void)state;
  struct raw_frame f;
  coho_hub_stats st;
  uint64_t lost;
  open_slow(NULL, NULL);
  publish_blocks(1, COUNT);
  unsigned count = read_run(&f, COUNT, &lost);
  assert_true(count > 0 && count < COUNT);
  assert_int_equal(lost, 0);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 4408);
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.gaps, 1);
  assert_true(st.dropped > 0 && st.dropped < COUNT);
  close_slow();
}

static void test_disconnect(void **state) {
  (void)state;
  struct raw_frame f;
  uint64_t lost;
  open_slow(&(coho_hub_options){.on_gap = mark_gap},
            &(coho_topic_options){.slow = COHO_SLOW_DISCONNECT});
  publish_blocks(1, COUNT);
  unsigned count = read_run(&f, COUNT, &lost);
  assert_true(count > 0 && count < COUNT);
  assert_int_equal(gaps, 0);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1013);
  close_slow();
}

/* Of each key the latest; it stays open, although it missed some and nobody marks that. */
static void test_conflate(void **state) {
  (void)state;
  struct raw_frame f;
  coho_hub_stats st;
  unsigned latest[3] = {0, 0, 0}, before = 0;
  open_slow(NULL, &(coho_topic_options){.slow = COHO_SLOW_CONFLATE, .interval_ms = 1});
  for (unsigned n = 1; n <= COUNT; n++) {
    assert_int_equal(publish_block(n, n % 3 ? n % 3 == 1 ? "one" : "two" : "three"), 0);
    world_turn(&w);
  }
  for (unsigned n = 0; n < COUNT;) {
    assert_true(raw_next(&a, &f));
    assert_int_equal(f.opcode, 1);
    n = (unsigned)strtoul(f.data, NULL, 10);
    assert_true(n > before);
    before = latest[n % 3] = n;
  }
  for (unsigned i = 0; i < 3; i++)
    assert_true(latest[i] > COUNT - 3);
  coho_hub_get_stats(hub, &st);
  assert_true(st.gaps > 0 && st.dropped > 0 && st.dropped < COUNT);
  close_slow();
}

static unsigned publish_until_full(unsigned first) {
  unsigned n = first;
  int err;
  while ((err = publish_block(n, NULL)) == 0) {
    world_turn(&w);
    n++;
  }
  assert_int_equal(err, COHO_EFULL);
  return n;
}

static void test_block(void **state) {
  (void)state;
  struct raw_frame f;
  coho_hub_stats st;
  open_slow(&(coho_hub_options){.on_gap = mark_gap},
            &(coho_topic_options){.slow = COHO_SLOW_BLOCK});
  unsigned next = 1, n;
  for (int round = 0; round < 3; round++) {
    n = publish_until_full(next);
    assert_true(n > next);
    /* Once the peer has read on there is room again. */
    while (publish_block(n, NULL) == COHO_EFULL) {
      assert_true(raw_next(&a, &f));
      assert_int_equal(strtoul(f.data, NULL, 10), next++);
    }
    assert_true(next <= n);
    while (next <= n) {
      assert_true(raw_next(&a, &f));
      assert_int_equal(strtoul(f.data, NULL, 10), next++);
    }
  }
  coho_hub_get_stats(hub, &st);
  assert_int_equal(gaps, 0);
  assert_int_equal(st.published, n);
  assert_true(st.refused >= 3);
  close_slow();
}

/* Who holds a topic up for too long is closed, and the topic goes on at once, without waiting until
   the connection is gone. */
static void test_block_closes_who_takes_too_long(void **state) {
  (void)state;
  struct raw_frame f;
  open_slow(NULL, &(coho_topic_options){.slow = COHO_SLOW_BLOCK, .block_ms = 10});
  unsigned n = publish_until_full(1);
  UNTIL(&w, publish_block(n, NULL) == 0);
  assert_int_equal(server.closes, 0);
  unsigned count = 0;
  while (raw_next(&a, &f) && f.opcode == 1)
    count++;
  assert_true(count < n);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1013);
  close_slow();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_drop_oldest),
      cmocka_unit_test(test_drop_newest),
      cmocka_unit_test(test_without_marker_it_is_closed_with_4408),
      cmocka_unit_test(test_disconnect),
      cmocka_unit_test(test_conflate),
      cmocka_unit_test(test_block),
      cmocka_unit_test(test_block_closes_who_takes_too_long),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
