/* Publishing by POST, as docs/topics.md has it. */
#include "support/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINARY  "Content-Type: application/octet-stream\r\n"
#define CHUNKED "POST /t/room HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct web web;
static struct web_client a, b;

static const char TOO_BIG[] =
    "{\"error\":{\"code\":\"too-big\",\"text\":\"the message is too large\"}}";
static const char FULL[] = "{\"error\":{\"code\":\"full\",\"text\":\"no room now\"}}";

static void open_web(const coho_topics_options *mount, const coho_topic_options *topic) {
  web_open(&web, mount, topic);
  web_connect(&a, &web);
}

static void finish(void) {
  web_part(&a);
  web_close(&web);
}

static void post(const char *fields, const char *body) {
  web_post(&a, "/t/room", fields, body, strlen(body));
}

/* What the topic holds. */
static void expect_history(const char *messages) {
  web_get(&a, "", "/t/room/history");
  assert_int_equal(web_answer(&a), 200);
  assert_memory_equal(a.body, "{\"messages\":[", 13);
  char *end = strstr(a.body, "],\"next\"");
  assert_non_null(end);
  *end = '\0';
  assert_string_equal(a.body + 13, messages);
}

/* ---- what is published ----------------------------------------------------------------------- */

static void test_text_unless_it_is_none(void **state) {
  (void)state;
  open_web(NULL, NULL);
  post("Content-Type: application/x-www-form-urlencoded\r\n", "hello");
  web_check(&a, 200, "{\"pos\":\"E.1\"}");
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  post(BINARY, "hello");
  web_check(&a, 200, "{\"pos\":\"E.2\"}");
  post("Content-Type: Application/Octet-Stream ; x=y\r\n", "hello");
  web_check(&a, 200, "{\"pos\":\"E.3\"}");
  post("Content-Type: text/plain\r\n", "\xff");
  web_check(&a, 200, "{\"pos\":\"E.4\"}");
  post("", "");
  web_check(&a, 200, "{\"pos\":\"E.5\"}");
  expect_history("{\"pos\":\"E.1\",\"data\":\"hello\"},{\"pos\":\"E.2\",\"data64\":\"aGVsbG8=\"},"
                 "{\"pos\":\"E.3\",\"data64\":\"aGVsbG8=\"},{\"pos\":\"E.4\",\"data64\":\"/w==\"},"
                 "{\"pos\":\"E.5\",\"data\":\"\"}");
  finish();
}

static void test_the_same_key_publishes_once(void **state) {
  (void)state;
  static char key[300];
  open_web(NULL, NULL);
  for (int i = 0; i < 2; i++) {
    post("Idempotency-Key: k1\r\n", "hello");
    web_check(&a, 200, "{\"pos\":\"E.1\"}");
  }
  post("Idempotency-Key: k2\r\n", "hello");
  web_check(&a, 200, "{\"pos\":\"E.2\"}");
  post("Idempotency-Key:\r\n", "hello");
  web_check(&a, 400, NULL);
  int n = snprintf(key, sizeof key, "Idempotency-Key: ");
  memset(key + n, 'k', 255);
  memcpy(key + n + 255, "\r\n", 3);
  post(key, "hello");
  web_check(&a, 200, "{\"pos\":\"E.3\"}");
  memcpy(key + n + 255, "k\r\n", 4);
  post(key, "hello");
  web_check(&a, 400,
            "{\"error\":{\"code\":\"bad-request\",\"text\":\"a field is missing or wrong\"}}");
  finish();
}

static void test_a_key_to_conflate_by(void **state) {
  (void)state;
  coho_topic_options to = {.slow = COHO_SLOW_CONFLATE};
  static char key[300] = "Coho-Key: ";
  open_web(NULL, &to);
  post("Coho-Key: x\r\n", "1");
  web_check(&a, 200, NULL);
  post("Coho-Key: y\r\n", "2");
  web_check(&a, 200, NULL);
  post("Coho-Key: x\r\n", "3");
  web_check(&a, 200, "{\"pos\":\"E.3\"}");
  expect_history("{\"pos\":\"E.2\",\"data\":\"2\"},{\"pos\":\"E.3\",\"data\":\"3\"}");
  memset(key + 10, 'k', 256);
  memcpy(key + 266, "\r\n", 3);
  post(key, "hello");
  web_check(&a, 400, NULL);
  finish();
}

/* ---- what is too big ------------------------------------------------------------------------- */

