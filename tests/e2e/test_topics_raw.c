/* Topics by raw WebSocket, as docs/topics.md has them. */
#include "mounted.h"
#include "support/alloc_fail.h"

#include <string.h>

static struct raw *const a = &mounted.a, *const b = &mounted.b;

static void test_raw_frames_are_messages(void **state) {
  (void)state;
  struct raw_frame f;
  mounted_open(NULL, NULL);
  mounted_join(a, "/t/room/tea", "");
  mounted_join(b, "/t/room/tea", "");
  mounted_say(b, "hello");
  mounted_expect(a, "hello");
  mounted_expect(b, "hello");
  raw_frame(b, 2, true, "\0\1", 2);
  assert_true(raw_next(a, &f));
  assert_int_equal(f.opcode, 2);
  assert_int_equal(f.len, 2);
}

static void test_raw_position_and_resume(void **state) {
  (void)state;
  mounted_open(NULL, NULL);
  mounted_publish("t", "1");
  mounted_join(a, "/t/t", "");
  assert_string_equal(mounted_field("Coho-Position: "), "E.1");
  assert_null(mounted_field("Coho-Gap: "));
  mounted_publish("t", "2");
  mounted_expect(a, "2");
  raw_close(a);
  mounted_publish("t", "3");
  mounted_join(a, "/t/t?since=E.1", "");
  assert_string_equal(mounted_field("Coho-Position: "), "E.1");
  mounted_expect(a, "2");
  mounted_expect(a, "3");
  mounted_publish("t", "4");
  mounted_expect(a, "4");
}

static void test_raw_gaps_are_told(void **state) {
  (void)state;
  coho_topic_options few = {.history_count = 2};
  mounted_open(NULL, &few);
  publish_numbers(mounted.hub, "t", 1, 5);
  mounted_join(a, "/t/t?since=E.1", "");
  assert_string_equal(mounted_field("Coho-Gap: "), "2");
  mounted_join(a, "/t/t?since=zzz.7", "");
  assert_string_equal(mounted_field("Coho-Gap: "), "unknown");
  mounted_join(a, "/t/t?since=0", "");
  assert_null(mounted_field("Coho-Gap: "));
  mounted_expect(a, "4");
}

static void test_raw_refusals(void **state) {
  (void)state;
  static const struct {
    const char *target, *fields, *status;
  } rows[] = {
      {"/t", "", " 404 "},
      {"/t?since=0", "", " 404 "},
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
  mounted_open(NULL, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const char *answer = mounted_upgrade(a, rows[i].target, rows[i].fields);
    if (!strstr(answer, rows[i].status)) fail_msg("%s: %s", rows[i].target, answer);
  }
}

static void test_raw_what_may_not_be_published(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  coho_topics_options read_only = {.open_publish = none, .max_message = 10};
  mounted_open(&read_only, NULL);
  mounted_join(a, "/t/t", "");
  mounted_say(a, "x");
  mounted_expect_close(a, 4403);
  mounted_finish();
  coho_topics_options small = {.max_message = 4};
  mounted_open(&small, NULL);
  mounted_join(a, "/t/t", "");
  mounted_say(a, "four");
  mounted_expect(a, "four");
  mounted_say(a, "fives");
  mounted_expect_close(a, 1009);
}

static void test_raw_a_companion_is_followed_and_not_published(void **state) {
  (void)state;
  mounted_open(NULL, NULL);
  mounted_join(a, "/t/t/presence", "");
  mounted_join(b, "/t/t?as=ann&info=%7B%22c%22%3A1%7D", "");
  mounted_expect(a, "{'event':'join','id':'ann','info':{'c':1}}");
  assert_int_equal(coho_presence_list(mounted.hub, "t", NULL, NULL, NULL), 1);
  mounted_say(a, "x");
  mounted_expect_close(a, 4403);
}

/* A handshake that fails after who asks was found present. */
static void test_raw_presence_ends_with_a_failed_handshake(void **state) {
  (void)state;
  coho_topic_options at_once = {.grace_ms = 1};
  mounted_open(NULL, &at_once);
  assert_non_null(strstr(mounted_upgrade(a, "/t/t?as=ann&info=nonsense", ""), " 400 "));
  assert_int_equal(coho_presence_list(mounted.hub, "t", NULL, NULL, NULL), 0);
}

static void test_raw_a_publisher_waits_for_room(void **state) {
  (void)state;
  mounted_open_blocked(b);
  mounted_join(a, "/t/r", "");
  mounted_say(a, "after");
  mounted_read_on(b);
  mounted_expect(a, "after");
}

/* A program that was compiled with a longer coho_options, and one with a shorter. */
static void test_the_options_of_connections_have_their_own_size(void **state) {
  (void)state;
  struct {
    coho_options known;
    uint64_t more;
  } newer = {.more = 1};
  const coho_topics_options opt = {.conn = &newer.known};
  const size_t longer[2] = {sizeof opt, sizeof newer}, shorter[2] = {sizeof opt, 0};
  mounted_open(NULL, NULL);
  coho_server *s = coho_server_new(&(coho_server_options){.loop = mounted.w.loop});
  assert_non_null(s);
  assert_int_equal(coho_route_topics_sized(s, "/n/", mounted.hub, &opt, longer), COHO_EOPTION);
  newer.known.flags = UINT32_MAX;
  assert_int_equal(coho_route_topics_sized(s, "/o/", mounted.hub, &opt, shorter), 0);
  coho_server_free(s);
}

#define TEST(f) cmocka_unit_test_teardown(f, mounted_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_raw_frames_are_messages),
      TEST(test_raw_position_and_resume),
      TEST(test_raw_gaps_are_told),
      TEST(test_raw_refusals),
      TEST(test_raw_what_may_not_be_published),
      TEST(test_raw_a_companion_is_followed_and_not_published),
      TEST(test_raw_presence_ends_with_a_failed_handshake),
      TEST(test_raw_a_publisher_waits_for_room),
      TEST(test_the_options_of_connections_have_their_own_size),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
