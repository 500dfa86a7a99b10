/* Topics by Server-Sent Events, as docs/topics.md has them. */
#include "support/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSE "Accept: text/event-stream\r\n"

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

static void expect(struct web_client *c, const char *block) {
  const char *got = web_event(c);
  assert_non_null(got);
  assert_string_equal(got, block);
}

/* The first block: a retry within its range, then this. */
static void expect_start(struct web_client *c, const char *rest) {
  const char *got = web_event(c);
  char *end;
  assert_non_null(got);
  assert_memory_equal(got, "retry: ", 7);
  unsigned long ms = strtoul(got + 7, &end, 10);
  assert_in_range(ms, 1000, 3000);
  assert_string_equal(end, rest);
}

static void begin(struct web_client *c) { assert_int_equal(web_begin(c), 200); }

static size_t subscribers(const char *topic) { return coho_hub_subscribers(web.hub, topic); }

/* ---- one topic ------------------------------------------------------------------------------- */

static void test_a_stream_says_where_it_starts_then_messages(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_publish(&web, "room/tea", "before");
  web_get(&a, SSE, "/t/room/tea");
  begin(&a);
  assert_string_equal(web_field(&a, "Content-Type"), "text/event-stream");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  assert_non_null(strstr(a.head, "\r\nCache-Control: no-transform\r\n"));
  assert_string_equal(web_field(&a, "X-Accel-Buffering"), "no");
  assert_string_equal(web_field(&a, "X-Content-Type-Options"), "nosniff");
  expect_start(&a, "\nid: E.1");
  web_publish(&web, "room/tea", "hello");
  web_publish(&web, "room/tea", "");
  web_publish(&web, "room/tea", "a\nb\r\nc\rd\n");
  expect(&a, "id: E.2\ndata: hello");
  expect(&a, "id: E.3\ndata: ");
  expect(&a, "id: E.4\ndata: a\ndata: b\ndata: c\ndata: d\ndata: ");
  assert_int_equal(coho_publish(web.hub, "room/tea", coho_binary("\0\xff", 2)), 0);
  assert_int_equal(coho_publish(web.hub, "room/tea", coho_binary("", 0)), 0);
  expect(&a, "event: data64\nid: E.5\ndata: AP8=");
  expect(&a, "event: data64\nid: E.6\ndata: ");
  finish();
}

/* curl -N URL */
static void test_a_get_without_accept_is_a_stream(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, "Accept: */*\r\n", "/t/room");
  begin(&a);
  assert_string_equal(web_field(&a, "Content-Type"), "text/event-stream");
  expect_start(&a, "\nid: E.0");
  finish();
}

static void test_last_event_id_resumes_exactly(void **state) {
  (void)state;
  open_web(NULL, NULL);
  for (int i = 1; i <= 9; i++)
    web_publish(&web, "room", (const char[]){(char)('0' + i), '\0'});
  char field[128];
  snprintf(field, sizeof field, SSE "Last-Event-ID: %s\r\n", web_pos(&web, 7));
  web_get(&a, field, "/t/room?since=%s", web_pos(&web, 2));
  begin(&a);
  expect_start(&a, "\nid: E.7");
  expect(&a, "id: E.8\ndata: 8");
  expect(&a, "id: E.9\ndata: 9");
  web_publish(&web, "room", "ten");
  expect(&a, "id: E.10\ndata: ten");
  web_connect(&b, &web);
  web_get(&b, SSE, "/t/room?since=%s", web_pos(&web, 9));
  begin(&b);
  expect_start(&b, "\nid: E.9");
  expect(&b, "id: E.10\ndata: ten");
  web_part(&b);
  finish();
}

static void test_since_0_is_all_that_is_held_without_gap(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  open_web(NULL, &to);
  for (int i = 0; i < 5; i++)
    web_publish(&web, "room", "x");
  web_get(&a, SSE, "/t/room?since=0");
  begin(&a);
  expect_start(&a, "\nid: E.3");
  expect(&a, "id: E.4\ndata: x");
  expect(&a, "id: E.5\ndata: x");
  finish();
}

