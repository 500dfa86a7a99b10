/* History and presence on request, and who may ask, follow and poll, as docs/topics.md has it. */
#include "support/web.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SSE "Accept: text/event-stream\r\n"

static struct web web;
static struct web_client a;

static const char NO_TOKEN[] =
    "{\"error\":{\"code\":\"unauthorized\",\"text\":\"a token is required\"}}";
static const char FORBIDDEN[] =
    "{\"error\":{\"code\":\"forbidden\",\"text\":\"no right to do this\"}}";

static void open_web(const coho_topics_options *mount, const coho_topic_options *topic) {
  web_open(&web, mount, topic);
  web_connect(&a, &web);
}

static void finish(void) {
  web_part(&a);
  web_close(&web);
}

static void ask(const char *target, int status, const char *body) {
  web_get(&a, "", "%s", target);
  web_check(&a, status, body);
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
}

/* ---- history --------------------------------------------------------------------------------- */

static void test_history_is_the_last_messages(void **state) {
  (void)state;
  char text[16];
  open_web(NULL, NULL);
  ask("/t/room/history", 200, "{\"messages\":[],\"next\":\"E.0\"}");
  for (unsigned i = 1; i <= 150; i++) {
    snprintf(text, sizeof text, "%u", i);
    web_publish(&web, "room", text);
  }
  ask("/t/room/history?limit=2", 200,
      "{\"messages\":[{\"pos\":\"E.149\",\"data\":\"149\"},{\"pos\":\"E.150\",\"data\":\"150\"}],"
      "\"next\":\"E.150\"}");
  ask("/t/room/history", 200, NULL);
  assert_memory_equal(a.body, "{\"messages\":[{\"pos\":\"E.51\",", 27);
  ask("/t/room/history?limit=1000", 200, NULL);
  assert_memory_equal(a.body, "{\"messages\":[{\"pos\":\"E.1\",", 26);
  web_send(&a, "HEAD /t/room/history HTTP/1.1\r\nHost: h\r\n\r\n");
  assert_int_equal(web_begin(&a), 200);
  finish();
}

static void test_a_limit_out_of_range(void **state) {
  (void)state;
  static const char body[] =
      "{\"error\":{\"code\":\"bad-request\",\"text\":\"a field is missing or wrong\"}}";
  open_web(NULL, NULL);
  ask("/t/room/history?limit=0", 400, body);
  ask("/t/room/history?limit=1001", 400, body);
  ask("/t/room/history?limit=-1", 400, body);
  ask("/t/room/history?limit=", 400, body);
  ask("/t/room/history?limit=x", 400, body);
  ask("/t/a//b/history", 404, NULL);
  ask("/t/history/history", 404, NULL);
  ask("/t/room/presence/history", 404, NULL);
  finish();
}

/* ---- presence -------------------------------------------------------------------------------- */

static void test_presence_is_a_list_to_go_on_from(void **state) {
  (void)state;
  open_web(NULL, NULL);
  ask("/t/room/presence", 200, "{\"members\":[],\"pos\":\"E.0\"}");
  assert_int_equal(coho_presence_enter(web.hub, "room", "ann", "{\"color\": \"red\"}"), 0);
  assert_int_equal(coho_presence_enter(web.hub, "room", "b\"b", NULL), 0);
  web_get(&a, "", "/t/room/presence");
  assert_int_equal(web_answer(&a), 200);
  assert_non_null(strstr(a.body, "{\"id\":\"ann\",\"info\":{\"color\""));
  assert_non_null(strstr(a.body, "{\"id\":\"b\\\"b\",\"info\":null}],\"pos\":\"E.2\"}"));
  web_get(&a, "", "/t/room/presence?since=%s", web_pos(&web, 1));
  web_check(
      &a, 200,
      "{\"messages\":[{\"pos\":\"E.2\",\"data\":\"{\\\"event\\\":\\\"join\\\",\\\"id\\\":\\\"b"
      "\\\\\\\"b\\\"}\"}],\"next\":\"E.2\"}");
  finish();
}

/* ---- who may --------------------------------------------------------------------------------- */

static coho_keys *keys;

static void open_guarded(void) {
  keys = web_keys();
  coho_topics_options mo = {.keys = keys, .open_subscribe = (const char *const[]){"open/#", NULL}};
  open_web(&mo, NULL);
}

static void finish_guarded(void) {
  finish();
  coho_keys_free(keys);
}

#define ROOM "{\"exp\":99999999999,\"sub\":\"ann\",\"coho\":{\"sub\":[\"room\"]}}"

static void test_all_that_looks_needs_the_right_to_subscribe(void **state) {
  (void)state;
  static const char *const ends[] = {"",          "?wait=0",          "/history",
                                     "/presence", "/presence?wait=0", "?since=0"};
  char target[128];
  open_guarded();
  web_publish(&web, "room", "x");
  web_publish(&web, "open/x", "x");
  for (size_t i = 0; i < 6; i++) {
    (void)snprintf(target, sizeof target, "/t/room%s", ends[i]);
    ask(target, 401, NO_TOKEN);
    assert_string_equal(web_field(&a, "WWW-Authenticate"), "Bearer realm=\"topics\"");
    web_get(&a, web_token("{\"exp\":99999999999,\"coho\":{\"sub\":[\"tea\"],\"pub\":[\"#\"]}}"),
            "%s", target);
    web_check(&a, 403, FORBIDDEN);
    assert_string_equal(web_field(&a, "WWW-Authenticate"),
                        "Bearer realm=\"topics\", error=\"insufficient_scope\"");
    web_get(&a, web_token("{\"exp\":1}"), "%s", target);
    web_check(&a, 401, NULL);
    if (i == 0) continue; /* a stream */
    web_get(&a, web_token(ROOM), "%s", target);
    web_check(&a, 200, NULL);
    (void)snprintf(target, sizeof target, "/t/open/x%s", ends[i]);
    ask(target, 200, NULL);
  }
  finish_guarded();
}

