/* The client of topics and patterns: against a real hub, and against one that says what the test likes. */
#include "mounted.h"
#include "support/alloc_fail.h"
#include "support/ear.h"

#include <stdio.h>
#include <string.h>

static struct fake_hub hub;
static coho_client *client;
static char said[1024];
static coho_follow *leave; /* inside the next handler */
static bool free_client;   /* the same */

static void note(const char *what, const char *topic, long long number, const char *text) {
  size_t at = strlen(said);
  (void)snprintf(said + at, sizeof said - at, "%s %s %lld %s|", what, topic ? topic : "*", number,
                 text);
  coho_client_unfollow(leave);
  leave = NULL;
  if (free_client) coho_client_free(client);
  if (free_client) client = NULL;
}

static void on_message(coho_follow *f, const char *topic, coho_pos pos, coho_msg m) {
  char text[64];
  (void)snprintf(text, sizeof text, "%.*s", (int)m.len, m.data);
  assert_ptr_equal(coho_follow_user(f), &said);
  assert_true(pos.epoch);
  note("m", topic, (long long)pos.offset, text);
}

static void on_gap(coho_follow *f, const char *topic, uint64_t lost, coho_pos pos) {
  (void)f;
  assert_int_equal(topic != NULL, pos.epoch != 0);
  note("gap", topic, (long long)lost, "");
}

static void on_start(coho_follow *f) {
  coho_pos pos;
  assert_int_equal(coho_follow_pos(f, &pos), COHO_ENOTFOUND);
  note("start", coho_follow_topic(f), 0, "");
}

static void on_error(coho_follow *f, int err, const char *text) {
  (void)text;
  note("error", coho_follow_topic(f), err, "");
}

static const coho_pattern_options options = {.on_message = on_message,
                                             .on_gap = on_gap,
                                             .on_start = on_start,
                                             .on_error = on_error,
                                             .user = &said};

static const coho_client_options soon = {.retry = {.first_ms = 1, .most_ms = 8}};

static void heard(const char *expect) {
  assert_string_equal(said, expect);
  said[0] = '\0';
}

static int setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  said[0] = '\0';
  leave = NULL;
  free_client = false;
  return 0;
}

static void real_open(const coho_topics_options *opt) {
  char url[80];
  mounted_open(opt, NULL);
  (void)snprintf(url, sizeof url, "%s/t/", mounted.w.url);
  assert_int_equal(coho_client_new(mounted.w.loop, url, &soon, &client), 0);
}

static void real_close(void) {
  coho_client_free(client);
  mounted_finish();
  alloc_assert_none_live();
}

static void fake_open(void) {
  fake_hub_open(&hub);
  hub.silent = 1000; /* the test answers */
  assert_int_equal(coho_client_new(hub.world.loop, hub.url, &soon, &client), 0);
}

static void fake_close(void) {
  coho_client_free(client);
  fake_hub_close(&hub);
  alloc_assert_none_live();
}

/* ---- a hub that does what it should --------------------------------------------------------- */

