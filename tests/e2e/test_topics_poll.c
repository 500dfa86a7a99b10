/* Topics by long poll, as docs/topics.md has them. */
#include "support/text.h"
#include "support/web.h"

#include <stdio.h>
#include <string.h>

static struct web web;
static struct web_client a, b;

static void wait_for(struct web_client *c, const char *topic, unsigned offset) {
  size_t before = web_subscribers(&web, topic);
  web_get(c, "", "/t/%s?since=E.%u&wait=60", topic, offset);
  UNTIL(&web.w, web_subscribers(&web, topic) == before + 1);
}

/* ---- one topic ------------------------------------------------------------------------------- */

static void test_what_came_after_since_comes_at_once(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "room", 1, 3);
  assert_int_equal(coho_publish(web.hub, "room", coho_binary("\xff", 1)), 0);
  web_ask(&a, "/t/room?since=E.2", 200,
          "{'messages':[{'pos':'E.3','data':'3'},{'pos':'E.4','data64':'/w=='}],"
          "'next':'E.4'}");
  web_check_json(&a);
  web_ask(&a, "/t/room?since=0&wait=0", 200, NULL);
  web_has(&a, "{'pos':'E.1','data':'1'}");
  assert_null(strstr(a.body, "gap"));
}

static void test_without_since_the_answer_is_where_to_begin(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_ask(&a, "/t/room?wait=60", 200, "{'messages':[],'next':'E.0'}");
  publish_numbers(web.hub, "room", 1, 2);
  web_ask(&a, "/t/room?wait=60", 200, "{'messages':[],'next':'E.2'}");
}

static void test_a_poll_waits_for_what_comes_in_one_turn(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "room", 1, 1);
  wait_for(&a, "room", 1);
  publish_numbers(web.hub, "room", 1, 2);
  web_check(&a, 200,
            "{'messages':[{'pos':'E.2','data':'1'},{'pos':'E.3','data':'2'}],"
            "'next':'E.3'}");
  UNTIL(&web.w, web_subscribers(&web, "room") == 0);
}

static void test_wait_0_never_waits(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "room", 1, 2);
  web_ask(&a, "/t/room?since=E.2&wait=0", 200, "{'messages':[],'next':'E.2'}");
}

/* Also while another subscriber has not got it yet. */
static void test_what_was_published_is_there_at_once(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  wait_for(&b, "room", 0);
  web_send(&a, "POST /t/room HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
               "GET /t/room?since=E.0&wait=0 HTTP/1.1\r\nHost: h\r\n\r\n");
  web_check(&a, 200, "{'pos':'E.1'}");
  web_check(&a, 200, "{'messages':[{'pos':'E.1','data':'hi'}],'next':'E.1'}");
  web_check(&b, 200, "{'messages':[{'pos':'E.1','data':'hi'}],'next':'E.1'}");
}

static void test_an_empty_answer_after_wait(void **state) {
  (void)state;
  coho_topics_options mo = {.poll_ms = 20};
  web_open(&web, &mo, NULL);
  web_ask(&a, "/t/room?since=E.0&wait=60", 200, "{'messages':[],'next':'E.0'}");
  web_ask(&a, "/t/room?since=E.0", 200, "{'messages':[],'next':'E.0'}");
}

static void test_a_hole_is_a_gap(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 1};
  web_open(&web, NULL, &to);
  publish_numbers(web.hub, "room", 1, 5);
  web_ask(&a, "/t/room?since=E.2", 200,
          "{'messages':[{'pos':'E.5','data':'5'}],'next':'E.5','gap':{'lost':2}}");
  static const char all[] =
      "{'messages':[{'pos':'E.5','data':'5'}],'next':'E.5','gap':{'lost':null}}";
  web_ask(&a, "/t/room?since=E.77", 200, all);
  web_ask(&a, "/t/room?since=zzz.5", 200, all);
  web_ask(&a, "/t/none?since=zzz.5", 200, "{'messages':[],'next':'E.0','gap':{'lost':null}}");
}

