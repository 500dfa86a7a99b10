/* Topics by WebSocket: raw ones, and those of coho.json.v1, as docs/topics.md has them. */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <coho/topics.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON "Sec-WebSocket-Protocol: coho.json.v1\r\n"

static struct world w;
static coho_hub *hub;
static struct raw a, b;

static void open_mount(const coho_topics_options *opt, const coho_topic_options *topic) {
  coho_hub_options ho = {.on_gap = NULL};
  if (topic) ho.topic = *topic;
  hub = coho_hub_new(&ho);
  assert_non_null(hub);
  world_open(&w, NULL, NULL);
  assert_int_equal(coho_route_topics(w.server, "/t/", hub, opt), 0);
  coho_hub_free(hub); /* the server has it */
  world_start(&w);
  raw_connect(&a, &w);
}

static void finish(void) {
  raw_close(&a);
  world_close(&w);
}

static void publish(const char *topic, const char *text) {
  assert_int_equal(coho_publish(hub, topic, coho_text(text)), 0);
}

/* The next frame is text that says this. */
static void expect(struct raw *r, const char *text) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  char got[4096];
  assert_true(f.len < sizeof got);
  memcpy(got, f.data, f.len);
  got[f.len] = '\0';
  assert_string_equal(got, text);
}

static void expect_close(struct raw *r, unsigned code) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), code);
}

/* The next frame as an object. */
static json_t *next(struct raw *r) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  json_t *j = json_loadb(f.data, f.len, JSON_REJECT_DUPLICATES, NULL);
  assert_true(json_is_object(j));
  return j;
}

static const char *text_of(const json_t *j, const char *name) {
  const char *text = json_string_value(json_object_get(j, name));
  return text ? text : "";
}

static void say(struct raw *r, const char *text) { raw_frame(r, 1, true, text, strlen(text)); }

/* Asks, and the answer is of this op; its `code`, too, when it is an error. */
static json_t *ask(struct raw *r, const char *request, const char *op, const char *code) {
  say(r, request);
  json_t *j = next(r);
  assert_string_equal(text_of(j, "op"), op);
  if (code) assert_string_equal(text_of(j, "code"), code);
  return j;
}

static void check(struct raw *r, const char *request, const char *op, const char *code) {
  json_decref(ask(r, request, op, code));
}

static char head[4096];

/* The answer to a handshake. */
static const char *upgrade(struct raw *r, const char *target, const char *fields) {
  char request[8192];
  int n = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "%s\r\n",
                   target, fields);
  assert_true(n > 0 && (size_t)n < sizeof request);
  raw_send(r, request, (size_t)n);
  return raw_head(r, head, sizeof head);
}

/* The value of a field of head. */
static const char *field(const char *name) {
  static char value[256];
  const char *at = strstr(head, name);
  if (!at) return NULL;
  at += strlen(name);
  size_t len = strcspn(at, "\r\n");
  assert_true(len < sizeof value);
  memcpy(value, at, len);
  value[len] = '\0';
  return value;
}

/* ---- raw ------------------------------------------------------------------------------------- */

static void test_raw_frames_are_messages(void **state) {
  (void)state;
  open_mount(NULL, NULL);
  assert_int_equal(raw_upgrade(&a, "/t/room/tea", ""), 101);
  raw_connect(&b, &w);
  assert_int_equal(raw_upgrade(&b, "/t/room/tea", ""), 101);
  raw_frame(&b, 1, true, "hello", 5);
  expect(&a, "hello");
  expect(&b, "hello");
  raw_frame(&b, 2, true, "\0\1", 2);
  struct raw_frame f;
  assert_true(raw_next(&a, &f));
  assert_int_equal(f.opcode, 2);
  assert_int_equal(f.len, 2);
  raw_close(&b);
  finish();
}

