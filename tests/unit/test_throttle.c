/* A17: bad tokens and requests by address. */
#include "topics/throttle.h"

#include "base/check.h"
#include "support/alloc_fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t NOW = 5000000;
enum { FAILURES = 10, MINUTE_S = 60, MINUTE_MS = 60 * 1000, A_TOKEN_MS = MINUTE_MS / FAILURES };

/* Ten in a minute. */
static struct coho__throttle *of_failures(void) {
  return coho__throttle_new((struct coho__bucket_rate){FAILURES, FAILURES}, MINUTE_S);
}

static bool is_open(struct coho__throttle *t, const char *peer, uint64_t now) {
  return coho__throttle_open(t, coho__view_of(peer), now);
}

static void fail_often(struct coho__throttle *t, const char *peer, uint64_t now, int n) {
  for (int i = 0; i < n; i++)
    (void)coho__throttle_take(t, coho__view_of(peer), now);
}

static void test_A17_ten_failures(void **state) {
  (void)state;
  struct coho__throttle *t = of_failures();
  fail_often(t, "192.0.2.1:1000", NOW, FAILURES - 1);
  assert_true(is_open(t, "192.0.2.1:1000", NOW));
  fail_often(t, "192.0.2.1:1000", NOW, 1);
  assert_false(is_open(t, "192.0.2.1:1000", NOW));
  assert_true(is_open(t, "192.0.2.2:1000", NOW));
  coho__throttle_free(t);
}

/* One more is looked at after a tenth of a minute, and all ten after a minute. */
static void test_A17_time_forgives(void **state) {
  (void)state;
  struct coho__throttle *t = of_failures();
  fail_often(t, "192.0.2.1:1", NOW, FAILURES);
  assert_false(is_open(t, "192.0.2.1:1", NOW + A_TOKEN_MS - 100));
  assert_true(is_open(t, "192.0.2.1:1", NOW + A_TOKEN_MS + 100));
  fail_often(t, "192.0.2.1:1", NOW + A_TOKEN_MS + 100, 1);
  assert_false(is_open(t, "192.0.2.1:1", NOW + A_TOKEN_MS + 100));
  uint64_t later = NOW + A_TOKEN_MS + 200 + MINUTE_MS;
  fail_often(t, "192.0.2.1:1", later, FAILURES - 1);
  assert_true(is_open(t, "192.0.2.1:1", later));
  coho__throttle_free(t);
}

/* Those that come while none is looked at do not prolong it. */
static void test_A17_no_debts(void **state) {
  (void)state;
  struct coho__throttle *t = of_failures();
  fail_often(t, "192.0.2.1:1", NOW, FAILURES * 100);
  assert_true(is_open(t, "192.0.2.1:1", NOW + A_TOKEN_MS + 100));
  coho__throttle_free(t);
}

