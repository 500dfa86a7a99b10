#include "http/admission.h"

#include "base/alloc.h"
#include "support/alloc_fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>

/* A stream of which only the peer's address is of interest. */
static struct coho__addr peer_addr;
static bool peer_known;

static bool tell_addr(const struct coho__stream *s, struct coho__addr *peer) {
  (void)s;
  *peer = peer_addr;
  return peer_known;
}

static const struct coho__stream_vt vt = {.addr = tell_addr};
static const struct coho__stream peer = {.vt = &vt};
static struct coho__address *address;

static int enter(struct coho__admission *a) { return coho__admission_enter(a, &peer, 0, &address); }

static int set_up(void **state) {
  (void)state;
  assert_true(coho__addr_parse(&peer_addr, "192.0.2.1", 80));
  peer_known = true;
  return 0;
}

static void test_A01_never_above_max(void **state) {
  (void)state;
  struct coho__admission a;
  coho__admission_init(&a, 2);
  assert_int_equal(enter(&a), 0);
  assert_int_equal(enter(&a), 0);
  assert_null(address);
  assert_int_equal(enter(&a), COHO_EOVERLOAD);
  assert_int_equal(enter(&a), COHO_EOVERLOAD);
  coho__admission_leave(&a, NULL, 0);
  assert_int_equal(enter(&a), 0);
  assert_int_equal(enter(&a), COHO_EOVERLOAD);
}

static void test_A01_by_address(void **state) {
  (void)state;
  const struct coho__addresses_limits limits = {.connections = 1};
  struct coho__admission a;
  coho__admission_init(&a, 3);
  assert_int_equal(coho__admission_limit(&a, &limits), 0);
  assert_int_equal(enter(&a), 0);
  struct coho__address *first = address;
  assert_non_null(first);
  assert_int_equal(enter(&a), COHO_EADDRESSFULL);
  assert_null(address);
  assert_int_equal(atomic_load(&a.now), 1); /* its place is free again */
  peer_known = false;                       /* nobody is let in uncounted */
  assert_int_equal(enter(&a), COHO_EADDRESSFULL);
  assert_null(address);
  assert_int_equal(atomic_load(&a.now), 1);
  coho__admission_leave(&a, first, 0);
  peer_known = true;
  assert_int_equal(enter(&a), 0);
  coho__admission_leave(&a, address, 0);
  coho__admission_free(&a);
}

static void test_A02_handshakes(void **state) {
  (void)state;
  const struct coho__addresses_limits limits = {.shakes = {1, 2}};
  struct coho__admission a;
  coho__admission_init(&a, 9);
  assert_int_equal(coho__admission_limit(&a, &limits), 0);
  assert_int_equal(enter(&a), 0);
  assert_int_equal(coho__admission_handshake(&a, address, 0), 0);
  assert_int_equal(coho__admission_handshake(&a, address, 0), 0);
  assert_int_equal(coho__admission_handshake(&a, address, 0), COHO_EHANDSHAKERATE);
  assert_int_equal(coho__admission_handshake(&a, NULL, 0), 0);
  assert_int_equal(coho__admission_handshake(&a, address, 1000), 0);
  coho__admission_leave(&a, address, 1000);
  coho__admission_free(&a);
}

/* It has no place then. */
static void test_A02_handshakes_of_tls(void **state) {
  (void)state;
  static const struct coho__stream_vt tls_vt = {.addr = tell_addr, .secure = true};
  static const struct coho__stream tls = {.vt = &tls_vt};
  const struct coho__addresses_limits limits = {.shakes = {1, 1}};
  struct coho__admission a;
  coho__admission_init(&a, 9);
  assert_int_equal(coho__admission_enter(&a, &tls, 0, &address), 0); /* no limits yet */
  coho__admission_leave(&a, address, 0);
  assert_int_equal(coho__admission_limit(&a, &limits), 0);
  assert_int_equal(coho__admission_enter(&a, &tls, 0, &address), 0);
  struct coho__address *first = address;
  assert_int_equal(coho__admission_enter(&a, &tls, 0, &address), COHO_EHANDSHAKERATE);
  assert_null(address);
  assert_int_equal(atomic_load(&a.now), 1);
  assert_int_equal(coho__admission_handshake(&a, first, 0), 0); /* its own is counted apart */
  assert_int_equal(enter(&a), 0);                               /* without TLS */
  coho__admission_leave(&a, address, 0);
  assert_int_equal(coho__admission_enter(&a, &tls, 1000, &address), 0);
  coho__admission_leave(&a, address, 1000);
  coho__admission_leave(&a, first, 1000);
  coho__admission_free(&a);
}

static void test_no_limits_by_default(void **state) {
  (void)state;
  struct coho__admission a;
  coho__admission_init(&a, 9);
  assert_int_equal(coho__admission_limit(&a, &(struct coho__addresses_limits){0}), 0);
  assert_null(a.addresses);
  coho__admission_free(&a);
}

static void test_nobody_when_memory_is_tight(void **state) {
  (void)state;
  struct coho__admission a;
  coho__admission_init(&a, 9);
  void *p = coho__alloc(1000);
  coho_set_memory_limit(1001);
  assert_int_equal(enter(&a), COHO_EOVERLOAD);
  assert_int_equal(coho__admission_handshake(&a, NULL, 0), COHO_EOVERLOAD);
  coho_set_memory_limit(0);
  assert_int_equal(enter(&a), 0);
  assert_int_equal(coho__admission_handshake(&a, NULL, 0), 0);
  coho__free(p, 1000);
}

static void test_out_of_memory(void **state) {
  (void)state;
  const struct coho__addresses_limits limits = {.connections = 1};
  struct coho__admission a;
  coho__admission_init(&a, 9);
  alloc_fail_at(1);
  assert_int_equal(coho__admission_limit(&a, &limits), COHO_ENOMEM);
  assert_int_equal(coho__admission_limit(&a, &limits), 0);
  alloc_fail_at(1);
  assert_int_equal(enter(&a), COHO_EOVERLOAD);
  alloc_fail_at(0);
  assert_int_equal(atomic_load(&a.now), 0);
  coho__admission_free(&a);
  alloc_assert_none_live();
}

/* The default leaves descriptors for what is not a connection. */
static void test_default_is_below_descriptors(void **state) {
  (void)state;
  struct coho__admission a;
  struct rlimit before, low;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  low = before;
  low.rlim_cur = 256;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  coho__admission_init(&a, 0);
  assert_true(a.max >= 128 && a.max < 256);
  low.rlim_cur = 8;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  coho__admission_init(&a, 0);
  assert_true(a.max >= 1 && a.max < 8);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_A01_never_above_max, set_up),
      cmocka_unit_test_setup(test_A01_by_address, set_up),
      cmocka_unit_test_setup(test_A02_handshakes, set_up),
      cmocka_unit_test_setup(test_A02_handshakes_of_tls, set_up),
      cmocka_unit_test_setup(test_no_limits_by_default, set_up),
      cmocka_unit_test_setup(test_nobody_when_memory_is_tight, set_up),
      cmocka_unit_test_setup(test_out_of_memory, set_up),
      cmocka_unit_test(test_default_is_below_descriptors),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