static void check_gap(const char *since, const char *lost) {
  char gap[128];
  web_connect(&b, &web);
  web_get(&b, SSE, "/t/room?since=%s", since);
  begin(&b);
  expect_start(&b, "");
  snprintf(gap, sizeof gap, "event: gap\nid: E.3\ndata: {\"lost\":%s}", lost);
  expect(&b, gap);
  expect(&b, "id: E.4\ndata: x");
  expect(&b, "id: E.5\ndata: x");
  web_part(&b);
}

static void test_a_hole_is_a_gap_before_what_is_held(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  open_web(NULL, &to);
  for (int i = 0; i < 5; i++)
    web_publish(&web, "room", "x");
  check_gap(web_pos(&web, 1), "2");
  check_gap(web_pos(&web, 99), "null");
  check_gap("zzz.2", "null");
  finish();
}

static void test_many_streams_share_what_is_live(void **state) {
  (void)state;
  enum { STREAMS = 30 };
  static struct web_client c[STREAMS];
  open_web(NULL, NULL);
  for (int i = 0; i < STREAMS; i++) {
    web_connect(&c[i], &web);
    web_get(&c[i], SSE, i % 3 ? "/t/room" : "/t/?sub=room");
    begin(&c[i]);
    expect_start(&c[i], i % 3 ? "\nid: E.0" : "");
    if (i % 3 == 0) expect(&c[i], "data: {\"op\":\"ok\",\"topic\":\"room\",\"pos\":\"E.0\"}");
  }
  web_publish(&web, "room", "hi");
  for (int i = 0; i < STREAMS; i++) {
    expect(&c[i], i % 3 ? "id: E.1\ndata: hi"
                        : "data: {\"topic\":\"room\",\"pos\":\"E.1\",\"data\":\"hi\"}");
    web_part(&c[i]);
  }
  UNTIL(&web.w, subscribers("room") == 0);
  finish();
}

static void test_http_1_0_has_plain_bytes(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_send(&a, "GET /t/room HTTP/1.0\r\n" SSE "\r\n");
  begin(&a);
  assert_true(a.bare);
  expect_start(&a, "\nid: E.0");
  web_publish(&web, "room", "hi");
  expect(&a, "id: E.1\ndata: hi");
  finish();
}

static void test_head_of_a_stream_has_no_body_and_follows_nothing(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_send(&a, "HEAD /t/room?as=ann HTTP/1.1\r\nHost: h\r\n" SSE "\r\n");
  begin(&a);
  assert_string_equal(web_field(&a, "Content-Type"), "text/event-stream");
  assert_int_equal(subscribers("room"), 0);
  assert_int_equal(coho_presence_list(web.hub, "room", NULL, NULL, NULL), 0);
  web_get(&a, "", "/t/room/history");
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  finish();
}

/* ---- several topics -------------------------------------------------------------------------- */

static void test_several_topics_are_frames(void **state) {
  (void)state;
  coho_topic_options to = {.history_count = 2};
  open_web(NULL, &to);
  for (int i = 0; i < 5; i++)
    web_publish(&web, "old", "x");
  web_get(&a, SSE, "/t/?sub=room%%2Ftea&sub=old%%40%s&sub=old@%s&sub=b%%c3%%a4d&sub=%%ff&sub=e@1",
          web_pos(&web, 1), web_pos(&web, 4));
  begin(&a);
  expect_start(&a, "");
  expect(&a, "data: {\"op\":\"ok\",\"topic\":\"room/tea\",\"pos\":\"E.0\"}");
  expect(&a, "data: {\"op\":\"ok\",\"topic\":\"old\",\"pos\":\"E.3\"}");
  expect(&a, "data: {\"op\":\"gap\",\"topic\":\"old\",\"lost\":2,\"pos\":\"E.3\"}");
  expect(&a, "data: {\"op\":\"error\",\"topic\":\"old\",\"code\":\"exists\",\"text\":\"subscribed "
             "already\"}");
  expect(&a, "data: {\"op\":\"error\",\"topic\":\"b\xc3\xa4"
             "d\",\"code\":\"bad-name\",\"text\":\"no name of a topic, or no pattern\"}");
  expect(&a, "data: {\"op\":\"error\",\"code\":\"bad-name\",\"text\":\"no name of a topic, or no "
             "pattern\"}");
  expect(&a,
         "data: {\"op\":\"error\",\"topic\":\"e\",\"code\":\"bad-since\",\"text\":\"since is no "
         "position\"}");
  expect(&a, "data: {\"topic\":\"old\",\"pos\":\"E.4\",\"data\":\"x\"}");
  expect(&a, "data: {\"topic\":\"old\",\"pos\":\"E.5\",\"data\":\"x\"}");
  web_publish(&web, "room/tea", "a\nb");
  expect(&a, "data: {\"topic\":\"room/tea\",\"pos\":\"E.1\",\"data\":\"a\\nb\"}");
  assert_int_equal(coho_publish(web.hub, "old", coho_binary("\xff", 1)), 0);
  expect(&a, "data: {\"topic\":\"old\",\"pos\":\"E.6\",\"data64\":\"/w==\"}");
  finish();
}

