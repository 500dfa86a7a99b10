/* What a hub may hold, how long topics live, and that nothing comes twice. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"
#include "support/hubs.h"
#include "support/world.h"

#include "base/clock.h"
#include "hub/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hub_world w;

/* ---- caps ------------------------------------------------------------------------------------ */

static void test_max_topics(void **state) {
  (void)state;
  hub_world_open(&w, &(coho_hub_options){.max_topics = 2});
  publish_number(w.hub, "a", 1);
  assert_int_equal(follower_follow(&w.g, "a", NULL), 0);
  assert_int_equal(follower_follow(&w.f, "b", NULL), 0);
  assert_int_equal(coho_publish(w.hub, "c", coho_text("x")), COHO_EFULL);
  assert_int_equal(follower_follow(&w.f, "c", NULL), COHO_EFULL);
  assert_int_equal(coho_presence_enter(w.hub, "c", "ann", NULL), COHO_EFULL);
  publish_number(w.hub, "b", 1);
  assert_int_equal(hub_world_stats(&w).refused, 1);
  hub_world_close(&w);
}

/* One that nobody ever published to makes room when nobody subscribes it any more. */
static void test_an_unused_topic_makes_room(void **state) {
  (void)state;
  hub_world_open(&w, &(coho_hub_options){.max_topics = 2});
  publish_number(w.hub, "a", 1);
  assert_int_equal(follower_follow(&w.f, "b", NULL), 0);
  assert_int_equal(follower_leave(&w.f, "b"), 0);
  publish_number(w.hub, "c", 1);
  assert_int_equal(hub_world_stats(&w).messages, 2);
  assert_int_equal(hub_world_stats(&w).forgotten, 0);
  hub_world_close(&w);
}

static void test_max_subscribers(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.max_subscribers = 1});
  assert_int_equal(follower_follow(&w.f, "a", NULL), 0);
  assert_int_equal(follower_follow(&w.g, "a", NULL), COHO_EFULL);
  assert_int_equal(follower_follow(&w.f, "a", NULL), COHO_EEXISTS);
  assert_int_equal(follower_leave(&w.f, "a"), 0);
  assert_int_equal(follower_follow(&w.g, "a", NULL), 0);
  hub_world_close(&w);
}

static void test_max_subscriptions(void **state) {
  (void)state;
  hub_world_open(&w, &(coho_hub_options){.max_subscriptions = 3});
  assert_int_equal(follower_follow(&w.f, "a", NULL), 0);
  assert_int_equal(follower_follow(&w.f, "b", NULL), 0);
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  assert_int_equal(follower_follow(&w.f, "c", NULL), COHO_EFULL);
  assert_int_equal(follower_follow_pattern(&w.f, "+"), COHO_EFULL);
  assert_int_equal(follower_leave(&w.f, "a"), 0);
  assert_int_equal(follower_follow(&w.f, "c", NULL), 0);
  hub_world_close(&w);
}

/* All histories together: the topic longest without publish gives way. */
static void test_max_bytes(void **state) {
  (void)state;
  static char block[1000];
  char name[2] = "a";
  memset(block, 'b', sizeof block);
  hub_world_open(&w, &(coho_hub_options){.max_bytes = 10000});
  for (int round = 0; round < 4; round++)
    for (name[0] = 'a'; name[0] < 'f'; name[0]++) {
      assert_int_equal(coho_publish(w.hub, name, coho_text_n(block, sizeof block)), 0);
      assert_true(hub_world_stats(&w).bytes <= 10000);
      coho__hub_check(w.hub);
    }
  assert_true(hub_world_stats(&w).messages >= 7);
  coho_pos zero = {0, 0};
  assert_int_equal(follower_follow(&w.f, "e", &zero), 0);
  assert_true(w.f.messages >= 1);
  assert_int_equal(w.f.last.offset, 4);
  hub_world_close(&w);
}

