#include "http/forwarded.h"

#include "base/check.h"
#include "unit/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const trusted[] = {"10.0.0.0/8", "2001:db8:1::/48", NULL};

static struct coho__cidrs proxies;

static int set_up(void **state) {
  (void)state;
  return coho__cidrs_read(&proxies, trusted);
}

static int tear_down(void **state) {
  (void)state;
  coho__cidrs_free(&proxies);
  return 0;
}

struct case_ {
  const char *fields;
  const char *client; /* NULL: nothing is known */
};

static void check(struct coho__http1 *h, int result, size_t used, void *ctx) {
  const struct case_ *c = (const struct case_ *)ctx;
  struct coho__ip ip;
  uint16_t port;
  char text[COHO_ADDR_MAX];
  struct coho__addr addr;
  (void)used;
  assert_int_equal(result, 1);
  bool known = coho__forwarded_find(h, &proxies, &ip, &port);
  if (known != (c->client != NULL)) fail_msg("%s", c->fields);
  if (!known || !c->client) return;
  coho__addr_of_ip(&addr, &ip, port);
  coho__addr_format(&addr, text, sizeof text);
  if (strcmp(text, c->client) != 0) fail_msg("%s: %s", c->fields, text);
}

static void run_cases(const struct case_ *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char head[512];
    struct case_ c = cases[i];
    int len = snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", c.fields);
    const struct head_case hc = {.kind = COHO_HTTP1_REQUEST, .check = check, .ctx = &c};
    pieces_head((struct coho__view){head, (size_t)len}, &hc);
  }
}

#define XFF "X-Forwarded-For: "

static void test_A16_the_rightmost_that_is_no_proxy(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      {XFF "192.0.2.1\r\n", "192.0.2.1"},
      {XFF "192.0.2.1:4711\r\n", "192.0.2.1:4711"},
      {XFF "[2001:db8::5]:80\r\n", "[2001:db8::5]:80"},
      {XFF "2001:db8::5\r\n", "[2001:db8::5]"},
      {XFF "203.0.113.9, 192.0.2.1\r\n", "192.0.2.1"},
      {XFF "203.0.113.9,192.0.2.1 ,\t10.1.1.1\r\n", "192.0.2.1"},
      {XFF "10.9.9.9, 192.0.2.1, 10.1.1.1, 2001:db8:1::7\r\n", "192.0.2.1"},
      {XFF "192.0.2.1, ::ffff:10.1.1.1\r\n", "192.0.2.1"},
      {"x-forwarded-for: 192.0.2.1\r\nHost2: x\r\n" XFF "10.1.1.1\r\n", "192.0.2.1"},
      {XFF "203.0.113.9\r\n" XFF "192.0.2.1\r\n", "192.0.2.1"},
      /* all are proxies: the farthest */
      {XFF "10.3.3.3, 10.2.2.2\r\n", "10.3.3.3"},
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_A16_what_cannot_be_read_ends_the_way(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      {"", NULL},
      {"Forwarded: for=192.0.2.1\r\n", NULL},
      {"X-Real-IP: 192.0.2.1\r\n", NULL},
      {XFF "\r\n", NULL},
      {XFF "unknown\r\n", NULL},
      {XFF "192.0.2.1, unknown\r\n", NULL},
      {XFF "192.0.2.1,\r\n", NULL},
      {XFF "192.0.2.1, 10.0.0.256\r\n", NULL},
      {XFF "192.0.2.1, unknown, 10.1.1.1\r\n", "10.1.1.1"},
      {XFF "unknown, 192.0.2.1, 10.1.1.1\r\n", "192.0.2.1"},
      /* a quote that the client opens hides nothing behind it */
      {XFF "\"10.1.1.1, 192.0.2.1\r\n", "192.0.2.1"},
      {XFF "\"\\, 192.0.2.1, 10.1.1.1\r\n", "192.0.2.1"},
      {XFF "\"192.0.2.1\"\r\n", NULL},
  };
  run_cases(cases, COHO_COUNT(cases));
}

/* Whatever a client puts in front, what its proxy adds decides. */
static void test_A16_a_client_cannot_choose(void **state) {
  (void)state;
  static const char *const lies[] = {"203.0.113.9", "10.1.1.1", "unknown", "\"",
                                     "[::1",        ",,",       "%0d"};
  for (size_t i = 0; i < COHO_COUNT(lies); i++) {
    char one[128], two[128];
    (void)snprintf(one, sizeof one, XFF "%s, 192.0.2.1, 10.1.1.1\r\n", lies[i]);
    (void)snprintf(two, sizeof two, XFF "%s\r\n" XFF "192.0.2.1\r\n", lies[i]);
    const struct case_ cases[] = {{one, "192.0.2.1"}, {two, "192.0.2.1"}};
    run_cases(cases, COHO_COUNT(cases));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A16_the_rightmost_that_is_no_proxy),
      cmocka_unit_test(test_A16_what_cannot_be_read_ends_the_way),
      cmocka_unit_test(test_A16_a_client_cannot_choose),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
