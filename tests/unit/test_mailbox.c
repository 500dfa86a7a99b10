#include "io/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

static coho_loop *loop;
static struct coho__mailbox *box;

static int setup(void **state) {
  (void)state;
  loop = coho_loop_new();
  if (!loop) return -1;
  box = coho__mailbox_hold(coho__mailbox_of(loop));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho_loop_free(loop);
  coho__mailbox_drop(box);
  return 0;
}

struct note {
  struct coho__letter letter;
  unsigned number;
  bool posts_itself;
};

static atomic_uint ran, dropped;
static unsigned last_number;

static void run(coho_loop *on, struct coho__letter *l) {
  struct note *n = COHO_CONTAINER_OF(l, struct note, letter);
  assert_ptr_equal(on, loop);
  ran++;
  last_number = n->number;
  if (n->posts_itself) coho__mailbox_post(box, l);
}

static void drop(struct coho__letter *l) {
  (void)l;
  dropped++;
}

static struct note note(unsigned number, size_t bytes) {
  return (struct note){.letter = {NULL, run, drop, bytes}, .number = number};
}

static void test_letters_run_in_order_once(void **state) {
  (void)state;
  struct note notes[20];
  ran = last_number = 0;
  for (unsigned i = 0; i < COHO_COUNT(notes); i++) {
    notes[i] = note(i + 1, 1);
    assert_int_equal(coho__mailbox_post(box, &notes[i].letter), 0);
  }
  while (coho__mailbox_waiting(box)) {
    unsigned before = ran;
    coho_loop_turn(loop, -1);
    assert_int_equal(last_number, ran);
    assert_in_range(ran - before, 1, COHO_MAILBOX_TURN);
  }
  assert_int_equal(ran, 20);
}

static void test_letter_that_posts_itself_lets_the_turn_end(void **state) {
  (void)state;
  struct note n = note(1, 0);
  n.posts_itself = true;
  ran = 0;
  coho__mailbox_post(box, &n.letter);
  for (unsigned i = 1; i < 5; i++) {
    assert_int_equal(coho_loop_turn(loop, -1), 1);
    assert_int_equal(ran, i);
  }
  n.posts_itself = false;
  coho_loop_turn(loop, -1);
}

static void test_one_turn_runs_a_bounded_number(void **state) {
  (void)state;
  static struct note notes[COHO_MAILBOX_TURN + 1];
  ran = 0;
  for (unsigned i = 0; i < COHO_COUNT(notes); i++) {
    notes[i] = note(i, 0);
    assert_int_equal(coho__mailbox_post(box, &notes[i].letter), 0);
  }
  assert_int_equal(coho_loop_turn(loop, -1), 1);
  assert_int_equal(ran, COHO_MAILBOX_TURN);
  assert_int_equal(coho_loop_turn(loop, -1), 0); /* the rest does not wait for an event */
  assert_int_equal(ran, COHO_MAILBOX_TURN + 1);
}

static void test_number_of_letters_is_bounded(void **state) {
  (void)state;
  struct note *notes = (struct note *)calloc(COHO_MAILBOX_LETTERS + 1, sizeof *notes);
  ran = dropped = 0;
  for (unsigned i = 0; i < COHO_MAILBOX_LETTERS; i++) {
    notes[i] = note(i, 0);
    assert_int_equal(coho__mailbox_post(box, &notes[i].letter), 0);
  }
  struct note *last = &notes[COHO_MAILBOX_LETTERS];
  *last = note(0, 0);
  assert_int_equal(coho__mailbox_post(box, &last->letter), COHO_EFULL);
  coho_loop_turn(loop, -1);
  assert_int_equal(coho__mailbox_post(box, &last->letter), 0);
  coho_loop_free(loop);
  loop = NULL;
  assert_int_equal(ran, COHO_MAILBOX_LETTERS + 1); /* though more than a turn's */
  assert_int_equal(dropped, 0);
  free(notes);
}

static void test_bytes_of_letters_are_bounded(void **state) {
  (void)state;
  struct note large = note(1, COHO_MAILBOX_BYTES), small = note(2, 1);
  assert_int_equal(coho__mailbox_post(box, &large.letter), 0);
  assert_int_equal(coho__mailbox_post(box, &small.letter), COHO_EFULL);
  coho_loop_turn(loop, -1);
  assert_int_equal(coho__mailbox_post(box, &small.letter), 0);
  coho_loop_turn(loop, -1);
}

static void test_answers_are_taken_beyond_the_bound(void **state) {
  (void)state;
  struct note large = note(1, COHO_MAILBOX_BYTES), answer = note(2, 100), small = note(3, 1);
  ran = 0;
  assert_int_equal(coho__mailbox_post(box, &large.letter), 0);
  assert_int_equal(coho__mailbox_answer(box, &answer.letter), 0);
  assert_int_equal(coho__mailbox_post(box, &small.letter), COHO_EFULL);
  coho_loop_turn(loop, -1);
  assert_int_equal(ran, 2);
  assert_int_equal(coho__mailbox_post(box, &small.letter), 0);
  coho_loop_turn(loop, -1);
}

static struct note late;

static void post_late(struct coho__teardown *t) {
  (void)t;
  assert_int_equal(coho__mailbox_post(box, &late.letter), 0);
}

