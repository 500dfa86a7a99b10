#include "topics/base64url.h"

#include "base/check.h"
#include "support/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648 10, without padding, and RFC 7515 C. */
static void test_known_ones(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"", ""},
                                        {"Zg", "f"},
                                        {"Zm8", "fo"},
                                        {"Zm9v", "foo"},
                                        {"Zm9vYg", "foob"},
                                        {"Zm9vYmE", "fooba"},
                                        {"Zm9vYmFy", "foobar"},
                                        {"A-z_4ME", "\x03\xec\xff\xe0\xc1"}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char out[16];
    struct coho__view in = coho__view_of(rows[i][0]);
    assert_int_equal(coho__base64url_decode(out, in), strlen(rows[i][1]));
    assert_int_equal(COHO_BASE64URL_BYTES(in.len), strlen(rows[i][1]));
    assert_memory_equal(out, rows[i][1], strlen(rows[i][1]));
  }
}

static void test_what_is_none(void **state) {
  (void)state;
  static const char *const rows[] = {"Z",    "Zg==", "Zm8=", "Zm9vY", "Z g",   "Zg\n", "Zm9+",
                                     "Zm9/", "Zh",   "Zm9",  "Zm.v",  "Zm9v=", "====", "\xc3\xa4"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char out[16];
    if (coho__base64url_decode(out, coho__view_of(rows[i])) >= 0) fail_msg("accepted: %s", rows[i]);
  }
}

static void test_there_and_back(void **state) {
  (void)state;
  unsigned char in[64], out[64];
  char text[128];
  for (size_t len = 0; len < sizeof in; len++) {
    for (size_t i = 0; i < len; i++)
      in[i] = (unsigned char)(i * 37 + len * 101);
    token_base64url(text, in, len);
    assert_int_equal(coho__base64url_decode(out, coho__view_of(text)), len);
    assert_memory_equal(in, out, len);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_ones),
                                     cmocka_unit_test(test_what_is_none),
                                     cmocka_unit_test(test_there_and_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