static void test_raw_position_and_resume(void **state) {
  (void)state;
  char target[128], start[64];
  open_mount(NULL, NULL);
  publish("t", "1");
  assert_non_null(strstr(upgrade(&a, "/t/t", ""), " 101 "));
  (void)snprintf(start, sizeof start, "%s", field("Coho-Position: "));
  assert_non_null(strstr(start, ".1"));
  assert_null(field("Coho-Gap: "));
  publish("t", "2");
  expect(&a, "2");
  raw_close(&a);
  publish("t", "3");
  raw_connect(&a, &w);
  (void)snprintf(target, sizeof target, "/t/t?since=%s", start);
  (void)upgrade(&a, target, "");
  assert_string_equal(field("Coho-Position: "), start);
  expect(&a, "2");
  expect(&a, "3");
  publish("t", "4");
  expect(&a, "4");
  finish();
}

static void test_raw_gaps_are_told(void **state) {
  (void)state;
  coho_topic_options few = {.history_count = 2};
  char target[128];
  coho_pos first;
  open_mount(NULL, &few);
  coho_publish_with(hub, "t", coho_text("1"), NULL, &first);
  for (int i = 0; i < 4; i++)
    publish("t", "x");
  char text[COHO_POS_MAX];
  (void)snprintf(target, sizeof target, "/t/t?since=%s", coho_pos_text(first, text, sizeof text));
  (void)upgrade(&a, target, "");
  assert_string_equal(field("Coho-Gap: "), "2");
  raw_close(&a);
  raw_connect(&a, &w);
  (void)upgrade(&a, "/t/t?since=zzz.7", "");
  assert_string_equal(field("Coho-Gap: "), "unknown");
  raw_close(&a);
  raw_connect(&a, &w);
  (void)upgrade(&a, "/t/t?since=0", "");
  assert_null(field("Coho-Gap: "));
  expect(&a, "x");
  finish();
}

static void test_raw_refusals(void **state) {
  (void)state;
  static const struct {
    const char *target, *fields, *status;
  } rows[] = {
      {"/t/t?since=nonsense", "", " 400 "},
      {"/t/t/", "", " 404 "},
      {"/t//t", "", " 404 "},
      {"/t/a%20b", "", " 404 "},
      {"/t/t/history", "", " 404 "},
      {"/t/history", "", " 404 "},
      {"/t/", "", " 400 "},
      {"/t/", "Sec-WebSocket-Protocol: other\r\n", " 400 "},
      {"/t/t", "Origin: http://evil.example\r\n", " 403 "},
  };
  open_mount(NULL, NULL);
  raw_close(&a);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    raw_connect(&a, &w);
    const char *answer = upgrade(&a, rows[i].target, rows[i].fields);
    if (!strstr(answer, rows[i].status)) fail_msg("%s: %s", rows[i].target, answer);
    raw_close(&a);
  }
  raw_connect(&a, &w);
  finish();
}

static void test_raw_what_may_not_be_published(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  coho_topics_options read_only = {.open_publish = none, .max_message = 10};
  open_mount(&read_only, NULL);
  assert_int_equal(raw_upgrade(&a, "/t/t", ""), 101);
  say(&a, "x");
  expect_close(&a, 4403);
  finish();
  coho_topics_options small = {.max_message = 4};
  open_mount(&small, NULL);
  assert_int_equal(raw_upgrade(&a, "/t/t", ""), 101);
  say(&a, "four");
  expect(&a, "four");
  say(&a, "fives");
  expect_close(&a, 1009);
  finish();
}

static void test_raw_a_companion_is_followed_and_not_published(void **state) {
  (void)state;
  open_mount(NULL, NULL);
  assert_int_equal(raw_upgrade(&a, "/t/t/presence", ""), 101);
  raw_connect(&b, &w);
  assert_int_equal(raw_upgrade(&b, "/t/t?as=ann&info=%7B%22c%22%3A1%7D", ""), 101);
  expect(&a, "{\"event\":\"join\",\"id\":\"ann\",\"info\":{\"c\":1}}");
  assert_int_equal(coho_presence_list(hub, "t", NULL, NULL, NULL), 1);
  raw_close(&b);
  say(&a, "x");
  expect_close(&a, 4403);
  finish();
}

