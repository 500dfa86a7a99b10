#include "io/loop.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

/* A descriptor that counts its events. */
struct counter {
  struct coho__io io;
  int fd, other; /* two ends of a socket pair */
  unsigned calls, events;
  struct counter *removes;
  unsigned again; /* how often to go on in the next turn */
};

static void on_event(struct coho__io *io, unsigned events) {
  struct counter *c = COHO_CONTAINER_OF(io, struct counter, io);
  c->calls++;
  c->events = events;
  if (c->removes) coho__io_remove(loop, &c->removes->io);
  if (c->again > 0) {
    c->again--;
    coho__io_again(loop, io, COHO_IO_READ);
  }
}

static void counter_open(struct counter *c) {
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  *c = (struct counter){.fd = pair[0], .other = pair[1]};
  assert_int_equal(coho__io_add(loop, &c->io, c->fd, on_event), 0);
  coho_loop_turn(loop, 0); /* the first event: writable */
  assert_int_equal(c->events, COHO_IO_WRITE);
  c->calls = 0;
}

static void counter_close(struct counter *c) {
  coho__io_remove(loop, &c->io);
  close(c->fd);
  close(c->other);
}

static void poke(const struct counter *c) { assert_int_equal(write(c->other, "x", 1), 1); }

static void test_io_tells_each_edge_once(void **state) {
  (void)state;
  struct counter c;
  counter_open(&c);
  poke(&c);
  coho_loop_turn(loop, -1);
  assert_int_equal(c.calls, 1);
  assert_true(c.events & COHO_IO_READ);
  coho_loop_turn(loop, 0); /* nobody read, but nothing new came */
  assert_int_equal(c.calls, 1);
  shutdown(c.other, SHUT_WR);
  coho_loop_turn(loop, -1);
  assert_int_equal(c.calls, 2);
  assert_true(c.events & COHO_IO_HANGUP);
  counter_close(&c);
}

static void test_io_removed_by_another_gets_nothing_more_of_the_batch(void **state) {
  (void)state;
  struct counter a, b;
  counter_open(&a);
  counter_open(&b);
  a.removes = &b;
  b.removes = &a;
  poke(&a);
  poke(&b);
  coho_loop_turn(loop, -1);
  assert_int_equal(a.calls + b.calls, 1);
  counter_close(&a);
  counter_close(&b);
}

static void test_io_removed_while_it_waits_for_the_next_turn_gets_nothing(void **state) {
  (void)state;
  struct counter a, b;
  counter_open(&a);
  counter_open(&b);
  a.removes = &b;
  b.removes = &a;
  coho__io_again(loop, &a.io, COHO_IO_READ);
  coho__io_again(loop, &b.io, COHO_IO_READ);
  coho_loop_turn(loop, -1);
  assert_int_equal(a.calls, 1);
  assert_int_equal(b.calls, 0);
  counter_close(&a);
  counter_close(&b);
}

/* A forked child may hold a copy of a descriptor that is closed here. */
static void test_io_removed_gives_no_events_though_a_copy_is_open(void **state) {
  (void)state;
  struct counter c;
  counter_open(&c);
  int copy = dup(c.fd);
  coho__io_remove(loop, &c.io);
  close(c.fd);
  c.fd = copy;
  poke(&c);
  struct pollfd p = {.fd = coho_loop_fd(loop), .events = POLLIN};
  assert_int_equal(poll(&p, 1, 0), 0);
  counter_close(&c);
}

static void test_io_again_comes_in_the_next_turn_only(void **state) {
  (void)state;
  struct counter c;
  counter_open(&c);
  c.again = 2;
  poke(&c);
  for (unsigned turn = 1; turn <= 3; turn++) {
    coho_loop_turn(loop, -1); /* would hang if it waited */
    assert_int_equal(c.calls, turn);
  }
  coho_loop_turn(loop, 0);
  assert_int_equal(c.calls, 3);
  counter_close(&c);
}

static void test_io_again_comes_together_with_a_new_event(void **state) {
  (void)state;
  struct counter c;
  counter_open(&c);
  coho__io_again(loop, &c.io, COHO_IO_HANGUP);
  poke(&c);
  coho_loop_turn(loop, -1);
  assert_int_equal(c.calls, 1);
  assert_int_equal(c.events & (COHO_IO_READ | COHO_IO_HANGUP), COHO_IO_READ | COHO_IO_HANGUP);
  counter_close(&c);
}

struct job {
  struct coho__task task;
  struct coho__task *puts;
  unsigned runs;
  unsigned at; /* when it ran, counted over all jobs */
};

static unsigned steps;

static void run_job(struct coho__task *t) {
  struct job *j = COHO_CONTAINER_OF(t, struct job, task);
  j->runs++;
  j->at = ++steps;
  if (j->puts) coho__loop_soon(loop, j->puts);
}

