#include "proto/url.h"

#include "base/check.h"
#include "proto/host.h"
#include "support/alloc_fail.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

struct good {
  const char *text, *host, *target, *authority;
  uint16_t port;
  bool secure, ipv6;
};

static void expect_good(const struct good *g, enum coho__url_mode mode) {
  struct coho__url url;
  const char *why = "not set";
  char authority[300];
  assert_int_equal(coho__url_parse(&url, g->text, mode, &why), 0);
  assert_null(why);
  assert_string_equal(url.host, g->host);
  assert_string_equal(url.target, g->target);
  assert_string_equal(coho__url_authority(&url, authority), g->authority);
  assert_int_equal(url.port, g->port);
  assert_int_equal(url.secure, g->secure);
  assert_int_equal(url.ipv6, g->ipv6);
  coho__url_free(&url);
  alloc_assert_none_live();
}

static void expect_all_good(const struct good *rows, size_t count) {
  for (size_t i = 0; i < count; i++)
    expect_good(&rows[i], COHO_URL_CONNECT);
}

struct bad {
  const char *text, *why; /* a word of the sentence */
};

static void expect_bad(const struct bad *rows, size_t count, enum coho__url_mode mode) {
  for (size_t i = 0; i < count; i++) {
    struct coho__url url;
    const char *why = NULL;
    if (coho__url_parse(&url, rows[i].text, mode, &why) != COHO_EURL)
      fail_msg("accepted: %s", rows[i].text);
    assert_non_null(why);
    if (!strstr(why, rows[i].why)) fail_msg("%s: %s", rows[i].text, why);
    assert_null(url.text);
    coho__url_free(&url);
  }
}

/* ---- what is accepted ----------------------------------------------------------------------- */

static void test_URI_01_the_form_of_a_url(void **state) {
  (void)state;
  static const struct good rows[] = {
      {"ws://example.com/chat", "example.com", "/chat", "example.com", 80, false, false},
      {"ws://h:8080/a/b?c=d&e", "h", "/a/b?c=d&e", "h:8080", 8080, false, false},
      {"ws://127.0.0.1:9001", "127.0.0.1", "/", "127.0.0.1:9001", 9001, false, false},
      {"ws://my_host-1.local./", "my_host-1.local.", "/", "my_host-1.local.", 80, false, false},
      {"ws://h/a%20b/%2F?q=%41", "h", "/a%20b/%2F?q=%41", "h", 80, false, false},
      {"ws://h/-._~!$&'()*+,;=:@?/?", "h", "/-._~!$&'()*+,;=:@?/?", "h", 80, false, false},
      {"ws://h//a/../b", "h", "//a/../b", "h", 80, false, false},
      {"ws://1.2.3.4.example/", "1.2.3.4.example", "/", "1.2.3.4.example", 80, false, false},
  };
  expect_all_good(rows, COHO_COUNT(rows));
}

static void test_URI_02_default_ports(void **state) {
  (void)state;
  static const struct good rows[] = {
      {"ws://h/", "h", "/", "h", 80, false, false},
      {"ws://h:/", "h", "/", "h", 80, false, false},
      {"ws://h:80/", "h", "/", "h", 80, false, false},
      {"ws://h:0080/", "h", "/", "h", 80, false, false},
      {"wss://h/", "h", "/", "h", 443, true, false},
      {"wss://h:443", "h", "/", "h", 443, true, false},
      {"ws://h:443/", "h", "/", "h:443", 443, false, false},
      {"wss://h:80/", "h", "/", "h:80", 80, true, false},
      {"ws://h:65535/", "h", "/", "h:65535", 65535, false, false},
      {"ws://h:1/", "h", "/", "h:1", 1, false, false},
  };
  expect_all_good(rows, COHO_COUNT(rows));
}

static void test_URI_03_scheme_and_host_without_case(void **state) {
  (void)state;
  static const struct good rows[] = {
      {"WSS://h/", "h", "/", "h", 443, true, false},
      {"Ws://EXAMPLE.Com/A", "example.com", "/A", "example.com", 80, false, false},
  };
  expect_all_good(rows, COHO_COUNT(rows));
}