static void test_dying_loop_runs_what_waits_and_drops_what_comes_later(void **state) {
  (void)state;
  struct note n = note(1, 0);
  struct coho__teardown teardown = {.run = post_late};
  uint32_t index = loop->index;
  late = note(2, 0);
  ran = dropped = last_number = 0;
  coho__loop_on_free(loop, &teardown);
  coho__mailbox_post(box, &n.letter);
  coho_loop_free(loop);
  loop = NULL;
  assert_int_equal(ran, 1);
  assert_int_equal(last_number, 1);
  assert_int_equal(dropped, 1);
  assert_null(coho__mailbox_find(index));
  assert_int_equal(coho__mailbox_post(box, &n.letter), COHO_ESTALE);
  assert_int_equal(coho__mailbox_answer(box, &n.letter), COHO_ESTALE);
  assert_int_equal(dropped, 1); /* still the caller's */
}

static void test_find_holds_the_mailbox_of_a_living_loop(void **state) {
  (void)state;
  struct coho__mailbox *found = coho__mailbox_find(loop->index);
  assert_ptr_equal(found, box);
  coho__mailbox_drop(found);
  assert_null(coho__mailbox_find(COHO_LOOPS_MAX));
  assert_null(coho__mailbox_find(UINT32_MAX));
}

static void test_generation_outlives_the_loop_of_its_index(void **state) {
  (void)state;
  uint32_t index = loop->index;
  assert_int_equal(coho__loop_generation(index), 0);
  coho__loop_set_generation(index, 77);
  coho_loop_free(loop);
  coho__mailbox_drop(box);
  assert_int_equal(setup(NULL), 0);
  assert_int_equal(loop->index, index); /* the index comes again, ids do not */
  assert_int_equal(coho__loop_generation(index), 77);
  coho__loop_set_generation(index, 0);
}

static void test_number_of_living_loops_is_bounded(void **state) {
  (void)state;
  static coho_loop *loops[COHO_LOOPS_MAX];
  struct rlimit before, more;
  getrlimit(RLIMIT_NOFILE, &before);
  more = (struct rlimit){COHO_LOOPS_MAX * 2 + 100, before.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &more) < 0) skip();
  size_t n = 0;
  while (n < COHO_LOOPS_MAX && (loops[n] = coho_loop_new()))
    n++;
  assert_int_equal(n, COHO_LOOPS_MAX - 1); /* one is there already */
  coho_loop_free(loops[500]);
  loops[500] = coho_loop_new();
  assert_non_null(loops[500]);
  while (n > 0)
    coho_loop_free(loops[--n]);
  setrlimit(RLIMIT_NOFILE, &before);
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4 };

static atomic_uint accepted;

static void run_and_free(coho_loop *on, struct coho__letter *l) {
  (void)on;
  ran++;
  free(l);
}

static void drop_and_free(struct coho__letter *l) {
  dropped++;
  free(l);
}

static bool post_one(struct coho__mailbox *m) {
  struct coho__letter *l = (struct coho__letter *)malloc(sizeof *l);
  *l = (struct coho__letter){NULL, run_and_free, drop_and_free, 1};
  int err = coho__mailbox_post(m, l);
  if (err)
    free(l);
  else
    accepted++;
  return err == 0 || err == COHO_EFULL;
}

/* Posts until the loop is dead, by a mailbox it holds. */
static void *post_to_held(void *arg) {
  struct coho__mailbox *m = (struct coho__mailbox *)arg;
  while (post_one(m))
    ;
  coho__mailbox_drop(m);
  return NULL;
}

/* The same, but looks the mailbox up each time, as one does who has only an id. */
static void *post_to_index(void *arg) {
  uint32_t index = *(uint32_t *)arg;
  struct coho__mailbox *m;
  while ((m = coho__mailbox_find(index))) {
    post_one(m);
    coho__mailbox_drop(m);
  }
  return NULL;
}

static void test_threads_post_while_the_loop_is_freed(void **state) {
  (void)state;
  uint32_t index = loop->index;
  pthread_t threads[THREADS];
  ran = dropped = accepted = 0;
  for (int i = 0; i < THREADS; i++) {
    int err = i % 2 ? pthread_create(&threads[i], NULL, post_to_index, &index)
                    : pthread_create(&threads[i], NULL, post_to_held, coho__mailbox_hold(box));
    assert_int_equal(err, 0);
  }
  coho__loop_hold(loop);
  while (ran < 1000)
    coho_loop_turn(loop, -1);
  coho_loop_free(loop);
  loop = NULL;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(ran + dropped, accepted);
}

#define BOX_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      BOX_TEST(test_letters_run_in_order_once),
      BOX_TEST(test_letter_that_posts_itself_lets_the_turn_end),
      BOX_TEST(test_one_turn_runs_a_bounded_number),
      BOX_TEST(test_number_of_letters_is_bounded),
      BOX_TEST(test_bytes_of_letters_are_bounded),
      BOX_TEST(test_answers_are_taken_beyond_the_bound),
      BOX_TEST(test_dying_loop_runs_what_waits_and_drops_what_comes_later),
      BOX_TEST(test_find_holds_the_mailbox_of_a_living_loop),
      BOX_TEST(test_generation_outlives_the_loop_of_its_index),
      BOX_TEST(test_number_of_living_loops_is_bounded),
      BOX_TEST(test_threads_post_while_the_loop_is_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