static struct job *job_init(struct job *j) {
  *j = (struct job){.runs = 0};
  coho__task_init(&j->task, run_job);
  return j;
}

static void test_task_runs_once_though_asked_twice(void **state) {
  (void)state;
  struct job j, other;
  coho__loop_soon(loop, &job_init(&j)->task);
  coho__loop_soon(loop, &job_init(&other)->task);
  coho__loop_soon(loop, &j.task);
  assert_int_equal(coho_loop_turn(loop, -1), 0);
  coho_loop_turn(loop, 0);
  assert_int_equal(j.runs, 1);
  assert_int_equal(other.runs, 1);
  assert_true(j.at < other.at);
}

static void test_task_cancelled_does_not_run(void **state) {
  (void)state;
  struct job j;
  coho__loop_soon(loop, &job_init(&j)->task);
  coho__task_cancel(&j.task);
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(j.runs, 0);
}

static void test_task_put_in_by_a_task_waits_for_the_next_turn(void **state) {
  (void)state;
  struct job j;
  job_init(&j)->puts = &j.task;
  coho__loop_soon(loop, &j.task);
  assert_int_equal(coho_loop_turn(loop, -1), 1);
  assert_int_equal(j.runs, 1);
  coho_loop_turn(loop, -1);
  assert_int_equal(j.runs, 2);
  coho__task_cancel(&j.task);
}

static void test_dead_are_buried_after_the_tasks(void **state) {
  (void)state;
  struct job dead, task;
  coho__loop_bury(loop, &job_init(&dead)->task);
  coho__loop_soon(loop, &job_init(&task)->task);
  coho_loop_turn(loop, -1);
  assert_int_equal(dead.runs, 1);
  assert_true(task.at < dead.at);
}

static void test_dead_are_buried_when_the_loop_is_freed(void **state) {
  (void)state;
  struct job dead;
  coho__loop_bury(loop, &job_init(&dead)->task);
  coho_loop_free(loop);
  assert_int_equal(dead.runs, 1);
  loop = NULL;
}

struct ending {
  struct coho__teardown teardown;
  unsigned at;
};

static void on_free(struct coho__teardown *t) {
  COHO_CONTAINER_OF(t, struct ending, teardown)->at = ++steps;
}

static void test_teardown_runs_in_reverse_order(void **state) {
  (void)state;
  struct ending first = {.teardown.run = on_free}, second = {.teardown.run = on_free};
  coho__loop_on_free(loop, &first.teardown);
  coho__loop_on_free(loop, &second.teardown);
  coho_loop_free(loop);
  loop = NULL;
  assert_true(second.at > 0 && second.at < first.at);
}

static void test_run_ends_when_nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(coho_loop_turn(loop, 0), 0);
}

static void release(void *arg) { coho__loop_release((coho_loop *)arg); }

static void test_hold_keeps_run_until_released(void **state) {
  (void)state;
  coho__loop_hold(loop);
  assert_int_equal(coho_loop_turn(loop, 0), 1);
  coho_timer *t = coho_timer_new(loop, release, loop);
  coho_timer_start(t, 1, 0);
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(loop->active, 0);
  coho_timer_free(t);
}

static void stop(void *arg) { coho_loop_stop((coho_loop *)arg); }

static void test_stop_ends_run_though_something_is_left(void **state) {
  (void)state;
  coho__loop_hold(loop);
  assert_int_equal(coho_loop_post(loop, stop, loop), 0);
  assert_int_equal(coho_loop_run(loop), 0);
  coho_loop_stop(loop); /* before a run: means that one */
  assert_int_equal(coho_loop_run(loop), 0);
  coho__loop_release(loop);

  struct job j; /* the next run is not stopped */
  coho__loop_soon(loop, &job_init(&j)->task);
  coho_loop_run(loop);
  assert_int_equal(j.runs, 1);
}

static int inner;
static void turn_inside(void *arg) { inner = coho_loop_turn((coho_loop *)arg, 0); }

static void test_turn_inside_a_turn_is_refused(void **state) {
  (void)state;
  inner = 0;
  coho_loop_post(loop, turn_inside, loop);
  coho_loop_run(loop);
  assert_int_equal(inner, COHO_EINVAL);
}

static void count_up(void *arg) { ++*(unsigned *)arg; }

static int posted_again;

static void count_and_post(void *arg) {
  count_up(arg);
  posted_again = coho_loop_post(loop, count_up, arg);
}

/* Who posted memory relies on the call for giving it back. */
static void test_free_runs_what_was_posted_and_takes_no_more(void **state) {
  (void)state;
  unsigned calls = 0;
  assert_int_equal(coho_loop_post(loop, count_and_post, &calls), 0);
  assert_int_equal(coho_loop_post(loop, count_and_post, &calls), 0);
  coho_loop_free(loop);
  loop = NULL;
  assert_int_equal(calls, 2);
  assert_int_equal(posted_again, COHO_ESTALE);
}

