#define _GNU_SOURCE
#include "io/sock.h"

#include "base/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
  const char *host, *text; /* NULL: no address */
} addresses[] = {
    {"127.0.0.1", "127.0.0.1:80"},
    {"0.0.0.0", "0.0.0.0:80"},
    {"::1", "[::1]:80"},
    {"2001:DB8:0:0::1", "[2001:db8::1]:80"},
    {"::ffff:10.1.2.3", "10.1.2.3:80"},
    {"", NULL},
    {"127.1", NULL},
    {"0x7f.0.0.1", NULL},
    {"127.0.0.1 ", NULL},
    {"127.0.0.256", NULL},
    {"[::1]", NULL},
    {":::", NULL},
    {"localhost", NULL},
};

static void test_numeric_addresses_are_parsed_and_formatted(void **state) {
  (void)state;
  for (size_t i = 0; i < COHO_COUNT(addresses); i++) {
    struct coho__addr a;
    char buf[COHO_ADDR_MAX];
    assert_int_equal(coho__addr_parse(&a, addresses[i].host, 80), addresses[i].text != NULL);
    if (!addresses[i].text) continue;
    assert_string_equal(coho__addr_format(&a, buf, sizeof buf), addresses[i].text);
    assert_int_equal(coho__addr_port(&a), 80);
  }
}

static void test_an_endpoint_is_the_whole_address(void **state) {
  (void)state;
  static const char *const hosts[] = {"192.0.2.1", "2001:db8::1", "::ffff:10.1.2.3"};
  struct coho__addr back;
  char buf[COHO_ADDR_MAX], wanted[COHO_ADDR_MAX];
  for (size_t i = 0; i < COHO_COUNT(hosts); i++) {
    struct coho__addr a;
    assert_true(coho__addr_parse(&a, hosts[i], 4711));
    struct coho__endpoint e = coho__addr_pack(&a);
    assert_true(coho__addr_unpack(&back, &e));
    assert_int_equal(back.len, a.len);
    assert_string_equal(coho__addr_format(&back, buf, sizeof buf),
                        coho__addr_format(&a, wanted, sizeof wanted));
  }
  struct coho__addr other = {.sa.ss_family = AF_NETLINK, .len = sizeof(sa_family_t)};
  struct coho__endpoint none = coho__addr_pack(&other);
  assert_false(coho__addr_unpack(&back, &none));
  assert_string_equal(coho__addr_format(&back, buf, sizeof buf), "unknown");
}

static void test_a_unix_socket_is_only_that(void **state) {
  (void)state;
  struct coho__addr a, back;
  struct coho__ip ip;
  char buf[COHO_ADDR_MAX], path[200];
  assert_true(coho__addr_unix(&a, "/run/a.sock"));
  struct coho__endpoint e = coho__addr_pack(&a);
  assert_true(coho__addr_unpack(&back, &e));
  assert_string_equal(coho__addr_format(&back, buf, sizeof buf), "unix");
  assert_false(coho__addr_ip(&back, &ip));
  memset(path, 'x', sizeof path);
  path[107] = '\0';
  assert_true(coho__addr_unix(&a, path));
  path[107] = 'x';
  path[108] = '\0';
  assert_false(coho__addr_unix(&a, path) || coho__addr_unix(&a, ""));
}

static void test_addresses_without_sockets(void **state) {
  (void)state;
  static const char *const texts[][2] = {{"192.0.2.1", "192.0.2.1"},
                                         {"2001:db8::1", "[2001:db8::1]"},
                                         {"::ffff:10.1.2.3", "10.1.2.3"}};
  for (size_t i = 0; i < COHO_COUNT(texts); i++) {
    struct coho__ip ip, back;
    struct coho__addr a;
    char buf[COHO_ADDR_MAX], wanted[COHO_ADDR_MAX];
    assert_true(coho__ip_parse(&ip, coho__view_of(texts[i][0])));
    coho__addr_of_ip(&a, &ip, 0);
    assert_string_equal(coho__addr_format(&a, buf, sizeof buf), texts[i][1]);
    assert_true(coho__addr_ip(&a, &back));
    assert_memory_equal(&back, &ip, sizeof ip);
    coho__addr_of_ip(&a, &ip, 4711);
    (void)snprintf(wanted, sizeof wanted, "%s:4711", texts[i][1]);
    assert_string_equal(coho__addr_format(&a, buf, sizeof buf), wanted);
  }
}

static void test_format_never_exceeds_the_buffer(void **state) {
  (void)state;
  struct coho__addr a;
  char buf[8] = "1234567";
  coho__addr_parse(&a, "127.0.0.1", 65535);
  assert_string_equal(coho__addr_format(&a, buf, 4), "127");
  assert_string_equal(buf + 4, "567");
}

static void test_errno_values_become_errors(void **state) {
  (void)state;
  static const struct {
    int number, err;
  } rows[] = {
      {EADDRINUSE, COHO_EADDRINUSE},
      {EADDRNOTAVAIL, COHO_EADDRNOTAVAIL},
      {EACCES, COHO_EACCES},
      {EMFILE, COHO_EMFILE},
      {ENFILE, COHO_EMFILE},
      {ECONNREFUSED, COHO_ECONNREFUSED},
      {ECONNRESET, COHO_ECONNRESET},
      {EPIPE, COHO_ECONNRESET},
      {ENETUNREACH, COHO_EUNREACHABLE},
      {EHOSTUNREACH, COHO_EUNREACHABLE},
      {ETIMEDOUT, COHO_ETIMEDOUT},
      {ENOMEM, COHO_ENOMEM},
      {ENOENT, COHO_ENOENT},
      {EXDEV, COHO_ESYSTEM},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    assert_int_equal(coho__error_of_errno(rows[i].number), rows[i].err);
}

static void test_tuned_socket_sends_at_once_and_gives_up_in_time(void **state) {
  (void)state;
  int fd = coho__sock_open(AF_INET);
  assert_true(fd >= 0);
  coho__sock_tune(fd);
  int nodelay = 0;
  unsigned timeout_ms = 0;
  socklen_t len = sizeof nodelay;
  getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
  len = sizeof timeout_ms;
  getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &len);
  assert_int_not_equal(nodelay, 0);
  assert_int_equal(timeout_ms, 30000);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numeric_addresses_are_parsed_and_formatted),
      cmocka_unit_test(test_an_endpoint_is_the_whole_address),
      cmocka_unit_test(test_a_unix_socket_is_only_that),
      cmocka_unit_test(test_addresses_without_sockets),
      cmocka_unit_test(test_format_never_exceeds_the_buffer),
      cmocka_unit_test(test_errno_values_become_errors),
      cmocka_unit_test(test_tuned_socket_sends_at_once_and_gives_up_in_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