static void check_many(const char *one, unsigned count, int status) {
  static char target[1 << 14];
  size_t n = (size_t)snprintf(target, sizeof target, "/t/?");
  for (unsigned i = 0; i < count; i++)
    n += (size_t)snprintf(target + n, sizeof target - n, "sub=%s%u&", one, i);
  web_connect(&b, &web);
  web_get(&b, SSE, "%s", target);
  assert_int_equal(web_begin(&b), status);
  web_part(&b);
}

static void test_up_to_100_topics_at_once(void **state) {
  (void)state;
  open_web(NULL, NULL);
  check_many("a", 100, 200);
  check_many("a", 101, 429);
  check_many("a", 1000, 429);
  check_many("?", 1000, 429);
  UNTIL(&web.w, subscribers("a99") == 0);
  web_get(&a, SSE, "/t/");
  web_check(&a, 400,
            "{\"error\":{\"code\":\"bad-request\",\"text\":\"a field is missing or wrong\"}}");
  finish();
}

/* ---- presence -------------------------------------------------------------------------------- */

static void test_who_follows_with_a_name_is_present(void **state) {
  (void)state;
  coho_topic_options to = {.grace_ms = 1};
  open_web(NULL, &to);
  web_get(&a, SSE, "/t/room/presence");
  begin(&a);
  expect_start(&a, "\nid: E.0");
  web_connect(&b, &web);
  web_get(&b, SSE, "/t/room?as=ann&info=%%7B%%22color%%22:%%22red%%22%%7D");
  begin(&b);
  expect(&a, "id: E.1\ndata: {\"event\":\"join\",\"id\":\"ann\",\"info\":{\"color\":\"red\"}}");
  web_part(&b);
  expect(&a, "id: E.2\ndata: {\"event\":\"leave\",\"id\":\"ann\"}");
  web_connect(&b, &web);
  web_get(&b, SSE, "/t/?as=bob&sub=room&sub=tea");
  begin(&b);
  expect(&a, "id: E.3\ndata: {\"event\":\"join\",\"id\":\"bob\"}");
  assert_int_equal(coho_presence_list(web.hub, "tea", NULL, NULL, NULL), 1);
  web_part(&b);
  expect(&a, "id: E.4\ndata: {\"event\":\"leave\",\"id\":\"bob\"}");
  finish();
}

static void test_presence_with_a_wrong_name_is_refused(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, SSE, "/t/room?as=ann&info=%%7B");
  web_check(&a, 400, NULL);
  web_get(&a, SSE, "/t/room?as=");
  web_check(&a, 400, NULL);
  assert_int_equal(subscribers("room"), 0);
  finish();
}

/* ---- time ------------------------------------------------------------------------------------ */

static void test_silence_is_broken_by_comments(void **state) {
  (void)state;
  coho_topics_options mo = {.heartbeat_ms = 20};
  open_web(&mo, NULL);
  web_get(&a, SSE, "/t/room");
  begin(&a);
  expect_start(&a, "\nid: E.0");
  expect(&a, ":");
  expect(&a, ":");
  web_publish(&web, "room", "hi");
  const char *block;
  while (strcmp(block = web_event(&a), ":") == 0) {}
  assert_string_equal(block, "id: E.1\ndata: hi");
  expect(&a, ":");
  finish();
}

static void test_a_server_that_stops_ends_streams(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, SSE, "/t/room");
  begin(&a);
  expect_start(&a, "\nid: E.0");
  coho_server_stop(web.w.server);
  assert_null(web_event(&a));
  UNTIL(&web.w, coho_server_stopped(web.w.server));
  finish();
}