static void test_of_several_topics_each_has_its_right(void **state) {
  (void)state;
  open_guarded();
  web_get(&a, web_token(ROOM), "/t/?sub=room&sub=tea&sub=open/x&wait=0");
  web_check(&a, 200,
            "{\"frames\":[{\"op\":\"ok\",\"topic\":\"room\",\"pos\":\"E.0\"},"
            "{\"op\":\"error\",\"topic\":\"tea\",\"code\":\"forbidden\",\"text\":\"no right to do "
            "this\"},{\"op\":\"ok\",\"topic\":\"open/x\",\"pos\":\"E.0\"}]}");
  ask("/t/?sub=room&sub=open/x&wait=0", 200,
      "{\"frames\":[{\"op\":\"error\",\"topic\":\"room\",\"code\":\"unauthorized\",\"text\":\"a "
      "token "
      "is required\"},{\"op\":\"ok\",\"topic\":\"open/x\",\"pos\":\"E.0\"}]}");
  finish_guarded();
}

static void test_without_a_token_nothing_is_open_at_the_root(void **state) {
  (void)state;
  keys = web_keys();
  coho_topics_options mo = {.keys = keys};
  open_web(&mo, NULL);
  ask("/t/?sub=room&wait=0", 401, NO_TOKEN);
  web_get(&a, SSE, "/t/?sub=room");
  web_check(&a, 401, NO_TOKEN);
  finish_guarded();
}

static void test_presence_is_under_the_name_of_the_token(void **state) {
  (void)state;
  open_guarded();
  web_get(&a, web_token(ROOM), "/t/room?wait=0&as=bob");
  web_check(&a, 403, FORBIDDEN);
  web_get(&a, web_token(ROOM), "/t/room?as=bob");
  web_check(&a, 403, FORBIDDEN);
  web_get(&a, web_token(ROOM), "/t/?sub=room&wait=0&as=bob");
  web_check(
      &a, 200,
      "{\"frames\":[{\"op\":\"error\",\"topic\":\"room\",\"code\":\"forbidden\",\"text\":\"no "
      "right to do this\"}]}");
  assert_int_equal(coho_presence_list(web.hub, "room", NULL, NULL, NULL), 0);
  web_get(&a, web_token(ROOM), "/t/room?wait=0&as=ann");
  web_check(&a, 200, NULL);
  assert_int_equal(coho_presence_list(web.hub, "room", NULL, NULL, NULL), 1);
  finish_guarded();
}

/* ---- tokens that end ------------------------------------------------------------------------- */

/* A token for room that ends after so many ms. */
static const char *short_token(uint64_t ms) {
  char claims[128];
  uint64_t end = coho__clock_wall_ms() + ms;
  snprintf(claims, sizeof claims, "{\"exp\":%" PRIu64 ".%03u,\"coho\":{\"sub\":[\"room\"]}}",
           end / 1000, (unsigned)(end % 1000));
  return web_token(claims);
}

static void test_a_stream_ends_with_its_token(void **state) {
  (void)state;
  open_guarded();
  web_get(&a, short_token(1500), "/t/room");
  assert_int_equal(web_begin(&a), 200);
  assert_non_null(web_event(&a));
  assert_null(web_event(&a));
  assert_int_equal(coho_hub_subscribers(web.hub, "room"), 0);
  finish_guarded();
}

static void test_a_stream_of_several_topics_tells_before(void **state) {
  (void)state;
  open_guarded();
  web_get(&a, short_token(1500), "/t/?sub=room");
  assert_int_equal(web_begin(&a), 200);
  assert_non_null(web_event(&a));
  assert_string_equal(web_event(&a), "data: {\"op\":\"ok\",\"topic\":\"room\",\"pos\":\"E.0\"}");
  const char *block = web_event(&a);
  assert_non_null(block);
  assert_memory_equal(block, "data: {\"op\":\"expiring\",\"in\":", 28);
  assert_null(web_event(&a));
  finish_guarded();
}

static void test_a_poll_waits_no_longer_than_its_token(void **state) {
  (void)state;
  open_guarded();
  web_get(&a, short_token(1500), "/t/room?wait=60&since=%s", web_pos(&web, 0));
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  finish_guarded();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_history_is_the_last_messages),
      cmocka_unit_test(test_a_limit_out_of_range),
      cmocka_unit_test(test_presence_is_a_list_to_go_on_from),
      cmocka_unit_test(test_all_that_looks_needs_the_right_to_subscribe),
      cmocka_unit_test(test_of_several_topics_each_has_its_right),
      cmocka_unit_test(test_without_a_token_nothing_is_open_at_the_root),
      cmocka_unit_test(test_presence_is_under_the_name_of_the_token),
      cmocka_unit_test(test_a_stream_ends_with_its_token),
      cmocka_unit_test(test_a_stream_of_several_topics_tells_before),
      cmocka_unit_test(test_a_poll_waits_no_longer_than_its_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
