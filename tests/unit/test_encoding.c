#include "http/encoding.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bool takes_gzip(const char *fields) {
  char text[512];
  size_t used;
  struct coho__http1 head;
  int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
  coho__http1_init(&head, COHO_HTTP1_REQUEST, NULL);
  assert_int_equal(coho__http1_input(&head, text, (size_t)len, &used), 1);
  bool takes = coho__encoding_takes_gzip(&head);
  coho__http1_free(&head);
  return takes;
}

/* RFC 9110 12.5.3 */
static void test_who_takes_gzip(void **state) {
  (void)state;
  static const struct {
    const char *fields;
    bool takes;
  } rows[] = {
      {"", false},
      {"Accept-Encoding: \r\n", false},
      {"Accept-Encoding: gzip\r\n", true},
      {"Accept-Encoding: GZip\r\n", true},
      {"Accept-Encoding: x-gzip\r\n", true},
      {"Accept-Encoding: gzip, deflate, br, zstd\r\n", true},
      {"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true},
      {"Accept-Encoding: br\r\n", false},
      {"Accept-Encoding: identity\r\n", false},
      {"Accept-Encoding: *\r\n", true},
      {"Accept-Encoding: *;q=0\r\n", false},
      {"Accept-Encoding: gzip;q=0, *\r\n", false},
      {"Accept-Encoding: *, gzip;q=0\r\n", false},
      {"Accept-Encoding: *;q=0, gzip\r\n", true},
      {"Accept-Encoding: gzip;q=0.000\r\n", false},
      {"Accept-Encoding: gzip ; q=0.\r\n", false},
      {"Accept-Encoding: gzip;Q=0.001\r\n", true},
      {"Accept-Encoding: gzip;q=1\r\n", true},
      {"Accept-Encoding: gzipped\r\n", false},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    assert_int_equal(takes_gzip(rows[i].fields), rows[i].takes);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_takes_gzip)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