/* A handshake that fails after who asks was found present. */
static void test_raw_presence_ends_with_a_failed_handshake(void **state) {
  (void)state;
  coho_topic_options at_once = {.grace_ms = 1};
  open_mount(NULL, &at_once);
  (void)upgrade(&a, "/t/t?as=ann&info=nonsense", "");
  assert_non_null(strstr(head, " 400 "));
  assert_int_equal(coho_presence_list(hub, "t", NULL, NULL, NULL), 0);
  finish();
}

/* ---- coho.json.v1 ---------------------------------------------------------------------------- */

static void open_json(const coho_topics_options *opt, const coho_topic_options *topic) {
  open_mount(opt, topic);
  assert_non_null(strstr(upgrade(&a, "/t/", JSON), " 101 "));
  assert_string_equal(field("Sec-WebSocket-Protocol: "), "coho.json.v1");
}

static void test_json_sub_pub_unsub(void **state) {
  (void)state;
  open_json(NULL, NULL);
  json_t *ok = ask(&a, "{\"op\":\"sub\",\"id\":1,\"topic\":\"r\"}", "ok", NULL);
  assert_int_equal(json_integer_value(json_object_get(ok, "id")), 1);
  assert_string_equal(text_of(ok, "topic"), "r");
  json_decref(ok);
  say(&a, "{\"op\":\"pub\",\"id\":\"p\",\"topic\":\"r\",\"data\":\"\\u00e9\\n\"}");
  ok = next(&a);
  assert_string_equal(text_of(ok, "op"), "ok");
  assert_string_equal(text_of(ok, "id"), "p");
  json_t *m = next(&a);
  assert_string_equal(text_of(m, "topic"), "r");
  assert_string_equal(text_of(m, "data"), "\xc3\xa9\n");
  assert_string_equal(text_of(m, "pos"), text_of(ok, "pos"));
  json_decref(ok);
  json_decref(m);
  check(&a, "{\"op\":\"unsub\",\"topic\":\"r\"}", "ok", NULL);
  publish("r", "unheard");
  check(&a, "{\"op\":\"ping\"}", "pong", NULL);
  finish();
}

static void test_json_binary_is_base64(void **state) {
  (void)state;
  open_json(NULL, NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"r\"}", "ok", NULL);
  check(&a, "{\"op\":\"pub\",\"topic\":\"r\",\"data64\":\"AAEC\"}", "ok", NULL);
  json_t *m = next(&a);
  assert_string_equal(text_of(m, "data64"), "AAEC");
  assert_null(json_object_get(m, "data"));
  json_decref(m);
  finish();
}

static void test_json_resume_and_gap(void **state) {
  (void)state;
  coho_topic_options few = {.history_count = 2};
  char request[128], text[COHO_POS_MAX];
  coho_pos first;
  open_json(NULL, &few);
  coho_publish_with(hub, "r", coho_text("1"), NULL, &first);
  for (int i = 0; i < 4; i++)
    publish("r", "x");
  (void)snprintf(request, sizeof request, "{\"op\":\"sub\",\"topic\":\"r\",\"since\":\"%s\"}",
                 coho_pos_text(first, text, sizeof text));
  check(&a, request, "ok", NULL);
  json_t *gap = next(&a);
  assert_string_equal(text_of(gap, "op"), "gap");
  assert_int_equal(json_integer_value(json_object_get(gap, "lost")), 2);
  json_decref(gap);
  for (int i = 0; i < 2; i++) {
    json_t *m = next(&a);
    assert_string_equal(text_of(m, "data"), "x");
    json_decref(m);
  }
  check(&a, "{\"op\":\"unsub\",\"topic\":\"r\"}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"r\",\"since\":\"q.1\"}", "ok", NULL);
  gap = next(&a);
  assert_true(json_is_null(json_object_get(gap, "lost")));
  json_decref(gap);
  finish();
}

