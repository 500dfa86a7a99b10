#include "http/media_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_by_extension(void **state) {
  (void)state;
  assert_string_equal(coho__media_type("/index.html"), "text/html; charset=utf-8");
  assert_string_equal(coho__media_type("/A/B.HTML"), "text/html; charset=utf-8");
  assert_string_equal(coho__media_type("app.min.js"), "text/javascript; charset=utf-8");
  assert_string_equal(coho__media_type("/a.svg"), "image/svg+xml");
}

/* What a browser must not guess is bytes. */
static void test_unknown(void **state) {
  (void)state;
  static const char bytes[] = "application/octet-stream";
  assert_string_equal(coho__media_type("/readme"), bytes);
  assert_string_equal(coho__media_type("/a.html/readme"), bytes);
  assert_string_equal(coho__media_type("/a.html.exe"), bytes);
  assert_string_equal(coho__media_type("/a."), bytes);
  assert_string_equal(coho__media_type(""), bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_extension),
                                     cmocka_unit_test(test_unknown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
