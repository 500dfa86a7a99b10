/* Topics by coho.json.v1, as docs/topics.md has it. */
#include "mounted.h"
#include "support/alloc_fail.h"
#include "support/text.h"

#include <jansson.h>
#include <string.h>

static struct raw *const a = &mounted.a, *const b = &mounted.b;

static const char SUB_R[] = "{'op':'sub','topic':'r'}";
static const char R_AT_0[] = "{'op':'ok','topic':'r','pos':'E.0'}";

/* The next frame as an object. */
static json_t *next_object(void) {
  struct raw_frame f;
  assert_true(raw_next(a, &f));
  json_t *j = json_loadb(f.data, f.len, JSON_REJECT_DUPLICATES, NULL);
  assert_true(json_is_object(j));
  return j;
}

static void test_json_sub_pub_unsub(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_ask(a, "{'op':'sub','id':1,'topic':'r'}", "{'op':'ok','id':1,'topic':'r','pos':'E.0'}");
  mounted_ask(a, "{'op':'pub','id':'p','topic':'r','data':'\\u00e9\\n'}",
              "{'op':'ok','id':'p','topic':'r','pos':'E.1'}");
  mounted_expect(a, "{'topic':'r','pos':'E.1','data':'\xc3\xa9\\n'}");
  mounted_ask(a, "{'op':'unsub','topic':'r'}", "{'op':'ok','topic':'r'}");
  mounted_publish("r", "unheard");
  mounted_ask(a, "{'op':'ping'}", "{'op':'pong'}");
}

static void test_json_binary_is_base64(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_ask(a, SUB_R, R_AT_0);
  mounted_ask(a, "{'op':'pub','topic':'r','data64':'AAEC'}", "{'op':'ok','topic':'r','pos':'E.1'}");
  mounted_expect(a, "{'topic':'r','pos':'E.1','data64':'AAEC'}");
}

static void test_json_resume_and_gap(void **state) {
  (void)state;
  coho_topic_options few = {.history_count = 2};
  mounted_open_json(NULL, &few);
  publish_numbers(mounted.hub, "r", 1, 5);
  mounted_ask(a, "{'op':'sub','topic':'r','since':'E.1'}", "{'op':'ok','topic':'r','pos':'E.3'}");
  mounted_expect(a, "{'op':'gap','topic':'r','lost':2,'pos':'E.3'}");
  mounted_expect(a, "{'topic':'r','pos':'E.4','data':'4'}");
  mounted_expect(a, "{'topic':'r','pos':'E.5','data':'5'}");
  mounted_ask(a, "{'op':'unsub','topic':'r'}", "{'op':'ok','topic':'r'}");
  mounted_ask(a, "{'op':'sub','topic':'r','since':'qqqqqq.1'}",
              "{'op':'ok','topic':'r','pos':'E.3'}");
  mounted_expect(a, "{'op':'gap','topic':'r','lost':null,'pos':'E.3'}");
}

static void test_json_patterns(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_ask(a, "{'op':'sub','pattern':'r/+'}", "{'op':'ok','pattern':'r/+'}");
  mounted_publish("r/1", "x");
  mounted_expect(a, "{'topic':'r/1','pattern':'r/+','pos':'E.1','data':'x'}");
  mounted_ask(a, "{'op':'unsub','pattern':'r/+'}", "{'op':'ok','pattern':'r/+'}");
  mounted_refused(a, "{'op':'sub','pattern':'r/#','since':0}", "bad-request");
  mounted_refused(a, "{'op':'sub','pattern':'r/#','as':{'id':'ann'}}", "bad-request");
  mounted_refused(a, "{'op':'unsub','pattern':'r/#'}", "not-subscribed");
}