static void test_json_patterns(void **state) {
  (void)state;
  open_json(NULL, NULL);
  check(&a, "{\"op\":\"sub\",\"pattern\":\"r/+\"}", "ok", NULL);
  publish("r/1", "x");
  json_t *m = next(&a);
  assert_string_equal(text_of(m, "topic"), "r/1");
  assert_string_equal(text_of(m, "pattern"), "r/+");
  json_decref(m);
  check(&a, "{\"op\":\"unsub\",\"pattern\":\"r/+\"}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"pattern\":\"r/#\",\"since\":0}", "error", "bad-request");
  finish();
}

static void test_json_presence(void **state) {
  (void)state;
  open_json(NULL, NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"r/presence\"}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"r\",\"as\":{\"id\":\"ann\",\"info\":{\"c\":1}}}", "ok",
        NULL);
  json_t *event = next(&a);
  assert_string_equal(text_of(event, "data"),
                      "{\"event\":\"join\",\"id\":\"ann\",\"info\":{\"c\":1}}");
  json_decref(event);
  json_t *list = ask(&a, "{\"op\":\"presence\",\"topic\":\"r\"}", "presence", NULL);
  assert_int_equal(json_array_size(json_object_get(list, "members")), 1);
  json_decref(list);
  finish();
}

static void test_json_history(void **state) {
  (void)state;
  open_json(NULL, NULL);
  publish("r", "1");
  publish("r", "2");
  json_t *h = ask(&a, "{\"op\":\"history\",\"topic\":\"r\",\"limit\":1}", "history", NULL);
  const json_t *messages = json_object_get(h, "messages");
  assert_int_equal(json_array_size(messages), 1);
  assert_string_equal(text_of(json_array_get(messages, 0), "data"), "2");
  json_decref(h);
  check(&a, "{\"op\":\"history\",\"topic\":\"r\",\"limit\":0}", "error", "bad-request");
  check(&a, "{\"op\":\"history\",\"topic\":\"none\"}", "history", NULL);
  finish();
}

static void test_json_errors_end_only_their_request(void **state) {
  (void)state;
  static const struct {
    const char *request, *code;
  } rows[] = {
      {"{}", "bad-request"},
      {"{\"op\":7}", "bad-request"},
      {"{\"op\":\"nope\"}", "bad-request"},
      {"{\"op\":\"sub\"}", "bad-request"},
      {"{\"op\":\"sub\",\"topic\":\"a\",\"pattern\":\"b\"}", "bad-request"},
      {"{\"op\":\"sub\",\"topic\":7}", "bad-request"},
      {"{\"op\":\"sub\",\"topic\":\"a//b\"}", "bad-name"},
      {"{\"op\":\"sub\",\"topic\":\"\"}", "bad-name"},
      {"{\"op\":\"sub\",\"topic\":\"a/history\"}", "bad-name"},
      {"{\"op\":\"sub\",\"pattern\":\"#/a\"}", "bad-name"},
      {"{\"op\":\"sub\",\"topic\":\"a\",\"since\":\"x\"}", "bad-since"},
      {"{\"op\":\"sub\",\"topic\":\"a\",\"since\":7}", "bad-since"},
      {"{\"op\":\"sub\",\"topic\":\"a\",\"as\":{}}", "bad-request"},
      {"{\"op\":\"unsub\",\"topic\":\"a\"}", "not-subscribed"},
      {"{\"op\":\"pub\",\"topic\":\"a\"}", "bad-request"},
      {"{\"op\":\"pub\",\"topic\":\"a\",\"data\":\"x\",\"data64\":\"\"}", "bad-request"},
      {"{\"op\":\"pub\",\"topic\":\"a\",\"data64\":\"A\"}", "bad-request"},
      {"{\"op\":\"pub\",\"topic\":\"a/presence\",\"data\":\"x\"}", "bad-name"},
      {"{\"op\":\"pub\",\"topic\":\"a\",\"data\":\"x\",\"idem\":\"\"}", "bad-request"},
      {"{\"op\":\"pub\",\"topic\":\"a\",\"data\":\"12345\"}", "too-big"},
      {"{\"op\":\"ping\",\"id\":{}}", "bad-request"},
      {"{\"op\":\"auth\"}", "bad-request"},
  };
  coho_topics_options small = {.max_message = 4};
  open_json(&small, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    say(&a, rows[i].request);
    json_t *j = next(&a);
    if (strcmp(text_of(j, "code"), rows[i].code) != 0)
      fail_msg("%s: %s", rows[i].request, text_of(j, "code"));
    json_decref(j);
  }
  check(&a, "{\"op\":\"sub\",\"topic\":\"a\",\"unknown\":1}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"a\"}", "error", "exists");
  finish();
}