static void test_a_message_larger_than_the_history(void **state) {
  (void)state;
  static char block[5000];
  hub_world_open_topics(&w, &(coho_topic_options){.history_bytes = sizeof block});
  assert_int_equal(coho_publish(w.hub, "a", coho_binary(block, sizeof block)), COHO_ETOOBIG);
  assert_int_equal(coho_publish(w.hub, "a", coho_binary(block, sizeof block / 2)), 0);
  hub_world_close(&w);
  hub_world_open(&w, &(coho_hub_options){.max_bytes = sizeof block});
  assert_int_equal(coho_publish(w.hub, "a", coho_binary(block, sizeof block)), COHO_ETOOBIG);
  assert_int_equal(hub_world_stats(&w).published, 0);
  hub_world_close(&w);
}

/* As large as a connection may send, and with the longest key. */
static void test_a_message_of_a_MiB_fits(void **state) {
  (void)state;
  static char block[1024 * 1024], key[256];
  const coho_publish_options opt = {.key = key};
  memset(key, 'k', 255);
  hub_world_open(&w, NULL);
  assert_int_equal(coho_publish_with(w.hub, "a", coho_binary(block, sizeof block), &opt, NULL), 0);
  assert_int_equal(hub_world_stats(&w).messages, 1);
  hub_world_close(&w);
}

/* More than a history holds in one go is a gap also for who keeps up, since it is all there is between. */
static void test_a_burst_larger_than_the_history(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.history_count = 10});
  assert_int_equal(follower_follow(&w.f, "a", NULL), 0);
  publish_numbers(w.hub, "a", 1, 12);
  hub_world_settle(&w);
  follower_expect(&w.f, "(2) 3 4 5 6 7 8 9 10 11 12 ");
  hub_world_close(&w);
}

/* ---- lives of topics ------------------------------------------------------------------------- */

/* As if so much time had passed. */
static void pass_ms(uint64_t ms) { hub_world_pass(&w, ms); }

static void test_positions_of_an_emptied_topic(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.history_age_ms = 10000});
  publish_numbers(w.hub, "t", 1, 5);
  coho_pos end = hub_world_position(&w, "t");
  coho_pos middle = {end.epoch, 3};
  pass_ms(15000);
  /* Nothing is held, but it is the same life. */
  assert_int_equal(hub_world_stats(&w).messages, 0);
  assert_int_equal(follower_follow(&w.f, "t", &middle), 0);
  assert_int_equal(w.f.start.lost, 2);
  assert_int_equal(follower_follow(&w.g, "t", &end), 0);
  assert_int_equal(w.g.start.lost, 0);
  assert_int_equal(follower_leave(&w.f, "t"), 0);
  assert_int_equal(follower_leave(&w.g, "t"), 0);
  pass_ms(25000);
  assert_int_equal(hub_world_stats(&w).topics, 0);
  /* Another life, and the old position is not taken for one of it. */
  publish_numbers(w.hub, "t", 1, 7);
  assert_true(hub_world_position(&w, "t").epoch != end.epoch);
  assert_int_equal(follower_follow(&w.f, "t", &end), 0);
  assert_true(w.f.start.lost == COHO_LOST_UNKNOWN);
  hub_world_settle(&w);
  follower_expect(&w.f, "1 2 3 4 5 6 7 ");
  hub_world_close(&w);
}

/* Whoever asked where it is before its first message goes on from there, forgotten or not. */
static void test_positions_of_a_topic_never_published_to(void **state) {
  (void)state;
  hub_world_open(&w, NULL);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  coho_pos start = w.f.start.pos;
  assert_int_equal(follower_leave(&w.f, "t"), 0);
  pass_ms(5000);
  assert_int_equal(hub_world_stats(&w).topics, 0);
  publish_numbers(w.hub, "t", 1, 2);
  assert_int_equal(follower_follow(&w.f, "t", &start), 0);
  assert_int_equal(w.f.start.lost, 0);
  follower_expect(&w.f, "1 2 ");
  hub_world_close(&w);
}

