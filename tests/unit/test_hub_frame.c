/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "support/text.h"
#include "topics/hub_frame.h"

#include "base/check.h"

#include <coho/client.h>
#include <stdlib.h>
#include <string.h>

static struct coho__hub_frame frame;

static int read(const char *text) {
  coho__hub_frame_free(&frame);
  return coho__hub_frame_read(&frame, coho__view_of(text));
}

static int teardown(void **state) {
  (void)state;
  coho__hub_frame_free(&frame);
  return 0;
}

static void test_message(void **state) {
  (void)state;
  assert_int_equal(
      read("{\"topic\":\"a/b\",\"pos\":\"k3f9.42\",\"data\":\"x\\u0000\\n\\ud83c\\udf75\"}"), 0);
  assert_int_equal(frame.op, COHO_HUB_MESSAGE);
  assert_true(coho__view_eq(frame.topic, VIEW("a/b")));
  assert_int_equal(frame.pos.offset, 42);
  assert_int_equal(frame.msg.type, COHO_TEXT);
  assert_int_equal(frame.msg.len, 7);
  assert_memory_equal(frame.msg.data, "x\0\n\xf0\x9f\x8d\xb5", 7);
  assert_int_equal(read("{\"data64\":\"AP8=\",\"pos\":\"k3f9.0\",\"topic\":\"a\"}"), 0);
  assert_int_equal(frame.msg.type, COHO_BINARY);
  assert_int_equal(frame.msg.len, 2);
  assert_memory_equal(frame.msg.data, "\0\xff", 2);
  assert_int_equal(read("{\"data64\":\"\",\"pos\":\"k3f9.0\",\"topic\":\"a\"}"), 0);
  assert_int_equal(frame.msg.len, 0);
}

static void test_answers(void **state) {
  (void)state;
  assert_int_equal(read("{\"op\":\"ok\",\"id\":7,\"pos\":\"k3f9.1\"}"), 0);
  assert_int_equal(frame.op, COHO_HUB_OK);
  assert_int_equal(frame.id, 7);
  assert_true(frame.has_pos);
  assert_int_equal(read("{\"op\":\"ok\",\"id\":\"7\",\"expires\":1}"), 0);
  assert_int_equal(frame.id, 0); /* ours are numbers */
  assert_false(frame.has_pos);
  assert_int_equal(read("{\"op\":\"error\",\"id\":1,\"code\":\"too-many\",\"text\":\"no\"}"), 0);
  assert_int_equal(frame.err, COHO_ETOOMANY);
  assert_true(coho__view_eq(frame.text, VIEW("no")));
  assert_int_equal(read("{\"op\":\"gap\",\"topic\":\"a\",\"lost\":null,\"pos\":\"k.1\"}"), 0);
  assert_true(frame.lost == COHO_LOST_UNKNOWN);
  assert_int_equal(read("{\"op\":\"expiring\",\"in\":0}"), 0);
  assert_int_equal(frame.seconds, 1);
  assert_int_equal(read("{\"op\":\"expiring\",\"in\":9000000000}"), 0);
  assert_true(frame.seconds == UINT32_MAX);
}

static void test_by_a_pattern(void **state) {
  (void)state;
  assert_int_equal(read("{\"topic\":\"a/b\",\"pattern\":\"a/+\",\"pos\":\"k.2\",\"data\":\"\"}"),
                   0);
  assert_int_equal(frame.op, COHO_HUB_MESSAGE);
  assert_true(coho__view_eq(frame.pattern, VIEW("a/+")));
  assert_int_equal(
      read("{\"op\":\"gap\",\"topic\":\"a\",\"pattern\":\"#\",\"lost\":2,\"pos\":\"k.1\"}"), 0);
  assert_true(coho__view_eq(frame.pattern, VIEW("#")));
  assert_int_equal(read("{\"topic\":\"a\",\"pattern\":\"\",\"pos\":\"k.2\",\"data\":\"\"}"),
                   COHO_EHUBFRAME);
  assert_int_equal(read("{\"topic\":\"a\",\"pattern\":1,\"pos\":\"k.2\",\"data\":\"\"}"),
                   COHO_EHUBFRAME);
}

static void test_history(void **state) {
  (void)state;
  coho_pos pos;
  coho_msg m;
  assert_int_equal(
      read("{\"op\":\"history\",\"id\":3,\"topic\":\"a\",\"pos\":\"k.9\",\"messages\":["
           "{\"pos\":\"k.7\",\"data64\":\"/w==\"},{\"pos\":\"k.8\",\"data\":\"x\"},"
           "{\"pos\":\"k.9\",\"data64\":\"AAEC\"}]}"),
      0);
  assert_int_equal(frame.op, COHO_HUB_HISTORY);
  assert_int_equal(frame.id, 3);
  assert_int_equal(frame.count, 3);
  assert_int_equal(frame.pos.offset, 9);
  coho__hub_frame_message(&frame, 0, &pos, &m);
  assert_int_equal(pos.offset, 7);
  assert_int_equal(m.len, 1);
  assert_memory_equal(m.data, "\xff", 1);
  coho__hub_frame_message(&frame, 1, &pos, &m);
  assert_int_equal(m.type, COHO_TEXT);
  coho__hub_frame_message(&frame, 2, &pos, &m);
  assert_int_equal(m.len, 3);
}