static void test_a_thousand_messages_and_the_rest_with_the_next(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 5000};
  web_open(&web, NULL, &to);
  publish_numbers(web.hub, "room", 1, 2500);
  unsigned next = 0;
  for (int i = 0; i < 3; i++) {
    web_ask(&a, text_of("/t/room?since=E.%u&wait=60", next), 200, NULL);
    web_begins(&a, text_of("{'messages':[{'pos':'E.%u','data':'%u'}", next + 1, next + 1));
    next = i < 2 ? next + 1000 : 2500;
    web_ends(&a, text_of("{'pos':'E.%u','data':'%u'}],'next':'E.%u'}", next, next, next));
  }
}

static void test_about_a_megabyte_and_the_rest_with_the_next(void **state) {
  (void)state;
  static char text[65536];
  coho_topic_options to = {.history_bytes = 10 << 20};
  web_open(&web, NULL, &to);
  memset(text, 'x', sizeof text - 1);
  for (int i = 0; i < 40; i++)
    web_publish(&web, "room", text);
  web_ask(&a, "/t/room?since=E.0", 200, NULL);
  assert_in_range(a.len, 1 << 20, (1 << 20) + 66000);
  web_has(&a, "'}],'next':'E.16'}");
  web_ask(&a, "/t/room?since=E.16", 200, NULL);
  web_begins(&a, "{'messages':[{'pos':'E.17'");
}

static void test_conflated_topics_give_the_latest_of_each_key(void **state) {
  (void)state;
  coho_topic_options to = {.slow = COHO_SLOW_CONFLATE, .interval_ms = 20};
  web_open(&web, NULL, &to);
  coho_publish_options x = {.key = "x"}, y = {.key = "y"};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(coho_publish_with(web.hub, "room", coho_text("x"), &x, NULL), 0);
    assert_int_equal(coho_publish_with(web.hub, "room", coho_text("y"), &y, NULL), 0);
  }
  web_ask(&a, "/t/room?since=E.1", 200,
          "{'messages':[{'pos':'E.5','data':'x'},{'pos':'E.6','data':'y'}],"
          "'next':'E.6'}");
  wait_for(&a, "room", 6);
  assert_int_equal(coho_publish_with(web.hub, "room", coho_text("1"), &x, NULL), 0);
  assert_int_equal(coho_publish_with(web.hub, "room", coho_text("2"), &x, NULL), 0);
  web_check(&a, 200, "{'messages':[{'pos':'E.8','data':'2'}],'next':'E.8'}");
}

static void test_without_history_a_poll_gets_what_comes_and_a_gap_for_the_pause(void **state) {
  (void)state;
  coho_topic_options to = {.flags = COHO_NO_HISTORY};
  web_open(&web, NULL, &to);
  wait_for(&a, "room", 0);
  publish_numbers(web.hub, "room", 1, 2);
  web_check(&a, 200,
            "{'messages':[{'pos':'E.1','data':'1'},{'pos':'E.2','data':'2'}],"
            "'next':'E.2'}");
  publish_numbers(web.hub, "room", 1, 3);
  web_ask(&a, "/t/room?since=E.2", 200, "{'messages':[],'next':'E.5','gap':{'lost':3}}");
}

/* ---- several topics -------------------------------------------------------------------------- */

static void test_several_topics_are_frames(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  web_open(&web, NULL, &to);
  publish_numbers(web.hub, "old", 1, 4);
  web_ask(&a, "/t/?sub=new&sub=old@E.1&sub=a//b&wait=60", 200,
          "{'frames':[{'op':'ok','topic':'new','pos':'E.0'},"
          "{'op':'ok','topic':'old','pos':'E.2'},"
          "{'op':'gap','topic':'old','lost':1,'pos':'E.2'},"
          "{'topic':'old','pos':'E.3','data':'3'},"
          "{'topic':'old','pos':'E.4','data':'4'},"
          "{'op':'error','topic':'a//b','code':'bad-name','text':'no name of a topic, or no "
          "pattern'}]}");
  web_get(&a, "", "/t/?sub=new@E.0&sub=old@E.4&wait=60");
  UNTIL(&web.w, web_subscribers(&web, "old") == 1 && web_subscribers(&web, "new") == 1);
  publish_numbers(web.hub, "new", 1, 1);
  publish_numbers(web.hub, "old", 1, 1);
  web_check(&a, 200, NULL);
  web_begins(&a, "{'frames':[{'op':'ok','topic':'new','pos':'E.0'},"
                 "{'op':'ok','topic':'old','pos':'E.4'},");
  web_has(&a, "{'topic':'new','pos':'E.1','data':'1'}");
}