static void test_json_presence(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  mounted_ask(a, "{'op':'sub','topic':'r/presence'}",
              "{'op':'ok','topic':'r/presence','pos':'E.0'}");
  mounted_ask(a, "{'op':'sub','topic':'r','as':{'id':'ann','info':{'c':1}}}", R_AT_0);
  mounted_expect(a, "{'topic':'r/"
                    "presence','pos':'E.1','data':'{\\'event\\':\\'join\\',\\'id\\':\\'ann\\',\\'"
                    "info\\':{\\'c\\':1}}'}");
  mounted_ask(a, "{'op':'presence','topic':'r'}",
              "{'op':'presence','topic':'r','members':[{'id':'ann','info':{'c':1}}],'pos':'E.1'}");
}

static void test_json_history(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  publish_numbers(mounted.hub, "r", 1, 2);
  mounted_ask(a, "{'op':'history','topic':'r','limit':1}",
              "{'op':'history','topic':'r','messages':[{'pos':'E.2','data':'2'}],'pos':'E.2'}");
  mounted_refused(a, "{'op':'history','topic':'r','limit':0}", "bad-request");
  mounted_ask(a, "{'op':'history','topic':'none'}",
              "{'op':'history','topic':'none','messages':[],'pos':'E.0'}");
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
  mounted_say(a, "{'op':'history','topic':'r','limit':1000}");
  /* Larger than the buffer of a raw peer: only its header is looked at. */
  const unsigned char *h = (const unsigned char *)raw_bytes(a, 10);
  assert_int_equal(h[1], 127);
  uint64_t len = 0;
  for (int i = 2; i < 10; i++)
    len = len << 8 | h[i];
  assert_true(len > 1000000 && len < 1100000);
}