static void test_presence(void **state) {
  (void)state;
  struct coho__hub_member m;
  assert_int_equal(
      read("{\"op\":\"presence\",\"id\":3,\"topic\":\"a\",\"pos\":\"k.0\",\"members\":["
           "{\"id\":\"ann\",\"info\":{\"c\": [1]}},{\"id\":\"bob\",\"info\":null},"
           "{\"id\":\"cy\"}]}"),
      0);
  assert_int_equal(frame.op, COHO_HUB_PRESENCE);
  assert_int_equal(frame.count, 3);
  assert_int_equal(coho__hub_frame_member(&frame, 0, &m), 0);
  assert_string_equal(m.id, "ann");
  assert_string_equal(m.info, "{\"c\":[1]}");
  coho__hub_member_free(&m);
  for (size_t i = 1; i < 3; i++) {
    assert_int_equal(coho__hub_frame_member(&frame, i, &m), 0);
    assert_null(m.info);
    coho__hub_member_free(&m);
  }
}

static void test_lists_that_are_none(void **state) {
  static const char *const wrong[] = {
      "{\"op\":\"history\",\"pos\":\"k.1\"}",
      "{\"op\":\"history\",\"pos\":\"k.1\",\"messages\":{}}",
      "{\"op\":\"history\",\"messages\":[]}",
      "{\"op\":\"history\",\"pos\":\"k.1\",\"messages\":[1]}",
      "{\"op\":\"history\",\"pos\":\"k.1\",\"messages\":[{\"pos\":\"k.1\",\"data64\":\"*\"}]}",
      "{\"op\":\"history\",\"pos\":\"k.1\",\"messages\":[{\"pos\":\"0\",\"data\":\"\"}]}",
      "{\"op\":\"presence\",\"pos\":\"k.1\",\"members\":[{\"id\":\"\"}]}",
      "{\"op\":\"presence\",\"pos\":\"k.1\",\"members\":[{\"id\":\"a\\u0000\"}]}",
      "{\"op\":\"presence\",\"pos\":\"k.1\",\"members\":[\"ann\"]}",
      "{\"op\":\"presence\",\"pos\":1,\"members\":[]}",
      "{\"op\":\"presence\",\"pos\":\"k.1\",\"members\":[],\"next\":-1}",
      "{\"op\":\"presence\",\"pos\":\"k.1\",\"members\":[],\"next\":\"7\"}",
  };
  (void)state;
  for (size_t i = 0; i < COHO_COUNT(wrong); i++)
    assert_int_equal(read(wrong[i]), COHO_EHUBFRAME);
}

static void test_who_comes_and_goes(void **state) {
  static const char *const wrong[] = {"",
                                      "{}",
                                      "[]",
                                      "{\"event\":\"join\"}",
                                      "{\"event\":\"sings\",\"id\":\"a\"}",
                                      "{\"event\":\"join\",\"id\":\"\"}",
                                      "join"};
  struct coho__hub_member m;
  (void)state;
  coho_msg event = coho_text("{\"event\":\"update\",\"id\":\"ann\",\"info\":[[1]]}");
  assert_int_equal(coho__hub_member_read(&m, event), 0);
  assert_int_equal(m.event, COHO_UPDATE);
  assert_string_equal(m.id, "ann");
  assert_string_equal(m.info, "[[1]]");
  coho__hub_member_free(&m);
  event.type = COHO_BINARY;
  assert_int_equal(coho__hub_member_read(&m, event), COHO_EHUBFRAME);
  coho__hub_member_free(&m);
  for (size_t i = 0; i < COHO_COUNT(wrong); i++) {
    assert_int_equal(coho__hub_member_read(&m, coho_text(wrong[i])), COHO_EHUBFRAME);
    coho__hub_member_free(&m);
  }
}

/* B27: what it would cost to look at it is known before it is looked at. */
static void test_B27_deep_and_wide(void **state) {
  (void)state;
  enum { WIDE = 200000 };
  char *text = (char *)malloc(WIDE + 64);
  assert_non_null(text);
  text_put(text, "{\"op\":\"x\",\"y\":[");
  size_t at = strlen(text);
  for (size_t i = 0; i < WIDE; i += 2)
    memcpy(text + at + i, "1,", 2);
  text_put(text + at + WIDE, "1]}");
  assert_int_equal(read(text), COHO_EHUBFRAME);
  memset(text, '[', WIDE);
  text[WIDE] = '\0';
  assert_int_equal(read(text), COHO_EHUBFRAME);
  /* The same inside a string is a text. */
  text_put(text, "{\"topic\":\"a\",\"pos\":\"k.1\",\"data\":\"");
  at = strlen(text);
  memset(text + at, '[', WIDE - 100);
  text_put(text + at + WIDE - 100, "\\\"]\"}");
  assert_int_equal(read(text), 0);
  free(text);
}

