/* Who comes is not kept out by those who are gone, whether or not anybody else looks after the hub. */
#include "support/alloc_fail.h"
#include "support/clock.h"
#include "support/hub_world.h"

#include "hub/hub.h"
#include "hub/members.h"
#include "hub/presence.h"

#include <stdio.h>
#include <string.h>

enum { GRACE = 1, A_SECOND = 1000, CROWD = 256 };

static struct hub_world w;

static int setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  clock_stop(); /* nobody goes meanwhile, however long it takes to fill the hub */
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = GRACE, .history_count = 1});
  return 0;
}

static int teardown(void **state) {
  (void)state;
  hub_world_close(&w);
  clock_go();
  alloc_assert_none_live();
  return 0;
}

/* count of them come, and go. */
static void come_and_go(const char *topic, int count, const char *info) {
  char id[COHO_MEMBER_ID_MAX + 1];
  for (int i = 0; i < count; i++) {
    (void)snprintf(id, sizeof id, "m%d", i);
    assert_int_equal(coho_presence_enter(w.hub, topic, id, info), 0);
  }
  for (int i = 0; i < count; i++) {
    (void)snprintf(id, sizeof id, "m%d", i);
    assert_int_equal(coho_presence_leave(w.hub, topic, id), 0);
  }
}

static uint64_t members(void) { return hub_world_stats(&w).members; }

/* Nobody follows and nobody publishes: only who comes is there to let the others go. */
static void test_B21_a_topic_full_of_those_who_are_gone(void **state) {
  (void)state;
  come_and_go("room", COHO_MEMBERS_MOST, NULL);
  clock_move(2 * GRACE);
  assert_int_equal(members(), COHO_MEMBERS_MOST);
  assert_int_equal(coho_presence_enter(w.hub, "room", "ann", NULL), 0);
  assert_in_range(members(), 1, COHO_MEMBERS_MOST - 1);
}

/* Of other topics, whose members are all that may take memory. */
static void test_B21_a_hub_full_of_those_who_are_gone(void **state) {
  (void)state;
  char info[COHO_MEMBER_INFO_MAX + 1], topic[16];
  memset(info, 'x', sizeof info);
  info[0] = info[sizeof info - 2] = '"';
  info[sizeof info - 1] = '\0';
  int crowds = 0;
  uint64_t each = 0;
  do {
    (void)snprintf(topic, sizeof topic, "crowd%d", crowds++);
    come_and_go(topic, CROWD, info);
    if (!each) each = w.hub->member_bytes;
  } while (w.hub->member_bytes + each < COHO_MEMBERS_BYTES && crowds * CROWD < 100000);
  clock_move(2 * A_SECOND);
  uint64_t before = members();
  for (int i = 0; i < 2 * COHO_LEAVES_MOST; i++) {
    (void)snprintf(topic, sizeof topic, "n%d", i);
    assert_int_equal(coho_presence_enter(w.hub, "quiet", topic, info), 0);
  }
  assert_true(members() < before);
}

/* Step by step all of them go, though all that happens is that others come and go. */
static void test_those_who_come_and_go_let_the_others_go(void **state) {
  (void)state;
  come_and_go("room", 4 * COHO_LEAVES_MOST, NULL);
  clock_move(2 * A_SECOND);
  for (int i = 0; i < 8 && members() > 1; i++)
    come_and_go("tea", 1, NULL);
  assert_int_equal(members(), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_B21_a_topic_full_of_those_who_are_gone),
      TEST(test_B21_a_hub_full_of_those_who_are_gone),
      TEST(test_those_who_come_and_go_let_the_others_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