/* The port does not count, nor the lower half of an IPv6 address, nor how IPv4 is written. */
static void test_A17_what_is_one_address(void **state) {
  (void)state;
  static const struct {
    const char *failed, *asked;
    bool same;
  } rows[] = {
      {"192.0.2.1:1", "192.0.2.1:65535", true},
      {"192.0.2.1:1", "192.0.2.1", true},
      {"192.0.2.1:1", "[::ffff:192.0.2.1]:2", true},
      {"192.0.2.1:1", "192.0.2.10:1", false},
      {"[2001:db8::1]:1", "[2001:db8::ffff:0:0:1]:2", true},
      {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
      {"[2001:db8::1]:1", "32.1.13.184:1", false},
      {"[::1]:1", "[::2]:1", true},
      {"unix", "unix", false},
      {"/run/coho.sock", "/run/coho.sock", false},
      {"unknown", "unknown", false},
      {"", "", false},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__throttle *t = of_failures();
    fail_often(t, rows[i].failed, NOW, FAILURES);
    if (is_open(t, rows[i].asked, NOW) == rows[i].same) fail_msg("%s", rows[i].asked);
    coho__throttle_free(t);
  }
}

/* Of too many addresses the one is forgotten that failed longest ago. */
static void test_A17_bounded(void **state) {
  (void)state;
  struct coho__throttle *t = of_failures();
  char peer[32];
  fail_often(t, "192.0.2.1:1", NOW, FAILURES);
  fail_often(t, "192.0.2.2:1", NOW, FAILURES);
  fail_often(t, "192.0.2.1:1", NOW, 1);
  for (unsigned i = 0; i < COHO_THROTTLE_ADDRESSES - 1; i++) {
    (void)snprintf(peer, sizeof peer, "10.0.%u.%u:1", i / 256, i % 256);
    fail_often(t, peer, NOW, 1);
  }
  assert_false(is_open(t, "192.0.2.1:1", NOW));
  assert_true(is_open(t, "192.0.2.2:1", NOW));
  coho__throttle_free(t);
}

/* Clocks of loops differ by a turn: what went back brings nothing and takes nothing. */
static void test_a_clock_that_goes_back(void **state) {
  (void)state;
  struct coho__throttle *t = of_failures();
  fail_often(t, "192.0.2.1:1", NOW, FAILURES);
  assert_false(is_open(t, "192.0.2.1:1", NOW - 100));
  assert_false(is_open(t, "192.0.2.1:1", 0));
  assert_false(is_open(t, "192.0.2.1:1", NOW));
  assert_true(is_open(t, "192.0.2.1:1", NOW + A_TOKEN_MS + 100));
  coho__throttle_free(t);
}

/* ---- requests -------------------------------------------------------------------------------- */

enum { PER_SECOND = 50, BURST = 100 };

static struct coho__throttle *of_requests(void) {
  return coho__throttle_new((struct coho__bucket_rate){PER_SECOND, BURST}, 1);
}

/* How many of so many get through. */
static unsigned served(struct coho__throttle *t, const char *peer, uint64_t now, unsigned n) {
  unsigned count = 0;
  while (n--)
    count += coho__throttle_take(t, coho__view_of(peer), now);
  return count;
}

static void test_A17_a_burst_then_the_rate(void **state) {
  (void)state;
  struct coho__throttle *t = of_requests();
  assert_int_equal(served(t, "192.0.2.1:1", NOW, 1000), BURST);
  assert_int_equal(served(t, "192.0.2.1:2", NOW, 1), 0);
  assert_int_equal(served(t, "192.0.2.2:1", NOW, 1), 1);
  for (unsigned i = 1; i <= 10; i++)
    assert_int_equal(served(t, "192.0.2.1:1", NOW + 100 * i, 1000), PER_SECOND / 10);
  assert_int_equal(served(t, "192.0.2.1:1", NOW + 100000, 1000), BURST);
  coho__throttle_free(t);
}

static void test_A17_who_is_no_address_is_not_limited(void **state) {
  (void)state;
  struct coho__throttle *t = of_requests();
  assert_int_equal(served(t, "unix", NOW, 1000), 1000);
  assert_int_equal(served(t, "", NOW, 1000), 1000);
  coho__throttle_free(t);
}

/* However many others come, nobody is shut out by them: who came longest ago begins anew. */
static void test_A17_others_shut_nobody_out(void **state) {
  (void)state;
  struct coho__throttle *t = of_requests();
  char peer[32];
  assert_int_equal(served(t, "192.0.2.1:1", NOW, BURST), BURST);
  for (unsigned i = 0; i < COHO_THROTTLE_ADDRESSES; i++) {
    (void)snprintf(peer, sizeof peer, "10.0.%u.%u:1", i / 256, i % 256);
    assert_int_equal(served(t, peer, NOW, 1), 1);
  }
  assert_int_equal(served(t, "192.0.2.1:1", NOW, 1000), BURST);
  assert_int_equal(served(t, "198.51.100.1:1", NOW, 1000), BURST);
  coho__throttle_free(t);
}

/* ---- the log --------------------------------------------------------------------------------- */

static void test_B24_lines_are_bounded(void **state) {
  (void)state;
  struct coho__throttle *t = of_failures();
  uint64_t untold = 77;
  unsigned told = 0;
  for (int i = 0; i < 1000; i++)
    told += coho__throttle_tells(t, NOW, &untold);
  assert_in_range(told, 1, 100);
  assert_int_equal(untold, 0);
  assert_true(coho__throttle_tells(t, NOW + 1000, &untold));
  assert_int_equal(untold, 1000 - told);
  assert_true(coho__throttle_tells(t, NOW + 1000, &untold));
  assert_int_equal(untold, 0);
  coho__throttle_free(t);
}

/* Without memory nobody is throttled. */
static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    struct coho__throttle *t = of_failures();
    if (t) {
      fail_often(t, "192.0.2.1:1", NOW, FAILURES);
      fail_often(t, "192.0.2.2:1", NOW, 1);
      assert_true(is_open(t, "192.0.2.3:1", NOW));
      coho__throttle_free(t);
    }
    alloc_assert_none_live();
    if (!alloc_failed()) break;
  }
  alloc_fail_at(0);
}

static void test_nothing_to_free(void **state) {
  (void)state;
  coho__throttle_free(NULL);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A17_ten_failures),
      cmocka_unit_test(test_A17_time_forgives),
      cmocka_unit_test(test_A17_no_debts),
      cmocka_unit_test(test_A17_what_is_one_address),
      cmocka_unit_test(test_A17_bounded),
      cmocka_unit_test(test_a_clock_that_goes_back),
      cmocka_unit_test(test_A17_a_burst_then_the_rate),
      cmocka_unit_test(test_A17_who_is_no_address_is_not_limited),
      cmocka_unit_test(test_A17_others_shut_nobody_out),
      cmocka_unit_test(test_B24_lines_are_bounded),
      cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_nothing_to_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
