#include "io/resolve.h"

#include "io/loop.h"

#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static coho_loop *loop;

/* Stands in for the C library's: no test depends on a network, and a question can be kept open. */
static sem_t asked, go_on;

static struct addrinfo list[COHO_RESOLVE_MAX + 4];
static struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
static struct sockaddr_in v4 = {.sin_family = AF_INET};
static struct sockaddr_un local = {.sun_family = AF_UNIX};

static void entry(size_t i, void *sa, int family, socklen_t len) {
  list[i] = (struct addrinfo){.ai_family = family, .ai_addr = (struct sockaddr *)sa};
  list[i].ai_addrlen = len;
  list[i].ai_next = i + 1 < COHO_COUNT(list) ? &list[i + 1] : NULL;
}

static int group_setup(void **state) {
  (void)state;
  entry(0, &local, AF_UNIX, sizeof local);
  entry(1, &v6, AF_INET6, sizeof v6);
  entry(2, &v6, AF_INET6, sizeof v6);
  for (size_t i = 3; i < COHO_COUNT(list); i++)
    entry(i, &v4, AF_INET, sizeof v4);
  return sem_init(&asked, 0, 0) || sem_init(&go_on, 0, 0) ? -1 : 0;
}

/* The C library's own parameter names are reserved ones.
   NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out) {
  (void)service;
  (void)hints;
  if (strcmp(name, "slow") == 0) {
    sem_post(&asked);
    while (sem_wait(&go_on) < 0)
      ;
  }
  *out = list;
  if (strcmp(name, "absent") == 0) return EAI_NONAME;
  if (strcmp(name, "later") == 0) return EAI_AGAIN;
  return strcmp(name, "memory") == 0 ? EAI_MEMORY : 0;
}

void freeaddrinfo(struct addrinfo *ai) { (void)ai; }

static int setup(void **state) {
  (void)state;
  loop = coho_loop_new();
  return loop ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  coho_loop_free(loop);
  return 0;
}

struct answer {
  unsigned calls;
  int err;
  size_t n;
  char first[COHO_ADDR_MAX];
  char families[COHO_RESOLVE_MAX]; /* '6' or '4' */
};

static void on_done(void *owner, int err, const struct coho__addr *addrs, size_t n) {
  struct answer *a = (struct answer *)owner;
  a->calls++;
  a->err = err;
  a->n = n;
  if (n > 0) coho__addr_format(&addrs[0], a->first, sizeof a->first);
  for (size_t i = 0; i < n; i++)
    a->families[i] = addrs[i].sa.ss_family == AF_INET6 ? '6' : '4';
}

static void test_numeric_address_is_answered_later(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"127.0.0.1", "127.0.0.1:99"}, {"::1", "[::1]:99"}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct answer a = {0};
    assert_non_null(coho__resolve_start(loop, rows[i][0], 99, on_done, &a));
    assert_int_equal(a.calls, 0);
    assert_int_equal(coho_loop_run(loop), 0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.n, 1);
    assert_string_equal(a.first, rows[i][1]);
  }
}

static void test_threads_name_gets_addresses_interleaved_and_not_too_many(void **state) {
  (void)state;
  struct answer a = {0};
  assert_non_null(coho__resolve_start(loop, "name", 80, on_done, &a));
  assert_int_equal(coho_loop_run(loop), 0); /* waits for the answer */
  assert_int_equal(a.calls, 1);
  assert_int_equal(a.err, 0);
  assert_int_equal(a.n, COHO_RESOLVE_MAX);
  assert_memory_equal(a.families, "646444", 6);
}

static void test_threads_failures_are_told(void **state) {
  (void)state;
  struct answer absent = {0}, memory = {0}, later = {0};
  assert_non_null(coho__resolve_start(loop, "absent", 80, on_done, &absent));
  assert_non_null(coho__resolve_start(loop, "memory", 80, on_done, &memory));
  assert_non_null(coho__resolve_start(loop, "later", 80, on_done, &later));
  coho_loop_run(loop);
  assert_int_equal(absent.calls, 1);
  assert_int_equal(absent.err, COHO_ERESOLVE);
  assert_int_equal(memory.calls, 1);
  assert_int_equal(memory.err, COHO_ENOMEM);
  assert_int_equal(later.calls, 1);
  assert_int_equal(later.err, COHO_ERESOLVEAGAIN);
}

static void test_threads_more_names_than_threads(void **state) {
  (void)state;
  static struct answer answers[100];
  for (size_t i = 0; i < COHO_COUNT(answers); i++) {
    answers[i].calls = 0;
    assert_non_null(coho__resolve_start(loop, "name", 80, on_done, &answers[i]));
  }
  coho_loop_run(loop);
  for (size_t i = 0; i < COHO_COUNT(answers); i++)
    assert_int_equal(answers[i].calls, 1);
}