static void test_no_topics_are_no_frames(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_ask(&a, "/t/?wait=60", 200, "{'frames':[]}");
}

static void test_a_busy_topic_leaves_room_for_others(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "busy", 1, 1000);
  publish_numbers(web.hub, "calm", 1, 3);
  web_ask(&a, "/t/?sub=busy@0&sub=calm@0&wait=0", 200, NULL);
  web_has(&a, "{'topic':'busy','pos':'E.500','data':'500'},{'op'");
  assert_null(strstr(a.body, "E.501"));
  web_has(&a, "{'topic':'calm','pos':'E.3','data':'3'}]}");
}

static void test_more_than_100_topics_are_refused(void **state) {
  (void)state;
  static char subs[8000];
  web_open(&web, NULL, NULL);
  for (unsigned i = 0, n = 0; i < 1000; i++)
    n += (unsigned)snprintf(subs + n, sizeof subs - n, "sub=%x&", i);
  web_ask(&a, text_of("/t/?%swait=0", subs), 429,
          WEB_ERROR("too-many", "too many subscriptions or requests"));
}

/* ---- several polls, and their ends ----------------------------------------------------------- */

static void test_two_polls_at_once_are_each_for_itself(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "room", 1, 1);
  wait_for(&a, "room", 1);
  wait_for(&b, "room", 1);
  publish_numbers(web.hub, "room", 1, 1);
  web_check(&a, 200, "{'messages':[{'pos':'E.2','data':'1'}],'next':'E.2'}");
  web_check(&b, 200, "{'messages':[{'pos':'E.2','data':'1'}],'next':'E.2'}");
}

static void test_polls_and_posts_pipelined(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_send(&a, "GET /t/room?since=E.0&wait=60 HTTP/1.1\r\nHost: h\r\n\r\n"
               "POST /t/room HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo"
               "GET /t/room?since=0 HTTP/1.1\r\nHost: h\r\n\r\n");
  UNTIL(&web.w, web_subscribers(&web, "room") == 1);
  web_post(&b, "/t/room", "", "one", 3);
  web_check(&b, 200, "{'pos':'E.1'}");
  web_check(&a, 200, "{'messages':[{'pos':'E.1','data':'one'}],'next':'E.1'}");
  web_check(&a, 200, "{'pos':'E.2'}");
  web_check(&a, 200,
            "{'messages':[{'pos':'E.1','data':'one'},{'pos':'E.2','data':'two'}],"
            "'next':'E.2'}");
}

static void test_a_peer_that_left_is_forgotten(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  wait_for(&a, "room", 0);
  web_part(&a);
  UNTIL(&web.w, web_subscribers(&web, "room") == 0);
}

static void test_a_server_that_stops_answers(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  wait_for(&a, "room", 0);
  coho_server_stop(web.w.server);
  web_check(&a, 200, "{'messages':[],'next':'E.0'}");
  web_until_stopped(&web);
}

static void test_head_does_not_wait(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_send(&a, "HEAD /t/room?since=E.0&wait=60 HTTP/1.1\r\nHost: h\r\n\r\n");
  assert_int_equal(web_begin(&a), 200);
  web_check_field(&a, "Content-Type", "application/json");
  assert_int_equal(web_subscribers(&web, "room"), 0);
}

/* ---- from one transport to the next ---------------------------------------------------------- */

