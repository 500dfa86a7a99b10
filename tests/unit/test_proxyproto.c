#include "proto/proxyproto.h"

#include "base/check.h"
#include "unit/pieces.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

struct case_ {
  struct coho__view bytes;
  size_t behind; /* bytes of it that belong to what follows */
  int result;    /* 1: complete, 0: unfinished */
  enum coho__proxy_kind kind;
  const char *ip;
  uint16_t port;
};

static void run_case(struct pieces *p, void *ctx) {
  const struct case_ *c = (const struct case_ *)ctx;
  struct coho__proxy proxy;
  struct coho__view piece = {NULL, 0};
  size_t used = 0, taken = 0;
  int result = 0;
  coho__proxy_init(&proxy);
  while (result == 0 && pieces_next(p, &piece)) {
    result = coho__proxy_input(&proxy, piece.data, piece.len, &used);
    assert_true(used <= piece.len && (result != 0 || used == piece.len));
    taken += used;
  }
  if (result != c->result)
    fail_msg("%.*s: %d instead of %d", (int)c->bytes.len, c->bytes.data, result, c->result);
  if (result < 0) { /* for good */
    assert_int_equal(coho__proxy_input(&proxy, "P", 1, &used), COHO_EPROXY);
    assert_int_equal(used, 0);
  }
  if (result != 1) return;
  assert_int_equal(taken, c->bytes.len - c->behind);
  assert_int_equal(proxy.kind, c->kind);
  assert_int_equal(coho__proxy_input(&proxy, "P", 1, &used), 1);
  assert_int_equal(used, 0);
  if (c->kind != COHO_PROXY_IP) return;
  struct coho__ip ip;
  assert_true(coho__ip_parse(&ip, coho__view_of(c->ip)));
  assert_memory_equal(&proxy.ip, &ip, sizeof ip);
  assert_int_equal(proxy.port, c->port);
}

static void run_cases(const struct case_ *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct case_ c = cases[i];
    pieces_each(c.bytes, run_case, &c);
  }
}

#define BYTES(text) \
  { text, sizeof(text) - 1 }
#define FROM(text, ip, port) \
  { BYTES(text), 0, 1, COHO_PROXY_IP, ip, port }
#define OTHER(text, kind) \
  { BYTES(text), 0, 1, kind, NULL, 0 }
#define BAD(text) \
  { BYTES(text), 0, COHO_EPROXY, COHO_PROXY_LOCAL, NULL, 0 }
#define PART(text) \
  { BYTES(text), 0, 0, COHO_PROXY_LOCAL, NULL, 0 }

#define ADDRESSES "192.168.0.1 192.168.0.11 "
#define V6        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

/* ---- version 1 ------------------------------------------------------------------------------ */

