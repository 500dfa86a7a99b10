#include "http/access.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *shown(const char *method, const char *target) {
  static char text[COHO_ACCESS_REQUEST];
  return coho__access_request(text, coho__view_of(method), coho__view_of(target));
}

static void test_A18_secrets_of_the_query(void **state) {
  (void)state;
  static const struct {
    const char *target, *shown;
  } rows[] = {
      {"/chat?room=a&name=b", "GET /chat?room=a&name=b"},
      {"/chat?token=abc", "GET /chat?token=*"},
      {"/chat?room=a&access_token=abc&x=1", "GET /chat?room=a&access_token=*&x=1"},
      {"/chat?ticket=1&sid=2&sid=3", "GET /chat?ticket=*&sid=*&sid=*"},
      {"/chat?Token=abc&SID=1", "GET /chat?Token=*&SID=*"},
      {"/chat?to%6ben=abc&%73id=1", "GET /chat?to%6ben=*&%73id=*"},
      {"/chat?token=a=b=c", "GET /chat?token=*"},
      {"/chat?token=", "GET /chat?token=*"},
      {"/chat?token", "GET /chat?token"},
      {"/chat?&&token=x&", "GET /chat?&&token=*&"},
      {"/chat?mytoken=1&tokens=2", "GET /chat?mytoken=1&tokens=2"},
      {"/chat?", "GET /chat?"},
      {"/token=a", "GET /token=a"},
      {"http://h:1/a?token=b", "GET http://h:1/a?token=*"},
      {"http://user:secret@h/x", "GET http://*@h/x"},
      {"http://user:s@cret@h", "GET http://*@h"},
      {"http://h/user@home", "GET http://h/user@home"},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    assert_string_equal(shown("GET", rows[i].target), rows[i].shown);
}

/* A secret is not shown either when the line ends early. */
static void test_A18_long_target(void **state) {
  (void)state;
  char target[20000];
  for (size_t pad = 400; pad < 700; pad++) {
    memset(target, 'a', sizeof target);
    memcpy(target, "/?x=", 4);
    memcpy(target + pad, "&token=", 7);
    memset(target + pad + 7, 'S', sizeof target - pad - 8);
    target[sizeof target - 1] = 0;
    const char *text = shown("GET", target);
    assert_null(strchr(text, 'S'));
    assert_true(strlen(text) < COHO_ACCESS_REQUEST);
  }
}

static void test_B24_nothing_unescaped(void **state) {
  (void)state;
  assert_string_equal(shown("GE\"T", "/a\r\nb\x1b[2J\"\\\xff"),
                      "GE\\x22T /a\\x0d\\x0ab\\x1b[2J\\x22\\x5c\\xff");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_A18_secrets_of_the_query),
                                     cmocka_unit_test(test_A18_long_target),
                                     cmocka_unit_test(test_B24_nothing_unescaped)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
