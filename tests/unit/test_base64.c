#include "base/base64.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648 section 10 */
static void test_vectors(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    size_t len = strlen(rows[i][0]);
    char text[] = "................", bytes[16];
    coho__base64_encode(text, rows[i][0], len);
    assert_int_equal(COHO_BASE64_LEN(len), strlen(rows[i][1]));
    assert_memory_equal(text, rows[i][1], strlen(rows[i][1]));
    assert_int_equal(text[COHO_BASE64_LEN(len)], '.'); /* nothing behind the end */
    assert_int_equal(coho__base64_decode(bytes, rows[i][1], strlen(rows[i][1])), len);
    assert_memory_equal(bytes, rows[i][0], len);
  }
}

static void test_every_byte_in_every_place(void **state) {
  (void)state;
  for (int value = 0; value < 256; value++) {
    for (size_t len = 1; len <= 4; len++) {
      uint8_t bytes[4], back[6];
      char text[8];
      memset(bytes, value, sizeof bytes);
      bytes[len / 2] = (uint8_t)~value;
      coho__base64_encode(text, bytes, len);
      assert_int_equal(coho__base64_decode(back, text, COHO_BASE64_LEN(len)), len);
      assert_memory_equal(back, bytes, len);
    }
  }
}

/* Keys of handshakes: RFC 6455 4.1 wants 16 bytes in canonical or, as in its own example, other
   pad bits. */
static void test_keys(void **state) {
  (void)state;
  static const struct {
    const char *key;
    ptrdiff_t len;
  } rows[] = {
      {"dGhlIHNhbXBsZSBub25jZQ==", 16},
      {"AQIDBAUGBwgJCgsMDQ4PEA==", 16},
      {"AQIDBAUGBwgJCgsMDQ4PEC==", 16},
      {"/////////////////////w==", 16},
      {"4+/7+AAAAAAAAAAAAAAAAA==", 16},
      {"AAAAAAAAAAAAAAAAAAAAAA==", 16},
      {"dGhlIHNhbXBsZSBub25j", 15},
      {"AAECAwQFBgcICQoLDA0ODxA=", 17},
      {"", 0},
      {"dGhlIHNhbXBsZSBub25jZQ=", -1},
      {"dGhlIHNhbXBsZSBub25jZQ", -1},
      {"!!!!IHNhbXBsZSBub25jZQ==", -1},
      {"dGhl IHNhbXBsZSBub25jZQ==", -1},
      {"dGhl IHNhbXBsZSBub25jZQ=", -1},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    uint8_t bytes[24];
    assert_int_equal(coho__base64_decode(bytes, rows[i].key, strlen(rows[i].key)), rows[i].len);
  }
}

static void test_malformed(void **state) {
  (void)state;
  static const char *const rows[] = {
      "=",        "==",       "===",     "====", "A===", "A=A=",  "AA=A",  "=AAA",
      "Zg==Zg==", "AA==AAAA", "AAA\x80", "AA-_", "A A=", "AAA\n", "AAAAA", "AA==="};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    uint8_t bytes[8];
    if (coho__base64_decode(bytes, rows[i], strlen(rows[i])) != -1) fail_msg("%s", rows[i]);
  }
  uint8_t bytes[3];
  assert_int_equal(coho__base64_decode(bytes, "AA\0A", 4), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_every_byte_in_every_place),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_malformed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
