/* Keepalive: silence, ping, silence, gone; any sign of life starts over (RFC 6455 5.5.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/keepalive.h"

enum { INTERVAL = 1000, TIMEOUT = 300 };

static uint32_t wait_ms;

static enum coho__keepalive_verdict look(struct coho__keepalive *k, uint64_t now) {
  return coho__keepalive_look(k, now, INTERVAL, TIMEOUT, &wait_ms);
}

static struct coho__keepalive started_at(uint64_t now) {
  struct coho__keepalive k = {0};
  coho__keepalive_heard(&k);
  assert_int_equal(look(&k, now), COHO_KEEPALIVE_WAIT);
  assert_int_equal(wait_ms, INTERVAL);
  return k;
}

static void test_CT_06_silence_then_ping_then_gone(void **state) {
  (void)state;
  struct coho__keepalive k = started_at(5000);
  assert_int_equal(look(&k, 5999), COHO_KEEPALIVE_WAIT);
  assert_int_equal(wait_ms, 1);
  assert_int_equal(look(&k, 6000), COHO_KEEPALIVE_PING);
  assert_int_equal(wait_ms, TIMEOUT);
  assert_int_equal(look(&k, 6299), COHO_KEEPALIVE_WAIT);
  assert_int_equal(look(&k, 6300), COHO_KEEPALIVE_GONE);
}

static void test_any_sign_of_life_starts_over(void **state) {
  (void)state;
  struct coho__keepalive k = started_at(0);
  assert_int_equal(look(&k, 1000), COHO_KEEPALIVE_PING);
  coho__keepalive_heard(&k);
  assert_int_equal(look(&k, 1299), COHO_KEEPALIVE_WAIT);
  assert_int_equal(wait_ms, INTERVAL);
  assert_int_equal(look(&k, 2298), COHO_KEEPALIVE_WAIT);
  assert_int_equal(look(&k, 2299), COHO_KEEPALIVE_PING);
}

static void test_clock_may_pass_32_bits(void **state) {
  (void)state;
  struct coho__keepalive k = started_at(UINT32_MAX - 10);
  assert_int_equal(look(&k, (uint64_t)UINT32_MAX + 900), COHO_KEEPALIVE_WAIT);
  assert_int_equal(wait_ms, INTERVAL - 910);
  assert_int_equal(look(&k, (uint64_t)UINT32_MAX + 990), COHO_KEEPALIVE_PING);
}

static void test_never_waits_for_ever(void **state) {
  (void)state;
  struct coho__keepalive k = {0};
  assert_int_equal(coho__keepalive_look(&k, 1 << 30, COHO_NEVER, TIMEOUT, &wait_ms),
                   COHO_KEEPALIVE_WAIT);
  assert_int_equal(wait_ms, COHO_NEVER);
}

/* Where an answer may take longer than the silence before a ping: pings come after each silence. */
static void check_pings_go_on(uint32_t timeout_ms) {
  struct coho__keepalive k = started_at(0);
  uint64_t now = 0;
  for (int pings = 1; pings <= 3; pings++) {
    uint64_t before = now;
    do {
      now += wait_ms;
      assert_true(now - before <= 2 * INTERVAL);
    } while (coho__keepalive_look(&k, now, INTERVAL, timeout_ms, &wait_ms) == COHO_KEEPALIVE_WAIT);
    assert_true(k.pinged);
    coho__keepalive_heard(&k);
  }
}

static void test_pings_go_on_when_answers_have_long(void **state) {
  (void)state;
  check_pings_go_on(10 * INTERVAL);
  check_pings_go_on(COHO_NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_CT_06_silence_then_ping_then_gone),
      cmocka_unit_test(test_any_sign_of_life_starts_over),
      cmocka_unit_test(test_clock_may_pass_32_bits),
      cmocka_unit_test(test_never_waits_for_ever),
      cmocka_unit_test(test_pings_go_on_when_answers_have_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