static void test_json_errors_end_only_their_request(void **state) {
  (void)state;
  static const struct {
    const char *request, *code;
  } rows[] = {
      {"{}", "bad-request"},
      {"{'op':7}", "bad-request"},
      {"{'op':'nope'}", "bad-request"},
      {"{'op':'sub'}", "bad-request"},
      {"{'op':'sub','topic':'a','pattern':'b'}", "bad-request"},
      {"{'op':'sub','topic':7}", "bad-request"},
      {"{'op':'sub','topic':'a//b'}", "bad-name"},
      {"{'op':'sub','topic':''}", "bad-name"},
      {"{'op':'sub','topic':'a/history'}", "bad-name"},
      {"{'op':'sub','pattern':'#/a'}", "bad-name"},
      {"{'op':'sub','topic':'a','since':'x'}", "bad-since"},
      {"{'op':'sub','topic':'a','since':7}", "bad-since"},
      {"{'op':'sub','topic':'a','as':{}}", "bad-request"},
      {"{'op':'unsub','topic':'a'}", "not-subscribed"},
      {"{'op':'pub','topic':'a'}", "bad-request"},
      {"{'op':'pub','topic':'a','data':'x','data64':''}", "bad-request"},
      {"{'op':'pub','topic':'a','data64':'A'}", "bad-request"},
      {"{'op':'pub','topic':'a/presence','data':'x'}", "bad-name"},
      {"{'op':'pub','topic':'a','data':'x','idem':''}", "bad-request"},
      {"{'op':'pub','topic':'a','data':'12345'}", "too-big"},
      {"{'op':'ping','id':{}}", "bad-request"},
      {"{'op':'auth'}", "bad-request"},
  };
  coho_topics_options small = {.max_message = 4};
  mounted_open_json(&small, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    mounted_refused(a, rows[i].request, rows[i].code);
  mounted_ask(a, "{'op':'sub','topic':'a','unknown':1}", "{'op':'ok','topic':'a','pos':'E.0'}");
  mounted_refused(a, "{'op':'sub','topic':'a'}", "exists");
}

static void test_json_what_closes(void **state) {
  (void)state;
  static const struct {
    unsigned opcode, code;
    const char *bytes;
  } rows[] = {{1, 1007, "no JSON"},
              {1, 1007, "[1]"},
              {1, 1007, ""},
              {1, 1007, "{'a':1,'a':2}"},
              {2, 1003, "{}"},
              {1, 1007, "{'op':'p\\u0000'}"},
              {1, 1007, "{'a':[[[[[[[[[[1]]]]]]]]]]}"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    mounted_open_json(NULL, NULL);
    const char *bytes = text_json(rows[i].bytes);
    raw_frame(a, rows[i].opcode, true, bytes, strlen(bytes));
    mounted_expect_close(a, rows[i].code);
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
    mounted_say(a, "{}");
  while (raw_next(a, &f) && f.opcode == 1)
    answers++;
  assert_int_equal(answers, 100);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1008);
}

/* B21 */
static void test_json_B21_subscriptions_are_limited(void **state) {
  (void)state;
  coho_topics_options two = {.max_subscriptions = 2};
  mounted_open_json(&two, NULL);
  mounted_ask(a, "{'op':'sub','topic':'a'}", "{'op':'ok','topic':'a','pos':'E.0'}");
  mounted_ask(a, "{'op':'sub','pattern':'b/#'}", "{'op':'ok','pattern':'b/#'}");
  mounted_refused(a, "{'op':'sub','topic':'c'}", "too-many");
  mounted_ask(a, "{'op':'unsub','topic':'a'}", "{'op':'ok','topic':'a'}");
  mounted_ask(a, "{'op':'sub','topic':'c'}", "{'op':'ok','topic':'c','pos':'E.0'}");
}

static void test_json_idempotency(void **state) {
  (void)state;
  static const char request[] = "{'op':'pub','topic':'r','data':'x','idem':'k'}";
  mounted_open_json(NULL, NULL);
  for (int i = 0; i < 2; i++)
    mounted_ask(a, request, "{'op':'ok','topic':'r','pos':'E.1'}");
}

static void test_json_a_publisher_waits_for_room(void **state) {
  (void)state;
  mounted_open_blocked(b);
  mounted_join(a, "/t/", JSON);
  mounted_say(a, "{'op':'pub','id':1,'topic':'r','data':'after'}");
  mounted_say(a, "{'op':'ping','id':2}"); /* waits behind it */
  mounted_read_on(b);
  mounted_expect_begin(a, "{'op':'ok','id':1,");
  mounted_expect(a, "{'op':'pong','id':2}");
}

static void test_json_a_publisher_that_waits_may_go(void **state) {
  (void)state;
  mounted_open_blocked(b);
  mounted_join(a, "/t/", JSON);
  mounted_say(a, "{'op':'pub','id':1,'topic':'r','data':'never'}");
  for (int i = 0; i < 5; i++)
    world_turn(&mounted.w);
}

/* A client that does not read gets what is left and the gap, in this order. */
static void test_json_B16_slow_clients_are_told_what_they_missed(void **state) {
  (void)state;
  static char block[20001];
  coho_topic_options few = {.history_count = 5};
  memset(block, 'b', 20000);
  mounted_open(NULL, &few);
  raw_connect_narrow(a, &mounted.w);
  assert_int_equal(raw_upgrade(a, "/t/", JSON), 101);
  mounted_ask(a, SUB_R, R_AT_0);
  enum { PUBLISHED = 1000 };
  for (int i = 0; i < PUBLISHED; i++) {
    mounted_publish("r", block);
    (void)coho_loop_turn(mounted.w.loop, 0);
  }
  uint64_t seen = 0, lost = 0;
  while (seen + lost < PUBLISHED) {
    json_t *j = next_object();
    if (json_object_get(j, "lost"))
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
}

#define TEST(f) cmocka_unit_test_teardown(f, mounted_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_json_sub_pub_unsub),
      TEST(test_json_binary_is_base64),
      TEST(test_json_resume_and_gap),
      TEST(test_json_patterns),
      TEST(test_json_presence),
      TEST(test_json_history),
      TEST(test_json_history_is_bounded_in_bytes),
      TEST(test_json_errors_end_only_their_request),
      TEST(test_json_what_closes),
      TEST(test_json_too_many_errors),
      TEST(test_json_B21_subscriptions_are_limited),
      TEST(test_json_idempotency),
      TEST(test_json_a_publisher_waits_for_room),
      TEST(test_json_a_publisher_that_waits_may_go),
      TEST(test_json_B16_slow_clients_are_told_what_they_missed),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
