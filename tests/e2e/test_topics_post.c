/* Publishing by POST, as docs/topics.md has it. */
#include "support/text.h"
#include "support/web.h"

#include <string.h>

#define BINARY  "Content-Type: application/octet-stream\r\n"
#define CHUNKED "POST /t/room HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct web web;
static struct web_client a, b;

static const char TOO_BIG[] = WEB_ERROR("too-big", "the message is too large");
static const char FULL[] = WEB_ERROR("full", "no room now");
static const char WRONG[] = WEB_ERROR("bad-request", "a field is missing or wrong");

static void send_post(const char *fields, const char *text) {
  web_post(&a, "/t/room", fields, text, strlen(text));
}

/* The status of the answer, and its body unless it is NULL. */
static void post(const char *fields, const char *text, int status, const char *body) {
  send_post(fields, text);
  web_check(&a, status, body);
}

/* It is published, with this offset. */
static void post_as(unsigned offset, const char *fields, const char *text) {
  post(fields, text, 200, text_of("{'pos':'E.%u'}", offset));
}

/* What the topic holds. */
static void expect_history(const char *messages) {
  web_ask(&a, "/t/room/history", 200, NULL);
  web_begins(&a, text_of("{'messages':[%s],'next'", messages));
}

/* ---- what is published ----------------------------------------------------------------------- */

static void test_text_unless_it_is_none(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  post_as(1, "Content-Type: application/x-www-form-urlencoded\r\n", "hello");
  web_check_json(&a);
  post_as(2, BINARY, "hello");
  post_as(3, "Content-Type: Application/Octet-Stream ; x=y\r\n", "hello");
  post_as(4, "Content-Type: text/plain\r\n", "\xff");
  post_as(5, "", "");
  expect_history("{'pos':'E.1','data':'hello'},{'pos':'E.2','data64':'aGVsbG8='},"
                 "{'pos':'E.3','data64':'aGVsbG8='},{'pos':'E.4','data64':'/w=='},"
                 "{'pos':'E.5','data':''}");
}

/* A field whose value has so many bytes. */
static const char *long_field(const char *name, size_t len) {
  static char value[1000];
  memset(value, 'k', len);
  return text_of("%s: %.*s\r\n", name, (int)len, value);
}

static void test_the_same_key_publishes_once(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  post_as(1, "Idempotency-Key: k1\r\n", "hello");
  post_as(1, "Idempotency-Key: k1\r\n", "hello");
  post_as(2, "Idempotency-Key: k2\r\n", "hello");
  post("Idempotency-Key:\r\n", "hello", 400, NULL);
  post_as(3, long_field("Idempotency-Key", 255), "hello");
  post(long_field("Idempotency-Key", 256), "hello", 400, WRONG);
}

static void test_a_key_to_conflate_by(void **state) {
  (void)state;
  coho_topic_options to = {.slow = COHO_SLOW_CONFLATE};
  web_open(&web, NULL, &to);
  post_as(1, "Coho-Key: x\r\n", "1");
  post_as(2, "Coho-Key: y\r\n", "2");
  post_as(3, "Coho-Key: x\r\n", "3");
  expect_history("{'pos':'E.2','data':'2'},{'pos':'E.3','data':'3'}");
  post(long_field("Coho-Key", 256), "hello", 400, NULL);
}

/* ---- what is too big ------------------------------------------------------------------------- */

static void test_too_big_by_its_length_is_not_read(void **state) {
  (void)state;
  coho_topics_options mo = {.max_message = 1000,
                            .origins = (const char *const[]){"https://o", NULL}};
  static char body[1000];
  web_open(&web, &mo, NULL);
  memset(body, 'x', sizeof body);
  web_post(&a, "/t/room", "", body, sizeof body);
  web_check(&a, 200, NULL);
  web_send(&a,
           "POST /t/room HTTP/1.1\r\nHost: h\r\nOrigin: https://o\r\nContent-Length: 1001\r\n\r\n");
  web_check(&a, 413, TOO_BIG);
  web_check_field(&a, "Access-Control-Allow-Origin", "https://o");
  web_check_field(&a, "Connection", "close");
  web_send(&b, "POST /t/room HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
               "18446744073709551615\r\n\r\n");
  web_check(&b, 413, TOO_BIG);
}

