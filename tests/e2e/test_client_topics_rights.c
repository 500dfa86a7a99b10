/* What the hub ends by itself, since a token allows less than the last one, is told to who followed. */
#include "support/alloc_fail.h"
#include "support/ear.h"

#include <stdio.h>
#include <string.h>

static struct fake_hub hub;
static struct world *w;
static struct ear ear;

static int setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  memset(&ear, 0, sizeof ear);
  fake_hub_open(&hub);
  w = &hub.world;
  ear_connect(&ear, &hub, NULL);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho_client_free(ear.client);
  fake_hub_close(&hub);
  alloc_assert_none_live();
  return 0;
}

static void end(const char *code) {
  char frame[200];
  (void)snprintf(frame, sizeof frame,
                 "{\"op\":\"error\",\"topic\":\"a\",\"code\":\"%s\",\"text\":\"because\"}", code);
  fake_hub_say_text(&hub, frame);
}

static void test_B23_a_topic_that_the_hub_ends(void **state) {
  (void)state;
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  fake_hub_publish(&hub, "a", "n1");
  end("forbidden");
  fake_hub_publish(&hub, "a", "n2"); /* no more for who may not */
  UNTIL(w, strstr(ear.heard, "refused"));
  fake_hub_kill(&hub, 0);
  UNTIL(w, hub.opens == 2);
  assert_string_equal(ear.heard, "start 0 | 1 n1 | refused COHO_EFORBIDDEN because");
  /* Another token may allow it: from where it ended. */
  assert_int_equal(coho_client_set_token(ear.client, "better"), 0);
  UNTIL(w, ear.messages == 2);
  assert_string_equal(ear.heard,
                      "start 0 | 1 n1 | refused COHO_EFORBIDDEN because | start 1 | 2 n2");
}

static void test_a_topic_that_the_hub_ends_for_now(void **state) {
  (void)state;
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  end("full");
  for (size_t i = 0; i < FAKE_CONNS; i++)
    hub.conns[i].sub_count = 0;
  UNTIL(w, hub.subs == 2); /* asked again without a word of the program */
}

/* Of another topic, of one that is not followed yet, by a pattern that nobody asked for, twice. */
static void test_B27_an_end_of_what_does_not_go_on(void **state) {
  static const char *const frames[] = {
      "{\"op\":\"error\",\"topic\":\"b\",\"code\":\"forbidden\",\"text\":\"?\"}",
      "{\"op\":\"error\",\"topic\":7,\"code\":\"forbidden\",\"text\":\"?\"}",
      "{\"op\":\"error\",\"topic\":\"\",\"code\":\"forbidden\",\"text\":\"?\"}",
      "{\"op\":\"error\",\"pattern\":\"a\",\"code\":\"forbidden\",\"text\":\"?\"}",
      "{\"op\":\"error\",\"pattern\":\"+\",\"code\":\"forbidden\",\"text\":\"?\"}",
      "{\"op\":\"error\",\"id\":99,\"topic\":\"a\",\"code\":\"forbidden\",\"text\":\"?\"}",
      "{\"op\":\"error\",\"code\":\"forbidden\",\"text\":\"?\"}"};
  (void)state;
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
    fake_hub_say_text(&hub, frames[i]);
  fake_hub_publish(&hub, "a", "n1");
  UNTIL(w, ear.messages == 1);
  end("forbidden");
  end("forbidden");
  fake_hub_say_text(&hub, "{\"op\":\"expiring\",\"in\":9}");
  UNTIL(w, ear.token_in == 9);
  assert_string_equal(ear.heard, "start 0 | 1 n1 | refused COHO_EFORBIDDEN because");
}

static void free_it(struct ear *e, coho_follow *f, int err) {
  (void)f;
  (void)err;
  coho_client_free(e->client);
  e->client = NULL;
}

static void test_the_client_is_freed_when_a_topic_ends(void **state) {
  (void)state;
  ear.on_error = free_it;
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  end("forbidden");
  UNTIL(w, !ear.client);
}

