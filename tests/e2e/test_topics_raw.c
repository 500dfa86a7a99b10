/* Topics by raw WebSocket, as docs/topics.md has them. */
#include "mounted.h"
#include "support/alloc_fail.h"

#include <stdio.h>
#include <string.h>

static void test_raw_frames_are_messages(void **state) {
  (void)state;
  mounted_open(NULL, NULL);
  assert_int_equal(raw_upgrade(&mounted.a, "/t/room/tea", ""), 101);
  raw_connect(&mounted.b, &mounted.w);
  assert_int_equal(raw_upgrade(&mounted.b, "/t/room/tea", ""), 101);
  raw_frame(&mounted.b, 1, true, "hello", 5);
  mounted_expect(&mounted.a, "hello");
  mounted_expect(&mounted.b, "hello");
  raw_frame(&mounted.b, 2, true, "\0\1", 2);
  struct raw_frame f;
  assert_true(raw_next(&mounted.a, &f));
  assert_int_equal(f.opcode, 2);
  assert_int_equal(f.len, 2);
  raw_close(&mounted.b);
  mounted_finish();
}

static void test_raw_position_and_resume(void **state) {
  (void)state;
  char target[128], start[64];
  mounted_open(NULL, NULL);
  mounted_publish("t", "1");
  assert_non_null(strstr(mounted_upgrade(&mounted.a, "/t/t", ""), " 101 "));
  (void)snprintf(start, sizeof start, "%s", mounted_field("Coho-Position: "));
  assert_non_null(strstr(start, ".1"));
  assert_null(mounted_field("Coho-Gap: "));
  mounted_publish("t", "2");
  mounted_expect(&mounted.a, "2");
  raw_close(&mounted.a);
  mounted_publish("t", "3");
  raw_connect(&mounted.a, &mounted.w);
  (void)snprintf(target, sizeof target, "/t/t?since=%s", start);
  (void)mounted_upgrade(&mounted.a, target, "");
  assert_string_equal(mounted_field("Coho-Position: "), start);
  mounted_expect(&mounted.a, "2");
  mounted_expect(&mounted.a, "3");
  mounted_publish("t", "4");
  mounted_expect(&mounted.a, "4");
  mounted_finish();
}

static void test_raw_gaps_are_told(void **state) {
  (void)state;
  coho_topic_options few = {.history_count = 2};
  char target[128];
  coho_pos first;
  mounted_open(NULL, &few);
  coho_publish_with(mounted.hub, "t", coho_text("1"), NULL, &first);
  for (int i = 0; i < 4; i++)
    mounted_publish("t", "x");
  char text[COHO_POS_MAX];
  (void)snprintf(target, sizeof target, "/t/t?since=%s", coho_pos_text(first, text, sizeof text));
  (void)mounted_upgrade(&mounted.a, target, "");
  assert_string_equal(mounted_field("Coho-Gap: "), "2");
  raw_close(&mounted.a);
  raw_connect(&mounted.a, &mounted.w);
  (void)mounted_upgrade(&mounted.a, "/t/t?since=zzz.7", "");
  assert_string_equal(mounted_field("Coho-Gap: "), "unknown");
  raw_close(&mounted.a);
  raw_connect(&mounted.a, &mounted.w);
  (void)mounted_upgrade(&mounted.a, "/t/t?since=0", "");
  assert_null(mounted_field("Coho-Gap: "));
  mounted_expect(&mounted.a, "x");
  mounted_finish();
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
  raw_close(&mounted.a);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    raw_connect(&mounted.a, &mounted.w);
    const char *answer = mounted_upgrade(&mounted.a, rows[i].target, rows[i].fields);
    if (!strstr(answer, rows[i].status)) fail_msg("%s: %s", rows[i].target, answer);
    raw_close(&mounted.a);
  }
  raw_connect(&mounted.a, &mounted.w);
  mounted_finish();
}

static void test_raw_what_may_not_be_published(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  coho_topics_options read_only = {.open_publish = none, .max_message = 10};
  mounted_open(&read_only, NULL);
  assert_int_equal(raw_upgrade(&mounted.a, "/t/t", ""), 101);
  mounted_say(&mounted.a, "x");
  mounted_expect_close(&mounted.a, 4403);
  mounted_finish();
  coho_topics_options small = {.max_message = 4};
  mounted_open(&small, NULL);
  assert_int_equal(raw_upgrade(&mounted.a, "/t/t", ""), 101);
  mounted_say(&mounted.a, "four");
  mounted_expect(&mounted.a, "four");
  mounted_say(&mounted.a, "fives");
  mounted_expect_close(&mounted.a, 1009);
  mounted_finish();
}

static void test_raw_a_companion_is_followed_and_not_published(void **state) {
  (void)state;
  mounted_open(NULL, NULL);
  assert_int_equal(raw_upgrade(&mounted.a, "/t/t/presence", ""), 101);
  raw_connect(&mounted.b, &mounted.w);
  assert_int_equal(raw_upgrade(&mounted.b, "/t/t?as=ann&info=%7B%22c%22%3A1%7D", ""), 101);
  mounted_expect(&mounted.a, "{\"event\":\"join\",\"id\":\"ann\",\"info\":{\"c\":1}}");
  assert_int_equal(coho_presence_list(mounted.hub, "t", NULL, NULL, NULL), 1);
  raw_close(&mounted.b);
  mounted_say(&mounted.a, "x");
  mounted_expect_close(&mounted.a, 4403);
  mounted_finish();
}

/* A handshake that fails after who asks was found present. */
static void test_raw_presence_ends_with_a_failed_handshake(void **state) {
  (void)state;
  coho_topic_options at_once = {.grace_ms = 1};
  mounted_open(NULL, &at_once);
  const char *head = mounted_upgrade(&mounted.a, "/t/t?as=ann&info=nonsense", "");
  assert_non_null(strstr(head, " 400 "));
  assert_int_equal(coho_presence_list(mounted.hub, "t", NULL, NULL, NULL), 0);
  mounted_finish();
}

static void test_raw_a_publisher_waits_for_room(void **state) {
  (void)state;
  mounted_open(NULL, &mounted_blocking);
  mounted_hold_up(&mounted.b);
  raw_close(&mounted.a);
  raw_connect(&mounted.a, &mounted.w);
  (void)mounted_upgrade(&mounted.a, "/t/r", "");
  mounted_say(&mounted.a, "after");
  mounted_read_on(&mounted.b);
  mounted_expect(&mounted.a, "after");
  raw_close(&mounted.b);
  mounted_finish();
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
  mounted_finish();
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
      cmocka_unit_test(test_raw_a_publisher_waits_for_room),
      cmocka_unit_test(test_the_options_of_connections_have_their_own_size),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
