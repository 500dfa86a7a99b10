#include "base/ip.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

/* Nothing stands behind the last byte, so that a sanitizer sees every step beyond it. */
static struct coho__view block_of(const char *text) {
  size_t len = strlen(text);
  char *block = (char *)malloc(len ? len : 1);
  assert_non_null(block);
  /* A terminator is what must not be there: NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
  memcpy(block, text, len);
  return (struct coho__view){block, len};
}

static void free_block(struct coho__view v) {
  union {
    const char *in;
    char *out;
  } block = {.in = v.data};
  free(block.out);
}

static bool parse(const char *text, struct coho__ip *ip) {
  struct coho__view v = block_of(text);
  bool good = coho__ip_parse(ip, v);
  free_block(v);
  return good;
}

static struct coho__ip ip_of(const char *text) {
  struct coho__ip ip;
  if (!parse(text, &ip)) fail_msg("refused: %s", text);
  return ip;
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void test_addresses_as_the_library_reads_them(void **state) {
  (void)state;
  static const char *const rows[] = {"0.0.0.0",
                                     "255.255.255.255",
                                     "192.0.2.1",
                                     "::",
                                     "::1",
                                     "1::",
                                     "1::8",
                                     "2001:db8::1",
                                     "1:2:3:4:5:6:7:8",
                                     "1:2:3:4:5:6:7::",
                                     "::2:3:4:5:6:7:8",
                                     "1:2:3:4:5:6:1.2.3.4",
                                     "::1.2.3.4",
                                     "::ffff:10.1.2.3",
                                     "FE80::aBcD",
                                     "1::5:6:1.2.3.4",
                                     "",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "1.2.3.04",
                                     "1.2.3.256",
                                     "1.2.3.",
                                     ".1.2.3",
                                     "1..2.3",
                                     " 1.2.3.4",
                                     "1.2.3.4 ",
                                     "0x1.2.3.4",
                                     "127.1",
                                     ":",
                                     ":::",
                                     "1:",
                                     ":1",
                                     "1:2:3:4:5:6:7",
                                     "1:2:3:4:5:6:7:8:9",
                                     "1::2::3",
                                     "1:2:3:4::5:6:7:8",
                                     "12345::",
                                     "::g",
                                     "::1%1",
                                     "[::1]",
                                     "1:2:3:4:5:6:7:1.2.3.4",
                                     "::1.2.3",
                                     "1.2.3.4::",
                                     "::1:",
                                     "1:::2",
                                     "1:2:3:4:5:6:7:8::",
                                     "::1:2:3:4:5:6:7:8",
                                     "1.2.3.4:80"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    unsigned char v4[4], v6[16];
    struct coho__ip ip, wanted;
    bool is_v4 = inet_pton(AF_INET, rows[i], v4) == 1;
    bool is_v6 = inet_pton(AF_INET6, rows[i], v6) == 1;
    if (parse(rows[i], &ip) != (is_v4 || is_v6)) fail_msg("%s", rows[i]);
    if (!is_v4 && !is_v6) continue;
    memcpy(wanted.bytes, v6, is_v6 ? sizeof v6 : 0);
    if (is_v4) wanted = coho__ip_of_v4(v4);
    if (memcmp(&ip, &wanted, sizeof ip) != 0) fail_msg("other bytes: %s", rows[i]);
  }
}

static void test_a_mapped_address_is_the_address(void **state) {
  (void)state;
  struct coho__ip plain = ip_of("10.1.2.3"), mapped = ip_of("::ffff:10.1.2.3");
  struct coho__ip hex = ip_of("::ffff:a01:203"), other = ip_of("::10.1.2.3");
  assert_memory_equal(&plain, &mapped, sizeof plain);
  assert_memory_equal(&plain, &hex, sizeof plain);
  assert_true(coho__ip_is_v4(&mapped));
  assert_false(coho__ip_is_v4(&other));
}

static void test_A16_addresses_as_proxies_write_them(void **state) {
  (void)state;
  static const struct {
    const char *text, *ip; /* NULL: none */
    uint16_t port;
  } rows[] = {
      {"192.0.2.1", "192.0.2.1", 0},
      {"192.0.2.1:4711", "192.0.2.1", 4711},
      {"2001:db8::1", "2001:db8::1", 0},
      {"[2001:db8::1]", "2001:db8::1", 0},
      {"[2001:db8::1]:65535", "2001:db8::1", 65535},
      {"", NULL, 0},
      {"unknown", NULL, 0},
      {"_hidden", NULL, 0},
      {"\"192.0.2.1\"", NULL, 0},
      {"192.0.2.1:", NULL, 0},
      {"192.0.2.1:65536", NULL, 0},
      {"192.0.2.1:4711:1", NULL, 0},
      {"[192.0.2.1]", NULL, 0},
      {"[2001:db8::1", NULL, 0},
      {"[2001:db8::1]x", NULL, 0},
      {"[2001:db8::1]:", NULL, 0},
      {"[]", NULL, 0},
      {"[", NULL, 0},
      {"]", NULL, 0},
      {":80", NULL, 0},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__ip ip, wanted;
    uint16_t port;
    struct coho__view v = block_of(rows[i].text);
    bool good = coho__ip_parse_node(&ip, &port, v);
    free_block(v);
    if (good != (rows[i].ip != NULL)) fail_msg("%s", rows[i].text);
    if (!good) continue;
    wanted = ip_of(rows[i].ip);
    assert_memory_equal(&ip, &wanted, sizeof ip);
    assert_int_equal(port, rows[i].port);
  }
}

