/* Topics by Server-Sent Events, as docs/topics.md has them. */
#include "support/clock.h"
#include "support/text.h"
#include "support/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct web web;
static struct web_client a, b;

/* ---- one topic ------------------------------------------------------------------------------- */

static void test_a_stream_says_where_it_starts_then_messages(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_publish(&web, "room/tea", "before");
  web_stream(&a, "/t/room/tea", "E.1");
  web_check_field(&a, "Content-Type", "text/event-stream");
  web_check_field(&a, "Cache-Control", "no-store");
  assert_non_null(strstr(a.head, "\r\nCache-Control: no-transform\r\n"));
  web_check_field(&a, "X-Accel-Buffering", "no");
  web_check_field(&a, "X-Content-Type-Options", "nosniff");
  web_publish(&web, "room/tea", "hello");
  web_publish(&web, "room/tea", "");
  web_publish(&web, "room/tea", "a\nb\r\nc\rd\n");
  web_expect(&a, "id: E.2\ndata: hello");
  web_expect(&a, "id: E.3\ndata: ");
  web_expect(&a, "id: E.4\ndata: a\ndata: b\ndata: c\ndata: d\ndata: ");
  assert_int_equal(coho_publish(web.hub, "room/tea", coho_binary("\0\xff", 2)), 0);
  assert_int_equal(coho_publish(web.hub, "room/tea", coho_binary("", 0)), 0);
  web_expect(&a, "event: data64\nid: E.5\ndata: AP8=");
  web_expect(&a, "event: data64\nid: E.6\ndata: ");
}

/* curl -N URL */
static void test_a_get_without_accept_is_a_stream(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_get(&a, "Accept: */*\r\n", "/t/room");
  assert_int_equal(web_begin(&a), 200);
  web_check_field(&a, "Content-Type", "text/event-stream");
  web_expect_start(&a, "E.0");
}

static void test_last_event_id_resumes_exactly(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  publish_numbers(web.hub, "room", 1, 9);
  web_stream_from(&a, "E.7", "/t/room?since=E.2", "E.7");
  web_expect(&a, "id: E.8\ndata: 8");
  web_expect(&a, "id: E.9\ndata: 9");
  publish_number(web.hub, "room", 10);
  web_expect(&a, "id: E.10\ndata: 10");
  web_stream(&b, "/t/room?since=E.9", "E.9");
  web_expect(&b, "id: E.10\ndata: 10");
}

static void test_since_0_is_all_that_is_held_without_gap(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  web_open(&web, NULL, &to);
  publish_numbers(web.hub, "room", 1, 5);
  web_stream(&a, "/t/room?since=0", "E.3");
  web_expect(&a, "id: E.4\ndata: 4");
  web_expect(&a, "id: E.5\ndata: 5");
}

static void check_gap(const char *since, const char *lost) {
  web_stream(&b, text_of("/t/room?since=%s", since), NULL);
  web_expect(&b, text_of("event: gap\nid: E.3\ndata: {'lost':%s}", lost));
  web_expect(&b, "id: E.4\ndata: 4");
  web_expect(&b, "id: E.5\ndata: 5");
  web_part(&b);
}

static void test_a_hole_is_a_gap_before_what_is_held(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  web_open(&web, NULL, &to);
  publish_numbers(web.hub, "room", 1, 5);
  check_gap("E.1", "2");
  check_gap("E.99", "null");
  check_gap("zzz.2", "null");
}

static void test_many_streams_share_what_is_live(void **state) {
  (void)state;
  enum { STREAMS = 30 };
  static struct web_client c[STREAMS];
  web_open(&web, NULL, NULL);
  for (int i = 0; i < STREAMS; i++) {
    web_stream(&c[i], i % 3 ? "/t/room" : "/t/?sub=room", i % 3 ? "E.0" : NULL);
    if (i % 3 == 0) web_expect(&c[i], "data: {'op':'ok','topic':'room','pos':'E.0'}");
  }
  web_publish(&web, "room", "hi");
  for (int i = 0; i < STREAMS; i++) {
    web_expect(&c[i],
               i % 3 ? "id: E.1\ndata: hi" : "data: {'topic':'room','pos':'E.1','data':'hi'}");
    web_part(&c[i]);
  }
  UNTIL(&web.w, web_subscribers(&web, "room") == 0);
}

static void test_http_1_0_has_plain_bytes(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_send(&a, "GET /t/room HTTP/1.0\r\n" WEB_SSE "\r\n");
  assert_int_equal(web_begin(&a), 200);
  assert_true(a.bare);
  web_expect_start(&a, "E.0");
  web_publish(&web, "room", "hi");
  web_expect(&a, "id: E.1\ndata: hi");
}

