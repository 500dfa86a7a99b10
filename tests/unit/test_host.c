#include "proto/host.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Nothing stands behind the last byte, so that a sanitizer sees every step beyond it. */
static bool parse(const char *text, struct coho__host *host) {
  size_t len = strlen(text);
  char *block = (char *)malloc(len ? len : 1);
  assert_non_null(block);
  /* A terminator is what must not be there: NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
  memcpy(block, text, len);
  bool good = coho__host_parse((struct coho__view){block, len}, host);
  if (good) { /* the name as it stands in the text, which outlives the block */
    size_t at = (size_t)(host->name.data - block);
    assert_true(at + host->name.len <= len);
    host->name.data = text + at;
  }
  free(block);
  return good;
}

static void test_host_and_port(void **state) {
  (void)state;
  static const struct {
    const char *text, *name;
    uint16_t port;
    bool has_port, ipv6;
  } rows[] = {
      {"example.com", "example.com", 0, false, false},
      {"example.com:", "example.com", 0, false, false},
      {"example.com:0", "example.com", 0, true, false},
      {"example.com:65535", "example.com", 65535, true, false},
      {"a", "a", 0, false, false},
      {"a%20b~!$&'()*+,;=_-.:1", "a%20b~!$&'()*+,;=_-.", 1, true, false},
      {"127.0.0.1:80", "127.0.0.1", 80, true, false},
      {"[::1]", "::1", 0, false, true},
      {"[::1]:", "::1", 0, false, true},
      {"[2001:db8::1.2.3.4]:443", "2001:db8::1.2.3.4", 443, true, true},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__host host;
    if (!parse(rows[i].text, &host)) fail_msg("refused: %s", rows[i].text);
    if (!coho__view_eq(host.name, coho__view_of(rows[i].name))) fail_msg("%s", rows[i].text);
    assert_int_equal(host.port, rows[i].port);
    assert_int_equal(host.has_port, rows[i].has_port);
    assert_int_equal(host.ipv6, rows[i].ipv6);
  }
}

static void test_what_is_no_authority(void **state) {
  (void)state;
  static const char *const rows[] = {
      "",     ":",     ":80",   "a b",     "a/b",    "a:65536",  "a:-1",
      "a:1x", "a:1:2", "a%",    "a%2",     "a%2g",   "user@a",   "a#",
      "[",    "[]",    "[]:80", "[::1",    "[::1]x", "[::1]80",  "[::1]:x",
      "::1",  "]",     "[::g]", "[1.2.3]", "[::]]",  "[::1]:::", "[fe80::1%25eth0]"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__host host;
    if (parse(rows[i], &host)) fail_msg("accepted: %s", rows[i]);
  }
}

/* The authority of a request of HTTP/1.0 that names none. */
static void test_no_bytes_at_all(void **state) {
  (void)state;
  struct coho__host host;
  assert_false(coho__host_parse((struct coho__view){NULL, 0}, &host));
  assert_false(coho__host_is_ipv4((struct coho__view){NULL, 0}));
  assert_false(coho__host_is_ipv6((struct coho__view){NULL, 0}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_host_and_port),
      cmocka_unit_test(test_what_is_no_authority),
      cmocka_unit_test(test_no_bytes_at_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