static void test_what_keeps_a_topic(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.history_age_ms = 10, .grace_ms = 100});
  assert_int_equal(follower_follow(&w.f, "subscribed", NULL), 0);
  publish_number(w.hub, "subscribed", 1);
  publish_number(w.hub, "published", 1);
  assert_int_equal(coho_presence_enter(w.hub, "inhabited", "ann", NULL), 0);
  hub_world_settle(&w);
  pass_ms(60000);
  assert_int_equal(hub_world_stats(&w).topics, 2);
  assert_int_equal(follower_leave(&w.f, "subscribed"), 0);
  assert_int_equal(coho_presence_leave(w.hub, "inhabited", "ann"), 0);
  pass_ms(120000);
  pass_ms(180000); /* and the companion that told it */
  assert_int_equal(hub_world_stats(&w).topics, 0);
  hub_world_close(&w);
}

/* ---- the same message twice ------------------------------------------------------------------ */

static int publish_once(const char *topic, const char *key, coho_pos *pos) {
  coho_publish_options opt = {.idempotency_key = key};
  return coho_publish_with(w.hub, topic, coho_text("x"), &opt, pos);
}

static void test_idempotency(void **state) {
  (void)state;
  coho_pos one, two, other;
  char key[257];
  memset(key, 'k', 256);
  key[256] = '\0';
  hub_world_open(&w, NULL);
  assert_int_equal(publish_once("t", "one", &one), 0);
  assert_int_equal(publish_once("t", "two", &two), 0);
  assert_int_equal(two.offset, 2);
  assert_int_equal(publish_once("t", "one", &two), 0);
  assert_true(two.offset == one.offset && two.epoch == one.epoch);
  assert_int_equal(publish_once("u", "one", &other), 0);
  assert_int_equal(other.offset, 1);
  assert_int_equal(publish_once("t", key, &one), COHO_EINVAL);
  key[255] = '\0';
  assert_int_equal(publish_once("t", key, &one), 0);
  coho_hub_stats st = hub_world_stats(&w);
  assert_int_equal(st.published, 4);
  assert_int_equal(st.repeated, 1);
  /* After its time it is new. */
  pass_ms(6 * 60 * 1000);
  assert_int_equal(publish_once("t", "one", &two), 0);
  assert_int_equal(two.offset, 4);
  hub_world_close(&w);
}

/* ---- options --------------------------------------------------------------------------------- */

static void test_wrong_options(void **state) {
  (void)state;
  assert_null(hub_with(NULL, &(coho_topic_options){.slow = 5}));
  assert_null(hub_with(NULL, &(coho_topic_options){.flags = 2}));
  hub_world_open(&w, NULL);
  coho_topic_options opt = {.slow = 5};
  assert_int_equal(coho_hub_configure(w.hub, "a", &opt), COHO_EOPTION);
  opt = (coho_topic_options){.history_count = 2};
  assert_int_equal(coho_hub_configure(w.hub, "a/#/b", &opt), COHO_EINVAL);
  assert_int_equal(coho_hub_configure(w.hub, "a/+", &opt), 0);
  opt.history_count = 1;
  assert_int_equal(coho_hub_configure(w.hub, "a/#", &opt), 0);
  publish_numbers(w.hub, "a/b", 1, 9);
  publish_numbers(w.hub, "a", 1, 9);
  publish_numbers(w.hub, "c", 1, 9);
  assert_int_equal(hub_world_stats(&w).messages, 2 + 1 + 9);
  assert_int_equal(coho_hub_configure(w.hub, "d", &opt), COHO_EBUSY);
  hub_world_close(&w);
}

/* ---- mailbox, loop, hub ---------------------------------------------------------------------- */

static unsigned ran;

static void count_run(void *arg) {
  (void)arg;
  ran++;
}

/* A letter that found no place is written again. */
static void test_a_full_mailbox(void **state) {
  (void)state;
  unsigned posted = 0;
  hub_world_open(&w, NULL);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  for (ran = 0; coho_loop_post(w.loop, count_run, NULL) == 0; posted++) {}
  publish_numbers(w.hub, "t", 1, 3);
  while (w.f.messages < 3)
    assert_true(coho_loop_turn(w.loop, 50) >= 0);
  assert_int_equal(ran, posted);
  follower_expect(&w.f, "1 2 3 ");
  hub_world_close(&w);
}

static coho_hub *hub;

