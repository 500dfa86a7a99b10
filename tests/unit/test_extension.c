#include "proto/extension.h"

#include "base/check.h"
#include "unit/pieces.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FIELD       "Sec-WebSocket-Extensions: "
#define HEAD(lines) VIEW("GET / HTTP/1.1\r\n" lines "\r\n\r\n")

static void check_result(struct coho_request *r, int result, void *ctx) {
  (void)result; /* there is no Host */
  int expected = *(int *)ctx;
  assert_true(r->head.complete);
  if (coho__extension_check(&r->head) != expected)
    fail_msg("%s: not %s", coho_request_header(r, "Sec-WebSocket-Extensions"),
             coho_errname(expected));
}

static void expect(struct coho__view head, int result) {
  pieces_request(head, check_result, &result);
}

static void assert_view(struct coho__view v, const char *text) {
  assert_int_equal(v.len, strlen(text));
  assert_memory_equal(v.data, text, v.len);
}

static void check_parts(struct coho_request *r, int result, void *ctx) {
  (void)result, (void)ctx;
  struct coho__http1_list it = {0};
  struct coho__extension ext;
  assert_int_equal(coho__extension_next(&r->head, &it, &ext), 1);
  assert_view(ext.name, "permessage-deflate");
  assert_int_equal(ext.param_count, 2);
  assert_view(ext.params[0].name, "client_max_window_bits");
  assert_null(ext.params[0].value.data);
  assert_view(ext.params[1].name, "server_max_window_bits");
  assert_view(ext.params[1].value, "10");
  assert_false(ext.params[1].quoted);
  assert_int_equal(coho__extension_next(&r->head, &it, &ext), 1);
  assert_view(ext.name, "x-foo");
  assert_int_equal(ext.param_count, 0);
  assert_int_equal(coho__extension_next(&r->head, &it, &ext), 1);
  assert_view(ext.name, "bar");
  assert_int_equal(ext.param_count, 1);
  assert_view(ext.params[0].value, "a\\b");
  assert_true(ext.params[0].quoted);
  assert_int_equal(coho__extension_next(&r->head, &it, &ext), 0);
}

static void test_EX_06_offers_of_all_lines_in_order(void **state) {
  (void)state;
  pieces_request(HEAD(FIELD "permessage-deflate; client_max_window_bits ;\tserver_max_window_bits "
                            "= 10, ,x-foo\r\nX: y\r\nsec-websocket-extensions: bar;q=\"a\\b\""),
                 check_parts, NULL);
}

static void test_EX_04_well_formed(void **state) {
  (void)state;
  expect(HEAD("X: y"), 0);
  expect(HEAD(FIELD "a"), 0);
  expect(HEAD(FIELD ",,a;b;c=d;e=\"f\" ,"), 0);
  expect(HEAD(FIELD "\r\n" FIELD "a"), 0);
  expect(HEAD(FIELD "__proto__;constructor=hasOwnProperty, a, a"), 0);
}

static void test_HS_11_malformed(void **state) {
  (void)state;
  const struct coho__view heads[] = {
      HEAD(FIELD "permessage-deflate; =1"),
      HEAD(FIELD ""),
      HEAD(FIELD ","),
      HEAD(FIELD ";"),
      HEAD(FIELD "a;"),
      HEAD(FIELD "a;;b"),
      HEAD(FIELD "a; b="),
      HEAD(FIELD "a; b=;c"),
      HEAD(FIELD "a b"),
      HEAD(FIELD "a; b c"),
      HEAD(FIELD "a=b"),
      HEAD(FIELD "a; b=c=d"),
      HEAD(FIELD "a; b=c d"),
      HEAD(FIELD "\"a\""),
      HEAD(FIELD "a; \"b\""),
      HEAD(FIELD "a; b=\"\""),
      HEAD(FIELD "a; b=\"c"),
      HEAD(FIELD "a; b=\"c\\\""),
      HEAD(FIELD "a; b=\"c\\"),
      HEAD(FIELD "a; b=\"c d\""),
      HEAD(FIELD "a; b=\"c,d\""),
      HEAD(FIELD "a; b=\"c\\\"d\""),
      HEAD(FIELD "a; b=\"c\"d"),
      HEAD(FIELD "a; b=c\"d\""),
      HEAD(FIELD "a, b c"),
      HEAD(FIELD "a\r\n" FIELD "b c"),
      HEAD(FIELD "\xc3\xbc"),
      HEAD(FIELD "a/b"),
      HEAD(FIELD "a; b=\"c\r\n" FIELD "d\""),
  };
  for (size_t i = 0; i < COHO_COUNT(heads); i++)
    expect(heads[i], COHO_EEXTENSION);
}

#define FOUR(s)    s s s s
#define SIXTEEN(s) FOUR(FOUR(s))

static void test_A06_at_most_16_offers_with_16_parameters(void **state) {
  (void)state;
  expect(HEAD(FIELD SIXTEEN("a,")), 0);
  expect(HEAD(FIELD SIXTEEN("a,") "b"), COHO_EEXTENSION);
  expect(HEAD(FIELD "a" SIXTEEN(";b=c")), 0);
  expect(HEAD(FIELD "a" SIXTEEN(";b=c") ";d"), COHO_EEXTENSION);
  expect(HEAD(FIELD SIXTEEN(SIXTEEN(", \t")) "a"), 0);
  expect(HEAD(FIELD "a;" SIXTEEN(SIXTEEN(" \t")) "b"), 0);
  expect(HEAD(FIELD "a" SIXTEEN(SIXTEEN(";"))), COHO_EEXTENSION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_EX_06_offers_of_all_lines_in_order),
      cmocka_unit_test(test_EX_04_well_formed),
      cmocka_unit_test(test_HS_11_malformed),
      cmocka_unit_test(test_A06_at_most_16_offers_with_16_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
