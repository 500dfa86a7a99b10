/* Topics by coho.json.v1, as docs/topics.md has it. */
#include "mounted.h"
#include "support/alloc_fail.h"

#include <stdio.h>
#include <string.h>

static void test_json_sub_pub_unsub(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  json_t *ok = mounted_ask(&mounted.a, "{\"op\":\"sub\",\"id\":1,\"topic\":\"r\"}", "ok", NULL);
  assert_int_equal(json_integer_value(json_object_get(ok, "id")), 1);
  assert_string_equal(mounted_text(ok, "topic"), "r");
  json_decref(ok);
  mounted_say(&mounted.a, "{\"op\":\"pub\",\"id\":\"p\",\"topic\":\"r\",\"data\":\"\\u00e9\\n\"}");
  ok = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(ok, "op"), "ok");
  assert_string_equal(mounted_text(ok, "id"), "p");
  json_t *m = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(m, "topic"), "r");
  assert_string_equal(mounted_text(m, "data"), "\xc3\xa9\n");
  assert_string_equal(mounted_text(m, "pos"), mounted_text(ok, "pos"));
  json_decref(ok);
  json_decref(m);
  mounted_check(&mounted.a, "{\"op\":\"unsub\",\"topic\":\"r\"}", "ok", NULL);
  mounted_publish("r", "unheard");
  mounted_check(&mounted.a, "{\"op\":\"ping\"}", "pong", NULL);
  mounted_finish();
}

static void test_json_binary_is_base64(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"r\"}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"pub\",\"topic\":\"r\",\"data64\":\"AAEC\"}", "ok", NULL);
  json_t *m = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(m, "data64"), "AAEC");
  assert_null(json_object_get(m, "data"));
  json_decref(m);
  mounted_finish();
}

static void test_json_resume_and_gap(void **state) {
  (void)state;
  coho_topic_options few = {.history_count = 2};
  char request[128], text[COHO_POS_MAX];
  coho_pos first;
  mounted_open_json(NULL, &few);
  coho_publish_with(mounted.hub, "r", coho_text("1"), NULL, &first);
  for (int i = 0; i < 4; i++)
    mounted_publish("r", "x");
  (void)snprintf(request, sizeof request, "{\"op\":\"sub\",\"topic\":\"r\",\"since\":\"%s\"}",
                 coho_pos_text(first, text, sizeof text));
  mounted_check(&mounted.a, request, "ok", NULL);
  json_t *gap = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(gap, "op"), "gap");
  assert_int_equal(json_integer_value(json_object_get(gap, "lost")), 2);
  json_decref(gap);
  for (int i = 0; i < 2; i++) {
    json_t *m = mounted_next(&mounted.a);
    assert_string_equal(mounted_text(m, "data"), "x");
    json_decref(m);
  }
  mounted_check(&mounted.a, "{\"op\":\"unsub\",\"topic\":\"r\"}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"r\",\"since\":\"qqqqqq.1\"}", "ok", NULL);
  gap = mounted_next(&mounted.a);
  assert_true(json_is_null(json_object_get(gap, "lost")));
  json_decref(gap);
  mounted_finish();
}

static void test_json_patterns(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"pattern\":\"r/+\"}", "ok", NULL);
  mounted_publish("r/1", "x");
  json_t *m = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(m, "topic"), "r/1");
  assert_string_equal(mounted_text(m, "pattern"), "r/+");
  json_decref(m);
  mounted_check(&mounted.a, "{\"op\":\"unsub\",\"pattern\":\"r/+\"}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"pattern\":\"r/#\",\"since\":0}", "error",
                "bad-request");
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"pattern\":\"r/#\",\"as\":{\"id\":\"ann\"}}", "error",
                "bad-request");
  mounted_check(&mounted.a, "{\"op\":\"unsub\",\"pattern\":\"r/#\"}", "error", "not-subscribed");
  mounted_finish();
}

static void test_json_presence(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"r/presence\"}", "ok", NULL);
  mounted_check(&mounted.a,
                "{\"op\":\"sub\",\"topic\":\"r\",\"as\":{\"id\":\"ann\",\"info\":{\"c\":1}}}", "ok",
                NULL);
  json_t *event = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(event, "data"),
                      "{\"event\":\"join\",\"id\":\"ann\",\"info\":{\"c\":1}}");
  json_decref(event);
  json_t *list = mounted_ask(&mounted.a, "{\"op\":\"presence\",\"topic\":\"r\"}", "presence", NULL);
  assert_int_equal(json_array_size(json_object_get(list, "members")), 1);
  json_decref(list);
  mounted_finish();
}