static void test_json_what_closes(void **state) {
  (void)state;
  static const struct {
    unsigned opcode, code;
    const char *bytes;
  } rows[] = {{1, 1007, "no JSON"},
              {1, 1007, "[1]"},
              {1, 1007, ""},
              {1, 1007, "{\"a\":1,\"a\":2}"},
              {2, 1003, "{}"},
              {1, 1007, "{\"op\":\"p\\u0000\"}"},
              {1, 1007, "{\"a\":[[[[[[[[[[1]]]]]]]]]]}"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    open_json(NULL, NULL);
    raw_frame(&a, rows[i].opcode, true, rows[i].bytes, strlen(rows[i].bytes));
    expect_close(&a, rows[i].code);
    finish();
  }
}

static void test_json_too_many_errors(void **state) {
  (void)state;
  struct raw_frame f;
  coho_topics_options fast = {.rate = {.per_second = UINT32_MAX}};
  open_json(&fast, NULL);
  unsigned answers = 0;
  for (int i = 0; i < 101; i++)
    say(&a, "{}");
  while (raw_next(&a, &f) && f.opcode == 1)
    answers++;
  assert_int_equal(answers, 100);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1008);
  finish();
}

/* B21 */
static void test_json_B21_subscriptions_are_limited(void **state) {
  (void)state;
  coho_topics_options two = {.max_subscriptions = 2};
  open_json(&two, NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"a\"}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"pattern\":\"b/#\"}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"c\"}", "error", "too-many");
  check(&a, "{\"op\":\"unsub\",\"topic\":\"a\"}", "ok", NULL);
  check(&a, "{\"op\":\"sub\",\"topic\":\"c\"}", "ok", NULL);
  finish();
}

static void test_json_idempotency(void **state) {
  (void)state;
  static const char request[] = "{\"op\":\"pub\",\"topic\":\"r\",\"data\":\"x\",\"idem\":\"k\"}";
  open_json(NULL, NULL);
  json_t *first = ask(&a, request, "ok", NULL), *second = ask(&a, request, "ok", NULL);
  assert_string_equal(text_of(first, "pos"), text_of(second, "pos"));
  json_decref(first);
  json_decref(second);
  finish();
}

/* ---- topics that block ----------------------------------------------------------------------- */

static const coho_topic_options blocking = {.slow = COHO_SLOW_BLOCK, .history_bytes = 64 * 1024};

/* A subscriber that does not read, until the topic takes nothing more. */
static void hold_up(struct raw *slow) {
  static char block[20000];
  memset(block, 'b', sizeof block);
  raw_connect_narrow(slow, &w);
  assert_non_null(strstr(upgrade(slow, "/t/r", ""), " 101 "));
  while (coho_publish(hub, "r", coho_text_n(block, sizeof block)) == 0)
    (void)coho_loop_turn(w.loop, 0);
}

static void read_on(struct raw *r) {
  struct raw_frame f;
  while (raw_next(r, &f) && f.len == 20000) {}
  assert_int_equal(f.len, 5); /* "after" */
}

static void test_raw_a_publisher_waits_for_room(void **state) {
  (void)state;
  open_mount(NULL, &blocking);
  hold_up(&b);
  raw_close(&a);
  raw_connect(&a, &w);
  (void)upgrade(&a, "/t/r", "");
  say(&a, "after");
  read_on(&b);
  expect(&a, "after");
  raw_close(&b);
  finish();
}

