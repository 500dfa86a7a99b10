/* Positions as text: one way to write each, and nothing else is read. */
#include "base/check.h"
#include "support/dice.h"

#include <coho/hub.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  const char *text;
  coho_pos pos;
} rows[] = {
    {"0", {0, 0}},       {"k3f9.42", {937557, 42}},
    {"1.0", {1, 0}},     {"z.1", {35, 1}},
    {"10.10", {36, 10}}, {"3w5e11264sgsf.9223372036854775807", {UINT64_MAX, INT64_MAX}},
};

static void test_is_read_and_written(void **state) {
  (void)state;
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char buf[COHO_POS_MAX];
    coho_pos pos = {7, 7};
    assert_ptr_equal(coho_pos_text(rows[i].pos, buf, sizeof buf), buf);
    assert_string_equal(buf, rows[i].text);
    assert_int_equal(coho_pos_parse(rows[i].text, &pos), 0);
    assert_true(pos.epoch == rows[i].pos.epoch && pos.offset == rows[i].pos.offset);
  }
}

static void test_anything_else_is_none(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      ".",
      "1",
      "00",
      "0.0",
      "0.1",
      "01.1",
      "1.",
      ".1",
      "1.01",
      "1.00",
      "1.1.1",
      "1..1",
      " 1.1",
      "1.1 ",
      "1.1\n",
      "+1.1",
      "1.+1",
      "1.-1",
      "-1.1",
      "1.1a",
      "K3F9.42",
      "k3f9,42",
      "k3f9.4\xc2\xb2",
      "{.1",
      "`.1",
      "/.1",
      ":.1",
      "3w5e11264sgsg.1",  /* 2^64 */
      "zzzzzzzzzzzzz.1",  /* 13 digits */
      "10000000000000.1", /* 14 */
      "1.9223372036854775808",
      "1.18446744073709551616",
      "1.99999999999999999999999999999999999999999999",
  };
  for (size_t i = 0; i < COHO_COUNT(texts); i++) {
    coho_pos pos = {7, 8};
    if (coho_pos_parse(texts[i], &pos) != COHO_EPOSITION) fail_msg("\"%s\" was read", texts[i]);
    assert_true(pos.epoch == 7 && pos.offset == 8);
  }
  coho_pos pos;
  assert_int_equal(coho_pos_parse(NULL, &pos), COHO_EPOSITION);
}

static void test_every_bad_byte_at_every_place(void **state) {
  (void)state;
  static const char good[] = "k3f9.42";
  for (size_t at = 0; at < sizeof good - 1; at++) {
    for (int c = 1; c < 256; c++) {
      char text[sizeof good], back[COHO_POS_MAX];
      coho_pos pos;
      memcpy(text, good, sizeof good);
      text[at] = (char)c;
      bool known = strchr("0123456789.abcdefghijklmnopqrstuvwxyz", c) != NULL;
      int err = coho_pos_parse(text, &pos);
      assert_true(err == COHO_EPOSITION || (err == 0 && known));
      if (!err) assert_string_equal(coho_pos_text(pos, back, sizeof back), text);
    }
  }
}

static void test_all_there_and_back(void **state) {
  (void)state;
  struct dice d = dice_of(36);
  for (int i = 0; i < 20000; i++) {
    char buf[COHO_POS_MAX];
    coho_pos pos = {dice_any(&d) >> dice(&d, 64), dice_any(&d) >> (1 + dice(&d, 63))}, back;
    if (!pos.epoch) pos.epoch = 1;
    coho_pos_text(pos, buf, sizeof buf);
    assert_int_equal(coho_pos_parse(buf, &back), 0);
    assert_true(back.epoch == pos.epoch && back.offset == pos.offset);
  }
}

/* Never half a position, which would be another one. */
static void test_too_little_room_gives_none(void **state) {
  (void)state;
  static const coho_pos most = {UINT64_MAX, UINT64_MAX};
  char buf[COHO_POS_MAX];
  size_t size = strlen(coho_pos_text(most, buf, sizeof buf)) + 1;
  assert_true(size <= sizeof buf);
  for (size_t cap = 0; cap < size; cap++) {
    memset(buf, '#', sizeof buf);
    assert_ptr_equal(coho_pos_text(most, buf, cap), buf);
    assert_int_equal(buf[0], cap ? '\0' : '#');
    assert_int_equal(buf[cap ? cap : 1], '#');
  }
  assert_int_equal(strlen(coho_pos_text(most, buf, size)), size - 1);
}

static void test_without_an_epoch_there_is_no_offset(void **state) {
  (void)state;
  char buf[COHO_POS_MAX];
  assert_string_equal(coho_pos_text((coho_pos){0, 5}, buf, sizeof buf), "0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_is_read_and_written),
      cmocka_unit_test(test_anything_else_is_none),
      cmocka_unit_test(test_every_bad_byte_at_every_place),
      cmocka_unit_test(test_all_there_and_back),
      cmocka_unit_test(test_too_little_room_gives_none),
      cmocka_unit_test(test_without_an_epoch_there_is_no_offset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