/* ---- networks ------------------------------------------------------------------------------- */

static void test_who_is_in_a_network(void **state) {
  (void)state;
  static const struct {
    const char *cidr, *ip;
    bool in;
  } rows[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.0.0.1", true},
      {"::ffff:10.0.0.0/104", "10.0.0.1", true},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.0", false},
      {"192.0.2.1/32", "192.0.2.1", true},
      {"172.16.0.0/12", "172.31.255.255", true},
      {"172.16.0.0/12", "172.32.0.0", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "10.0.0.1", false},
      {"::1", "::1", true},
      {"::1", "::2", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__cidr c;
    struct coho__ip ip = ip_of(rows[i].ip);
    if (!coho__cidr_parse(&c, coho__view_of(rows[i].cidr))) fail_msg("%s", rows[i].cidr);
    if (coho__cidr_has(&c, &ip) != rows[i].in) fail_msg("%s %s", rows[i].cidr, rows[i].ip);
  }
}

static void test_what_is_no_network(void **state) {
  (void)state;
  static const char *const rows[] = {"",
                                     "/8",
                                     "10.0.0.0/",
                                     "10.0.0.0/33",
                                     "10.0.0.0/-1",
                                     "10.0.0.1/8",
                                     "10/8",
                                     "::1/64",
                                     "::/129",
                                     "10.0.0.0/8/8",
                                     "localhost",
                                     "10.0.0.0 /8",
                                     "[::1]",
                                     "10.0.0.0/255.0.0.0"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__cidr c;
    if (coho__cidr_parse(&c, coho__view_of(rows[i]))) fail_msg("accepted: %s", rows[i]);
  }
}

static void test_lists_of_networks(void **state) {
  (void)state;
  static const char *const good[] = {"10.0.0.0/8", "unix", "::1", NULL};
  static const char *const bad[] = {"10.0.0.0/8", "unix", "proxy.example", NULL};
  static const char *const none[] = {NULL};
  struct coho__cidrs list;
  struct coho__ip a = ip_of("10.9.9.9"), b = ip_of("::1"), c = ip_of("127.0.0.1"),
                  any = ip_of("::");
  assert_int_equal(coho__cidrs_read(&list, good), 0);
  assert_true(list.local && !coho__cidrs_empty(&list));
  assert_true(coho__cidrs_has(&list, &a) && coho__cidrs_has(&list, &b));
  assert_false(coho__cidrs_has(&list, &c) || coho__cidrs_has(&list, &any));
  coho__cidrs_free(&list);
  assert_int_equal(coho__cidrs_read(&list, bad), COHO_EOPTION);
  assert_int_equal(coho__cidrs_read(&list, none), 0);
  assert_true(coho__cidrs_empty(&list));
  assert_int_equal(coho__cidrs_read(&list, NULL), 0);
  assert_true(coho__cidrs_empty(&list) && !coho__cidrs_has(&list, &a));
  coho__cidrs_free(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses_as_the_library_reads_them),
      cmocka_unit_test(test_a_mapped_address_is_the_address),
      cmocka_unit_test(test_A16_addresses_as_proxies_write_them),
      cmocka_unit_test(test_who_is_in_a_network),
      cmocka_unit_test(test_what_is_no_network),
      cmocka_unit_test(test_lists_of_networks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
