/* Topics by long poll, as docs/topics.md has them. */
#include "support/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct web web;
static struct web_client a, b;

static void open_web(const coho_topics_options *mount, const coho_topic_options *topic) {
  web_open(&web, mount, topic);
  web_connect(&a, &web);
}

static void finish(void) {
  web_part(&a);
  web_close(&web);
}

static size_t subscribers(const char *topic) { return coho_hub_subscribers(web.hub, topic); }

static void publish_many(const char *topic, unsigned count) {
  char text[16];
  for (unsigned i = 1; i <= count; i++) {
    snprintf(text, sizeof text, "%u", i);
    web_publish(&web, topic, text);
  }
}

static void wait_for(struct web_client *c, const char *topic, unsigned offset) {
  size_t before = subscribers(topic);
  web_get(c, "", "/t/%s?since=%s&wait=60", topic, web_pos(&web, offset));
  UNTIL(&web.w, subscribers(topic) == before + 1);
}

/* ---- one topic ------------------------------------------------------------------------------- */

static void test_what_came_after_since_comes_at_once(void **state) {
  (void)state;
  open_web(NULL, NULL);
  publish_many("room", 3);
  assert_int_equal(coho_publish(web.hub, "room", coho_binary("\xff", 1)), 0);
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 2));
  web_check(
      &a, 200,
      "{\"messages\":[{\"pos\":\"E.3\",\"data\":\"3\"},{\"pos\":\"E.4\",\"data64\":\"/w==\"}],"
      "\"next\":\"E.4\"}");
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  web_get(&a, "", "/t/room?since=0&wait=0");
  assert_int_equal(web_answer(&a), 200);
  assert_non_null(strstr(a.body, "{\"pos\":\"E.1\",\"data\":\"1\"}"));
  assert_null(strstr(a.body, "gap"));
  finish();
}

static void test_without_since_the_answer_is_where_to_begin(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, "", "/t/room?wait=60");
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  publish_many("room", 2);
  web_get(&a, "", "/t/room?wait=60");
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.2\"}");
  finish();
}

static void test_a_poll_waits_for_what_comes_in_one_turn(void **state) {
  (void)state;
  open_web(NULL, NULL);
  publish_many("room", 1);
  wait_for(&a, "room", 1);
  publish_many("room", 2);
  web_check(&a, 200,
            "{\"messages\":[{\"pos\":\"E.2\",\"data\":\"1\"},{\"pos\":\"E.3\",\"data\":\"2\"}],"
            "\"next\":\"E.3\"}");
  UNTIL(&web.w, subscribers("room") == 0);
  finish();
}

static void test_wait_0_never_waits(void **state) {
  (void)state;
  open_web(NULL, NULL);
  publish_many("room", 2);
  web_get(&a, "", "/t/room?since=%s&wait=0", web_pos(&web, 2));
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.2\"}");
  finish();
}

/* Also while another subscriber has not got it yet. */
static void test_what_was_published_is_there_at_once(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_connect(&b, &web);
  wait_for(&b, "room", 0);
  char target[128];
  snprintf(target, sizeof target, "/t/room?since=%s&wait=0", web_pos(&web, 0));
  web_send(&a,
           "POST /t/room HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
           "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
           target);
  web_check(&a, 200, "{\"pos\":\"E.1\"}");
  web_check(&a, 200, "{\"messages\":[{\"pos\":\"E.1\",\"data\":\"hi\"}],\"next\":\"E.1\"}");
  web_check(&b, 200, "{\"messages\":[{\"pos\":\"E.1\",\"data\":\"hi\"}],\"next\":\"E.1\"}");
  web_part(&b);
  finish();
}

static void test_an_empty_answer_after_wait(void **state) {
  (void)state;
  coho_topics_options mo = {.poll_ms = 20};
  open_web(&mo, NULL);
  web_get(&a, "", "/t/room?since=%s&wait=60", web_pos(&web, 0));
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 0));
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  finish();
}

