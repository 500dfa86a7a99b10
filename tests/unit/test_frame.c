/* Frame headers: every first byte, every length, both masks, at every cut (RFC 6455 5.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/frame.h"

#include <coho/error.h>
#include <string.h>

static int expected_of_first(unsigned byte, bool rsv1) {
  static const char known[16] = {1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1};
  bool begins = (byte & 15) == 1 || (byte & 15) == 2;
  if (byte & (rsv1 && begins ? 0x30U : 0x70U)) return COHO_ERSV;
  if (!known[byte & 15]) return COHO_EOPCODE;
  if ((byte & 8) && !(byte & 0x80)) return COHO_ECONTROLFIN;
  return 0;
}

/* PM-09: only the first frame of a message may have RSV1, and only with permessage-deflate. */
static void every_first_byte(bool rsv1) {
  const struct coho__frame_rules rules = {.masked = true, .rsv1 = rsv1};
  for (unsigned byte = 0; byte < 256; byte++) {
    struct coho__frame f;
    uint8_t data[6] = {(uint8_t)byte, 0x80};
    int expected = expected_of_first(byte, rsv1);
    assert_int_equal(coho__frame_read(&f, data, 1, rules), expected);
    assert_int_equal(coho__frame_read(&f, data, 6, rules), expected ? expected : 6);
    if (expected) continue;
    assert_int_equal(f.opcode, byte & 15);
    assert_int_equal(f.fin, byte >> 7);
    assert_int_equal(f.rsv1, byte >> 6 & 1);
  }
}

static void test_FR_05_FR_06_PM_09_every_first_byte(void **state) {
  (void)state;
  every_first_byte(false);
  every_first_byte(true);
}

/* Writes a header and reads it back at every cut: nothing before the last byte, all with it. */
static void round_trip(uint64_t len, uint8_t opcode, bool masked) {
  const struct coho__frame_rules rules = {.masked = masked, .rsv1 = true};
  struct coho__frame in = {.len = len, .key = 0x3d21fa37, .opcode = opcode, .masked = masked};
  in.rsv1 = opcode == COHO_OP_BINARY && len % 2;
  in.fin = coho__opcode_is_control(opcode);
  uint8_t data[COHO_FRAME_HEADER_MAX];
  size_t size = coho__frame_write(data, &in);
  assert_int_equal(size, (len <= 125 ? 2 : len <= 65535 ? 4 : 10) + (masked ? 4 : 0));
  struct coho__frame out;
  for (size_t cut = 0; cut < size; cut++)
    assert_int_equal(coho__frame_read(&out, data, cut, rules), 0);
  assert_int_equal(coho__frame_read(&out, data, size, rules), size);
  assert_true(out.len == len && out.opcode == opcode && out.fin == in.fin && out.rsv1 == in.rsv1);
  assert_true(out.masked == masked && out.key == (masked ? in.key : 0));
}

static void test_FR_07_lengths_in_the_fewest_bytes(void **state) {
  (void)state;
  static const uint64_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 1U << 30, INT64_MAX};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    for (int masked = 0; masked < 2; masked++)
      round_trip(lengths[i], COHO_OP_BINARY, masked);
  round_trip(125, COHO_OP_PING, true);
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
    bool masked;
    int expected;
  } table[] = {
      {"\x82\x7e\x00\x7d", 4, false, COHO_ELENGTH},
      {"\x82\x7e\x00\x7e", 4, false, 4},
      {"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, false, COHO_ELENGTH},
      {"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10, false, 10},
      {"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10, false, COHO_ELENGTH63},
      {"\x89\x7e", 2, false, COHO_ECONTROLLEN},
      {"\x89\xfe", 2, true, COHO_ECONTROLLEN},
      {"\x81\x05", 2, true, COHO_EUNMASKED},
      {"\x81\x85", 2, false, COHO_EMASKED},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    struct coho__frame f;
    uint8_t data[10];
    memcpy(data, table[i].bytes, table[i].len);
    const struct coho__frame_rules rules = {.masked = table[i].masked};
    assert_int_equal(coho__frame_read(&f, data, table[i].len, rules), table[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_FR_05_FR_06_PM_09_every_first_byte),
      cmocka_unit_test(test_FR_07_lengths_in_the_fewest_bytes),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
