/* A topic that conflates has many subscribers of a loop in slices (hub/leaf.h). */
#include "hub/leaf.h"
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include <stdlib.h>
#include <string.h>

enum { LONG = 1000000, SLICES = 3, MANY = SLICES * COHO_LEAF_SLICE };

static struct hub_world w;
static struct follower *many;

static void open_many(uint32_t interval_ms) {
  hub_world_open_topics(
      &w, &(coho_topic_options){.slow = COHO_SLOW_CONFLATE, .interval_ms = interval_ms});
  many = (struct follower *)calloc(MANY, sizeof *many);
  assert_non_null(many);
  for (size_t i = 0; i < MANY; i++) {
    follower_init(&many[i], w.hub, w.loop);
    assert_int_equal(follower_follow(&many[i], "t", NULL), 0);
  }
}

static void close_many(void) {
  for (size_t i = 0; i < MANY; i++)
    follower_end(&many[i]);
  free(many);
  hub_world_close(&w);
}

static void publish(const char *text) {
  assert_int_equal(coho_publish(w.hub, "t", coho_text(text)), 0);
}

static void expect_slice(size_t slice, const char *heard) {
  for (size_t i = 0; i < COHO_LEAF_SLICE; i++)
    follower_expect(&many[slice * COHO_LEAF_SLICE + i], heard);
}

static void test_all_get_it_once(void **state) {
  (void)state;
  open_many(LONG);
  publish("1");
  hub_world_settle(&w);
  for (size_t slice = 0; slice < SLICES; slice++)
    expect_slice(slice, "1 ");
  assert_int_equal(coho_hub_subscribers(w.hub, "t"), MANY);
  close_many();
}

static void publish_2(struct follower *f, const struct coho__delivery *d) {
  (void)d;
  f->taken = NULL;
  publish("2");
}

/* What the first slice is served meanwhile, the others get instead of the older value. */
static void test_each_slice_gets_what_is_the_latest_then(void **state) {
  (void)state;
  open_many(LONG);
  many[0].taken = publish_2;
  publish("1");
  hub_world_settle(&w);
  expect_slice(0, "1 ");
  for (size_t slice = 1; slice < SLICES; slice++)
    expect_slice(slice, "2 ");
  close_many();
}

static void test_all_get_the_last_value(void **state) {
  (void)state;
  open_many(2);
  many[0].taken = publish_2;
  publish("1");
  for (size_t i = 0; i < MANY; i++)
    while (many[i].last.offset < 2)
      assert_true(coho_loop_turn(w.loop, 5) >= 0);
  expect_slice(0, "1 2 ");
  for (size_t slice = 1; slice < SLICES; slice++)
    expect_slice(slice, "2 ");
  close_many();
}

static void test_nobody_is_in_two_slices(void **state) {
  (void)state;
  open_many(LONG);
  for (size_t slice = 0; slice < SLICES; slice++)
    assert_int_equal(follower_follow(&many[slice * COHO_LEAF_SLICE], "t", NULL), COHO_EEXISTS);
  close_many();
}

/* A place that became free is taken, whichever slice it is in, and an empty slice goes. */
static void test_slices_come_and_go(void **state) {
  (void)state;
  open_many(LONG);
  for (size_t slice = 0; slice < SLICES; slice++)
    for (size_t i = 0; i < COHO_LEAF_SLICE; i++) {
      struct follower *f = &many[slice * COHO_LEAF_SLICE + i];
      assert_int_equal(follower_leave(f, "t"), 0);
      assert_int_equal(follower_leave(f, "t"), COHO_ENOTFOUND);
      assert_int_equal(coho_hub_subscribers(w.hub, "t"), MANY - slice * COHO_LEAF_SLICE - i - 1);
    }
  publish("unheard");
  for (size_t i = MANY; i-- > 0;)
    assert_int_equal(follower_follow(&many[i], "t", NULL), 0);
  publish("1");
  hub_world_settle(&w);
  for (size_t slice = 0; slice < SLICES; slice++)
    expect_slice(slice, "1 ");
  close_many();
}

/* By pattern it comes once, however many slices there are; also when the first one has gone. */
static void test_patterns_get_it_once(void **state) {
  (void)state;
  open_many(LONG);
  assert_int_equal(follower_follow_pattern(&w.f, "+"), 0);
  publish("1");
  hub_world_settle(&w);
  follower_expect(&w.f, "t=1 ");
  for (size_t i = 0; i < COHO_LEAF_SLICE; i++)
    assert_int_equal(follower_leave(&many[i], "t"), 0);
  assert_int_equal(coho__sink_unsubscribe_pattern(w.hub, &w.f.sink, coho__view_of("+")), 0);
  assert_int_equal(follower_follow_pattern(&w.g, "+"), 0);
  publish("2");
  hub_world_settle(&w);
  follower_expect(&w.g, "t=2 ");
  close_many();
}

static void test_one_that_is_slow_is_told_what_it_missed(void **state) {
  (void)state;
  struct follower *slow = NULL;
  open_many(1);
  slow = &many[MANY - 1];
  slow->room = 1;
  for (unsigned i = 1; i <= 4; i++) {
    publish("v");
    while (many[MANY - 2].messages < i)
      assert_true(coho_loop_turn(w.loop, 5) >= 0);
  }
  follower_take(slow, FOLLOWER_ANY);
  follower_expect(slow, "v (2) v ");
  close_many();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_get_it_once),
      cmocka_unit_test(test_each_slice_gets_what_is_the_latest_then),
      cmocka_unit_test(test_all_get_the_last_value),
      cmocka_unit_test(test_nobody_is_in_two_slices),
      cmocka_unit_test(test_slices_come_and_go),
      cmocka_unit_test(test_patterns_get_it_once),
      cmocka_unit_test(test_one_that_is_slow_is_told_what_it_missed),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