static void test_URI_04_resource_name(void **state) {
  (void)state;
  static const struct good rows[] = {
      {"ws://h", "h", "/", "h", 80, false, false},
      {"ws://h?x=1", "h", "/?x=1", "h", 80, false, false},
      {"ws://h?", "h", "/", "h", 80, false, false},
      {"ws://h/?", "h", "/", "h", 80, false, false},
      {"ws://h/a?", "h", "/a", "h", 80, false, false},
      {"ws://h/a??", "h", "/a??", "h", 80, false, false},
  };
  expect_all_good(rows, COHO_COUNT(rows));
}

static void test_URI_06_other_letters_are_escaped(void **state) {
  (void)state;
  static const struct good rows[] = {
      {"ws://h/\xc3\xbc", "h", "/%C3%BC", "h", 80, false, false},
      {"ws://h?\xe2\x82\xac=\xf0\x9f\x98\x80", "h", "/?%E2%82%AC=%F0%9F%98%80", "h", 80, false,
       false},
  };
  expect_all_good(rows, COHO_COUNT(rows));
}

static void test_HC_03_ipv6_in_brackets(void **state) {
  (void)state;
  static const struct good rows[] = {
      {"ws://[::1]:81/", "::1", "/", "[::1]:81", 81, false, true},
      {"wss://[2001:DB8::1]/x", "2001:db8::1", "/x", "[2001:db8::1]", 443, true, true},
      {"ws://[::ffff:1.2.3.4]:65535", "::ffff:1.2.3.4", "/", "[::ffff:1.2.3.4]:65535", 65535, false,
       true},
  };
  expect_all_good(rows, COHO_COUNT(rows));
}

static void test_addresses_to_listen_on(void **state) {
  (void)state;
  static const struct good good[] = {
      {"ws://:9001", "", "/", ":9001", 9001, false, false},
      {"ws://:0", "", "/", ":0", 0, false, false},
      {"ws://h:0", "h", "/", "h:0", 0, false, false},
      {"wss://", "", "/", "", 443, true, false},
      {"ws://:", "", "/", "", 80, false, false},
      {"ws://[::]:8080/", "::", "/", "[::]:8080", 8080, false, true},
  };
  static const struct bad bad[] = {
      {"ws://:70000", "65535"},
      {"ws://:x", "65535"},
      {"ws://h:1/?a", "query"},
      {"http://:80", "ws://"},
  };
  for (size_t i = 0; i < COHO_COUNT(good); i++)
    expect_good(&good[i], COHO_URL_LISTEN);
  expect_bad(bad, COHO_COUNT(bad), COHO_URL_LISTEN);
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void test_unix_sockets(void **state) {
  (void)state;
  static const struct {
    const char *text, *file, *target;
    bool secure;
  } rows[] = {
      {"ws+unix:/run/coho.sock", "/run/coho.sock", "/", false},
      {"WSS+UNIX:/run/a", "/run/a", "/", true},
      {"ws+unix:/a:/chat", "/a", "/chat", false},
      {"ws+unix:/a/%20b:/c:d", "/a/%20b", "/c:d", false},
  };
  char authority[32];
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__url url;
    const char *why;
    assert_int_equal(coho__url_parse(&url, rows[i].text, COHO_URL_LISTEN_ANY, &why), 0);
    assert_string_equal(url.file, rows[i].file);
    assert_string_equal(url.target, rows[i].target);
    assert_string_equal(coho__url_authority(&url, authority), "localhost");
    assert_int_equal(url.secure, rows[i].secure);
    coho__url_free(&url);
    alloc_assert_none_live();
  }
  struct coho__url url;
  const char *why;
  assert_int_equal(coho__url_parse(&url, "ws+unix:/a:/b?c", COHO_URL_CONNECT_ANY, &why), 0);
  assert_string_equal(url.target, "/b?c");
  coho__url_free(&url);
  assert_int_equal(coho__url_parse(&url, "ws://h", COHO_URL_CONNECT_ANY, &why), 0);
  assert_null(url.file);
  coho__url_free(&url);
}

