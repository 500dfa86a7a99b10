#include "io/tls_sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct coho__tls_sessions *sessions;

static int setup(void **state) {
  static struct coho__tls_sessions all;
  (void)state;
  sessions = &all;
  coho__tls_sessions_init(sessions);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho__tls_sessions_free(sessions);
  return 0;
}

/* One that can be resumed, with this number in it. */
static SSL_SESSION *session(unsigned char number) {
  SSL_SESSION *s = SSL_SESSION_new();
  assert_int_equal(SSL_SESSION_set1_id(s, &number, 1), 1);
  SSL_SESSION_set_time(s, (long)time(NULL));
  SSL_SESSION_set_timeout(s, 1000);
  return s;
}

static struct coho__session_key key(const char *host, uint16_t port) {
  return coho__tls_sessions_key(sessions, host, port, host);
}

static void keep(const char *host, uint16_t port, unsigned char number) {
  struct coho__session_key k = key(host, port);
  coho__tls_sessions_keep(sessions, &k, coho__tls_sessions_generation(sessions), session(number));
}

/* Its number, -1 for none. */
static int take(const char *host, uint16_t port) {
  struct coho__session_key k = key(host, port);
  SSL_SESSION *s = coho__tls_sessions_take(sessions, &k);
  unsigned len = 0;
  const unsigned char *id = s ? SSL_SESSION_get_id(s, &len) : NULL;
  int number = id ? *id : -1;
  SSL_SESSION_free(s);
  return number;
}

static void test_used_once_newest_first(void **state) {
  (void)state;
  keep("a", 443, 1);
  keep("a", 443, 2);
  assert_int_equal(take("a", 443), 2);
  assert_int_equal(take("a", 443), 1);
  assert_int_equal(take("a", 443), -1);
}

static void test_host_port_and_name_count(void **state) {
  (void)state;
  keep("a", 443, 1);
  assert_int_equal(take("b", 443), -1);
  assert_int_equal(take("a", 444), -1);
  struct coho__session_key k = coho__tls_sessions_key(sessions, "a", 443, "other");
  assert_null(coho__tls_sessions_take(sessions, &k));
  assert_int_equal(take("a", 443), 1);
}

static void test_few_for_one_host(void **state) {
  (void)state;
  keep("b", 443, 200);
  for (unsigned char i = 0; i < 10; i++)
    keep("a", 443, i);
  for (int i = 0; i < COHO_SESSIONS_EACH; i++)
    assert_int_equal(take("a", 443), 9 - i);
  assert_int_equal(take("a", 443), -1);
  assert_int_equal(take("b", 443), 200); /* was not driven out */
}

static void test_the_oldest_makes_room(void **state) {
  (void)state;
  for (int port = 1; port <= COHO_SESSIONS_MOST + 1; port++)
    keep("a", (uint16_t)port, 1);
  assert_int_equal(take("a", 1), -1);
  for (int port = 2; port <= COHO_SESSIONS_MOST + 1; port++)
    assert_int_equal(take("a", (uint16_t)port), 1);
}

static void test_forget(void **state) {
  (void)state;
  struct coho__session_key k = key("a", 443);
  uint32_t before = coho__tls_sessions_generation(sessions);
  keep("a", 443, 1);
  coho__tls_sessions_forget(sessions);
  assert_int_equal(take("a", 443), -1);
  coho__tls_sessions_keep(sessions, &k, before, session(2)); /* of a connection that began before */
  assert_int_equal(take("a", 443), -1);
  keep("a", 443, 3);
  assert_int_equal(take("a", 443), 3);
}

static void test_what_is_not_worth_keeping(void **state) {
  (void)state;
  struct coho__session_key k = key("a", 443);
  SSL_SESSION *none = SSL_SESSION_new(); /* without id and ticket */
  coho__tls_sessions_keep(sessions, &k, coho__tls_sessions_generation(sessions), none);
  assert_int_equal(take("a", 443), -1);
  SSL_SESSION *old = session(1);
  SSL_SESSION_set_time(old, (long)time(NULL) - 2000);
  coho__tls_sessions_keep(sessions, &k, coho__tls_sessions_generation(sessions), old);
  assert_int_equal(take("a", 443), -1);
}

static void test_long_names_are_told_apart(void **state) {
  (void)state;
  char host[256], name[256];
  memset(host, 'h', 255);
  memset(name, 'n', 255);
  host[255] = name[255] = '\0';
  struct coho__session_key a = coho__tls_sessions_key(sessions, host, 1, name);
  name[254] = 'm';
  struct coho__session_key b = coho__tls_sessions_key(sessions, host, 1, name);
  assert_memory_not_equal(&a, &b, sizeof a);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_used_once_newest_first),
      TEST(test_host_port_and_name_count),
      TEST(test_few_for_one_host),
      TEST(test_the_oldest_makes_room),
      TEST(test_forget),
      TEST(test_what_is_not_worth_keeping),
      TEST(test_long_names_are_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