static void test_fd_and_timeout_tell_an_outer_loop_when_to_turn(void **state) {
  (void)state;
  struct pollfd p = {.fd = coho_loop_fd(loop), .events = POLLIN};
  unsigned posted = 0;
  coho_loop_turn(loop, 0); /* the mailbox's first event */
  assert_int_equal(poll(&p, 1, 0), 0);
  assert_int_equal(coho_loop_timeout(loop), -1);
  coho_loop_post(loop, count_up, &posted);
  assert_int_equal(poll(&p, 1, 0), 1);
  assert_int_equal(coho_loop_timeout(loop), 0);
  coho_loop_turn(loop, 0);
  assert_int_equal(posted, 1);
  assert_int_equal(poll(&p, 1, 0), 0);
  assert_int_equal(coho_loop_timeout(loop), -1);

  coho_timer *t = coho_timer_new(loop, count_up, &posted);
  coho_timer_start(t, 60000, 0);
  assert_in_range(coho_loop_timeout(loop), 1, 60004);
  coho_timer_free(t);
  assert_int_equal(coho_loop_timeout(loop), -1);
}

static void test_busy_time_is_noted(void **state) {
  (void)state;
  coho_loop_turn(loop, 0);
  assert_true(atomic_exchange(&loop->busy_ns, 0) > 0);
}

static void on_alarm(int signo) {
  (void)signo;
  coho_loop_stop(loop); /* signal-safe */
}

static void test_interrupted_wait_is_no_error(void **state) {
  (void)state;
  struct sigaction act = {.sa_handler = on_alarm}, before;
  struct itimerval once = {.it_value.tv_usec = 1000};
  sigaction(SIGALRM, &act, &before);
  coho__loop_hold(loop);
  setitimer(ITIMER_REAL, &once, NULL);
  assert_int_equal(coho_loop_run(loop), 0);
  coho__loop_release(loop);
  sigaction(SIGALRM, &before, NULL);
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4, POSTS = 5000 };

static void *stopper(void *arg) {
  coho_loop_stop((coho_loop *)arg);
  return NULL;
}

static void test_threads_stop_wakes_a_waiting_loop(void **state) {
  (void)state;
  coho__loop_hold(loop);
  for (int i = 0; i < 50; i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stopper, loop), 0);
    assert_int_equal(coho_loop_run(loop), 0);
    pthread_join(thread, NULL);
  }
  coho__loop_release(loop);
}

static unsigned calls; /* on the loop's thread */

static void on_call(void *arg) {
  (void)arg;
  if (++calls == THREADS * POSTS) coho_loop_stop(loop);
}

static void *poster(void *arg) {
  for (int i = 0; i < POSTS; i++) {
    while (coho_loop_post(loop, on_call, NULL) == COHO_EFULL)
      ;
  }
  return arg;
}

static void test_threads_post_all_arrive(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  calls = 0;
  coho__loop_hold(loop);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, poster, NULL), 0);
  assert_int_equal(coho_loop_run(loop), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(calls, THREADS * POSTS);
  coho__loop_release(loop);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      LOOP_TEST(test_io_tells_each_edge_once),
      LOOP_TEST(test_io_removed_by_another_gets_nothing_more_of_the_batch),
      LOOP_TEST(test_io_removed_while_it_waits_for_the_next_turn_gets_nothing),
      LOOP_TEST(test_io_removed_gives_no_events_though_a_copy_is_open),
      LOOP_TEST(test_io_again_comes_in_the_next_turn_only),
      LOOP_TEST(test_io_again_comes_together_with_a_new_event),
      LOOP_TEST(test_task_runs_once_though_asked_twice),
      LOOP_TEST(test_task_cancelled_does_not_run),
      LOOP_TEST(test_task_put_in_by_a_task_waits_for_the_next_turn),
      LOOP_TEST(test_dead_are_buried_after_the_tasks),
      LOOP_TEST(test_dead_are_buried_when_the_loop_is_freed),
      LOOP_TEST(test_teardown_runs_in_reverse_order),
      LOOP_TEST(test_run_ends_when_nothing_is_left),
      LOOP_TEST(test_hold_keeps_run_until_released),
      LOOP_TEST(test_stop_ends_run_though_something_is_left),
      LOOP_TEST(test_turn_inside_a_turn_is_refused),
      LOOP_TEST(test_free_runs_what_was_posted_and_takes_no_more),
      LOOP_TEST(test_fd_and_timeout_tell_an_outer_loop_when_to_turn),
      LOOP_TEST(test_busy_time_is_noted),
      LOOP_TEST(test_interrupted_wait_is_no_error),
      LOOP_TEST(test_threads_stop_wakes_a_waiting_loop),
      LOOP_TEST(test_threads_post_all_arrive),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
