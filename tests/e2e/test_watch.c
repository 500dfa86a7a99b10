/* A program that follows topics itself, on a loop. */
#include "support/alloc_fail.h"
#include "support/hubs.h"
#include "support/world.h"

#include <coho/hub.h>
#include <stdio.h>
#include <string.h>

static struct world w;
static coho_hub *hub;
static coho_watcher *watcher;
static char heard[256];
static uint64_t lost;

static void add(const char *text, size_t len) {
  size_t at = strlen(heard);
  assert_true(at + len + 2 < sizeof heard);
  memcpy(heard + at, text, len);
  heard[at + len] = ' ';
}

static void on_message(void *ctx, const char *topic, coho_pos pos, coho_msg m) {
  char text[64];
  (void)ctx;
  int n = snprintf(text, sizeof text, "%s:%llu:%.*s", topic, (unsigned long long)pos.offset,
                   (int)m.len, m.data);
  add(text, (size_t)n);
}

static void on_gap(void *ctx, const char *topic, uint64_t n, coho_pos pos) {
  (void)ctx;
  (void)topic;
  (void)pos;
  lost += n;
}

static void turn(void) {
  for (int i = 0; i < 4; i++)
    (void)coho_loop_turn(w.loop, 0);
}

static int setup(void **state) {
  (void)state;
  memset(heard, 0, sizeof heard);
  lost = 0;
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  hub = hub_with(NULL, &(coho_topic_options){.history_count = 3});
  return !w.loop || !hub;
}

static int teardown(void **state) {
  (void)state;
  coho_loop_free(w.loop);
  coho_hub_free(hub);
  return 0;
}

static const coho_watch_options plain = {.on_message = on_message, .on_gap = on_gap};

static void test_what_is_published_is_heard(void **state) {
  (void)state;
  coho_publish(hub, "a", coho_text("before"));
  assert_int_equal(coho_watch(hub, w.loop, "a", &plain, &watcher), 0);
  coho_publish(hub, "a", coho_text("x"));
  coho_publish(hub, "b", coho_text("no"));
  turn();
  assert_string_equal(heard, "a:2:x ");
  coho_unwatch(watcher);
  coho_publish(hub, "a", coho_text("late"));
  turn();
  assert_string_equal(heard, "a:2:x ");
}

static void test_a_position_replays_and_a_hole_is_told(void **state) {
  (void)state;
  coho_pos first;
  coho_watch_options from = plain;
  coho_publish_with(hub, "a", coho_text("1"), NULL, &first);
  for (const char *c = "23456"; *c; c++)
    coho_publish(hub, "a", coho_text_n(c, 1));
  from.since = &first;
  assert_int_equal(coho_watch(hub, w.loop, "a", &from, &watcher), 0);
  assert_string_equal(heard, ""); /* not inside the call */
  turn();
  assert_string_equal(heard, "a:4:4 a:5:5 a:6:6 ");
  assert_int_equal(lost, 2);
  coho_unwatch(watcher);
}

static void test_patterns_match_topics_that_come_later(void **state) {
  (void)state;
  coho_publish(hub, "r/1", coho_text("old"));
  assert_int_equal(coho_watch_pattern(hub, w.loop, "r/+", &plain, &watcher), 0);
  coho_publish(hub, "r/1", coho_text("x"));
  coho_publish(hub, "r/2", coho_text("y"));
  coho_publish(hub, "r/2/3", coho_text("no"));
  turn();
  assert_non_null(strstr(heard, "r/1:2:x "));
  assert_non_null(strstr(heard, "r/2:1:y "));
  assert_int_equal(strlen(heard), strlen("r/1:2:x r/2:1:y "));
  coho_unwatch(watcher);
}

static void stop_at_first(void *ctx, const char *topic, coho_pos pos, coho_msg m) {
  on_message(ctx, topic, pos, m);
  coho_unwatch(watcher);
}

static void test_it_may_stop_inside_its_handler(void **state) {
  (void)state;
  coho_watch_options once = {.on_message = stop_at_first};
  assert_int_equal(coho_watch(hub, w.loop, "a", &once, &watcher), 0);
  coho_publish(hub, "a", coho_text("1"));
  coho_publish(hub, "a", coho_text("2"));
  turn();
  assert_string_equal(heard, "a:1:1 ");
}

static void test_what_cannot_be_watched(void **state) {
  (void)state;
  coho_watch_options none = {.on_message = NULL};
  assert_int_equal(coho_watch(hub, w.loop, "a", &none, &watcher), COHO_EINVAL);
  assert_int_equal(coho_watch(hub, w.loop, "", &plain, &watcher), COHO_EINVAL);
  assert_int_equal(coho_watch_pattern(hub, w.loop, "a/#/b", &plain, &watcher), COHO_EINVAL);
  assert_null(watcher);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_what_is_published_is_heard, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_position_replays_and_a_hole_is_told, setup, teardown),
      cmocka_unit_test_setup_teardown(test_patterns_match_topics_that_come_later, setup, teardown),
      cmocka_unit_test_setup_teardown(test_it_may_stop_inside_its_handler, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_cannot_be_watched, setup, teardown),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