static void test_a_peer_that_left_is_forgotten(void **state) {
  (void)state;
  open_web(NULL, NULL);
  web_get(&a, SSE, "/t/room");
  begin(&a);
  expect_start(&a, "\nid: E.0");
  assert_int_equal(subscribers("room"), 1);
  web_part(&a);
  UNTIL(&web.w, subscribers("room") == 0);
  web_connect(&a, &web);
  finish();
}

/* ---- who does not read ----------------------------------------------------------------------- */

/* The number behind these words in a block; 0: it does not begin with them. */
static unsigned long number_after(const char *block, const char *words) {
  size_t len = strlen(words);
  return strncmp(block, words, len) == 0 ? strtoul(block + len, NULL, 10) : 0;
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
      unsigned long lost = number_after(data, "\ndata: {\"lost\":");
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

static void test_who_does_not_read_costs_little_and_gets_a_gap(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  coho_topic_options to = {.history_count = 50};
  open_web(&mo, &to);
  web_connect_narrow(&b, &web);
  web_get(&b, SSE, "/t/room");
  begin(&b);
  expect_start(&b, "\nid: E.0");
  publish_much(1000);
  coho_hub_stats s;
  coho_hub_get_stats(web.hub, &s);
  assert_true(s.bytes < 52 * 11000);
  unsigned long missing = take_to(&b, 1, 1000);
  assert_in_range(missing, 1, 949);
  web_publish(&web, "room", "again");
  expect(&b, "id: E.1001\ndata: again");
  web_part(&b);
  finish();
}

#define GAP "data: {\"op\":\"gap\",\"topic\":\"room\",\"lost\":"

static void test_of_several_topics_the_gap_is_where_the_hole_is(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  coho_topic_options to = {.history_count = 50};
  unsigned long next = 1, missing = 0;
  open_web(&mo, &to);
  web_connect_narrow(&b, &web);
  web_get(&b, SSE, "/t/?sub=room&sub=tea");
  begin(&b);
  expect_start(&b, "");
  expect(&b, "data: {\"op\":\"ok\",\"topic\":\"room\",\"pos\":\"E.0\"}");
  expect(&b, "data: {\"op\":\"ok\",\"topic\":\"tea\",\"pos\":\"E.0\"}");
  publish_much(1000);
  while (next <= 1000) {
    const char *block = web_event(&b);
    assert_non_null(block);
    unsigned long lost = number_after(block, GAP);
    const char *pos = strstr(block, "\"pos\":\"E.");
    assert_non_null(pos);
    missing += lost;
    next += lost;
    assert_int_equal(number_after(pos, "\"pos\":\"E."), lost ? next - 1 : next);
    if (!lost) next++;
  }
  assert_in_range(missing, 1, 949);
  web_publish(&web, "tea", "hi");
  expect(&b, "data: {\"topic\":\"tea\",\"pos\":\"E.1\",\"data\":\"hi\"}");
  web_part(&b);
  finish();
}

static void test_a_policy_may_end_the_stream_of_who_is_slow(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  coho_topic_options to = {.history_count = 50, .slow = COHO_SLOW_DISCONNECT};
  open_web(&mo, &to);
  web_connect_narrow(&b, &web);
  web_get(&b, SSE, "/t/room");
  begin(&b);
  expect_start(&b, "\nid: E.0");
  publish_much(1000);
  assert_int_equal(subscribers("room"), 0);
  const char *block;
  unsigned long last = 0;
  while ((block = web_event(&b)))
    assert_int_equal(number_after(block, "id: E."), ++last);
  char field[128];
  snprintf(field, sizeof field, SSE "Last-Event-ID: %s\r\n", web_pos(&web, (unsigned)last));
  web_get(&b, field, "/t/room");
  begin(&b);
  expect_start(&b, "");
  snprintf(field, sizeof field, "event: gap\nid: E.950\ndata: {\"lost\":%lu}", 950 - last);
  expect(&b, field);
  assert_int_equal(take_to(&b, 951, 1000), 0);
  web_part(&b);
  finish();
}

static void test_a_message_that_never_fits_is_a_gap(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 5000};
  open_web(&mo, NULL);
  web_get(&a, SSE, "/t/room");
  begin(&a);
  expect_start(&a, "\nid: E.0");
  publish_much(1);
  expect(&a, "event: gap\nid: E.1\ndata: {\"lost\":1}");
  web_publish(&web, "room", "hi");
  expect(&a, "id: E.2\ndata: hi");
  finish();
}

