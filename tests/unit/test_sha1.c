#include "base/sha1.h"

#include "base/base64.h"
#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(const void *data, size_t len, const char *hex) {
  uint8_t digest[20];
  char text[41];
  coho__sha1(data, len, digest);
  for (size_t i = 0; i < 20; i++)
    snprintf(text + 2 * i, 3, "%02x", (unsigned)digest[i]);
  assert_string_equal(text, hex);
}

/* FIPS 180: the examples, and a million times "a". */
static void test_fips_vectors(void **state) {
  (void)state;
  static char million[1000000];
  const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  memset(million, 'a', sizeof million);
  expect("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  expect(NULL, 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  expect("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
  expect(two_blocks, 56, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  expect(million, sizeof million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* Lengths around the borders of a block; digests from an independent implementation. */
static void test_padding(void **state) {
  (void)state;
  static const struct {
    size_t len;
    const char *hex;
  } rows[] = {
      {1, "bf8b4530d8d246dd74ac53a13471bba17941dff7"},
      {55, "63ac9708fb581dd150d3647549f9e0cb51dcf1df"},
      {56, "5a0c4d0eb2f15e05bbbff6b8dada9ae767fc03f0"},
      {63, "d94ff3ad53f9b9327704b812ee9c1f3abbba3d48"},
      {64, "5f55a35e13f1865e7ffc22dca1275b1a49b0ff56"},
      {65, "d7f8931010f8342a97383e1410a58c47d057708b"},
      {119, "774001b5ad1f46b40c48e1b94cb092c593ead25b"},
      {120, "6ebf3111dc761f11b13f29df0484848785385973"},
      {128, "0a44ac02432f6ead67d86fcb70a4d8ce589e50ec"},
      {1000, "7461968a9edb9b418224f1acb305d2feeaa10ba5"},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    uint8_t data[1000];
    for (size_t n = 0; n < rows[i].len; n++)
      data[n] = (uint8_t)(n * 7 + rows[i].len);
    expect(data, rows[i].len, rows[i].hex);
  }
}

/* RFC 6455 4.2.2: what Sec-WebSocket-Accept is made of. */
static void test_accept_values(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
      {"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
      {"AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="},
      {"AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="},
      {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
      {"/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="},
      {"4+/7+AAAAAAAAAAAAAAAAA==", "AsE+2QFEXLbzq1b2fe5kQuyCDpY="},
      {"E4WSEcseoWr4csPLS2QJHA==", "7eQChgCtQMnVILefJAO6dK5JwPc="},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char text[64], accept[COHO_BASE64_LEN(20) + 1] = {0};
    uint8_t digest[20];
    int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", rows[i][0]);
    coho__sha1(text, (size_t)len, digest);
    coho__base64_encode(accept, digest, sizeof digest);
    assert_string_equal(accept, rows[i][1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fips_vectors),
      cmocka_unit_test(test_padding),
      cmocka_unit_test(test_accept_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
