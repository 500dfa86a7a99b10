/* Every allocation of a watcher fails once: it watches, or nothing of it is left on its loop. */
#include "support/alloc_fail.h"
#include "support/follower.h"

#include <coho/hub.h>

enum { MOST = 200 };

static coho_loop *loop;
static coho_hub *hub;
static unsigned seen;

static void on_message(void *ctx, const char *topic, coho_pos pos, coho_msg m) {
  (void)ctx;
  assert_string_equal(topic, "a");
  assert_true(pos.offset > 0 && m.len > 0);
  seen++;
}

static int watch_topic(coho_watcher **w) {
  const coho_pos all = {0, 0};
  const coho_watch_options o = {.on_message = on_message, .since = &all};
  return coho_watch(hub, loop, "a", &o, w);
}

static int watch_pattern(coho_watcher **w) {
  const coho_watch_options o = {.on_message = on_message};
  return coho_watch_pattern(hub, loop, "#", &o, w);
}

/* held: those of before that it is to get. */
static bool attempt(long i, int (*watch)(coho_watcher **w), unsigned held) {
  coho_watcher *w;
  seen = 0;
  loop = coho_loop_new();
  hub = coho_hub_new(NULL);
  assert_true(loop && hub);
  assert_int_equal(coho_publish(hub, "a", coho_text("1")), 0);
  alloc_fail_at(i);
  int err = watch(&w);
  bool failed = alloc_failed();
  alloc_fail_at(0);
  assert_int_equal(err, failed ? COHO_ENOMEM : 0);
  assert_int_equal(w == NULL, failed);
  assert_int_equal(coho_publish(hub, "a", coho_text("2")), 0);
  loop_settle(loop);
  assert_int_equal(seen, failed ? 0 : held + 1);
  coho_unwatch(w);
  coho_loop_free(loop); /* which counts what is left there */
  coho_hub_free(hub);
  return failed;
}

static bool try_topic(long i) { return attempt(i, watch_topic, 1); }
static bool try_pattern(long i) { return attempt(i, watch_pattern, 0); }

static void test_topic(void **state) {
  (void)state;
  alloc_fail_each(MOST, try_topic);
}

static void test_pattern(void **state) {
  (void)state;
  alloc_fail_each(MOST, try_pattern);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_topic), cmocka_unit_test(test_pattern)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
