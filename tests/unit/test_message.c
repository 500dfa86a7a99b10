/* A message of a topic: what is kept, what is there only while it is delivered, and who frees it. */
#include "hub/message.h"

#include "base/check.h"
#include "proto/frame.h"
#include "support/alloc_fail.h"

#include <coho/error.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

static struct coho__message *hello(void) {
  coho_msg m = coho_text("hello");
  struct coho__message *message = coho__message_new(&m, VIEW("key"));
  assert_non_null(message);
  return message;
}

static atomic_int forms_live;

/* Outside of the allocator that counts. */
static void free_form(struct coho__form *f) {
  atomic_fetch_sub(&forms_live, 1);
  free(f);
}

static struct coho__form *new_form(void) {
  struct coho__form *f = (struct coho__form *)malloc(sizeof *f);
  if (!f) abort();
  f->free = free_form;
  atomic_fetch_add(&forms_live, 1);
  return f;
}

/* ---- what is kept --------------------------------------------------------------------------- */

static void test_is_a_copy_in_a_frame(void **state) {
  (void)state;
  static const size_t lens[] = {0, 1, 125, 126, 65535, 65536};
  static char bytes[65536];
  for (size_t i = 0; i < COHO_COUNT(lens); i++) {
    memset(bytes, 'x', sizeof bytes);
    char key[] = "key";
    coho_msg m = coho_binary(bytes, lens[i]);
    m.flags = COHO_PLAIN;
    struct coho__message *message = coho__message_new(&m, coho__view_of(key));
    memset(bytes, '#', sizeof bytes);
    key[0] = '#';
    const struct coho__frame_rules rules = {.masked = false, .rsv1 = false};
    struct coho__frame f;
    int n = coho__frame_read(&f, (const uint8_t *)message->frame->data, message->frame->len, rules);
    assert_true(n > 0 && f.fin && f.opcode == COHO_OP_BINARY && f.len == lens[i]);
    assert_int_equal(message->frame->len, (size_t)n + lens[i]);
    assert_int_equal(message->frame->cap,
                     message->frame->len); /* nothing in reserve, if kept long */
    assert_ptr_equal(message->msg.data, message->frame->data + n);
    for (size_t k = 0; k < lens[i]; k++)
      assert_int_equal(message->msg.data[k], 'x');
    assert_int_equal(message->msg.flags, COHO_PLAIN);
    assert_true(coho__view_eq((struct coho__view){message->key, message->key_len}, VIEW("key")));
    coho__message_unref(message);
  }
}

static void test_without_a_type_it_is_binary(void **state) {
  (void)state;
  coho_msg m = {NULL, 0, 0, 0};
  struct coho__message *message = coho__message_new(&m, coho__view_of(NULL));
  assert_int_equal(message->msg.type, COHO_BINARY);
  assert_int_equal(message->key_len, 0);
  coho__message_unref(message);
}

/* Limits of memory are kept by it. */
static void test_says_what_it_takes(void **state) {
  (void)state;
  static char bytes[3000];
  for (size_t len = 0; len <= sizeof bytes; len += 500) {
    coho_msg m = coho_binary(bytes, len);
    size_t before = alloc_live();
    struct coho__message *message = coho__message_new(&m, VIEW("a key"));
    size_t taken = alloc_live() - before, size = coho__message_size(message);
    assert_in_range(size, taken, taken + 200);
    assert_int_equal(coho__message_begin(message, 1), 0);
    assert_int_equal(coho__message_size(message), size);
    coho__message_done(message);
    coho__message_unref(message);
  }
}

static void test_lives_as_long_as_references(void **state) {
  (void)state;
  struct coho__message *message = hello();
  assert_ptr_equal(coho__message_ref(message), message);
  coho__message_unref(message);
  assert_memory_equal(message->msg.data, "hello", 5);
  struct coho__chunk *frame = coho__chunk_ref(message->frame);
  coho__message_unref(message);
  assert_memory_equal(frame->data + frame->len - 5, "hello", 5); /* as a queue holds it */
  coho__chunk_unref(frame);
  coho__message_unref(NULL);
}

/* ---- while it is delivered ------------------------------------------------------------------ */

static void test_is_live_until_the_last_loop_is_done(void **state) {
  (void)state;
  struct coho__message *message = hello();
  size_t kept = alloc_live();
  assert_int_equal(coho__message_begin(message, 3), 0);
  assert_ptr_equal(coho__framed_chunk(message->live->framed, NULL, 0), message->frame);
  assert_ptr_equal(coho__framed_msg(message->live->framed)->data, message->msg.data);
  coho__message_done(message);
  coho__message_done(message);
  assert_non_null(message->live);
  coho__message_done(message);
  assert_null(message->live);
  assert_int_equal(alloc_live(), kept);
  coho__message_unref(message);
}