static void subscribe_it(struct probe *p, coho_conn *c) {
  (void)p;
  coho_pos zero = {0, 0};
  assert_int_equal(coho_subscribe_from(hub, c, "t", zero, NULL), 0);
  assert_int_equal(coho_subscribe_pattern(hub, c, "#"), 0);
}

/* Neither the loop nor the hub waits for the other, whatever is under way. */
static void end_in_order(bool hub_first) {
  struct world world;
  struct probe server = {.opened = subscribe_it}, client = {.opened = NULL};
  coho_options so = probe_options(&server), co = probe_options(&client);
  hub = hub_with(NULL, &(coho_topic_options){.slow = COHO_SLOW_CONFLATE});
  publish_number(hub, "t", 1);
  world_open(&world, "/", &so);
  (void)world_connect(&world, "/", &co);
  UNTIL(&world, client.messages == 1);
  publish_number(hub, "t", 2);
  publish_number(hub, "u", 3);
  if (hub_first) coho_hub_free(hub);
  world_close(&world);
  assert_int_equal(server.closes, 1);
  if (!hub_first) {
    assert_int_equal(coho_hub_subscribers(hub, "t"), 0);
    publish_number(hub, "t", 4);
    coho_hub_free(hub);
  }
  alloc_assert_none_live();
}

static void test_the_loop_is_freed_first(void **state) {
  (void)state;
  end_in_order(false);
}

static void test_the_hub_is_freed_first(void **state) {
  (void)state;
  end_in_order(true);
}

/* ---- memory ---------------------------------------------------------------------------------- */

#ifndef COHO_HARD /* whose pools are mostly overhead */

enum { MANY = 100000, TOPICS = 1000 };

static size_t per_subscription(size_t before) { return (alloc_live() - before) / (MANY / 2); }

static void test_100000_subscriptions_of_few(void **state) {
  (void)state;
  enum { SINKS = MANY / TOPICS };
  struct follower *all = (struct follower *)calloc(SINKS, sizeof *all);
  char name[16];
  size_t before = 0;
  hub_world_open(&w, NULL);
  for (int i = 0; i < SINKS; i++) {
    if (i == SINKS / 2) before = alloc_live();
    follower_init(&all[i], w.hub, w.loop);
    for (int k = 0; k < TOPICS; k++) {
      snprintf(name, sizeof name, "t%d", k);
      assert_int_equal(follower_follow(&all[i], name, NULL), 0);
    }
  }
  assert_true(per_subscription(before) <= 32);
  publish_number(w.hub, "t7", 1);
  hub_world_settle(&w);
  for (int i = 0; i < SINKS; i++) {
    assert_int_equal(all[i].messages, 1);
    follower_end(&all[i]);
  }
  free(all);
  hub_world_close(&w);
}

static unsigned taken;

static int count_message(struct coho__sink *s, const struct coho__delivery *d) {
  (void)s;
  (void)d;
  taken++;
  return 0;
}

static void test_100000_subscribers_of_one(void **state) {
  (void)state;
  static const struct coho__sink_ops ops = {.message = count_message};
  struct coho__sink *all = (struct coho__sink *)calloc(MANY, sizeof *all);
  coho_start start;
  size_t before = 0;
  hub_world_open(&w, NULL);
  taken = 0;
  for (int i = 0; i < MANY; i++) {
    if (i == MANY / 2) before = alloc_live();
    coho__sink_init(&all[i], &ops, w.loop);
    assert_int_equal(
        coho__sink_subscribe(w.hub, &all[i], (struct coho__view){"t", 1}, NULL, &start), 0);
  }
  assert_true(per_subscription(before) <= 32);
  publish_number(w.hub, "t", 1);
  hub_world_settle(&w);
  assert_int_equal(taken, MANY);
  for (int i = 0; i < MANY; i++)
    coho__sink_end(&all[i]);
  free(all);
  hub_world_close(&w);
}