static void test_a_hole_is_a_gap(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 1};
  open_web(NULL, &to);
  publish_many("room", 5);
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 2));
  web_check(
      &a, 200,
      "{\"messages\":[{\"pos\":\"E.5\",\"data\":\"5\"}],\"next\":\"E.5\",\"gap\":{\"lost\":2}}");
  static const char all[] =
      "{\"messages\":[{\"pos\":\"E.5\",\"data\":\"5\"}],\"next\":\"E.5\",\"gap\":"
      "{\"lost\":null}}";
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 77));
  web_check(&a, 200, all);
  web_get(&a, "", "/t/room?since=zzz.5");
  web_check(&a, 200, all);
  web_get(&a, "", "/t/none?since=zzz.5");
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\",\"gap\":{\"lost\":null}}");
  finish();
}

static void test_a_thousand_messages_and_the_rest_with_the_next(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 5000};
  open_web(NULL, &to);
  publish_many("room", 2500);
  unsigned next = 0;
  for (int i = 0; i < 3; i++) {
    web_get(&a, "", "/t/room?since=%s&wait=60", web_pos(&web, next));
    assert_int_equal(web_answer(&a), 200);
    char first[64];
    snprintf(first, sizeof first, "{\"messages\":[{\"pos\":\"E.%u\",\"data\":\"%u\"}", next + 1,
             next + 1);
    assert_memory_equal(a.body, first, strlen(first));
    next = i < 2 ? next + 1000 : 2500;
    snprintf(first, sizeof first, "{\"pos\":\"E.%u\",\"data\":\"%u\"}],\"next\":\"E.%u\"}", next,
             next, next);
    assert_string_equal(a.body + a.len - strlen(first), first);
  }
  finish();
}

static void test_about_a_megabyte_and_the_rest_with_the_next(void **state) {
  (void)state;
  static char text[65536];
  coho_topic_options to = {.history_bytes = 10 << 20};
  open_web(NULL, &to);
  memset(text, 'x', sizeof text - 1);
  for (int i = 0; i < 40; i++)
    web_publish(&web, "room", text);
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 0));
  assert_int_equal(web_answer(&a), 200);
  assert_in_range(a.len, 1 << 20, (1 << 20) + 66000);
  assert_non_null(strstr(a.body, "\"}],\"next\":\"E.16\"}"));
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 16));
  assert_int_equal(web_answer(&a), 200);
  assert_memory_equal(a.body, "{\"messages\":[{\"pos\":\"E.17\"", 26);
  finish();
}

static void test_conflated_topics_give_the_latest_of_each_key(void **state) {
  (void)state;
  coho_topic_options to = {.slow = COHO_SLOW_CONFLATE, .interval_ms = 20};
  open_web(NULL, &to);
  coho_publish_options x = {.key = "x"}, y = {.key = "y"};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(coho_publish_with(web.hub, "room", coho_text("x"), &x, NULL), 0);
    assert_int_equal(coho_publish_with(web.hub, "room", coho_text("y"), &y, NULL), 0);
  }
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 1));
  web_check(&a, 200,
            "{\"messages\":[{\"pos\":\"E.5\",\"data\":\"x\"},{\"pos\":\"E.6\",\"data\":\"y\"}],"
            "\"next\":\"E.6\"}");
  wait_for(&a, "room", 6);
  assert_int_equal(coho_publish_with(web.hub, "room", coho_text("1"), &x, NULL), 0);
  assert_int_equal(coho_publish_with(web.hub, "room", coho_text("2"), &x, NULL), 0);
  web_check(&a, 200, "{\"messages\":[{\"pos\":\"E.8\",\"data\":\"2\"}],\"next\":\"E.8\"}");
  finish();
}

static void test_without_history_a_poll_gets_what_comes_and_a_gap_for_the_pause(void **state) {
  (void)state;
  coho_topic_options to = {.flags = COHO_NO_HISTORY};
  open_web(NULL, &to);
  wait_for(&a, "room", 0);
  publish_many("room", 2);
  web_check(&a, 200,
            "{\"messages\":[{\"pos\":\"E.1\",\"data\":\"1\"},{\"pos\":\"E.2\",\"data\":\"2\"}],"
            "\"next\":\"E.2\"}");
  publish_many("room", 3);
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 2));
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.5\",\"gap\":{\"lost\":3}}");
  finish();
}