static void test_messages_have_topic_and_pattern(void **state) {
  coho_follow *one, *all;
  (void)state;
  real_open(NULL);
  assert_int_equal(coho_client_follow_pattern(client, "room/+", &options, &one), 0);
  UNTIL(&mounted.w, strstr(said, "start"));
  heard("start room/+ 0 |");
  mounted_publish("room/tea", "hello");
  mounted_publish("room/tea/x", "unheard");
  mounted_publish("room/coffee", "black");
  UNTIL(&mounted.w, strstr(said, "hello") && strstr(said, "black"));
  mounted_publish("room/tea", "end");
  UNTIL(&mounted.w, strstr(said, "end"));
  assert_non_null(strstr(said, "m room/tea 1 hello|"));
  assert_non_null(strstr(said, "m room/coffee 1 black|"));
  assert_non_null(strstr(said, "m room/tea 2 end|"));
  assert_null(strstr(said, "unheard"));
  /* Twice for two patterns. */
  assert_int_equal(coho_client_follow_pattern(client, "#", &options, &all), 0);
  UNTIL(&mounted.w, strstr(said, "start #"));
  said[0] = '\0';
  mounted_publish("room/tea", "x");
  UNTIL(&mounted.w, strlen(said) >= 26);
  heard("m room/tea 3 x|m room/tea 3 x|");
  assert_ptr_equal(coho_client_find_pattern(client, "#"), all);
  assert_null(coho_client_find(client, "#"));
  coho_client_unfollow(all);
  assert_null(coho_client_find_pattern(client, "#"));
  coho_client_unfollow(one);
  assert_int_equal(coho_client_follow_pattern(client, "end", &options, &one), 0);
  UNTIL(&mounted.w, strstr(said, "start end"));
  said[0] = '\0';
  mounted_publish("room/tea", "nobody");
  mounted_publish("end", "y");
  UNTIL(&mounted.w, said[0]);
  heard("m end 1 y|");
  real_close();
}

static void test_wrong_patterns_and_limits(void **state) {
  coho_client_options few = soon;
  coho_follow *f;
  (void)state;
  few.max_follows = 1;
  fake_hub_open(&hub);
  assert_int_equal(coho_client_new(hub.world.loop, hub.url, &few, &client), 0);
  static const char *const wrong[] = {"", "a//b", "#/a", "a/presence", "+a", NULL};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(coho_client_follow_pattern(client, wrong[i], &options, NULL), COHO_EINVAL);
  assert_int_equal(coho_client_follow_pattern(client, "a/#", NULL, &f), 0);
  assert_int_equal(coho_client_follow(client, "a", NULL, NULL), COHO_EFULL);
  assert_int_equal(coho_client_follow_pattern(client, "b", NULL, NULL), COHO_EFULL);
  coho_client_unfollow(f);
  assert_int_equal(coho_client_follow_pattern(client, "b", NULL, NULL), 0);
  coho_client_free(client);
  few.max_follows = 2;
  assert_int_equal(coho_client_new(hub.world.loop, hub.url, &few, &client), 0);
  assert_int_equal(coho_client_follow_pattern(client, "b", NULL, NULL), 0);
  assert_int_equal(coho_client_follow_pattern(client, "b", NULL, NULL), COHO_EEXISTS);
  assert_int_equal(coho_client_follow(client, "b", NULL, NULL), 0); /* the topic is another thing */
  fake_close();
}

static void test_a_pattern_that_is_refused(void **state) {
  static const char *const open[] = {"a", NULL};
  coho_topics_options opt = {.open_subscribe = open};
  (void)state;
  real_open(&opt);
  assert_int_equal(coho_client_follow_pattern(client, "#", &options, NULL), 0);
  UNTIL(&mounted.w, said[0]);
  assert_non_null(strstr(said, "error #"));
  real_close();
}

/* ---- a hub that breaks ---------------------------------------------------------------------- */

static void say(const char *frame) {
  fake_hub_say_text(&hub, frame);
  fake_hub_say_text(&hub, "{\"op\":\"expiring\",\"in\":1}");
}

static void answer(unsigned id) {
  char frame[64];
  (void)snprintf(frame, sizeof frame, "{\"op\":\"ok\",\"id\":%u,\"pattern\":\"a/+\"}", id);
  UNTIL(&hub.world, hub.silent < 1000);
  hub.silent = 1000;
  assert_non_null(strstr(hub.last_sub, "\"pattern\":\"a/+\""));
  assert_null(strstr(hub.last_sub, "since"));
  fake_hub_say_text(&hub, frame);
}