static void test_head_of_a_stream_has_no_body_and_follows_nothing(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_send(&a, "HEAD /t/room?as=ann HTTP/1.1\r\nHost: h\r\n" WEB_SSE "\r\n");
  assert_int_equal(web_begin(&a), 200);
  web_check_field(&a, "Content-Type", "text/event-stream");
  assert_int_equal(web_subscribers(&web, "room"), 0);
  assert_int_equal(web_members(&web, "room"), 0);
  web_ask(&a, "/t/room/history", 200, "{'messages':[],'next':'E.0'}");
}

/* ---- several topics -------------------------------------------------------------------------- */

static void test_several_topics_are_frames(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  web_open(&web, NULL, &to);
  publish_numbers(web.hub, "old", 1, 5);
  web_stream(
      &a,
      text_of("/t/?sub=room%%2Ftea&sub=old%%40%s&sub=old@E.4&sub=b%%c3%%a4d&sub=%%ff&sub=e@1",
              web_pos(&web, 1)),
      NULL);
  web_expect(&a, "data: {'op':'ok','topic':'room/tea','pos':'E.0'}");
  web_expect(&a, "data: {'op':'ok','topic':'old','pos':'E.3'}");
  web_expect(&a, "data: {'op':'gap','topic':'old','lost':2,'pos':'E.3'}");
  web_expect(&a, "data: {'op':'error','topic':'old','code':'exists','text':'subscribed already'}");
  web_expect(&a, "data: {'op':'error','topic':'b\xc3\xa4"
                 "d','code':'bad-name','text':'no name of a "
                 "topic, or no pattern'}");
  web_expect(&a,
             "data: {'op':'error','code':'bad-name','text':'no name of a topic, or no pattern'}");
  web_expect(&a,
             "data: {'op':'error','topic':'e','code':'bad-since','text':'since is no position'}");
  web_expect(&a, "data: {'topic':'old','pos':'E.4','data':'4'}");
  web_expect(&a, "data: {'topic':'old','pos':'E.5','data':'5'}");
  web_publish(&web, "room/tea", "a\nb");
  web_expect(&a, "data: {'topic':'room/tea','pos':'E.1','data':'a\\nb'}");
  assert_int_equal(coho_publish(web.hub, "old", coho_binary("\xff", 1)), 0);
  web_expect(&a, "data: {'topic':'old','pos':'E.6','data64':'/w=='}");
}

static void check_many(const char *one, unsigned count, int status) {
  static char target[1 << 14];
  size_t n = (size_t)snprintf(target, sizeof target, "/t/?");
  for (unsigned i = 0; i < count; i++)
    n += (size_t)snprintf(target + n, sizeof target - n, "sub=%s%u&", one, i);
  web_get(&b, WEB_SSE, "%s", target);
  assert_int_equal(web_begin(&b), status);
  web_part(&b);
}

static void test_up_to_100_topics_at_once(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  check_many("a", 100, 200);
  check_many("a", 101, 429);
  check_many("a", 1000, 429);
  check_many("?", 1000, 429);
  UNTIL(&web.w, web_subscribers(&web, "a99") == 0);
  web_get(&a, WEB_SSE, "/t/");
  web_check(&a, 400, WEB_ERROR("bad-request", "a field is missing or wrong"));
}

/* ---- presence -------------------------------------------------------------------------------- */

/* b goes, and its grace time passes. */
static void part_for_good(void) {
  web_part(&b);
  for (int ms = 0; web_members(&web, "room"); ms += 100) {
    assert_in_range(ms, 0, 5000);
    clock_move(100);
    world_turn(&web.w);
  }
}

static void test_who_follows_with_a_name_is_present(void **state) {
  (void)state;
  coho_topic_options to = {.grace_ms = 1};
  web_open(&web, NULL, &to);
  clock_stop();
  web_stream(&a, "/t/room/presence", "E.0");
  web_stream(&b, "/t/room?as=ann&info=%7B%22color%22:%22red%22%7D", "E.0");
  web_expect(&a, "id: E.1\ndata: {'event':'join','id':'ann','info':{'color':'red'}}");
  part_for_good();
  web_expect(&a, "id: E.2\ndata: {'event':'leave','id':'ann'}");
  web_stream(&b, "/t/?as=bob&sub=room&sub=tea", NULL);
  web_expect(&a, "id: E.3\ndata: {'event':'join','id':'bob'}");
  assert_int_equal(web_members(&web, "tea"), 1);
  part_for_good();
  web_expect(&a, "id: E.4\ndata: {'event':'leave','id':'bob'}");
}

