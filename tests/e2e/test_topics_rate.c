/* A17: how many HTTP requests an address may send to a mount. */
#include "support/clock.h"
#include "support/web.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

static struct web web;
static struct web_client a;

static const char TOO_MANY[] =
    "{\"error\":{\"code\":\"too-many\",\"text\":\"too many subscriptions or requests\"}}";

/* Requests come through a proxy, which tells of several addresses. */
static void open_web(coho_rate rate) {
  static const char *const trusted[] = {"127.0.0.1", NULL};
  static const char *const good[] = {"https://good.example", NULL};
  const coho_topics_options mo = {.origins = good, .http_rate = rate};
  const coho_server_options so = {.trusted_proxies = trusted, .drain_timeout_ms = 10000};
  clock_stop();
  web_open_with(&web, &mo, NULL, &so);
  web_connect(&a, &web);
}

static void finish(void) {
  web_part(&a);
  clock_go();
  web_close(&web);
}

/* As a client of this address: the status. */
static int get(const char *address, const char *target, const char *fields) {
  char text[256];
  (void)snprintf(text, sizeof text, "X-Forwarded-For: %s\r\n%s", address, fields);
  web_get(&a, text, "%s", target);
  return web_answer(&a);
}

/* In one piece, for which nobody waits. */
static int post(const char *address) {
  web_send(&a,
           "POST /t/room HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: %s\r\nContent-Length: 1\r\n\r\nx",
           address);
  return web_answer(&a);
}

static const char HISTORY[] = "/t/room/history";

/* By whatever way it asks; others do not notice. */
static void test_A17_each_address_for_itself(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = 2, .burst = 4});
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 200);
  assert_int_equal(post("192.0.2.1"), 200);
  assert_int_equal(get("192.0.2.1", "/t/room?wait=0", ""), 200);
  assert_int_equal(get("192.0.2.1", "/t/room/presence", ""), 200);
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 429);
  assert_int_equal(post("192.0.2.1"), 429);
  assert_int_equal(get("192.0.2.1", "/t/?sub=room&wait=0", ""), 429);
  assert_int_equal(get("192.0.2.1", "/t/room", "Accept: text/event-stream\r\n"), 429);
  assert_int_equal(get("192.0.2.2", HISTORY, ""), 200);
  assert_int_equal(post("2001:db8::1"), 200);
  coho_pos pos;
  assert_int_equal(coho_hub_position(web.hub, "room", &pos), 0);
  assert_true(pos.offset == 2);
  finish();
}

/* It speaks for everybody, so nobody is shut out by others. */
static void test_A17_a_proxy_that_tells_of_no_client(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = 1});
  for (int i = 0; i < 5; i++) {
    web_get(&a, "", "%s", HISTORY);
    assert_int_equal(web_answer(&a), 200);
  }
  finish();
}

static void test_A17_an_ipv6_address_by_its_first_64_bits(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = 1});
  assert_int_equal(get("2001:db8::1", HISTORY, ""), 200);
  assert_int_equal(get("2001:db8::2", HISTORY, ""), 429);
  assert_int_equal(get("2001:db8:0:1::1", HISTORY, ""), 200);
  finish();
}

/* A page sees the refusal, and when to come back; the connection goes on, and so it does then. */
static void test_A17_the_refusal(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = 1});
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 200);
  assert_int_equal(get("192.0.2.1", HISTORY, "Origin: https://good.example\r\n"), 429);
  assert_string_equal(a.body, TOO_MANY);
  assert_string_equal(web_field(&a, "Retry-After"), "1");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  assert_string_equal(web_field(&a, "Access-Control-Allow-Origin"), "https://good.example");
  assert_null(web_field(&a, "Connection"));
  clock_move(999);
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 429);
  clock_move(1);
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 200);
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 429);
  finish();
}

/* A foreign page uses up nothing of its visitor's, and what asks nothing of the hub costs as much as a
   refusal. */
static void test_A17_what_does_not_count(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = 1});
  for (int i = 0; i < 5; i++) {
    assert_int_equal(get("192.0.2.1", HISTORY, "Origin: https://evil.example\r\n"), 403);
    assert_int_equal(get("192.0.2.1", "/t/a//b", ""), 404);
    web_send(&a, "OPTIONS /t/room HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    a.len = 0;
    assert_int_equal(web_begin(&a), 204);
  }
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 200);
  assert_int_equal(get("192.0.2.1", HISTORY, ""), 429);
  finish();
}

/* How many of so many are served at once. */
static unsigned served(unsigned count) {
  unsigned n = 0;
  while (count--)
    n += post("192.0.2.1") == 200;
  return n;
}

static void test_A17_by_default_2000_at_once(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = 0});
  assert_int_equal(served(2100), 2000);
  clock_move(100);
  assert_int_equal(served(150), 100);
  finish();
}

static void test_A17_any_number(void **state) {
  (void)state;
  open_web((coho_rate){.per_second = UINT32_MAX});
  assert_int_equal(served(2100), 2100);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A17_each_address_for_itself),
      cmocka_unit_test(test_A17_a_proxy_that_tells_of_no_client),
      cmocka_unit_test(test_A17_an_ipv6_address_by_its_first_64_bits),
      cmocka_unit_test(test_A17_the_refusal),
      cmocka_unit_test(test_A17_what_does_not_count),
      cmocka_unit_test(test_A17_by_default_2000_at_once),
      cmocka_unit_test(test_A17_any_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
