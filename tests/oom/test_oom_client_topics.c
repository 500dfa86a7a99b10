/* Every allocation of a client of topics fails once: what it said it took arrives, each publish ends
   once, and nothing crashes or leaks. */
#include "support/alloc_fail.h"
#include "support/ear.h"

#include <string.h>

static struct fake_hub hub;
static struct ear ear;

static bool begin(void) {
  coho_client_options opt = ear_options(&ear);
  opt.retry = (coho_retry){.first_ms = 1, .most_ms = 1, .attempts = 0};
  opt.token = "token";
  return coho_client_new(hub.world.loop, hub.url, &opt, &ear.client) == 0;
}

static unsigned publish(int n) {
  unsigned taken = 0;
  for (int i = 0; i < n; i++)
    taken += ear_publish(&ear, "a", "text") == 0;
  return taken;
}

static void talk(void) {
  coho_follow_options set = ear_follow_options(&ear);
  struct world *w = &hub.world;
  if (!begin()) return;
  set.as = "ann";
  set.info = "{}";
  set.since = "0";
  bool follows = coho_client_follow(ear.client, "a", &set, &ear.follow) == 0;
  unsigned taken = publish(2);
  UNTIL(w, ear.done == taken && (!follows || strstr(ear.heard, "start")));
  fake_hub_kill(&hub, 0);
  taken += publish(2);
  UNTIL(w, ear.done == taken);
  (void)coho_client_set_token(ear.client, "another");
  if (follows) {
    UNTIL(w, ear.messages >= taken);
    coho_client_unfollow(ear.follow);
  }
  assert_int_equal(ear.failed, 0);
  assert_int_equal(hub.accepted, taken);
}

static void test_client(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    memset(&ear, 0, sizeof ear);
    alloc_fail_at(0);
    fake_hub_open(&hub);
    alloc_fail_at(i);
    talk();
    bool failed = alloc_failed();
    alloc_fail_at(0);
    coho_client_free(ear.client);
    fake_hub_close(&hub);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 2000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_client)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