static void leave_it(struct ear *e, coho_follow *f, int err) {
  (void)e;
  (void)err;
  coho_client_unfollow(f);
}

static void test_a_topic_is_left_when_it_ends(void **state) {
  (void)state;
  ear.on_error = leave_it;
  ear_follow(&ear, "a", NULL);
  UNTIL(w, ear.heard[0]);
  end("forbidden");
  UNTIL(w, !coho_client_find(ear.client, "a"));
  assert_int_equal(hub.unsubs, 0); /* there is nothing to leave */
}

static unsigned ends;

static void on_pattern_error(coho_follow *f, int err, const char *text) {
  (void)f;
  (void)text;
  assert_int_equal(err, COHO_EFORBIDDEN);
  ends++;
}

static void on_pattern_start(coho_follow *f) { (*(unsigned *)coho_follow_user(f))++; }

static void test_B23_a_pattern_that_the_hub_ends(void **state) {
  static unsigned starts;
  const coho_pattern_options opt = {
      .on_start = on_pattern_start, .on_error = on_pattern_error, .user = &starts};
  (void)state;
  ends = starts = 0;
  hub.silent = 1000; /* the answer is said here */
  assert_int_equal(coho_client_follow_pattern(ear.client, "r/+", &opt, NULL), 0);
  UNTIL(w, hub.silent < 1000);
  fake_hub_say_text(&hub, "{\"op\":\"ok\",\"id\":1,\"pattern\":\"r/+\"}");
  UNTIL(w, starts == 1);
  fake_hub_say_text(
      &hub, "{\"op\":\"error\",\"pattern\":\"r/+\",\"code\":\"forbidden\",\"text\":\"no\"}");
  UNTIL(w, ends == 1);
}

/* ---- more than was asked for ---------------------------------------------------------------- */

static char said[64];

static void hear_message(void *ctx, coho_pos pos, coho_msg m) {
  (void)ctx;
  (void)pos;
  (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%.*s|", (int)m.len, m.data);
}

static void hear_end(void *ctx, int err, coho_pos pos) {
  (void)pos;
  *(int *)ctx = err + 1;
}

/* Who has room for two is not told three. */
static void test_B27_a_history_longer_than_asked_for(void **state) {
  static const char *const bodies[] = {
      "{'pos':'k.1','data':'a'},{'pos':'k.2','data':'b'},{'pos':'k.3','data':'c'}",
      "{'pos':'k.2','data':'b'},{'pos':'k.3','data':'c'}"};
  char frame[256];
  int end_of_it = 0;
  const coho_client_history_options opt = {
      .on_message = hear_message, .done = hear_end, .ctx = &end_of_it, .limit = 2};
  (void)state;
  said[0] = '\0';
  hub.silent = 1000; /* the answers are said here */
  assert_int_equal(coho_client_history(ear.client, "a", &opt), 0);
  for (size_t i = 0; i < 2; i++) {
    UNTIL(w, hub.silent < 1000);
    hub.silent = 1000;
    (void)snprintf(frame, sizeof frame,
                   "{'op':'history','id':1,'topic':'a','pos':'k.3','messages':[%s]}", bodies[i]);
    for (char *at = frame; (at = strchr(at, '\''));)
      *at = '"';
    fake_hub_say_text(&hub, frame);
    UNTIL(w, i ? end_of_it : (int)(hub.last_code == 1007));
  }
  assert_int_equal(end_of_it, 1);
  assert_string_equal(said, "b|c|");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_B23_a_topic_that_the_hub_ends),
      TEST(test_a_topic_that_the_hub_ends_for_now),
      TEST(test_B27_an_end_of_what_does_not_go_on),
      TEST(test_the_client_is_freed_when_a_topic_ends),
      TEST(test_a_topic_is_left_when_it_ends),
      TEST(test_B23_a_pattern_that_the_hub_ends),
      TEST(test_B27_a_history_longer_than_asked_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