static void test_threads_slow_name_does_not_stop_the_loop(void **state) {
  (void)state;
  struct answer slow = {0}, numeric = {0};
  assert_non_null(coho__resolve_start(loop, "slow", 80, on_done, &slow));
  sem_wait(&asked);
  assert_non_null(coho__resolve_start(loop, "127.0.0.1", 80, on_done, &numeric));
  while (numeric.calls == 0)
    coho_loop_turn(loop, -1);
  assert_int_equal(slow.calls, 0);
  sem_post(&go_on);
  coho_loop_run(loop);
  assert_int_equal(slow.calls, 1);
}

static void test_cancelled_numeric_gives_no_answer(void **state) {
  (void)state;
  struct answer a = {0};
  coho__resolve_cancel(coho__resolve_start(loop, "127.0.0.1", 80, on_done, &a));
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(a.calls, 0);
}

/* All threads are busy, so that one question is under way and the last one waits for a thread. */
static void test_threads_cancelled_gives_no_answer_and_keeps_no_loop(void **state) {
  (void)state;
  struct answer a = {0}, last = {0};
  struct coho__resolve *r[COHO_RESOLVE_THREADS + 1];
  for (size_t i = 0; i < COHO_COUNT(r); i++)
    r[i] = coho__resolve_start(loop, "slow", 80, on_done, &a);
  for (size_t i = 0; i < COHO_RESOLVE_THREADS; i++)
    sem_wait(&asked);
  for (size_t i = 0; i < COHO_COUNT(r); i++)
    coho__resolve_cancel(r[i]);
  assert_int_equal(coho_loop_run(loop), 0); /* does not wait for them */
  for (size_t i = 0; i < COHO_RESOLVE_THREADS; i++)
    sem_post(&go_on);
  coho__resolve_start(loop, "name", 80, on_done, &last);
  coho_loop_run(loop);
  assert_int_equal(a.calls, 0);
  assert_int_equal(last.calls, 1);
}

static void test_threads_loop_is_freed_before_the_answer(void **state) {
  (void)state;
  struct answer a = {0};
  struct coho__resolve *r = coho__resolve_start(loop, "slow", 80, on_done, &a);
  assert_non_null(r);
  sem_wait(&asked);
  coho__resolve_cancel(r);
  coho_loop_free(loop);
  sem_post(&go_on);
  loop = coho_loop_new();
  coho__resolve_start(loop, "name", 80, on_done, &a);
  coho_loop_run(loop);
  assert_int_equal(a.calls, 1);
}

static void test_families_take_turns(void **state) {
  (void)state;
  static const struct {
    const char *in, *out; /* one digit per address: its family */
  } rows[] = {{"6", "6"},           {"66644", "64646"},   {"446", "464"}, {"4444", "4444"},
              {"464646", "464646"}, {"644444", "644444"}, {"46", "46"},   {"6664", "6466"}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__addr addrs[8];
    size_t n = 0;
    for (const char *c = rows[i].in; *c; c++, n++)
      assert_true(coho__addr_parse(&addrs[n], *c == '6' ? "::1" : "127.0.0.1", (uint16_t)n));
    coho__resolve_interleave(addrs, n);
    int last[2] = {-1, -1};
    for (size_t k = 0; k < n; k++) {
      bool six = addrs[k].sa.ss_family == AF_INET6;
      assert_int_equal(rows[i].out[k], six ? '6' : '4');
      assert_true(coho__addr_port(&addrs[k]) > last[six]); /* the order inside a family stays */
      last[six] = coho__addr_port(&addrs[k]);
    }
  }
}

#define RESOLVE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      RESOLVE_TEST(test_numeric_address_is_answered_later),
      RESOLVE_TEST(test_threads_loop_is_freed_before_the_answer),
      RESOLVE_TEST(test_threads_name_gets_addresses_interleaved_and_not_too_many),
      RESOLVE_TEST(test_threads_failures_are_told),
      RESOLVE_TEST(test_threads_more_names_than_threads),
      RESOLVE_TEST(test_threads_slow_name_does_not_stop_the_loop),
      RESOLVE_TEST(test_cancelled_numeric_gives_no_answer),
      RESOLVE_TEST(test_threads_cancelled_gives_no_answer_and_keeps_no_loop),
      cmocka_unit_test(test_families_take_turns),
  };
  return cmocka_run_group_tests(tests, group_setup, NULL);
}