static void test_presence_with_a_wrong_name_is_refused(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_refused(&a, WEB_SSE, "/t/room?as=ann&info=%7B", 400, "bad-request");
  web_refused(&a, WEB_SSE, "/t/room?as=", 400, "bad-request");
  assert_int_equal(web_subscribers(&web, "room"), 0);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void test_silence_is_broken_by_comments(void **state) {
  (void)state;
  coho_topics_options mo = {.heartbeat_ms = 20};
  web_open(&web, &mo, NULL);
  web_stream(&a, "/t/room", "E.0");
  web_expect(&a, ":");
  web_expect(&a, ":");
  web_publish(&web, "room", "hi");
  const char *block;
  while (strcmp(block = web_event(&a), ":") == 0) {}
  assert_string_equal(block, "id: E.1\ndata: hi");
  web_expect(&a, ":");
}

static void test_a_server_that_stops_ends_streams(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_stream(&a, "/t/room", "E.0");
  coho_server_stop(web.w.server);
  assert_null(web_event(&a));
  web_until_stopped(&web);
}

static void test_a_peer_that_left_is_forgotten(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_stream(&a, "/t/room", "E.0");
  assert_int_equal(web_subscribers(&web, "room"), 1);
  web_part(&a);
  UNTIL(&web.w, web_subscribers(&web, "room") == 0);
}

/* ---- who does not read ----------------------------------------------------------------------- */

/* The number behind these words in a block; 0: it does not begin with them. */
static unsigned long number_after(const char *block, const char *words) {
  size_t len = strlen(words);
  return strncmp(block, text_json(words), len) == 0 ? strtoul(block + len, NULL, 10) : 0;
}

/* Takes all events from `first` on up to `last`; returns how many are missing, all of which a gap has
   told. */
static unsigned long take_to(struct web_client *c, unsigned long next, unsigned long last) {
  unsigned long missing = 0;
  while (next <= last) {
    const char *block = web_event(c);
    assert_non_null(block);
    if (block[0] == ':') continue;
    unsigned long at = number_after(block, "event: gap\nid: E.");
    if (at) {
      const char *data = strstr(block, "\ndata: ");
      assert_non_null(data);
      unsigned long lost = number_after(data, "\ndata: {'lost':");
      assert_int_equal(next + lost - 1, at);
      missing += lost;
    } else {
      at = number_after(block, "id: E.");
      assert_int_equal(at, next);
    }
    next = at + 1;
  }
  return missing;
}

static void publish_much(unsigned count) {
  static char text[10001];
  memset(text, 'x', sizeof text - 1);
  for (unsigned i = 0; i < count; i++) {
    web_publish(&web, "room", text);
    coho_loop_turn(web.w.loop, 0);
  }
}

/* b takes little, and the topics hold 50 messages. */
static void open_with_slow_b(uint32_t policy) {
  coho_topics_options mo = {.max_queue = 100000};
  coho_topic_options to = {.history_count = 50, .slow = policy};
  web_open(&web, &mo, &to);
  web_connect_narrow(&b, &web);
}

static void test_who_does_not_read_costs_little_and_gets_a_gap(void **state) {
  (void)state;
  open_with_slow_b(COHO_SLOW_DROP_OLDEST);
  web_stream(&b, "/t/room", "E.0");
  publish_much(1000);
  coho_hub_stats s;
  coho_hub_get_stats(web.hub, &s);
  assert_true(s.bytes < 52 * 11000);
  unsigned long missing = take_to(&b, 1, 1000);
  assert_in_range(missing, 1, 949);
  web_publish(&web, "room", "again");
  web_expect(&b, "id: E.1001\ndata: again");
}

#define GAP "data: {'op':'gap','topic':'room','lost':"

static void test_of_several_topics_the_gap_is_where_the_hole_is(void **state) {
  (void)state;
  unsigned long next = 1, missing = 0;
  open_with_slow_b(COHO_SLOW_DROP_OLDEST);
  web_stream(&b, "/t/?sub=room&sub=tea", NULL);
  web_expect(&b, "data: {'op':'ok','topic':'room','pos':'E.0'}");
  web_expect(&b, "data: {'op':'ok','topic':'tea','pos':'E.0'}");
  publish_much(1000);
  while (next <= 1000) {
    const char *block = web_event(&b);
    assert_non_null(block);
    unsigned long lost = number_after(block, GAP);
    const char *pos = strstr(block, text_json("'pos':'E."));
    assert_non_null(pos);
    missing += lost;
    next += lost;
    assert_int_equal(number_after(pos, "'pos':'E."), lost ? next - 1 : next);
    if (!lost) next++;
  }
  assert_in_range(missing, 1, 949);
  web_publish(&web, "tea", "hi");
  web_expect(&b, "data: {'topic':'tea','pos':'E.1','data':'hi'}");
}

static void test_a_policy_may_end_the_stream_of_who_is_slow(void **state) {
  (void)state;
  open_with_slow_b(COHO_SLOW_DISCONNECT);
  web_stream(&b, "/t/room", "E.0");
  publish_much(1000);
  assert_int_equal(web_subscribers(&web, "room"), 0);
  const char *block;
  unsigned long last = 0;
  while ((block = web_event(&b)))
    assert_int_equal(number_after(block, "id: E."), ++last);
  web_stream_from(&b, text_of("E.%lu", last), "/t/room", NULL);
  web_expect(&b, text_of("event: gap\nid: E.950\ndata: {'lost':%lu}", 950 - last));
  assert_int_equal(take_to(&b, 951, 1000), 0);
}

static void test_a_message_that_never_fits_is_a_gap(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 5000};
  web_open(&web, &mo, NULL);
  web_stream(&a, "/t/room", "E.0");
  publish_much(1);
  web_expect(&a, "event: gap\nid: E.1\ndata: {'lost':1}");
  web_publish(&web, "room", "hi");
  web_expect(&a, "id: E.2\ndata: hi");
}