static void test_a_reconnect_is_a_gap(void **state) {
  (void)state;
  fake_open();
  assert_int_equal(coho_client_follow_pattern(client, "a/+", &options, NULL), 0);
  UNTIL(&hub.world, hub.silent < 1000);
  fake_hub_kill(&hub, 0); /* before it was followed: nothing is missing */
  hub.silent = 1000;
  answer(2);
  say("{\"topic\":\"a/b\",\"pattern\":\"a/+\",\"pos\":\"k.7\",\"data\":\"one\"}");
  UNTIL(&hub.world, strstr(said, "one"));
  heard("start a/+ 0 |m a/b 7 one|");
  fake_hub_kill(&hub, 1012);
  answer(3);
  /* Positions start over in another life, and are no reason to drop anything. */
  say("{\"topic\":\"a/b\",\"pattern\":\"a/+\",\"pos\":\"m.1\",\"data\":\"two\"}");
  UNTIL(&hub.world, strstr(said, "two"));
  heard("start a/+ 0 |gap * -1 |m a/b 1 two|");
  say("{\"op\":\"gap\",\"topic\":\"a/b\",\"pattern\":\"a/+\",\"lost\":5,\"pos\":\"m.6\"}");
  UNTIL(&hub.world, said[0]);
  heard("gap a/b 5 |");
  fake_close();
}

/* Nothing that nobody asked for. */
static void test_what_does_not_fit_is_dropped(void **state) {
  static const char *const frames[] = {
      "{\"topic\":\"a/b\",\"pattern\":\"a/#\",\"pos\":\"k.1\",\"data\":\"x\"}",
      "{\"topic\":\"b/b\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"x\"}",
      "{\"topic\":\"a/b/c\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"x\"}",
      "{\"topic\":\"a/ b\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"x\"}",
      "{\"topic\":\"a/b\\u0000\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"x\"}",
      "{\"topic\":\"a/b\",\"pos\":\"k.1\",\"data\":\"x\"}",
      "{\"op\":\"gap\",\"topic\":\"b\",\"pattern\":\"a/+\",\"lost\":5,\"pos\":\"m.6\"}",
  };
  (void)state;
  fake_open();
  assert_int_equal(coho_client_follow_pattern(client, "a/+", &options, NULL), 0);
  answer(1);
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
    say(frames[i]);
  say("{\"topic\":\"a/b\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"end\"}");
  UNTIL(&hub.world, strstr(said, "end"));
  heard("start a/+ 0 |m a/b 1 end|");
  fake_close();
}

static void test_left_inside_a_handler(void **state) {
  coho_follow *f;
  (void)state;
  fake_open();
  assert_int_equal(coho_client_follow_pattern(client, "a/+", &options, &f), 0);
  answer(1);
  UNTIL(&hub.world, said[0]);
  fake_hub_kill(&hub, 0);
  leave = f; /* in on_start, so that the gap is not told */
  said[0] = '\0';
  answer(2);
  UNTIL(&hub.world, said[0]);
  say("{\"topic\":\"a/b\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"x\"}");
  UNTIL(&hub.world, hub.silent < 1000); /* it takes leave */
  heard("start a/+ 0 |");
  fake_close();
}

static void test_freed_inside_a_handler(void **state) {
  (void)state;
  fake_open();
  assert_int_equal(coho_client_follow_pattern(client, "a/+", &options, NULL), 0);
  answer(1);
  UNTIL(&hub.world, said[0]);
  free_client = true;
  say("{\"topic\":\"a/b\",\"pattern\":\"a/+\",\"pos\":\"k.1\",\"data\":\"x\"}");
  UNTIL(&hub.world, !fake_hub_connected(&hub));
  fake_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_messages_have_topic_and_pattern, setup),
      cmocka_unit_test_setup(test_wrong_patterns_and_limits, setup),
      cmocka_unit_test_setup(test_a_pattern_that_is_refused, setup),
      cmocka_unit_test_setup(test_a_reconnect_is_a_gap, setup),
      cmocka_unit_test_setup(test_what_does_not_fit_is_dropped, setup),
      cmocka_unit_test_setup(test_left_inside_a_handler, setup),
      cmocka_unit_test_setup(test_freed_inside_a_handler, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