static void test_too_big_by_chunks_is_read_no_further(void **state) {
  (void)state;
  coho_topics_options mo = {.max_message = 1000};
  web_open(&web, &mo, NULL);
  web_send(&a, CHUNKED "3e8\r\n%01000d\r\n0\r\n\r\n", 5);
  web_check(&a, 200, "{'pos':'E.1'}");
  web_send(&a, CHUNKED "3e8\r\n%01000d\r\n1\r\n", 5);
  web_check(&a, 413, TOO_BIG);
  web_check_field(&a, "Connection", "close");
}

/* The server's own limit, which other routes have, may be less. */
static void test_a_mount_has_a_limit_of_its_own(void **state) {
  (void)state;
  coho_topics_options mo = {.max_message = 200000};
  static char body[200000];
  web_open_with(&web, &mo, NULL, &(coho_server_options){.max_body = 10});
  memset(body, 'x', sizeof body);
  web_post(&a, "/t/room", "", body, sizeof body);
  web_check(&a, 200, "{'pos':'E.1'}");
  web_send(&a, "POST /elsewhere HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n");
  assert_int_equal(web_answer(&a), 404);
}

/* ---- places ---------------------------------------------------------------------------------- */

static void test_only_topics_are_published_to(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  const char *const others[] = {"/t/room/presence", "/t/room/history"};
  for (size_t i = 0; i < 2; i++) {
    web_post(&a, others[i], "", "x", 1);
    web_check(&a, 405, NULL);
    web_check_field(&a, "Allow", "GET, HEAD, OPTIONS");
  }
  web_send(&a, "DELETE /t/room HTTP/1.1\r\nHost: h\r\n\r\n");
  web_check(&a, 405, WEB_ERROR("bad-request", "this method is not served here"));
  web_check_field(&a, "Allow", "GET, HEAD, POST, OPTIONS");
  web_post(&a, "/t/a//b", "", "x", 1);
  web_check(&a, 404, WEB_ERROR("bad-name", "no name of a topic, or no pattern"));
  web_post(&a, "/t/a/+/b", "", "x", 1);
  web_check(&a, 404, NULL);
}