static void test_positions_mean_the_same_everywhere(void **state) {
  (void)state;
  static struct raw ws;
  struct raw_frame f;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "room", 1, 3);
  web_ask(&a, "/t/room?since=E.2", 200, "{'messages':[{'pos':'E.3','data':'3'}],'next':'E.3'}");
  web_post(&a, "/t/room", "", "four", 4);
  web_check(&a, 200, "{'pos':'E.4'}");
  raw_connect(&ws, &web.w);
  assert_int_equal(raw_upgrade(&ws, text_of("/t/room?since=%s", web_pos(&web, 3)), ""), 101);
  assert_true(raw_next(&ws, &f));
  assert_memory_equal(f.data, "four", 4);
  raw_frame(&ws, 1, true, "five", 4);
  assert_true(raw_next(&ws, &f));
  assert_memory_equal(f.data, "five", 4);
  raw_close(&ws);
  web_stream_from(&a, "E.4", "/t/room", "E.4");
  web_expect(&a, "id: E.5\ndata: five");
}

/* ---- presence -------------------------------------------------------------------------------- */

static void test_a_poller_stays_present_between_polls(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_ask(&a, "/t/room?as=ann&wait=0", 200, NULL);
  assert_int_equal(web_members(&web, "room"), 1);
  web_get(&a, "", "/t/room?as=ann&since=E.0&wait=60");
  UNTIL(&web.w, web_subscribers(&web, "room") == 1);
  publish_numbers(web.hub, "room", 1, 1);
  web_check(&a, 200, NULL);
  assert_int_equal(web_members(&web, "room"), 1);
  web_ask(&a, "/t/room/presence?since=0", 200,
          "{'messages':[{'pos':'E.1','data':'{\\'event\\':\\'join\\',\\'id\\':\\'ann\\'}'}],'next':"
          "'E.1'}");
  web_ask(&a, "/t/room?as=%ff&wait=0", 400, NULL);
  web_ask(&a, "/t/?sub=room&as=%ff&wait=0", 200,
          "{'frames':[{'op':'error','topic':'room','code':'bad-request','text':'a field is missing "
          "or wrong'}]}");
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void test_what_is_wrong_with_a_poll(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_refused(&a, "", "/t/room?wait=61", 400, "bad-request");
  web_refused(&a, "", "/t/room?wait=-1", 400, "bad-request");
  web_refused(&a, "", "/t/room?wait=1.5", 400, "bad-request");
  web_refused(&a, "", "/t/room?wait=", 400, "bad-request");
  web_refused(&a, "", "/t/room?wait=99999999999999999999", 400, "bad-request");
  web_refused(&a, "", "/t/?wait=61", 400, "bad-request");
  web_refused(&a, "", "/t/room?since=5&wait=0", 400, "bad-since");
  web_refused(&a, "", "/t/a//b?wait=0", 404, "bad-name");
  assert_int_equal(web_subscribers(&web, "room"), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, web_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_what_came_after_since_comes_at_once),
      TEST(test_without_since_the_answer_is_where_to_begin),
      TEST(test_a_poll_waits_for_what_comes_in_one_turn),
      TEST(test_wait_0_never_waits),
      TEST(test_what_was_published_is_there_at_once),
      TEST(test_an_empty_answer_after_wait),
      TEST(test_a_hole_is_a_gap),
      TEST(test_a_thousand_messages_and_the_rest_with_the_next),
      TEST(test_about_a_megabyte_and_the_rest_with_the_next),
      TEST(test_conflated_topics_give_the_latest_of_each_key),
      TEST(test_without_history_a_poll_gets_what_comes_and_a_gap_for_the_pause),
      TEST(test_several_topics_are_frames),
      TEST(test_no_topics_are_no_frames),
      TEST(test_a_busy_topic_leaves_room_for_others),
      TEST(test_more_than_100_topics_are_refused),
      TEST(test_two_polls_at_once_are_each_for_itself),
      TEST(test_polls_and_posts_pipelined),
      TEST(test_a_peer_that_left_is_forgotten),
      TEST(test_a_server_that_stops_answers),
      TEST(test_head_does_not_wait),
      TEST(test_positions_mean_the_same_everywhere),
      TEST(test_a_poller_stays_present_between_polls),
      TEST(test_what_is_wrong_with_a_poll),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