/* ---- several topics -------------------------------------------------------------------------- */

static void test_several_topics_are_frames(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  open_web(NULL, &to);
  publish_many("old", 4);
  web_get(&a, "", "/t/?sub=new&sub=old@%s&sub=a//b&wait=60", web_pos(&web, 1));
  web_check(&a, 200,
            "{\"frames\":[{\"op\":\"ok\",\"topic\":\"new\",\"pos\":\"E.0\"},"
            "{\"op\":\"ok\",\"topic\":\"old\",\"pos\":\"E.2\"},"
            "{\"op\":\"gap\",\"topic\":\"old\",\"lost\":1,\"pos\":\"E.2\"},"
            "{\"topic\":\"old\",\"pos\":\"E.3\",\"data\":\"3\"},"
            "{\"topic\":\"old\",\"pos\":\"E.4\",\"data\":\"4\"},"
            "{\"op\":\"error\",\"topic\":\"a//b\",\"code\":\"bad-name\",\"text\":\"no name of a "
            "topic, or no pattern\"}]}");
  web_get(&a, "", "/t/?sub=new@%s&sub=old@%s&wait=60", web_pos(&web, 0), web_pos(&web, 4));
  UNTIL(&web.w, subscribers("old") == 1 && subscribers("new") == 1);
  publish_many("new", 1);
  publish_many("old", 1);
  assert_int_equal(web_answer(&a), 200);
  static const char oks[] = "{\"frames\":[{\"op\":\"ok\",\"topic\":\"new\",\"pos\":\"E.0\"},"
                            "{\"op\":\"ok\",\"topic\":\"old\",\"pos\":\"E.4\"},";
  assert_memory_equal(a.body, oks, sizeof oks - 1);
  assert_non_null(strstr(a.body, "{\"topic\":\"new\",\"pos\":\"E.1\",\"data\":\"1\"}"));
  finish();
}

static void test_no_topics_are_no_frames(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, "", "/t/?wait=60");
  web_check(&a, 200, "{\"frames\":[]}");
  finish();
}

static void test_a_busy_topic_leaves_room_for_others(void **state) {
  (void)state;
  open_web(NULL, NULL);
  publish_many("busy", 1000);
  publish_many("calm", 3);
  web_get(&a, "", "/t/?sub=busy@0&sub=calm@0&wait=0");
  assert_int_equal(web_answer(&a), 200);
  assert_non_null(
      strstr(a.body, "{\"topic\":\"busy\",\"pos\":\"E.500\",\"data\":\"500\"},{\"op\""));
  assert_null(strstr(a.body, "E.501"));
  assert_non_null(strstr(a.body, "{\"topic\":\"calm\",\"pos\":\"E.3\",\"data\":\"3\"}]}"));
  finish();
}

static void test_more_than_100_topics_are_refused(void **state) {
  (void)state;
  static char subs[8000];
  open_web(NULL, NULL);
  for (unsigned i = 0, n = 0; i < 1000; i++)
    n += (unsigned)snprintf(subs + n, sizeof subs - n, "sub=%x&", i);
  web_get(&a, "", "/t/?%swait=0", subs);
  web_check(&a, 429,
            "{\"error\":{\"code\":\"too-many\",\"text\":\"too many subscriptions or requests\"}}");
  finish();
}

/* ---- several polls, and their ends ----------------------------------------------------------- */

static void test_two_polls_at_once_are_each_for_itself(void **state) {
  (void)state;
  open_web(NULL, NULL);
  publish_many("room", 1);
  web_connect(&b, &web);
  wait_for(&a, "room", 1);
  wait_for(&b, "room", 1);
  publish_many("room", 1);
  web_check(&a, 200, "{\"messages\":[{\"pos\":\"E.2\",\"data\":\"1\"}],\"next\":\"E.2\"}");
  web_check(&b, 200, "{\"messages\":[{\"pos\":\"E.2\",\"data\":\"1\"}],\"next\":\"E.2\"}");
  web_part(&b);
  finish();
}