/* Ending one does not cost more the more there are. */
static void test_100000_subscriptions_of_one(void **state) {
  (void)state;
  char name[16];
  hub_world_open(&w, &(coho_hub_options){.max_topics = MANY + 1, .max_subscriptions = MANY});
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "t%d", i);
    assert_int_equal(coho__sink_subscribe(w.hub, &w.f.sink, coho__view_of(name), NULL, &w.f.start),
                     0);
  }
  assert_int_equal(follower_follow(&w.f, "more", NULL), COHO_EFULL);
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "t%d", i);
    assert_int_equal(follower_leave(&w.f, name), 0);
  }
  assert_int_equal(hub_world_stats(&w).subscriptions, 0);
  assert_int_equal(follower_follow(&w.f, "more", NULL), 0);
  hub_world_close(&w);
}

#endif

/* What the allocator gave, not only what the hub counts. */
static void check_history(uint32_t slow, size_t size, unsigned keys) {
  static char block[20000];
  enum { CAP = 100000 };
  char key[16];
  hub_world_open_topics(
      &w, &(coho_topic_options){.history_bytes = CAP, .history_count = 100000, .slow = slow});
  publish_number(w.hub, "t", 1);
  size_t before = alloc_live();
  for (unsigned n = 0; n < 5000; n++) {
    snprintf(key, sizeof key, "%u", n % keys);
    coho_publish_options opt = {.key = key};
    coho_msg m = coho_binary(block, size ? size : n * 7919 % sizeof block);
    assert_int_equal(coho_publish_with(w.hub, "t", m, &opt, NULL), 0);
    assert_true(hub_world_stats(&w).bytes <= CAP);
    assert_true(alloc_live() - before <= CAP);
  }
  hub_world_close(&w);
}

static void test_history_stays_within_its_bytes(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 100, 1000, 20000, 0};
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    check_history(COHO_SLOW_DROP_OLDEST, sizes[i], 1);
    check_history(COHO_SLOW_CONFLATE, sizes[i], 5);
    check_history(COHO_SLOW_CONFLATE, sizes[i], 5000);
  }
}

/* A loop looks at its clock once in a turn, so what another thread published is from its future. */
static void test_what_is_newer_than_the_clock_of_a_loop_stays(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.history_age_ms = 1000});
  publish_number(w.hub, "a", 1);
  coho__hub_lock(w.hub);
  struct coho__topic *t = coho__hub_find(w.hub, coho__view_of("a"));
  uint64_t behind = t->used_ms - 1;
  coho__topic_trim(t, behind);
  assert_int_equal(t->history.count, 1);
  coho__topic_give_way(t);
  assert_false(coho__topic_dead(t, behind));
  assert_true(coho__topic_dead(t, t->used_ms + 2001));
  uint64_t swept = w.hub->upkeep.began_ms;
  coho__hub_sweep(w.hub, swept - 1);
  assert_int_equal(w.hub->upkeep.began_ms, swept);
  coho__hub_unlock(w.hub);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_max_topics),
      cmocka_unit_test(test_an_unused_topic_makes_room),
      cmocka_unit_test(test_max_subscribers),
      cmocka_unit_test(test_max_subscriptions),
      cmocka_unit_test(test_max_bytes),
      cmocka_unit_test(test_a_message_larger_than_the_history),
      cmocka_unit_test(test_a_message_of_a_MiB_fits),
      cmocka_unit_test(test_a_burst_larger_than_the_history),
      cmocka_unit_test(test_positions_of_an_emptied_topic),
      cmocka_unit_test(test_positions_of_a_topic_never_published_to),
      cmocka_unit_test(test_what_keeps_a_topic),
      cmocka_unit_test(test_what_is_newer_than_the_clock_of_a_loop_stays),
      cmocka_unit_test(test_idempotency),
      cmocka_unit_test(test_wrong_options),
      cmocka_unit_test(test_a_full_mailbox),
      cmocka_unit_test(test_the_loop_is_freed_first),
      cmocka_unit_test(test_the_hub_is_freed_first),
#ifndef COHO_HARD
      cmocka_unit_test(test_100000_subscriptions_of_few),
      cmocka_unit_test(test_100000_subscribers_of_one),
      cmocka_unit_test(test_100000_subscriptions_of_one),
#endif
      cmocka_unit_test(test_history_stays_within_its_bytes),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
