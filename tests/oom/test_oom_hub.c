/* Every allocation of a hub fails once: what was taken arrives or is told as missing, what was not taken
   has left no trace, and nothing leaks. */
#include "support/alloc_fail.h"
#include "support/follower.h"
#include "support/hubs.h"

#include "hub/hub.h"

#include <string.h>

static coho_loop *loop;
static coho_hub *hub;
static struct follower exact, pattern;

static bool fine(int err) {
  assert_true(err == 0 || err == COHO_ENOMEM);
  return !err;
}

static void look(void *ctx, coho_pos pos, coho_msg m) {
  (void)ctx;
  assert_true(pos.offset > 0 && m.len > 0);
}

static int publish(const char *topic, const char *key, const char *idempotency_key) {
  coho_publish_options opt = {.key = key, .idempotency_key = idempotency_key};
  return coho_publish_with(hub, topic, coho_text("text"), &opt, NULL);
}

/* Returns how many messages of "a" were taken, by all who published. */
static unsigned publish_some(void) {
  unsigned taken = 0;
  for (int i = 0; i < 3; i++) {
    taken += fine(publish("a", "k", NULL));
    (void)fine(publish("conflate", i ? "one" : "two", NULL));
    (void)fine(publish(i ? "b" : "c", NULL, "once"));
  }
  return taken;
}

static void check_exact(unsigned taken) {
  if (exact.closed) return;
  assert_int_equal(exact.messages + exact.lost, taken);
}

static void be_present(void) {
  bool there = fine(coho_presence_enter(hub, "a", "ann", "{}"));
  there = fine(coho_presence_enter(hub, "a", "ann", "[1]")) || there;
  coho_pos pos;
  assert_int_equal(coho_presence_list(hub, "a", NULL, NULL, &pos), there);
  int left = coho_presence_leave(hub, "a", "ann");
  assert_int_equal(left, there ? 0 : COHO_ENOTFOUND);
}

static void live(void) {
  coho_topic_options conflate = {.slow = COHO_SLOW_CONFLATE};
  coho_pos zero = {0, 0};
  if (!fine(coho_hub_configure(hub, "conflate", &conflate))) return;
  bool follows = fine(follower_follow(&exact, "a", NULL));
  (void)fine(follower_follow_pattern(&pattern, "#"));
  exact.room = 2; /* falls behind */
  pattern.room = 3;
  unsigned taken = publish_some();
  loop_settle(loop);
  taken += publish_some();
  loop_settle(loop);
  coho__hub_check(hub);
  be_present();
  (void)coho_hub_history(hub, "a", 100, look, NULL, NULL);
  follower_take(&exact, FOLLOWER_ANY);
  follower_take(&pattern, FOLLOWER_ANY);
  loop_settle(loop);
  if (follows) check_exact(taken);
  (void)fine(follower_follow(&pattern, "a", &zero));
  loop_settle(loop);
  coho__hub_check(hub);
}

static void test_hub(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    loop = coho_loop_new();
    alloc_fail_at(i);
    hub = hub_with(NULL, &(coho_topic_options){.history_count = 4});
    if (hub) {
      follower_init(&exact, hub, loop);
      follower_init(&pattern, hub, loop);
      live();
      follower_end(&exact);
      follower_end(&pattern);
      coho__hub_check(hub);
      coho_hub_free(hub);
    }
    bool failed = alloc_failed();
    coho_loop_free(loop);
    alloc_fail_at(0);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 1000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hub),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
