/* Frame headers: every first byte, every length, both masks, at every cut (RFC 6455 5.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/frame.h"

#include <coho/error.h>
#include <string.h>

static int expected_of_first(unsigned byte) {
  static const char known[16] = {1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1};
  if (byte & 0x70) return COHO_ERSV;
  if (!known[byte & 15]) return COHO_EOPCODE;
  if ((byte & 8) && !(byte & 0x80)) return COHO_ECONTROLFIN;
  return 0;
}

static void test_FR_05_FR_06_every_first_byte(void **state) {
  (void)state;
  for (unsigned byte = 0; byte < 256; byte++) {
    struct coho__frame f;
    uint8_t data[6] = {(uint8_t)byte, 0x80};
    int expected = expected_of_first(byte);
    assert_int_equal(coho__frame_read(&f, data, 1, true), expected);
    assert_int_equal(coho__frame_read(&f, data, 6, true), expected ? expected : 6);
    if (expected) continue;
    assert_int_equal(f.opcode, byte & 15);
    assert_int_equal(f.fin, byte >> 7);
  }
}

/* Writes a header and reads it back at every cut: nothing before the last byte, all with it. */
static void round_trip(uint64_t len, uint8_t opcode, bool masked) {
  struct coho__frame in = {.len = len, .key = 0x3d21fa37, .opcode = opcode, .masked = masked};
  in.fin = coho__opcode_is_control(opcode);
  uint8_t data[COHO_FRAME_HEADER_MAX];
  size_t size = coho__frame_write(data, &in);
  assert_int_equal(size, (len <= 125 ? 2 : len <= 65535 ? 4 : 10) + (masked ? 4 : 0));
  struct coho__frame out;
  for (size_t cut = 0; cut < size; cut++)
    assert_int_equal(coho__frame_read(&out, data, cut, masked), 0);
  assert_int_equal(coho__frame_read(&out, data, size, masked), size);
  assert_true(out.len == len && out.opcode == opcode && out.fin == in.fin);
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
    assert_int_equal(coho__frame_read(&f, data, table[i].len, table[i].masked), table[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_FR_05_FR_06_every_first_byte),
      cmocka_unit_test(test_FR_07_lengths_in_the_fewest_bytes),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