static void test_polls_and_posts_pipelined(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_connect(&b, &web);
  char pos[64];
  snprintf(pos, sizeof pos, "%s", web_pos(&web, 0));
  web_send(&a,
           "GET /t/room?since=%s&wait=60 HTTP/1.1\r\nHost: h\r\n\r\n"
           "POST /t/room HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo"
           "GET /t/room?since=0 HTTP/1.1\r\nHost: h\r\n\r\n",
           pos);
  UNTIL(&web.w, subscribers("room") == 1);
  web_post(&b, "/t/room", "", "one", 3);
  web_check(&b, 200, "{\"pos\":\"E.1\"}");
  web_check(&a, 200, "{\"messages\":[{\"pos\":\"E.1\",\"data\":\"one\"}],\"next\":\"E.1\"}");
  web_check(&a, 200, "{\"pos\":\"E.2\"}");
  web_check(&a, 200,
            "{\"messages\":[{\"pos\":\"E.1\",\"data\":\"one\"},{\"pos\":\"E.2\",\"data\":\"two\"}],"
            "\"next\":\"E.2\"}");
  web_part(&b);
  finish();
}

static void test_a_peer_that_left_is_forgotten(void **state) {
  (void)state;
  open_web(NULL, NULL);
  wait_for(&a, "room", 0);
  web_part(&a);
  UNTIL(&web.w, subscribers("room") == 0);
  web_connect(&a, &web);
  finish();
}

static void test_a_server_that_stops_answers(void **state) {
  (void)state;
  open_web(NULL, NULL);
  wait_for(&a, "room", 0);
  coho_server_stop(web.w.server);
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  UNTIL(&web.w, coho_server_stopped(web.w.server));
  finish();
}

static void test_head_does_not_wait(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_send(&a, "HEAD /t/room?since=%s&wait=60 HTTP/1.1\r\nHost: h\r\n\r\n", web_pos(&web, 0));
  assert_int_equal(web_begin(&a), 200);
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  assert_int_equal(subscribers("room"), 0);
  finish();
}

/* ---- from one transport to the next ---------------------------------------------------------- */

static void test_positions_mean_the_same_everywhere(void **state) {
  (void)state;
  static struct raw ws;
  struct raw_frame f;
  char text[128];
  open_web(NULL, NULL);
  publish_many("room", 3);
  web_get(&a, "", "/t/room?since=%s", web_pos(&web, 2));
  web_check(&a, 200, "{\"messages\":[{\"pos\":\"E.3\",\"data\":\"3\"}],\"next\":\"E.3\"}");
  web_post(&a, "/t/room", "", "four", 4);
  web_check(&a, 200, "{\"pos\":\"E.4\"}");
  snprintf(text, sizeof text, "/t/room?since=%s", web_pos(&web, 3));
  raw_connect(&ws, &web.w);
  assert_int_equal(raw_upgrade(&ws, text, ""), 101);
  assert_true(raw_next(&ws, &f));
  assert_memory_equal(f.data, "four", 4);
  raw_frame(&ws, 1, true, "five", 4);
  assert_true(raw_next(&ws, &f));
  assert_memory_equal(f.data, "five", 4);
  raw_close(&ws);
  snprintf(text, sizeof text, "Accept: text/event-stream\r\nLast-Event-ID: %s\r\n",
           web_pos(&web, 4));
  web_get(&a, text, "/t/room");
  assert_int_equal(web_begin(&a), 200);
  assert_non_null(web_event(&a));
  assert_string_equal(web_event(&a), "id: E.5\ndata: five");
  finish();
}

/* ---- presence -------------------------------------------------------------------------------- */

static size_t members(const char *topic) {
  return coho_presence_list(web.hub, topic, NULL, NULL, NULL);
}