static void assert_put(int err, struct coho__buf *out, const char *expect) {
  assert_int_equal(err, 0);
  assert_int_equal(out->len, strlen(expect));
  assert_memory_equal(out->data, expect, out->len);
  coho__buf_release(out);
}

static void test_requests(void **state) {
  (void)state;
  struct coho__buf out = COHO_BUF(4096);
  struct coho__hub_sub sub = {.topic = "a"};
  assert_put(coho__hub_put_sub(&out, 1, &sub), &out, "{\"op\":\"sub\",\"id\":1,\"topic\":\"a\"}");
  sub = (struct coho__hub_sub){.topic = "a", .since = "0", .as = "a\"n", .info = "[1]"};
  assert_put(coho__hub_put_sub(&out, 2, &sub), &out,
             "{\"op\":\"sub\",\"id\":2,\"topic\":\"a\",\"since\":\"0\","
             "\"as\":{\"id\":\"a\\\"n\",\"info\":[1]}}");
  assert_put(coho__hub_put_unsub(&out, 3, &sub), &out,
             "{\"op\":\"unsub\",\"id\":3,\"topic\":\"a\"}");
  struct coho__hub_pub pub = {
      .topic = "a", .msg = coho_text("\x01\x1f\"\\\n\r\t\x7f"), .idem = "i"};
  assert_put(coho__hub_put_pub(&out, 4, &pub), &out,
             "{\"op\":\"pub\",\"id\":4,\"topic\":\"a\",\"idem\":\"i\","
             "\"data\":\"\\u0001\\u001f\\\"\\\\\\n\\r\\t\x7f\"}");
  pub =
      (struct coho__hub_pub){.topic = "a", .msg = coho_binary("\xff", 1), .idem = "i", .key = "k"};
  assert_put(
      coho__hub_put_pub(&out, 5, &pub), &out,
      "{\"op\":\"pub\",\"id\":5,\"topic\":\"a\",\"key\":\"k\",\"idem\":\"i\",\"data64\":\"/w==\"}");
  assert_put(coho__hub_put_auth(&out, 6, "t"), &out, "{\"op\":\"auth\",\"id\":6,\"token\":\"t\"}");
  sub = (struct coho__hub_sub){.pattern = "a/+"};
  assert_put(coho__hub_put_sub(&out, 7, &sub), &out,
             "{\"op\":\"sub\",\"id\":7,\"pattern\":\"a/+\"}");
  assert_put(coho__hub_put_unsub(&out, 8, &sub), &out,
             "{\"op\":\"unsub\",\"id\":8,\"pattern\":\"a/+\"}");
  assert_put(coho__hub_put_history(&out, 9, "a", 5), &out,
             "{\"op\":\"history\",\"id\":9,\"topic\":\"a\",\"limit\":5}");
  struct coho__hub_page page = {.topic = "a", .limit = 5};
  assert_put(coho__hub_put_presence(&out, 10, &page), &out,
             "{\"op\":\"presence\",\"id\":10,\"topic\":\"a\",\"limit\":5}");
  page.after = 7;
  assert_put(coho__hub_put_presence(&out, 11, &page), &out,
             "{\"op\":\"presence\",\"id\":11,\"topic\":\"a\",\"limit\":5,\"after\":7}");
}

static void test_no_room(void **state) {
  (void)state;
  char large[100];
  memset(large, 'x', sizeof large);
  for (size_t room = 0; room < 150; room++) {
    struct coho__buf out = COHO_BUF(room);
    struct coho__hub_pub pub = {.topic = "a", .msg = coho_binary(large, sizeof large), .idem = "i"};
    assert_int_equal(coho__hub_put_pub(&out, 1, &pub), COHO_EFULL);
    pub.msg.type = COHO_TEXT;
    if (room < 140) assert_int_equal(coho__hub_put_pub(&out, 1, &pub), COHO_EFULL);
    coho__buf_release(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_message, teardown),
      cmocka_unit_test_teardown(test_answers, teardown),
      cmocka_unit_test_teardown(test_by_a_pattern, teardown),
      cmocka_unit_test_teardown(test_history, teardown),
      cmocka_unit_test_teardown(test_presence, teardown),
      cmocka_unit_test_teardown(test_lists_that_are_none, teardown),
      cmocka_unit_test(test_who_comes_and_goes),
      cmocka_unit_test_teardown(test_B27_deep_and_wide, teardown),
      cmocka_unit_test(test_requests),
      cmocka_unit_test(test_no_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
