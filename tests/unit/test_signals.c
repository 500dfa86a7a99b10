#include "io/signals.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static coho_loop *loop;

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

static int seen[65];
static coho_loop *gives_back;

static void on_signal(void *arg, int signo) {
  seen[signo] += *(int *)arg;
  if (gives_back) coho_loop_signal(gives_back, signo, NULL, NULL);
}

static int one = 1, ten = 10;

static void test_fn_runs_on_the_loop_for_each_signal(void **state) {
  (void)state;
  seen[SIGUSR1] = seen[SIGUSR2] = 0;
  assert_int_equal(coho_loop_signal(loop, SIGUSR1, on_signal, &one), 0);
  assert_int_equal(coho_loop_signal(loop, SIGUSR2, on_signal, &ten), 0);
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR2);
  assert_int_equal(seen[SIGUSR1], 0); /* not in the handler */
  coho_loop_turn(loop, -1);
  assert_int_equal(seen[SIGUSR1], 2);
  assert_int_equal(seen[SIGUSR2], 10);
  raise(SIGUSR1); /* an edge again, though nobody read the first one */
  coho_loop_turn(loop, -1);
  assert_int_equal(seen[SIGUSR1], 3);
}

static void test_signal_keeps_no_loop_running(void **state) {
  (void)state;
  coho_loop_signal(loop, SIGUSR1, on_signal, &one);
  assert_int_equal(coho_loop_run(loop), 0);
}

static volatile sig_atomic_t own_handler;
static void count_own(int signo) {
  (void)signo;
  own_handler++;
}

static void test_former_handler_is_given_back(void **state) {
  (void)state;
  struct sigaction own = {.sa_handler = count_own};
  sigaction(SIGUSR1, &own, NULL);
  own_handler = 0;
  seen[SIGUSR1] = 0;
  coho_loop_signal(loop, SIGUSR1, on_signal, &one);
  assert_int_equal(coho_loop_signal(loop, SIGUSR1, NULL, NULL), 0);
  raise(SIGUSR1);
  assert_int_equal(own_handler, 1);

  coho_loop_signal(loop, SIGUSR1, on_signal, &one);
  coho_loop_signal(loop, SIGUSR1, on_signal, &ten); /* remembers the first, not itself */
  coho_loop_free(loop);
  loop = NULL;
  raise(SIGUSR1);
  assert_int_equal(own_handler, 2);
  assert_int_equal(seen[SIGUSR1], 0);
}

static void test_second_set_replaces_fn(void **state) {
  (void)state;
  seen[SIGUSR1] = 0;
  coho_loop_signal(loop, SIGUSR1, on_signal, &one);
  coho_loop_signal(loop, SIGUSR1, on_signal, &ten);
  raise(SIGUSR1);
  coho_loop_turn(loop, -1);
  assert_int_equal(seen[SIGUSR1], 10);
}

static void test_fn_may_give_its_signal_back(void **state) {
  (void)state;
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigaction(SIGUSR1, &ignore, NULL);
  seen[SIGUSR1] = 0;
  coho_loop_signal(loop, SIGUSR1, on_signal, &one);
  gives_back = loop;
  raise(SIGUSR1);
  raise(SIGUSR1);
  coho_loop_turn(loop, -1);
  gives_back = NULL;
  assert_int_equal(seen[SIGUSR1], 1); /* none after that, also of those caught before */
}

static void test_signal_belongs_to_one_loop(void **state) {
  (void)state;
  coho_loop *other = coho_loop_new();
  assert_int_equal(coho_loop_signal(loop, SIGUSR1, on_signal, &one), 0);
  assert_int_equal(coho_loop_signal(other, SIGUSR1, on_signal, &ten), COHO_EEXISTS);
  assert_int_equal(coho_loop_signal(other, SIGUSR1, NULL, NULL), COHO_ENOTFOUND);
  assert_int_equal(coho_loop_signal(other, SIGUSR2, on_signal, &ten), 0);
  seen[SIGUSR1] = seen[SIGUSR2] = 0;
  raise(SIGUSR1);
  raise(SIGUSR2);
  coho_loop_turn(other, -1);
  assert_int_equal(seen[SIGUSR1], 0);
  assert_int_equal(seen[SIGUSR2], 10);
  coho_loop_turn(loop, -1);
  assert_int_equal(seen[SIGUSR1], 1);
  coho_loop_free(other);
}

static void test_what_is_no_signal_is_refused(void **state) {
  (void)state;
  static const int bad[] = {-1, 0, 65, 100000, SIGKILL, SIGSTOP};
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    assert_int_equal(coho_loop_signal(loop, bad[i], on_signal, &one), COHO_EINVAL);
}

static void *raise_some(void *arg) {
  for (int i = 0; i < 100; i++)
    raise(SIGUSR1); /* to this thread, which has it handled before the next */
  return arg;
}

static void test_threads_handlers_run_everywhere(void **state) {
  (void)state;
  pthread_t threads[3];
  seen[SIGUSR1] = 0;
  coho_loop_signal(loop, SIGUSR1, on_signal, &one);
  for (size_t i = 0; i < COHO_COUNT(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, raise_some, NULL), 0);
  while (seen[SIGUSR1] < 300)
    coho_loop_turn(loop, -1);
  for (size_t i = 0; i < COHO_COUNT(threads); i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(seen[SIGUSR1], 300);
}

#define SIGNAL_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      SIGNAL_TEST(test_fn_runs_on_the_loop_for_each_signal),
      SIGNAL_TEST(test_signal_keeps_no_loop_running),
      SIGNAL_TEST(test_former_handler_is_given_back),
      SIGNAL_TEST(test_second_set_replaces_fn),
      SIGNAL_TEST(test_fn_may_give_its_signal_back),
      SIGNAL_TEST(test_signal_belongs_to_one_loop),
      SIGNAL_TEST(test_what_is_no_signal_is_refused),
      SIGNAL_TEST(test_threads_handlers_run_everywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