static void test_json_a_publisher_waits_for_room(void **state) {
  (void)state;
  open_mount(NULL, &blocking);
  hold_up(&b);
  raw_close(&a);
  raw_connect(&a, &w);
  (void)upgrade(&a, "/t/", JSON);
  say(&a, "{\"op\":\"pub\",\"id\":1,\"topic\":\"r\",\"data\":\"after\"}");
  say(&a, "{\"op\":\"ping\",\"id\":2}"); /* waits behind it */
  read_on(&b);
  json_t *ok = next(&a);
  assert_string_equal(text_of(ok, "op"), "ok");
  assert_int_equal(json_integer_value(json_object_get(ok, "id")), 1);
  json_decref(ok);
  json_t *pong = next(&a);
  assert_string_equal(text_of(pong, "op"), "pong");
  json_decref(pong);
  raw_close(&b);
  finish();
}

static void test_json_a_publisher_that_waits_may_go(void **state) {
  (void)state;
  open_mount(NULL, &blocking);
  hold_up(&b);
  raw_close(&a);
  raw_connect(&a, &w);
  (void)upgrade(&a, "/t/", JSON);
  say(&a, "{\"op\":\"pub\",\"id\":1,\"topic\":\"r\",\"data\":\"never\"}");
  for (int i = 0; i < 5; i++)
    world_turn(&w);
  raw_close(&b);
  finish();
}

/* A client that does not read gets what is left and the gap, in this order. */
static void test_json_B16_slow_clients_are_told_what_they_missed(void **state) {
  (void)state;
  static char block[20001];
  coho_topic_options few = {.history_count = 5};
  memset(block, 'b', 20000);
  open_mount(NULL, &few);
  raw_close(&a);
  raw_connect_narrow(&a, &w);
  (void)upgrade(&a, "/t/", JSON);
  check(&a, "{\"op\":\"sub\",\"topic\":\"r\"}", "ok", NULL);
  enum { PUBLISHED = 1000 };
  for (int i = 0; i < PUBLISHED; i++) {
    publish("r", block);
    (void)coho_loop_turn(w.loop, 0);
  }
  uint64_t seen = 0, lost = 0;
  while (seen + lost < PUBLISHED) {
    json_t *j = next(&a);
    if (strcmp(text_of(j, "op"), "gap") == 0)
      lost += (uint64_t)json_integer_value(json_object_get(j, "lost"));
    else
      seen++;
    json_decref(j);
  }
  assert_int_equal(seen + lost, PUBLISHED);
  assert_true(lost > 0);
  coho_hub_stats stats;
  coho_hub_get_stats(hub, &stats);
  assert_int_equal(stats.dropped, lost);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_raw_frames_are_messages),
      cmocka_unit_test(test_raw_position_and_resume),
      cmocka_unit_test(test_raw_gaps_are_told),
      cmocka_unit_test(test_raw_refusals),
      cmocka_unit_test(test_raw_what_may_not_be_published),
      cmocka_unit_test(test_raw_a_companion_is_followed_and_not_published),
      cmocka_unit_test(test_raw_presence_ends_with_a_failed_handshake),
      cmocka_unit_test(test_json_sub_pub_unsub),
      cmocka_unit_test(test_json_binary_is_base64),
      cmocka_unit_test(test_json_resume_and_gap),
      cmocka_unit_test(test_json_patterns),
      cmocka_unit_test(test_json_presence),
      cmocka_unit_test(test_json_history),
      cmocka_unit_test(test_json_errors_end_only_their_request),
      cmocka_unit_test(test_json_what_closes),
      cmocka_unit_test(test_json_too_many_errors),
      cmocka_unit_test(test_json_B21_subscriptions_are_limited),
      cmocka_unit_test(test_json_idempotency),
      cmocka_unit_test(test_raw_a_publisher_waits_for_room),
      cmocka_unit_test(test_json_a_publisher_waits_for_room),
      cmocka_unit_test(test_json_a_publisher_that_waits_may_go),
      cmocka_unit_test(test_json_B16_slow_clients_are_told_what_they_missed),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
