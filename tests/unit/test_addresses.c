/* Limits by address: what counts as one, what is refused, what is remembered and how long. */
#include "http/addresses.h"

#include "support/alloc_fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

static struct coho__addresses *table;

static void make(uint32_t connections, uint32_t per_second, uint32_t burst) {
  struct coho__addresses_limits limits = {connections, {per_second, burst}};
  table = coho__addresses_new(&limits);
  assert_non_null(table);
}

static int tear_down(void **state) {
  (void)state;
  coho__addresses_free(table);
  table = NULL;
  alloc_assert_none_live();
  return 0;
}

static struct coho__addr addr(const char *text) {
  struct coho__addr a;
  assert_true(coho__addr_parse(&a, text, 4711));
  return a;
}

/* NULL: refused. */
static struct coho__address *enter(const char *text, uint64_t now) {
  struct coho__addr peer = addr(text);
  struct coho__address *a;
  int err = coho__addresses_enter(table, &peer, now, &a);
  assert_true(err == 0 ? a != NULL : a == NULL);
  if (err) assert_int_equal(err, COHO_EADDRESSFULL);
  return a;
}

static void leave(struct coho__address *a, uint64_t now) { coho__addresses_leave(table, a, now); }

static bool shake(struct coho__address *a, uint64_t now) {
  return coho__addresses_shake(table, a, COHO_SHAKE_WS, now);
}

static void test_A01_connections(void **state) {
  (void)state;
  make(2, 0, 0);
  struct coho__address *a = enter("192.0.2.1", 0), *b = enter("192.0.2.1", 0);
  assert_ptr_equal(a, b);
  assert_null(enter("192.0.2.1", 0));
  struct coho__address *c = enter("192.0.2.2", 0);
  assert_non_null(c);
  leave(a, 0);
  assert_ptr_equal(enter("192.0.2.1", 0), b);
  assert_null(enter("192.0.2.1", 0));
  leave(b, 0);
  leave(b, 0);
  leave(c, 0);
  assert_int_equal(coho__addresses_count(table), 0);
}

/* Which two are one. */
static void test_A01_what_an_address_is(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    bool same;
  } rows[] = {
      {"192.0.2.1", "192.0.2.2", false},
      {"192.0.2.1", "::ffff:192.0.2.1", true},
      {"::ffff:192.0.2.2", "192.0.2.1", false},
      {"127.0.0.1", "127.0.0.1", true},
      {"2001:db8::1", "2001:db8::2", true},
      {"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
      {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
      {"2001:db8:0:1::1", "2001:db9:0:1::1", false},
      {"::1", "::2", true},
      {"::1", "127.0.0.1", false},
      {"fe80::1", "fe80::2", true},
      {"c000:0201::", "192.0.2.1", false}, /* the same four bytes in front */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    make(1, 0, 0);
    struct coho__address *a = enter(rows[i].a, 0), *b = enter(rows[i].b, 0);
    assert_non_null(a);
    if ((b == NULL) != rows[i].same) fail_msg("%s and %s", rows[i].a, rows[i].b);
    leave(a, 0);
    leave(b, 0);
    tear_down(NULL);
  }
}

static void test_no_address_is_not_limited(void **state) {
  (void)state;
  struct coho__addr local = {.len = sizeof(sa_family_t)};
  struct coho__address *a;
  make(1, 1, 1);
  local.sa.ss_family = AF_UNIX;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(coho__addresses_enter(table, &local, 0, &a), 0);
    assert_null(a);
    assert_true(shake(a, 0));
  }
  leave(NULL, 0);
  assert_int_equal(coho__addresses_count(table), 0);
}

static void test_A02_handshakes(void **state) {
  (void)state;
  make(0, 2, 3);
  struct coho__address *a = enter("192.0.2.1", 100), *b = enter("192.0.2.2", 100);
  for (int i = 0; i < 3; i++)
    assert_true(shake(a, 100));
  assert_false(shake(a, 100));
  assert_true(shake(b, 100));
  assert_false(shake(a, 599));
  assert_true(shake(a, 600));
  assert_false(shake(a, 600));
  leave(a, 600);
  leave(b, 600);
}

/* Both are remembered. */
static void test_A02_kinds_of_handshakes_count_apart(void **state) {
  (void)state;
  make(0, 1, 1);
  struct coho__address *a = enter("192.0.2.1", 0);
  assert_true(coho__addresses_shake(table, a, COHO_SHAKE_TLS, 0));
  assert_false(coho__addresses_shake(table, a, COHO_SHAKE_TLS, 0));
  leave(a, 0);
  assert_int_equal(coho__addresses_count(table), 1);
  a = enter("192.0.2.1", 500);
  assert_false(coho__addresses_shake(table, a, COHO_SHAKE_TLS, 500));
  assert_true(shake(a, 500));
  assert_true(coho__addresses_shake(table, a, COHO_SHAKE_TLS, 1000));
  assert_false(shake(a, 1000));
  leave(a, 1999);
  assert_int_equal(coho__addresses_count(table), 1);
  leave(enter("192.0.2.1", 2000), 2000);
  assert_int_equal(coho__addresses_count(table), 0);
}

