/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "ws/retry.h"

static const uint32_t MOST = UINT32_MAX;

static coho_retry conf_of(uint32_t first_ms, uint32_t most_ms) {
  coho_retry conf = {.first_ms = first_ms, .most_ms = most_ms};
  assert_int_equal(coho__retry_read(&conf, &conf), 0);
  return conf;
}

static uint32_t soon(const coho_retry *conf, uint32_t failures, uint32_t chance) {
  struct coho__retry_case c = {
      .kind = COHO_RETRY_SOON, .failures = failures, .after_ms = 0, .chance = chance};
  return coho__retry_wait(conf, &c);
}

static uint32_t later(const coho_retry *conf, uint32_t failures, uint64_t after_ms,
                      uint32_t chance) {
  struct coho__retry_case c = {
      .kind = COHO_RETRY_LATER, .failures = failures, .after_ms = after_ms, .chance = chance};
  return coho__retry_wait(conf, &c);
}

static enum coho__retry judge(int err, uint32_t code, uint32_t status) {
  coho_ending how = {.err = err, .code = code, .status = status, .reason = "", .detail = ""};
  return coho__retry_judge(&how);
}

static void test_defaults(void **state) {
  (void)state;
  coho_retry conf;
  assert_int_equal(coho__retry_read(&conf, NULL), 0);
  assert_int_equal(conf.first_ms, 1000);
  assert_int_equal(conf.most_ms, 30000);
  assert_int_equal(conf.attempts, 0);
  assert_int_equal(conf_of(60000, 0).most_ms, 60000);
  assert_int_equal(conf_of(0, 10).first_ms, 10);
  conf = (coho_retry){.first_ms = 2, .most_ms = 1};
  assert_int_equal(coho__retry_read(&conf, &conf), COHO_EOPTION);
}

static void test_doubles_up_to_the_most(void **state) {
  static const uint32_t windows[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
  (void)state;
  coho_retry conf = conf_of(0, 0);
  for (uint32_t i = 0; i < 7; i++) {
    assert_int_equal(soon(&conf, i + 1, MOST), windows[i]);
    assert_int_equal(soon(&conf, i + 1, 0), 0);
    assert_int_equal(soon(&conf, i + 1, MOST / 2), windows[i] / 2);
  }
  assert_int_equal(soon(&conf, UINT32_MAX, MOST), 30000);
  conf = conf_of(UINT32_MAX, UINT32_MAX);
  assert_int_equal(soon(&conf, UINT32_MAX, MOST), UINT32_MAX - 1);
}

static void test_later(void **state) {
  (void)state;
  coho_retry conf = conf_of(0, 0);
  assert_int_equal(later(&conf, 1, 0, 0), 5000);
  assert_int_equal(later(&conf, 1, 0, MOST), 30000);
  assert_int_equal(later(&conf, 9, 0, 0), 5000);
  conf = conf_of(10, 20);
  assert_int_equal(later(&conf, 1, 0, 0), 20);
  assert_int_equal(later(&conf, 1, 0, MOST), 30);
}

static void test_as_long_as_the_server_asks(void **state) {
  (void)state;
  coho_retry conf = conf_of(0, 0);
  assert_int_equal(later(&conf, 1, 120000, 0), 120000);
  assert_int_equal(later(&conf, 1, 120000, MOST), 121000);
  assert_int_equal(later(&conf, 3, 1000, MOST), 5000);
  assert_int_equal(later(&conf, 1, UINT64_MAX, 0), COHO_RETRY_AFTER_MOST);
}

static void test_what_ends_mean(void **state) {
  (void)state;
  assert_int_equal(judge(COHO_ECONNREFUSED, 1006, 0), COHO_RETRY_SOON);
  assert_int_equal(judge(COHO_EABNORMAL, 1006, 0), COHO_RETRY_SOON);
  assert_int_equal(judge(COHO_ECERT, 1006, 0), COHO_RETRY_SOON);
  assert_int_equal(judge(COHO_ENOPROTOCOL, 1006, 101), COHO_RETRY_NEVER);
  assert_int_equal(judge(0, 1000, 0), COHO_RETRY_SOON);
  assert_int_equal(judge(0, 1001, 0), COHO_RETRY_SOON);
  assert_int_equal(judge(0, 1012, 0), COHO_RETRY_LATER);
  assert_int_equal(judge(0, 1013, 0), COHO_RETRY_LATER);
  assert_int_equal(judge(0, 4401, 0), COHO_RETRY_TOKEN);
  assert_int_equal(judge(0, 4403, 0), COHO_RETRY_NEVER);
  assert_int_equal(judge(0, 4408, 0), COHO_RETRY_SOON);
  assert_int_equal(judge(0, 4429, 0), COHO_RETRY_LATER);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 302), COHO_RETRY_NEVER);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 401), COHO_RETRY_TOKEN);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 403), COHO_RETRY_NEVER);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 404), COHO_RETRY_NEVER);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 408), COHO_RETRY_SOON);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 425), COHO_RETRY_SOON);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 429), COHO_RETRY_LATER);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 500), COHO_RETRY_SOON);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 503), COHO_RETRY_LATER);
  assert_int_equal(judge(COHO_ESTATUS, 1006, 200), COHO_RETRY_SOON);
}

static void test_retry_after(void **state) {
  (void)state;
  assert_int_equal(coho__retry_after(VIEW("120"), 0), 120000);
  assert_int_equal(coho__retry_after(VIEW("0"), 0), 0);
  assert_int_equal(coho__retry_after(VIEW("-1"), 0), 0);
  assert_int_equal(coho__retry_after(VIEW("soon"), 0), 0);
  assert_int_equal(coho__retry_after(VIEW(""), 0), 0);
  assert_int_equal(coho__retry_after(VIEW("99999999999999999999"), 0), 0);
  assert_int_equal(coho__retry_after(VIEW("Sun, 06 Nov 1994 08:49:37 GMT"), 784111717), 60000);
  assert_int_equal(coho__retry_after(VIEW("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777), 0);
  assert_int_equal(coho__retry_after(VIEW("Sun, 06 Nov 1994 08:49:37 GMT"), 784111800), 0);
}

static void test_for_programs(void **state) {
  (void)state;
  coho_ending how = {.err = COHO_EABNORMAL, .code = 1006, .reason = "", .detail = ""};
  coho_retry conf = {.first_ms = 10, .most_ms = 0, .attempts = 3};
  for (uint32_t i = 1; i < 100; i++)
    assert_in_range(coho_retry_ms(NULL, 1, &how), 0, 1000);
  assert_in_range(coho_retry_ms(&conf, 2, &how), 0, 20);
  assert_int_equal(coho_retry_ms(&conf, 3, &how), COHO_EABNORMAL);
  how = (coho_ending){.err = 0, .code = 4403, .reason = "", .detail = ""};
  assert_int_equal(coho_retry_ms(NULL, 1, &how), COHO_ECLOSED);
  how = (coho_ending){.err = COHO_ESTATUS, .status = 503, .retry_after_ms = 7000};
  assert_in_range(coho_retry_ms(NULL, 1, &how), 7000, 8000);
  conf = (coho_retry){.first_ms = 2, .most_ms = 1};
  assert_int_equal(coho_retry_ms(&conf, 1, &how), COHO_EOPTION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),       cmocka_unit_test(test_doubles_up_to_the_most),
      cmocka_unit_test(test_later),          cmocka_unit_test(test_as_long_as_the_server_asks),
      cmocka_unit_test(test_what_ends_mean), cmocka_unit_test(test_retry_after),
      cmocka_unit_test(test_for_programs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