static void test_too_big_by_its_length_is_not_read(void **state) {
  (void)state;
  coho_topics_options mo = {.max_message = 1000,
                            .origins = (const char *const[]){"https://o", NULL}};
  static char body[1000];
  open_web(&mo, NULL);
  memset(body, 'x', sizeof body);
  web_post(&a, "/t/room", "", body, sizeof body);
  web_check(&a, 200, NULL);
  web_send(&a,
           "POST /t/room HTTP/1.1\r\nHost: h\r\nOrigin: https://o\r\nContent-Length: 1001\r\n\r\n");
  web_check(&a, 413, TOO_BIG);
  assert_string_equal(web_field(&a, "Access-Control-Allow-Origin"), "https://o");
  assert_string_equal(web_field(&a, "Connection"), "close");
  web_connect(&b, &web);
  web_send(&b, "POST /t/room HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
               "18446744073709551615\r\n\r\n");
  web_check(&b, 413, TOO_BIG);
  web_part(&b);
  finish();
}

static void test_too_big_by_chunks_is_read_no_further(void **state) {
  (void)state;
  coho_topics_options mo = {.max_message = 1000};
  open_web(&mo, NULL);
  web_send(&a, CHUNKED "3e8\r\n%01000d\r\n0\r\n\r\n", 5);
  web_check(&a, 200, "{\"pos\":\"E.1\"}");
  web_send(&a, CHUNKED "3e8\r\n%01000d\r\n1\r\n", 5);
  web_check(&a, 413, TOO_BIG);
  assert_string_equal(web_field(&a, "Connection"), "close");
  finish();
}

/* The server's own limit, which other routes have, may be less. */
static void test_a_mount_has_a_limit_of_its_own(void **state) {
  (void)state;
  coho_topics_options mo = {.max_message = 200000};
  static char body[200000];
  web_open_with(&web, &mo, NULL, &(coho_server_options){.max_body = 10});
  web_connect(&a, &web);
  memset(body, 'x', sizeof body);
  web_post(&a, "/t/room", "", body, sizeof body);
  web_check(&a, 200, "{\"pos\":\"E.1\"}");
  web_send(&a, "POST /elsewhere HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n");
  assert_int_equal(web_answer(&a), 404);
  finish();
}

/* ---- places ---------------------------------------------------------------------------------- */

static void test_only_topics_are_published_to(void **state) {
  (void)state;
  open_web(NULL, NULL);
  const char *const others[] = {"/t/room/presence", "/t/room/history"};
  for (size_t i = 0; i < 2; i++) {
    web_post(&a, others[i], "", "x", 1);
    web_check(&a, 405, NULL);
    assert_string_equal(web_field(&a, "Allow"), "GET, HEAD, OPTIONS");
  }
  web_send(&a, "DELETE /t/room HTTP/1.1\r\nHost: h\r\n\r\n");
  web_check(&a, 405,
            "{\"error\":{\"code\":\"bad-request\",\"text\":\"this method is not served "
            "here\"}}");
  assert_string_equal(web_field(&a, "Allow"), "GET, HEAD, POST, OPTIONS");
  web_post(&a, "/t/a//b", "", "x", 1);
  web_check(&a, 404,
            "{\"error\":{\"code\":\"bad-name\",\"text\":\"no name of a topic, or no pattern\"}}");
  web_post(&a, "/t/a/+/b", "", "x", 1);
  web_check(&a, 404, NULL);
  finish();
}

