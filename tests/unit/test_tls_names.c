#include "io/tls_names.h"

#include "support/certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct coho__map names;
static int values[4];

static int setup(void **state) {
  (void)state;
  static const uint64_t seed[2] = {1, 2};
  coho__map_init(&names, seed);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho__map_free(&names);
  return 0;
}

static void add(const char *common, const char *alt, int *value) {
  struct cert c;
  cert_make(&c, &(struct cert_spec){.name = common, .alt = alt});
  assert_int_equal(coho__tls_names_add(&names, c.x, value), 0);
  cert_free(&c);
}

static void finds(const char *host, const int *value) {
  assert_ptr_equal(coho__tls_names_find(&names, host), value);
}

static void test_exact_names(void **state) {
  (void)state;
  add("ignored.example", "DNS:a.example,DNS:B.Example,IP:127.0.0.1", &values[0]);
  finds("a.example", &values[0]);
  finds("A.EXAMPLE", &values[0]);
  finds("a.example.", &values[0]);
  finds("b.example", &values[0]);
  finds("c.example", NULL);
  finds("example", NULL);
  finds("x.a.example", NULL);
  finds("ignored.example", NULL);
  finds("127.0.0.1", NULL);
  finds("", NULL);
  finds(".", NULL);
}

static void test_a_star_is_one_label(void **state) {
  (void)state;
  add(NULL, "DNS:*.example.com", &values[0]);
  add(NULL, "DNS:www.example.com", &values[1]);
  finds("a.example.com", &values[0]);
  finds("www.example.com", &values[1]);
  finds("a.b.example.com", NULL);
  finds("example.com", NULL);
  finds(".example.com", NULL);
  finds("*.example.com", NULL);
  finds("a.*.example.com", NULL);
}

static void test_the_first_has_a_name(void **state) {
  (void)state;
  add(NULL, "DNS:a.example", &values[0]);
  add(NULL, "DNS:a.example,DNS:b.example", &values[1]);
  finds("a.example", &values[0]);
  finds("b.example", &values[1]);
}

static void test_the_common_name_serves_for_want_of_others(void **state) {
  (void)state;
  add("Common.Example", NULL, &values[0]);
  add("other.example", "IP:127.0.0.1", &values[1]);
  add(NULL, NULL, &values[2]);
  finds("common.example", &values[0]);
  finds("other.example", &values[1]);
}

static void test_longest_names(void **state) {
  (void)state;
  char host[300];
  memset(host, 'a', sizeof host);
  host[sizeof host - 1] = '\0';
  add(NULL, "DNS:a.example", &values[0]);
  finds(host, NULL);
  host[255] = '\0';
  finds(host, NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_exact_names),          TEST(test_a_star_is_one_label),
      TEST(test_the_first_has_a_name), TEST(test_the_common_name_serves_for_want_of_others),
      TEST(test_longest_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