static void test_paths_that_are_no_unix_socket(void **state) {
  (void)state;
  static const struct bad rows[] = {
      {"ws+unix:", "absolute"},     {"ws+unix:/", "absolute"},   {"ws+unix:a.sock", "absolute"},
      {"ws+unix:/a:", "request"},   {"ws+unix:/a:b", "request"}, {"ws+unix:/a?b", "query"},
      {"ws+unix:/a:/b?c", "query"}, {"ws+unix:/a b", "space"},   {"ws+unix:/a:/%", "%"},
      {"unix:/a", "ws://"},         {"http+unix:/a", "ws://"},
  };
  static const struct bad refused[] = {{"ws+unix:/a", "unix"}};
  char longest[200] = "ws+unix:/";
  struct coho__url url;
  const char *why;
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_LISTEN_ANY);
  expect_bad(refused, 1, COHO_URL_LISTEN);
  expect_bad(refused, 1, COHO_URL_CONNECT);
  memset(longest + 9, 'x', 106);
  assert_int_equal(coho__url_parse(&url, longest, COHO_URL_LISTEN_ANY, &why), 0);
  coho__url_free(&url);
  longest[115] = 'x';
  assert_int_equal(coho__url_parse(&url, longest, COHO_URL_LISTEN_ANY, &why), COHO_EURL);
}

static void test_URI_01_no_user_and_no_other_scheme(void **state) {
  (void)state;
  static const struct bad rows[] = {
      {"ws://u:p@h/", "user"}, {"ws://u@h", "user"}, {"ws://@h/", "user"},  {"http://h/", "ws://"},
      {"h/", "ws://"},         {"", "ws://"},        {"ws:/h/", "ws://"},   {"ws:", "ws://"},
      {"wsss://h/", "ws://"},  {"//h/", "ws://"},    {"xws://h/", "ws://"},
  };
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_CONNECT);
}

static void test_URI_05_no_fragment(void **state) {
  (void)state;
  static const struct bad rows[] = {
      {"ws://h/a#b", "fragment"}, {"ws://h#", "fragment"}, {"ws://h/?a#", "fragment"}};
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_CONNECT);
}

static void test_URI_06_hosts_of_other_letters(void **state) {
  (void)state;
  static const struct bad rows[] = {{"ws://b\xc3\xbc"
                                     "cher.example/",
                                     "xn--"},
                                    {"ws://\xff/", "xn--"}};
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_CONNECT);
}

static void test_URI_07_invalid_hosts(void **state) {
  (void)state;
  static const struct bad rows[] = {
      {"ws:///a", "missing"},       {"ws://", "missing"},           {"ws://:80/", "missing"},
      {"ws://?a", "missing"},       {"ws://a..b/", "empty"},        {"ws://.a/", "empty"},
      {"ws://./", "empty"},         {"ws://a b/", "space"},         {"ws://a%20b/", "character"},
      {"ws://a,b/", "character"},   {"ws://a\\b/", "character"},    {"ws://a[b/", "character"},
      {"ws://256.1.1.1/", "IPv4"},  {"ws://1.2.3/", "IPv4"},        {"ws://01.2.3.4/", "IPv4"},
      {"ws://1.2.3.4.5/", "IPv4"},  {"ws://a.b.1/", "IPv4"},        {"ws://0x7f.1/", "IPv4"},
      {"ws://0x7f000001/", "IPv4"}, {"ws://1.2.3.4./", "IPv4"},     {"ws://2130706433/", "IPv4"},
      {"ws://[::1/", "IPv6"},       {"ws://[]/", "IPv6"},           {"ws://[::1]x/", "IPv6"},
      {"ws://[1.2.3.4]/", "IPv6"},  {"ws://[::1%25eth0]/", "IPv6"}, {"ws://[v1.a]/", "IPv6"},
  };
  char label[80] = "ws://", name[300] = "ws://";
  memset(label + 5, 'a', 64);
  for (size_t i = 0; i < 255; i++)
    name[5 + i] = i % 2 ? '.' : 'a';
  const struct bad lengths[] = {{label, "too long"}, {name, "253"}};
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_CONNECT);
  expect_bad(lengths, COHO_COUNT(lengths), COHO_URL_CONNECT);
}

static void test_URI_07_invalid_ports(void **state) {
  (void)state;
  static const struct bad rows[] = {
      {"ws://h:0/", "port 0"},     {"ws://h:70000/", "65535"},
      {"ws://h:65536/", "65535"},  {"ws://h:+80/", "65535"},
      {"ws://h:-1/", "65535"},     {"ws://h:8a/", "65535"},
      {"ws://h:80:80/", "65535"},  {"ws://[::1]:x/", "IPv6"},
      {"ws://[::1]:0/", "port 0"}, {"ws://h:99999999999999999999/", "65535"},
  };
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_CONNECT);
}