static void test_conflated_values_come_as_they_are(void **state) {
  (void)state;
  coho_topic_options to = {.slow = COHO_SLOW_CONFLATE, .interval_ms = 10};
  open_web(NULL, &to);
  web_get(&a, SSE, "/t/room");
  begin(&a);
  expect_start(&a, "\nid: E.0");
  for (int i = 1; i <= 3; i++)
    web_publish(&web, "room", (const char[]){(char)('0' + i), '\0'});
  expect(&a, "id: E.3\ndata: 3");
  web_publish(&web, "room", "4");
  expect(&a, "id: E.4\ndata: 4");
  finish();
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void check_refused(const char *target, int status, const char *code) {
  web_get(&a, SSE, "%s", target);
  assert_int_equal(web_answer(&a), status);
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  assert_memory_equal(a.body, "{\"error\":{\"code\":\"", 18);
  assert_memory_equal(a.body + 18, code, strlen(code));
}

static void test_what_is_no_topic_or_position(void **state) {
  (void)state;
  static char name[300] = "/t/", huge[9000] = "/t/room?since=";
  open_web(NULL, NULL);
  check_refused("/t/a//b", 404, "bad-name");
  check_refused("/t/a/", 404, "bad-name");
  check_refused("/t/history", 404, "bad-name");
  check_refused("/t/a/%2e%2e/b", 404, "bad-name");
  check_refused("/t/a+b", 404, "bad-name");
  check_refused("/t/%23", 404, "bad-name");
  memset(name + 3, 'a', 256);
  check_refused(name, 404, "bad-name");
  check_refused("/t/room?since=1", 400, "bad-since");
  check_refused("/t/room?since=", 400, "bad-since");
  check_refused("/t/room?since=k3f9.99999999999999999999", 400, "bad-since");
  check_refused("/t/room?since=.1", 400, "bad-since");
  memset(huge + 14, 'a', sizeof huge - 15);
  check_refused(huge, 400, "bad-since");
  assert_int_equal(subscribers("room"), 0);
  finish();
}

static void test_no_more_than_a_topic_takes(void **state) {
  (void)state;
  coho_topic_options to = {.max_subscribers = 1};
  open_web(NULL, &to);
  web_connect(&b, &web);
  web_get(&b, SSE, "/t/room");
  begin(&b);
  check_refused("/t/room", 503, "full");
  assert_string_equal(web_field(&a, "Retry-After"), "5");
  web_part(&b);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_stream_says_where_it_starts_then_messages),
      cmocka_unit_test(test_a_get_without_accept_is_a_stream),
      cmocka_unit_test(test_last_event_id_resumes_exactly),
      cmocka_unit_test(test_since_0_is_all_that_is_held_without_gap),
      cmocka_unit_test(test_a_hole_is_a_gap_before_what_is_held),
      cmocka_unit_test(test_many_streams_share_what_is_live),
      cmocka_unit_test(test_http_1_0_has_plain_bytes),
      cmocka_unit_test(test_head_of_a_stream_has_no_body_and_follows_nothing),
      cmocka_unit_test(test_several_topics_are_frames),
      cmocka_unit_test(test_up_to_100_topics_at_once),
      cmocka_unit_test(test_who_follows_with_a_name_is_present),
      cmocka_unit_test(test_presence_with_a_wrong_name_is_refused),
      cmocka_unit_test(test_silence_is_broken_by_comments),
      cmocka_unit_test(test_a_server_that_stops_ends_streams),
      cmocka_unit_test(test_a_peer_that_left_is_forgotten),
      cmocka_unit_test(test_who_does_not_read_costs_little_and_gets_a_gap),
      cmocka_unit_test(test_of_several_topics_the_gap_is_where_the_hole_is),
      cmocka_unit_test(test_a_policy_may_end_the_stream_of_who_is_slow),
      cmocka_unit_test(test_a_message_that_never_fits_is_a_gap),
      cmocka_unit_test(test_conflated_values_come_as_they_are),
      cmocka_unit_test(test_what_is_no_topic_or_position),
      cmocka_unit_test(test_no_more_than_a_topic_takes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