static void test_json_history(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_publish("r", "1");
  mounted_publish("r", "2");
  json_t *h =
      mounted_ask(&mounted.a, "{\"op\":\"history\",\"topic\":\"r\",\"limit\":1}", "history", NULL);
  const json_t *messages = json_object_get(h, "messages");
  assert_int_equal(json_array_size(messages), 1);
  assert_string_equal(mounted_text(json_array_get(messages, 0), "data"), "2");
  json_decref(h);
  mounted_check(&mounted.a, "{\"op\":\"history\",\"topic\":\"r\",\"limit\":0}", "error",
                "bad-request");
  mounted_check(&mounted.a, "{\"op\":\"history\",\"topic\":\"none\"}", "history", NULL);
  mounted_finish();
}

/* However much is held, an answer is no larger than 1 MiB and a little. */
static void test_json_history_is_bounded_in_bytes(void **state) {
  (void)state;
  static char block[100000];
  coho_topic_options much = {.history_bytes = 64 << 20};
  coho_topics_options wide = {.max_queue = 64 << 20};
  memset(block, 'b', sizeof block);
  mounted_open_json(&wide, &much);
  for (int i = 0; i < 30; i++)
    assert_int_equal(coho_publish(mounted.hub, "r", coho_text_n(block, sizeof block)), 0);
  mounted_publish("r", "last");
  mounted_say(&mounted.a, "{\"op\":\"history\",\"topic\":\"r\",\"limit\":1000}");
  /* Larger than the buffer of a raw peer: only its header is looked at. */
  const unsigned char *h = (const unsigned char *)raw_bytes(&mounted.a, 10);
  assert_int_equal(h[1], 127);
  uint64_t len = 0;
  for (int i = 2; i < 10; i++)
    len = len << 8 | h[i];
  assert_true(len > 1000000 && len < 1100000);
  mounted_finish();
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
  mounted_open_json(&small, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mounted_say(&mounted.a, rows[i].request);
    json_t *j = mounted_next(&mounted.a);
    if (strcmp(mounted_text(j, "code"), rows[i].code) != 0)
      fail_msg("%s: %s", rows[i].request, mounted_text(j, "code"));
    json_decref(j);
  }
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"a\",\"unknown\":1}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"a\"}", "error", "exists");
  mounted_finish();
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
    mounted_open_json(NULL, NULL);
    raw_frame(&mounted.a, rows[i].opcode, true, rows[i].bytes, strlen(rows[i].bytes));
    mounted_expect_close(&mounted.a, rows[i].code);
    mounted_finish();
  }
}

static void test_json_too_many_errors(void **state) {
  (void)state;
  struct raw_frame f;
  coho_topics_options fast = {.rate = {.per_second = UINT32_MAX}};
  mounted_open_json(&fast, NULL);
  unsigned answers = 0;
  for (int i = 0; i < 101; i++)
    mounted_say(&mounted.a, "{}");
  while (raw_next(&mounted.a, &f) && f.opcode == 1)
    answers++;
  assert_int_equal(answers, 100);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1008);
  mounted_finish();
}

/* B21 */
static void test_json_B21_subscriptions_are_limited(void **state) {
  (void)state;
  coho_topics_options two = {.max_subscriptions = 2};
  mounted_open_json(&two, NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"a\"}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"pattern\":\"b/#\"}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"c\"}", "error", "too-many");
  mounted_check(&mounted.a, "{\"op\":\"unsub\",\"topic\":\"a\"}", "ok", NULL);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"c\"}", "ok", NULL);
  mounted_finish();
}

static void test_json_idempotency(void **state) {
  (void)state;
  static const char request[] = "{\"op\":\"pub\",\"topic\":\"r\",\"data\":\"x\",\"idem\":\"k\"}";
  mounted_open_json(NULL, NULL);
  json_t *first = mounted_ask(&mounted.a, request, "ok", NULL),
         *second = mounted_ask(&mounted.a, request, "ok", NULL);
  assert_string_equal(mounted_text(first, "pos"), mounted_text(second, "pos"));
  json_decref(first);
  json_decref(second);
  mounted_finish();
}