static void test_URI_07_invalid_paths_and_queries(void **state) {
  (void)state;
  static const struct bad rows[] = {
      {"ws://h/a b", "%20"},         {"ws://h/?a b", "%20"},
      {" ws://h/", "%20"},           {"ws://h/\r\nX: y", "control"},
      {"ws://h/\t", "control"},      {"ws://h/\x7f", "control"},
      {"ws://h/%", "%25"},           {"ws://h/%4", "%25"},
      {"ws://h/%4g", "%25"},         {"ws://h/?%zz", "%25"},
      {"ws://h/a\\b", "two digits"}, {"ws://h/{a}", "two digits"},
      {"ws://h/?[a]", "two digits"}, {"ws://h/\"", "two digits"},
      {"ws://h/<", "two digits"},    {"ws://h/\xff", "UTF-8"},
      {"ws://h/\xc3", "UTF-8"},      {"ws://h/?\xed\xa0\x80", "UTF-8"},
  };
  expect_bad(rows, COHO_COUNT(rows), COHO_URL_CONNECT);
}

static void test_ipv6_addresses(void **state) {
  (void)state;
  static const char *const good[] = {"::",
                                     "::1",
                                     "1::",
                                     "1:2:3:4:5:6:7:8",
                                     "1:2:3:4:5:6:7::",
                                     "::2:3:4:5:6:7:8",
                                     "1::8",
                                     "1:2:3::6:7:8",
                                     "::1.2.3.4",
                                     "::ffff:255.255.255.255",
                                     "1:2:3:4:5:6:1.2.3.4",
                                     "aBcD::EF01",
                                     "1:2:3:4:5::1.2.3.4"};
  static const char *const bad[] = {"",
                                    ":",
                                    ":::",
                                    "1",
                                    "1:",
                                    ":1",
                                    "1:2:3:4:5:6:7",
                                    "1:2:3:4:5:6:7:8:9",
                                    "1:2:3:4:5:6:7:8::",
                                    "1:2:3:4::5:6:7:8",
                                    "1::2::3",
                                    "12345::",
                                    "g::",
                                    "1:::2",
                                    "::1.2.3",
                                    "::1.2.3.4.5",
                                    "::256.1.1.1",
                                    "1:2:3:4:5:6:7:1.2.3.4",
                                    "1.2.3.4",
                                    "1.2.3.4::",
                                    "::1.2.3.4:5",
                                    "::1:",
                                    "1::2:",
                                    "::01.2.3.4"};
  for (size_t i = 0; i < COHO_COUNT(good); i++)
    if (!coho__host_is_ipv6(coho__view_of(good[i]))) fail_msg("refused: %s", good[i]);
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    if (coho__host_is_ipv6(coho__view_of(bad[i]))) fail_msg("accepted: %s", bad[i]);
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct coho__url url;
  const char *why = NULL;
  alloc_fail_at(1);
  assert_int_equal(coho__url_parse(&url, "ws://h/", COHO_URL_CONNECT, &why), COHO_ENOMEM);
  assert_string_equal(why, "out of memory");
  coho__url_free(&url);
  alloc_fail_at(0);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_URI_01_the_form_of_a_url),
      cmocka_unit_test(test_URI_02_default_ports),
      cmocka_unit_test(test_URI_03_scheme_and_host_without_case),
      cmocka_unit_test(test_URI_04_resource_name),
      cmocka_unit_test(test_URI_06_other_letters_are_escaped),
      cmocka_unit_test(test_HC_03_ipv6_in_brackets),
      cmocka_unit_test(test_addresses_to_listen_on),
      cmocka_unit_test(test_unix_sockets),
      cmocka_unit_test(test_paths_that_are_no_unix_socket),
      cmocka_unit_test(test_URI_01_no_user_and_no_other_scheme),
      cmocka_unit_test(test_URI_05_no_fragment),
      cmocka_unit_test(test_URI_06_hosts_of_other_letters),
      cmocka_unit_test(test_URI_07_invalid_hosts),
      cmocka_unit_test(test_URI_07_invalid_ports),
      cmocka_unit_test(test_URI_07_invalid_paths_and_queries),
      cmocka_unit_test(test_ipv6_addresses),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