static void test_too_many_topics(void **state) {
  (void)state;
  memset(&web, 0, sizeof web);
  coho_hub_options ho = {.max_topics = 2};
  web.hub = coho_hub_new(&ho);
  world_open(&web.w, NULL, NULL);
  assert_int_equal(coho_route_topics(web.w.server, "/t/", web.hub, NULL), 0);
  world_start(&web.w);
  web_connect(&a, &web);
  for (int i = 0; i < 3; i++) {
    web_post(&a, i == 0 ? "/t/a" : i == 1 ? "/t/b" : "/t/c", "", "x", 1);
    assert_int_equal(web_answer(&a), i < 2 ? 200 : 503);
  }
  assert_string_equal(a.body, FULL);
  assert_string_equal(web_field(&a, "Retry-After"), "5");
  finish();
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void test_only_who_may_publishes(void **state) {
  (void)state;
  coho_keys *keys = web_keys();
  coho_topics_options mo = {.keys = keys, .open_subscribe = (const char *const[]){"#", NULL}};
  open_web(&mo, NULL);
  post("", "hello");
  web_check(&a, 401, "{\"error\":{\"code\":\"unauthorized\",\"text\":\"a token is required\"}}");
  assert_string_equal(web_field(&a, "WWW-Authenticate"), "Bearer realm=\"topics\"");
  post("Authorization: Bearer nonsense\r\n", "hello");
  assert_int_equal(web_answer(&a), 401);
  assert_string_equal(web_field(&a, "WWW-Authenticate"),
                      "Bearer realm=\"topics\", error=\"invalid_token\"");
  post(web_token("{\"exp\":99999999999,\"coho\":{\"sub\":[\"#\"],\"pub\":[\"tea\"]}}"), "hello");
  web_check(&a, 403, "{\"error\":{\"code\":\"forbidden\",\"text\":\"no right to do this\"}}");
  assert_string_equal(web_field(&a, "WWW-Authenticate"),
                      "Bearer realm=\"topics\", error=\"insufficient_scope\"");
  post(web_token("{\"exp\":99999999999,\"coho\":{\"pub\":[\"room\"]}}"), "hello");
  web_check(&a, 200, "{\"pos\":\"E.1\"}");
  finish();
  coho_keys_free(keys);
}

/* ---- topics that block ----------------------------------------------------------------------- */

static const coho_topic_options blocking = {
    .slow = COHO_SLOW_BLOCK, .history_count = 2, .block_ms = UINT32_MAX};

static char much[60001];

/* A subscriber that holds the topic up: nothing more is taken. Returns how many were. */
static unsigned block_topic(void) {
  unsigned count = 0;
  memset(much, 'x', sizeof much - 1);
  web_connect_narrow(&b, &web);
  web_get(&b, "Accept: text/event-stream\r\n", "/t/room");
  assert_int_equal(web_begin(&b), 200);
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

static void test_a_post_waits_for_room(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  open_web(&mo, &blocking);
  unsigned count = block_topic();
  post("", "last");
  settle();
  for (unsigned i = 0; i <= count; i++)
    assert_non_null(web_event(&b));
  char answer[64];
  snprintf(answer, sizeof answer, "{\"pos\":\"E.%u\"}", count + 1);
  web_check(&a, 200, answer);
  snprintf(answer, sizeof answer, "id: E.%u\ndata: last", count + 1);
  assert_string_equal(web_event(&b), answer);
  web_part(&b);
  finish();
}

static void test_many_posts_wait_and_none_is_lost(void **state) {
  (void)state;
  enum { POSTS = 10 };
  static struct web_client c[POSTS];
  coho_topics_options mo = {.max_queue = 100000};
  open_web(&mo, &blocking);
  unsigned count = block_topic();
  for (int i = 0; i < POSTS; i++) {
    web_connect(&c[i], &web);
    web_post(&c[i], "/t/room", "", "x", 1);
  }
  settle();
  for (unsigned i = 0; i < count + 1 + POSTS; i++)
    assert_non_null(web_event(&b));
  for (int i = 0; i < POSTS; i++) {
    assert_int_equal(web_answer(&c[i]), 200);
    web_part(&c[i]);
  }
  coho_pos pos;
  assert_int_equal(coho_hub_position(web.hub, "room", &pos), 0);
  assert_int_equal(pos.offset, count + POSTS);
  web_part(&b);
  finish();
}

static void test_a_post_that_waits_is_told_when_the_subscriber_leaves(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  open_web(&mo, &blocking);
  block_topic();
  post("", "last");
  settle();
  web_part(&b);
  web_check(&a, 200, NULL);
  finish();
}

static void test_who_waits_may_leave_or_be_stopped(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  open_web(&mo, &blocking);
  unsigned count = block_topic();
  post("", "gone");
  settle();
  web_part(&a);
  settle();
  web_connect(&a, &web);
  post("", "stopped");
  settle();
  coho_server_stop(web.w.server);
  web_check(&a, 503, FULL);
  coho_pos pos;
  assert_int_equal(coho_hub_position(web.hub, "room", &pos), 0);
  assert_int_equal(pos.offset, count);
  web_part(&b);
  UNTIL(&web.w, coho_server_stopped(web.w.server));
  finish();
}

static void test_a_loop_that_ends_lets_go_of_who_waits(void **state) {
  (void)state;
  coho_topics_options mo = {.max_queue = 100000};
  open_web(&mo, &blocking);
  block_topic();
  post("", "waits");
  settle();
  web_part(&b);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_unless_it_is_none),
      cmocka_unit_test(test_the_same_key_publishes_once),
      cmocka_unit_test(test_a_key_to_conflate_by),
      cmocka_unit_test(test_too_big_by_its_length_is_not_read),
      cmocka_unit_test(test_too_big_by_chunks_is_read_no_further),
      cmocka_unit_test(test_a_mount_has_a_limit_of_its_own),
      cmocka_unit_test(test_only_topics_are_published_to),
      cmocka_unit_test(test_too_many_topics),
      cmocka_unit_test(test_only_who_may_publishes),
      cmocka_unit_test(test_a_post_waits_for_room),
      cmocka_unit_test(test_many_posts_wait_and_none_is_lost),
      cmocka_unit_test(test_a_post_that_waits_is_told_when_the_subscriber_leaves),
      cmocka_unit_test(test_who_waits_may_leave_or_be_stopped),
      cmocka_unit_test(test_a_loop_that_ends_lets_go_of_who_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