static void test_json_a_publisher_waits_for_room(void **state) {
  (void)state;
  mounted_open(NULL, &mounted_blocking);
  mounted_hold_up(&mounted.b);
  raw_close(&mounted.a);
  raw_connect(&mounted.a, &mounted.w);
  (void)mounted_upgrade(&mounted.a, "/t/", JSON);
  mounted_say(&mounted.a, "{\"op\":\"pub\",\"id\":1,\"topic\":\"r\",\"data\":\"after\"}");
  mounted_say(&mounted.a, "{\"op\":\"ping\",\"id\":2}"); /* waits behind it */
  mounted_read_on(&mounted.b);
  json_t *ok = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(ok, "op"), "ok");
  assert_int_equal(json_integer_value(json_object_get(ok, "id")), 1);
  json_decref(ok);
  json_t *pong = mounted_next(&mounted.a);
  assert_string_equal(mounted_text(pong, "op"), "pong");
  json_decref(pong);
  raw_close(&mounted.b);
  mounted_finish();
}

static void test_json_a_publisher_that_waits_may_go(void **state) {
  (void)state;
  mounted_open(NULL, &mounted_blocking);
  mounted_hold_up(&mounted.b);
  raw_close(&mounted.a);
  raw_connect(&mounted.a, &mounted.w);
  (void)mounted_upgrade(&mounted.a, "/t/", JSON);
  mounted_say(&mounted.a, "{\"op\":\"pub\",\"id\":1,\"topic\":\"r\",\"data\":\"never\"}");
  for (int i = 0; i < 5; i++)
    world_turn(&mounted.w);
  raw_close(&mounted.b);
  mounted_finish();
}

/* A client that does not read gets what is left and the gap, in this order. */
static void test_json_B16_slow_clients_are_told_what_they_missed(void **state) {
  (void)state;
  static char block[20001];
  coho_topic_options few = {.history_count = 5};
  memset(block, 'b', 20000);
  mounted_open(NULL, &few);
  raw_close(&mounted.a);
  raw_connect_narrow(&mounted.a, &mounted.w);
  (void)mounted_upgrade(&mounted.a, "/t/", JSON);
  mounted_check(&mounted.a, "{\"op\":\"sub\",\"topic\":\"r\"}", "ok", NULL);
  enum { PUBLISHED = 1000 };
  for (int i = 0; i < PUBLISHED; i++) {
    mounted_publish("r", block);
    (void)coho_loop_turn(mounted.w.loop, 0);
  }
  uint64_t seen = 0, lost = 0;
  while (seen + lost < PUBLISHED) {
    json_t *j = mounted_next(&mounted.a);
    if (strcmp(mounted_text(j, "op"), "gap") == 0)
      lost += (uint64_t)json_integer_value(json_object_get(j, "lost"));
    else
      seen++;
    json_decref(j);
  }
  assert_int_equal(seen + lost, PUBLISHED);
  assert_true(lost > 0);
  coho_hub_stats stats;
  coho_hub_get_stats(mounted.hub, &stats);
  assert_int_equal(stats.dropped, lost);
  mounted_finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_json_sub_pub_unsub),
      cmocka_unit_test(test_json_binary_is_base64),
      cmocka_unit_test(test_json_resume_and_gap),
      cmocka_unit_test(test_json_patterns),
      cmocka_unit_test(test_json_presence),
      cmocka_unit_test(test_json_history),
      cmocka_unit_test(test_json_history_is_bounded_in_bytes),
      cmocka_unit_test(test_json_errors_end_only_their_request),
      cmocka_unit_test(test_json_what_closes),
      cmocka_unit_test(test_json_too_many_errors),
      cmocka_unit_test(test_json_B21_subscriptions_are_limited),
      cmocka_unit_test(test_json_idempotency),
      cmocka_unit_test(test_json_a_publisher_waits_for_room),
      cmocka_unit_test(test_json_a_publisher_that_waits_may_go),
      cmocka_unit_test(test_json_B16_slow_clients_are_told_what_they_missed),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