static void test_a_poller_stays_present_between_polls(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, "", "/t/room?as=ann&wait=0");
  assert_int_equal(web_answer(&a), 200);
  assert_int_equal(members("room"), 1);
  web_get(&a, "", "/t/room?as=ann&since=%s&wait=60", web_pos(&web, 0));
  UNTIL(&web.w, subscribers("room") == 1);
  publish_many("room", 1);
  assert_int_equal(web_answer(&a), 200);
  assert_int_equal(members("room"), 1);
  web_get(&a, "", "/t/room/presence?since=0");
  web_check(&a, 200,
            "{\"messages\":[{\"pos\":\"E.1\",\"data\":\"{\\\"event\\\":\\\"join\\\",\\\"id\\\":"
            "\\\"ann\\\"}\"}],\"next\":\"E.1\"}");
  web_get(&a, "", "/t/room?as=%%ff&wait=0");
  web_check(&a, 400, NULL);
  web_get(&a, "", "/t/?sub=room&as=%%ff&wait=0");
  web_check(
      &a, 200,
      "{\"frames\":[{\"op\":\"error\",\"topic\":\"room\",\"code\":\"bad-request\",\"text\":\"a "
      "field is missing or wrong\"}]}");
  finish();
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void check_refused(const char *target, int status, const char *code) {
  web_get(&a, "", "%s", target);
  assert_int_equal(web_answer(&a), status);
  assert_memory_equal(a.body, "{\"error\":{\"code\":\"", 18);
  assert_memory_equal(a.body + 18, code, strlen(code));
}

static void test_what_is_wrong_with_a_poll(void **state) {
  (void)state;
  open_web(NULL, NULL);
  check_refused("/t/room?wait=61", 400, "bad-request");
  check_refused("/t/room?wait=-1", 400, "bad-request");
  check_refused("/t/room?wait=1.5", 400, "bad-request");
  check_refused("/t/room?wait=", 400, "bad-request");
  check_refused("/t/room?wait=99999999999999999999", 400, "bad-request");
  check_refused("/t/?wait=61", 400, "bad-request");
  check_refused("/t/room?since=5&wait=0", 400, "bad-since");
  check_refused("/t/a//b?wait=0", 404, "bad-name");
  assert_int_equal(subscribers("room"), 0);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_came_after_since_comes_at_once),
      cmocka_unit_test(test_without_since_the_answer_is_where_to_begin),
      cmocka_unit_test(test_a_poll_waits_for_what_comes_in_one_turn),
      cmocka_unit_test(test_wait_0_never_waits),
      cmocka_unit_test(test_what_was_published_is_there_at_once),
      cmocka_unit_test(test_an_empty_answer_after_wait),
      cmocka_unit_test(test_a_hole_is_a_gap),
      cmocka_unit_test(test_a_thousand_messages_and_the_rest_with_the_next),
      cmocka_unit_test(test_about_a_megabyte_and_the_rest_with_the_next),
      cmocka_unit_test(test_conflated_topics_give_the_latest_of_each_key),
      cmocka_unit_test(test_without_history_a_poll_gets_what_comes_and_a_gap_for_the_pause),
      cmocka_unit_test(test_several_topics_are_frames),
      cmocka_unit_test(test_no_topics_are_no_frames),
      cmocka_unit_test(test_a_busy_topic_leaves_room_for_others),
      cmocka_unit_test(test_more_than_100_topics_are_refused),
      cmocka_unit_test(test_two_polls_at_once_are_each_for_itself),
      cmocka_unit_test(test_polls_and_posts_pipelined),
      cmocka_unit_test(test_a_peer_that_left_is_forgotten),
      cmocka_unit_test(test_a_server_that_stops_answers),
      cmocka_unit_test(test_head_does_not_wait),
      cmocka_unit_test(test_positions_mean_the_same_everywhere),
      cmocka_unit_test(test_a_poller_stays_present_between_polls),
      cmocka_unit_test(test_what_is_wrong_with_a_poll),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