static void test_too_many_topics(void **state) {
  (void)state;
  coho_hub_options ho = {.max_topics = 1};
  web_open_hub(&web, coho_hub_new(&ho), NULL, NULL);
  for (int i = 0; i < 3; i++) {
    web_post(&a, text_of("/t/%c", 'a' + i), "", "x", 1);
    web_check(&a, i < 2 ? 200 : 503, i < 2 ? NULL : FULL);
    if (i == 1) assert_int_equal(coho_presence_enter(web.hub, "b", "ann", NULL), 0);
  }
  web_check_field(&a, "Retry-After", "5");
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void test_only_who_may_publishes(void **state) {
  (void)state;
  web_open_guarded(&web, (const char *const[]){"#", NULL});
  post("", "hello", 401, WEB_ERROR("unauthorized", "a token is required"));
  web_check_field(&a, "WWW-Authenticate", "Bearer realm=\"topics\"");
  post("Authorization: Bearer nonsense\r\n", "hello", 401, NULL);
  web_check_field(&a, "WWW-Authenticate", "Bearer realm=\"topics\", error=\"invalid_token\"");
  post(web_token("{'exp':99999999999,'coho':{'sub':['#'],'pub':['tea']}}"), "hello", 403,
       WEB_ERROR("forbidden", "no right to do this"));
  web_check_field(&a, "WWW-Authenticate", "Bearer realm=\"topics\", error=\"insufficient_scope\"");
  post_as(1, web_token("{'exp':99999999999,'coho':{'pub':['room']}}"), "hello");
}

/* ---- topics that block ----------------------------------------------------------------------- */

/* A topic that b holds up: nothing more is taken. Returns how many messages were. */
static unsigned open_blocked(void) {
  static char much[60001];
  coho_topics_options mo = {.max_queue = 100000};
  coho_topic_options to = {.slow = COHO_SLOW_BLOCK, .history_count = 2, .block_ms = UINT32_MAX};
  unsigned count = 0;
  memset(much, 'x', sizeof much - 1);
  web_open(&web, &mo, &to);
  web_connect_narrow(&b, &web);
  web_stream(&b, "/t/room", "E.0");
  for (int idle = 0; idle < 20; idle++) {
    while (coho_publish(web.hub, "room", coho_text(much)) == 0) {
      count++;
      idle = 0;
    }
    coho_loop_turn(web.w.loop, 1);
  }
  return count;
}

static void settle(void) {
  for (int i = 0; i < 20; i++)
    coho_loop_turn(web.w.loop, 1);
}

static void expect_published(unsigned count) {
  coho_pos pos;
  assert_int_equal(coho_hub_position(web.hub, "room", &pos), 0);
  assert_int_equal(pos.offset, count);
}

static void test_a_post_waits_for_room(void **state) {
  (void)state;
  unsigned count = open_blocked();
  send_post("", "last");
  settle();
  for (unsigned i = 0; i < count; i++)
    assert_non_null(web_event(&b));
  web_check(&a, 200, text_of("{'pos':'E.%u'}", count + 1));
  web_expect(&b, text_of("id: E.%u\ndata: last", count + 1));
}

static void test_many_posts_wait_and_none_is_lost(void **state) {
  (void)state;
  enum { POSTS = 10 };
  static struct web_client c[POSTS];
  unsigned count = open_blocked();
  for (int i = 0; i < POSTS; i++)
    web_post(&c[i], "/t/room", "", "x", 1);
  settle();
  for (unsigned i = 0; i < count + POSTS; i++)
    assert_non_null(web_event(&b));
  for (int i = 0; i < POSTS; i++)
    web_check(&c[i], 200, NULL);
  expect_published(count + POSTS);
}

static void test_a_post_that_waits_is_told_when_the_subscriber_leaves(void **state) {
  (void)state;
  open_blocked();
  send_post("", "last");
  settle();
  web_part(&b);
  web_check(&a, 200, NULL);
}

static void test_who_waits_may_leave_or_be_stopped(void **state) {
  (void)state;
  unsigned count = open_blocked();
  send_post("", "gone");
  settle();
  web_part(&a);
  settle();
  send_post("", "stopped");
  settle();
  coho_server_stop(web.w.server);
  web_check(&a, 503, FULL);
  expect_published(count);
  web_part(&b);
  web_until_stopped(&web);
}

static void test_a_loop_that_ends_lets_go_of_who_waits(void **state) {
  (void)state;
  open_blocked();
  send_post("", "waits");
  settle();
}

#define TEST(f) cmocka_unit_test_teardown(f, web_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_text_unless_it_is_none),
      TEST(test_the_same_key_publishes_once),
      TEST(test_a_key_to_conflate_by),
      TEST(test_too_big_by_its_length_is_not_read),
      TEST(test_too_big_by_chunks_is_read_no_further),
      TEST(test_a_mount_has_a_limit_of_its_own),
      TEST(test_only_topics_are_published_to),
      TEST(test_too_many_topics),
      TEST(test_only_who_may_publishes),
      TEST(test_a_post_waits_for_room),
      TEST(test_many_posts_wait_and_none_is_lost),
      TEST(test_a_post_that_waits_is_told_when_the_subscriber_leaves),
      TEST(test_who_waits_may_leave_or_be_stopped),
      TEST(test_a_loop_that_ends_lets_go_of_who_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