static void test_for_no_loop_it_does_not_go_live(void **state) {
  (void)state;
  struct coho__message *message = hello();
  assert_int_equal(coho__message_begin(message, 0), 0);
  assert_null(message->live);
  coho__message_unref(message);
}

/* The publish failed after it began. */
static void test_the_last_reference_takes_all_along(void **state) {
  (void)state;
  struct coho__message *message = hello();
  assert_int_equal(coho__message_begin(message, 2), 0);
  coho__message_set_form(message, 1, new_form());
  coho__message_unref(message);
  assert_int_equal(forms_live, 0);
}

static void test_the_first_form_counts(void **state) {
  (void)state;
  struct coho__message *message = hello();
  struct coho__form *first = new_form(), *other = new_form();
  assert_int_equal(coho__message_begin(message, 1), 0);
  for (unsigned i = 0; i < COHO_FORMS; i++)
    assert_null(coho__message_form(message, i));
  assert_ptr_equal(coho__message_set_form(message, 0, first), first);
  assert_ptr_equal(coho__message_set_form(message, 1, other), other); /* a place of its own */
  assert_ptr_equal(coho__message_set_form(message, 0, new_form()), first);
  assert_int_equal(forms_live, 2);
  assert_ptr_equal(coho__message_form(message, 0), first);
  assert_ptr_equal(coho__message_form(message, 1), other);
  coho__message_done(message);
  assert_int_equal(forms_live, 0);
  coho__message_unref(message);
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    coho_msg m = coho_text("hello");
    alloc_fail_at(i);
    struct coho__message *message = coho__message_new(&m, VIEW("key"));
    assert_int_equal(!message, alloc_failed());
    if (message) {
      size_t kept = alloc_live();
      int err = coho__message_begin(message, 1);
      assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
      if (err) {
        assert_int_equal(alloc_live(), kept);
        assert_int_equal(coho__message_begin(message, 1), 0); /* now there is memory */
      }
      coho__message_done(message);
    }
    coho__message_unref(message);
    alloc_assert_none_live();
    if (!alloc_failed()) break;
  }
  alloc_fail_at(0);
}

/* ---- threads: as loops, that all deliver the same messages ------------------------------------ */

enum { LOOPS = 4, ROUNDS = 400 };

static struct coho__message *shared[ROUNDS];
static struct coho__form *counted[ROUNDS][LOOPS];
static pthread_barrier_t start_of_round;

static void *deliver(void *arg) {
  size_t self = *(const size_t *)arg;
  for (size_t i = 0; i < ROUNDS; i++) {
    struct coho__message *message = shared[i];
    pthread_barrier_wait(&start_of_round);
    struct coho__form *f = coho__message_form(message, 0);
    if (!f) f = coho__message_set_form(message, 0, new_form());
    counted[i][self] = f;
    /* What another thread wrote into it is seen. */
    if (f->free != free_form || coho__message_form(message, 0) != f) abort();
    if (coho__framed_chunk(message->live->framed, NULL, 0) != message->frame) abort();
    coho__message_done(message);
    coho__message_unref(message);
  }
  return NULL;
}

static void test_loops_race(void **state) {
  (void)state;
  pthread_t threads[LOOPS];
  size_t selves[LOOPS];
  pthread_barrier_init(&start_of_round, NULL, LOOPS);
  for (size_t i = 0; i < ROUNDS; i++) {
    shared[i] = hello();
    for (size_t k = 1; k < LOOPS; k++)
      coho__message_ref(shared[i]);
    assert_int_equal(coho__message_begin(shared[i], LOOPS), 0);
  }
  for (size_t i = 0; i < LOOPS; i++) {
    selves[i] = i;
    assert_int_equal(pthread_create(&threads[i], NULL, deliver, &selves[i]), 0);
  }
  for (size_t i = 0; i < LOOPS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  for (size_t i = 0; i < ROUNDS; i++)
    for (size_t k = 1; k < LOOPS; k++)
      assert_ptr_equal(counted[i][k], counted[i][0]); /* the same for all */
  assert_int_equal(forms_live, 0);
  pthread_barrier_destroy(&start_of_round);
}

static int end(void **state) {
  (void)alloc_teardown(state);
  return forms_live ? -1 : 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_is_a_copy_in_a_frame),
      TEST(test_without_a_type_it_is_binary),
      TEST(test_says_what_it_takes),
      TEST(test_lives_as_long_as_references),
      TEST(test_is_live_until_the_last_loop_is_done),
      TEST(test_for_no_loop_it_does_not_go_live),
      TEST(test_the_last_reference_takes_all_along),
      TEST(test_the_first_form_counts),
      TEST(test_out_of_memory),
      TEST(test_loops_race),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