/* Who comes back finds what it left. */
static void test_A02_leaving_does_not_help(void **state) {
  (void)state;
  make(0, 1, 2);
  for (int i = 0; i < 4; i++) {
    struct coho__address *a = enter("192.0.2.1", 0);
    assert_int_equal(shake(a, 0), i < 2);
    leave(a, 0);
    assert_int_equal(coho__addresses_count(table), 1);
  }
}

static void test_forgotten_when_the_bucket_is_full(void **state) {
  (void)state;
  make(0, 1, 2);
  struct coho__address *a = enter("192.0.2.1", 0);
  assert_true(shake(a, 0));
  leave(a, 0);
  struct coho__address *b = enter("192.0.2.2", 999);
  assert_int_equal(coho__addresses_count(table), 2);
  leave(b, 999); /* full: at once */
  assert_int_equal(coho__addresses_count(table), 1);
  b = enter("192.0.2.2", 1000);
  assert_int_equal(coho__addresses_count(table), 1);
  leave(b, 1000);
  assert_int_equal(coho__addresses_count(table), 0);
}

/* A whole network that knocks once each does not fill our memory, and those who are here stay. */
static void test_the_table_has_a_cap(void **state) {
  (void)state;
  char text[64];
  make(1, 1, 1);
  struct coho__address *here = enter("192.0.2.1", 0);
  assert_true(shake(here, 0));
  for (unsigned i = 0; i < COHO_ADDRESSES_IDLE + 1000; i++) {
    (void)snprintf(text, sizeof text, "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
    struct coho__address *a = enter(text, 0);
    assert_true(shake(a, 0));
    leave(a, 0);
    assert_true(coho__addresses_count(table) <= COHO_ADDRESSES_IDLE + 1);
  }
  assert_int_equal(coho__addresses_count(table), COHO_ADDRESSES_IDLE + 1);
  assert_false(shake(here, 0));
  assert_null(enter("192.0.2.1", 0));
  /* Each that comes later takes two away. */
  for (unsigned i = 0; i <= COHO_ADDRESSES_IDLE / 2; i++)
    leave(enter("192.0.2.9", 1000), 1000);
  assert_int_equal(coho__addresses_count(table), 1);
  leave(here, 1000);
}

/* The clocks of two loops differ by a turn: that brings no tokens. */
static void test_time_of_several_loops(void **state) {
  (void)state;
  make(0, 1, 1);
  struct coho__address *a = enter("192.0.2.1", 1000);
  assert_true(shake(a, 1000));
  for (int i = 0; i < 1000; i++)
    assert_false(shake(a, i % 2 ? 1900 : 1000));
  assert_true(shake(a, 2000));
  leave(a, 1000);
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct coho__addr peer = addr("192.0.2.1");
  struct coho__address *a;
  make(1, 1, 1);
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    int err = coho__addresses_enter(table, &peer, 0, &a);
    if (!alloc_failed()) break;
    assert_int_equal(err, COHO_ENOMEM);
    assert_null(a);
    assert_int_equal(coho__addresses_count(table), 0);
  }
  alloc_fail_at(0);
  leave(a, 0);
  coho__addresses_free(table);
  alloc_fail_at(1);
  assert_null(coho__addresses_new(&(struct coho__addresses_limits){0}));
  alloc_fail_at(0);
  table = NULL;
}

/* ---- threads ------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 5000 };

static _Atomic unsigned inside, entered, shaken, too_many;

static void *come_and_go(void *arg) {
  struct coho__addr peer = addr("192.0.2.1");
  (void)arg;
  for (uint64_t i = 0; i < ROUNDS; i++) {
    struct coho__address *a;
    if (coho__addresses_enter(table, &peer, i, &a)) continue;
    unsigned n = atomic_fetch_add(&inside, 1);
    if (n >= 2) atomic_fetch_add(&too_many, 1);
    atomic_fetch_add(&entered, 1);
    if (shake(a, i)) atomic_fetch_add(&shaken, 1);
    atomic_fetch_sub(&inside, 1);
    leave(a, i);
  }
  return NULL;
}

static void test_loops_share_the_limits(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  make(2, 1, 3);
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&too_many), 0);
  assert_true(atomic_load(&entered) > 0);
  assert_true(atomic_load(&shaken) <= 3 + ROUNDS / 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_A01_connections, tear_down),
      cmocka_unit_test_teardown(test_A01_what_an_address_is, tear_down),
      cmocka_unit_test_teardown(test_no_address_is_not_limited, tear_down),
      cmocka_unit_test_teardown(test_A02_handshakes, tear_down),
      cmocka_unit_test_teardown(test_A02_kinds_of_handshakes_count_apart, tear_down),
      cmocka_unit_test_teardown(test_A02_leaving_does_not_help, tear_down),
      cmocka_unit_test_teardown(test_forgotten_when_the_bucket_is_full, tear_down),
      cmocka_unit_test_teardown(test_the_table_has_a_cap, tear_down),
      cmocka_unit_test_teardown(test_time_of_several_loops, tear_down),
      cmocka_unit_test_teardown(test_out_of_memory, tear_down),
      cmocka_unit_test_teardown(test_loops_share_the_limits, tear_down),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