static void test_A15_lines(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      FROM("PROXY TCP4 " ADDRESSES "56324 443\r\n", "192.168.0.1", 56324),
      FROM("PROXY TCP4 1.2.3.4 255.255.255.255 0 65535\r\n", "1.2.3.4", 0),
      FROM("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1", 1),
      FROM("PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n", "1.2.3.4", 1),
      FROM("PROXY TCP6 " V6 " " V6 " 65535 65535\r\n", V6, 65535),
      OTHER("PROXY UNKNOWN\r\n", COHO_PROXY_LOCAL),
      OTHER("PROXY UNKNOWN " V6 " " V6 " 65535 65535\r\n", COHO_PROXY_LOCAL),
      OTHER("PROXY UNKNOWN what ever\tit \xff is\r\n", COHO_PROXY_LOCAL),
      {BYTES("PROXY TCP4 " ADDRESSES "1 2\r\nGET / HTTP/1.1\r\n"), 16, 1, COHO_PROXY_IP,
       "192.168.0.1", 1},
      {BYTES("PROXY UNKNOWN\r\n\r\n"), 2, 1, COHO_PROXY_LOCAL, NULL, 0},
      PART("PROXY"),
      PART("PROXY TCP4 " ADDRESSES "1 2\r"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_A15_lines_that_are_refused(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      BAD("GET / HTTP/1.1\r\n"),
      BAD("\x16\x03\x01\x02"),
      BAD("proxy TCP4 " ADDRESSES "1 2\r\n"),
      BAD("PROXY  TCP4 " ADDRESSES "1 2\r\n"),
      BAD("PROXY TCP4  192.168.0.1 192.168.0.11 1 2\r\n"),
      BAD("PROXY TCP4 192.168.0.1  192.168.0.11 1 2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES " 1 2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1  2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1 2 \r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1 2 3\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1 2\n"),
      BAD("PROXY TCP4 " ADDRESSES "1 2\r\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1\r2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "\r\n"),
      BAD("PROXY TCP4 192.168.0.1\r\n"),
      BAD("PROXY TCP4\r\n"),
      BAD("PROXY \r\n"),
      BAD("PROXY\r\n"),
      BAD("PROXY TCP5 " ADDRESSES "1 2\r\n"),
      BAD("PROXY UDP4 " ADDRESSES "1 2\r\n"),
      BAD("PROXY tcp4 " ADDRESSES "1 2\r\n"),
      BAD("PROXY UNKNOWNX\r\n"),
      BAD("PROXY TCP4 192.168.0.01 192.168.0.11 1 2\r\n"),
      BAD("PROXY TCP4 192.168.0 192.168.0.11 1 2\r\n"),
      BAD("PROXY TCP4 ::1 ::1 1 2\r\n"),
      BAD("PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 2\r\n"),
      BAD("PROXY TCP6 1.2.3.4 ::1 1 2\r\n"),
      BAD("PROXY TCP6 [::1] ::1 1 2\r\n"),
      BAD("PROXY TCP6 ::1%1 ::1 1 2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "01 2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "65536 2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1 65536\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "-1 2\r\n"),
      BAD("PROXY TCP4 " ADDRESSES "1 2\0\r\n"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_A15_a_line_that_does_not_end(void **state) {
  (void)state;
  char line[COHO_PROXY_LINE + 1] = "PROXY UNKNOWN ";
  memset(line + strlen(line), 'x', sizeof line - strlen(line));
  struct case_ c = {{line, COHO_PROXY_LINE}, 0, 0, COHO_PROXY_LOCAL, NULL, 0};
  pieces_each(c.bytes, run_case, &c);
  c.bytes.len++;
  c.result = COHO_EPROXY;
  pieces_each(c.bytes, run_case, &c);
  /* A terminator is what must not be there: NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
  memcpy(line + COHO_PROXY_LINE - 2, "\r\n", 2);
  c = (struct case_){{line, COHO_PROXY_LINE}, 0, 1, COHO_PROXY_LOCAL, NULL, 0};
  pieces_each(c.bytes, run_case, &c);
}

/* ---- version 2 ------------------------------------------------------------------------------ */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR      "\x0a\0\0\x01\x0a\0\0\x02\x12\x34\0\x50"
#define SIX                                    \
  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
  "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" \
  "\x12\x34\0\x50"
#define CRC_ALONE "\x39\xa8\x11\xee"
#define CRC_FIRST "\xc7\x64\xa3\x49"
#define PATH27    "/run/a-socket\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define PATHS     PATH27 PATH27 PATH27 PATH27 PATH27 PATH27 PATH27 PATH27

static void test_A15_binary_heads(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      FROM(SIGNATURE "\x21\x11\0\x0c" FOUR, "10.0.0.1", 4660),
      FROM(SIGNATURE "\x21\x21\0\x24" SIX, "2001:db8::1", 4660),
      /* a datagram: what the proxy speaks with its client */
      FROM(SIGNATURE "\x21\x12\0\x0c" FOUR, "10.0.0.1", 4660),
      FROM(SIGNATURE "\x21\x22\0\x24" SIX, "2001:db8::1", 4660),
      OTHER(SIGNATURE "\x21\x31\0\xd8" PATHS, COHO_PROXY_UNIX),
      OTHER(SIGNATURE "\x21\x32\0\xd8" PATHS, COHO_PROXY_UNIX),
      OTHER(SIGNATURE "\x20\x00\0\0", COHO_PROXY_LOCAL),
      OTHER(SIGNATURE "\x20\x11\0\x0c" FOUR, COHO_PROXY_LOCAL),
      OTHER(SIGNATURE "\x20\x11\0\x01x", COHO_PROXY_LOCAL),
      OTHER(SIGNATURE "\x21\x00\0\0", COHO_PROXY_LOCAL),
      OTHER(SIGNATURE "\x21\x00\0\x03xyz", COHO_PROXY_LOCAL),
      /* fields: authority, one of no length, one that is padding */
      FROM(SIGNATURE "\x21\x11\0\x17" FOUR "\x02\0\x02hi"
                     "\xe0\0\0"
                     "\x04\0\0",
           "10.0.0.1", 4660),
      {BYTES(SIGNATURE "\x21\x11\0\x0c" FOUR "\x16\x03"), 2, 1, COHO_PROXY_IP, "10.0.0.1", 4660},
      {BYTES(SIGNATURE "\x20\x00\0\0GET"), 3, 1, COHO_PROXY_LOCAL, NULL, 0},
      PART(SIGNATURE "\x21\x11\0\x0c"),
      PART(SIGNATURE "\x21\x11\xff\xff" FOUR "\x02\xff\xf0hi"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_A15_binary_heads_that_are_refused(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      BAD("\r\n\r\n\r\n"),
      BAD("\r\n\r\n\0\r\nquit\n\x21\x11\0\x0c" FOUR),
      BAD(SIGNATURE "\x11\x11\0\x0c"),
      BAD(SIGNATURE "\x31\x11\0\x0c"),
      BAD(SIGNATURE "\x22\x11\0\x0c"),
      BAD(SIGNATURE "\x2f\x11\0\x0c"),
      BAD(SIGNATURE "\x21\x10\0\x0c"),
      BAD(SIGNATURE "\x21\x01\0\x0c"),
      BAD(SIGNATURE "\x21\x13\0\x0c"),
      BAD(SIGNATURE "\x21\x41\0\x0c"),
      BAD(SIGNATURE "\x21\xff\0\x0c"),
      BAD(SIGNATURE "\x20\x41\0\0"),
      BAD(SIGNATURE "\x21\x11\0\x0b"),
      BAD(SIGNATURE "\x21\x11\0\0"),
      BAD(SIGNATURE "\x21\x21\0\x23"),
      BAD(SIGNATURE "\x21\x31\0\xd7"),
      /* fields that do not fit */
      BAD(SIGNATURE "\x21\x11\0\x0d" FOUR "\x02"),
      BAD(SIGNATURE "\x21\x11\0\x0e" FOUR "\x02\0"),
      BAD(SIGNATURE "\x21\x11\0\x0f" FOUR "\x02\0\x01"),
      BAD(SIGNATURE "\x21\x11\0\x11" FOUR "\x02\0\x03xx"),
      BAD(SIGNATURE "\x21\x11\0\x11" FOUR "\x02\xff\xffxx"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

/* The checksums were computed apart, with another implementation of CRC-32C. */
static void test_A15_a_checksum_has_to_be_right(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      FROM(SIGNATURE "\x21\x11\0\x13" FOUR "\x03\0\x04" CRC_ALONE, "10.0.0.1", 4660),
      FROM(SIGNATURE "\x21\x11\0\x18" FOUR "\x03\0\x04" CRC_FIRST "\x02\0\x02hi", "10.0.0.1", 4660),
      BAD(SIGNATURE "\x21\x11\0\x13" FOUR "\x03\0\x04\0\0\0\0"),
      BAD(SIGNATURE "\x21\x11\0\x18" FOUR "\x03\0\x04" CRC_FIRST "\x02\0\x02ha"),
      BAD(SIGNATURE "\x21\x11\0\x12" FOUR "\x03\0\x03\0\0\0"),
      BAD(SIGNATURE "\x21\x11\0\x0f" FOUR "\x03\0\0"),
      BAD(SIGNATURE "\x21\x11\0\x1a" FOUR "\x03\0\x04" CRC_ALONE "\x03\0\x04" CRC_ALONE),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_A15_fields_of_64_KiB_are_not_kept(void **state) {
  (void)state;
  static char head[16 + 65535];
  /* A terminator is what must not be there: NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
  memcpy(head, SIGNATURE "\x21\x11\xff\xff" FOUR "\xe0\xff\xf0", 31);
  struct case_ c = {{head, sizeof head}, 0, 1, COHO_PROXY_IP, "10.0.0.1", 4660};
  struct pieces p = {.all = c.bytes, .cut = 1000, .step = 999};
  run_case(&p, &c);
  free(p.block);
  assert_true(sizeof(struct coho__proxy) <= 192);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A15_lines),
      cmocka_unit_test(test_A15_lines_that_are_refused),
      cmocka_unit_test(test_A15_a_line_that_does_not_end),
      cmocka_unit_test(test_A15_binary_heads),
      cmocka_unit_test(test_A15_binary_heads_that_are_refused),
      cmocka_unit_test(test_A15_a_checksum_has_to_be_right),
      cmocka_unit_test(test_A15_fields_of_64_KiB_are_not_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