static void test_conflated_values_come_as_they_are(void **state) {
  (void)state;
  coho_topic_options to = {.slow = COHO_SLOW_CONFLATE, .interval_ms = 10};
  web_open(&web, NULL, &to);
  web_stream(&a, "/t/room", "E.0");
  publish_numbers(web.hub, "room", 1, 3);
  web_expect(&a, "id: E.3\ndata: 3");
  web_publish(&web, "room", "4");
  web_expect(&a, "id: E.4\ndata: 4");
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void test_what_is_no_topic_or_position(void **state) {
  (void)state;
  static char name[300] = "/t/", huge[9000] = "/t/room?since=";
  web_open(&web, NULL, NULL);
  web_refused(&a, WEB_SSE, "/t/a//b", 404, "bad-name");
  web_refused(&a, WEB_SSE, "/t/a/", 404, "bad-name");
  web_refused(&a, WEB_SSE, "/t/history", 404, "bad-name");
  web_refused(&a, WEB_SSE, "/t/a/%2e%2e/b", 404, "bad-name");
  web_refused(&a, WEB_SSE, "/t/a+b", 404, "bad-name");
  web_refused(&a, WEB_SSE, "/t/%23", 404, "bad-name");
  memset(name + 3, 'a', 256);
  web_refused(&a, WEB_SSE, name, 404, "bad-name");
  web_refused(&a, WEB_SSE, "/t/room?since=1", 400, "bad-since");
  web_refused(&a, WEB_SSE, "/t/room?since=", 400, "bad-since");
  web_refused(&a, WEB_SSE, "/t/room?since=k3f9.99999999999999999999", 400, "bad-since");
  web_refused(&a, WEB_SSE, "/t/room?since=.1", 400, "bad-since");
  memset(huge + 14, 'a', sizeof huge - 15);
  web_refused(&a, WEB_SSE, huge, 400, "bad-since");
  assert_int_equal(web_subscribers(&web, "room"), 0);
}

static void test_no_more_than_a_topic_takes(void **state) {
  (void)state;
  coho_topic_options to = {.max_subscribers = 1};
  web_open(&web, NULL, &to);
  web_stream(&b, "/t/room", "E.0");
  web_refused(&a, WEB_SSE, "/t/room", 503, "full");
  web_check_field(&a, "Retry-After", "5");
}

#define TEST(f) cmocka_unit_test_teardown(f, web_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_stream_says_where_it_starts_then_messages),
      TEST(test_a_get_without_accept_is_a_stream),
      TEST(test_last_event_id_resumes_exactly),
      TEST(test_since_0_is_all_that_is_held_without_gap),
      TEST(test_a_hole_is_a_gap_before_what_is_held),
      TEST(test_many_streams_share_what_is_live),
      TEST(test_http_1_0_has_plain_bytes),
      TEST(test_head_of_a_stream_has_no_body_and_follows_nothing),
      TEST(test_several_topics_are_frames),
      TEST(test_up_to_100_topics_at_once),
      TEST(test_who_follows_with_a_name_is_present),
      TEST(test_presence_with_a_wrong_name_is_refused),
      TEST(test_silence_is_broken_by_comments),
      TEST(test_a_server_that_stops_ends_streams),
      TEST(test_a_peer_that_left_is_forgotten),
      TEST(test_who_does_not_read_costs_little_and_gets_a_gap),
      TEST(test_of_several_topics_the_gap_is_where_the_hole_is),
      TEST(test_a_policy_may_end_the_stream_of_who_is_slow),
      TEST(test_a_message_that_never_fits_is_a_gap),
      TEST(test_conflated_values_come_as_they_are),
      TEST(test_what_is_no_topic_or_position),
      TEST(test_no_more_than_a_topic_takes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
