/* A18: tickets for one use. */
#include "topics/tickets.h"

#include "base/check.h"
#include "support/alloc_fail.h"

#include <coho/error.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t NOW = 5000000;

static struct coho__claims *claims_of(const char *text) {
  struct coho__claims *c = NULL;
  json_t *payload = coho__json_object(coho__view_of(text));
  assert_non_null(payload);
  assert_int_equal(coho__claims_new(payload, &c), 0);
  json_decref(payload);
  return c;
}

/* Of a subject of its own. */
static struct coho__claims *claims_of_subject(int n) {
  char text[64];
  (void)snprintf(text, sizeof text, "{\"sub\":\"s%d\"}", n);
  return claims_of(text);
}

static struct coho__claims *take(struct coho__tickets *t, const char *text, uint64_t now) {
  return coho__tickets_take(t, coho__view_of(text), now);
}

static void expect_none(struct coho__tickets *t, const char *text, uint64_t now) {
  assert_null(take(t, text, now));
}

static void test_A18_for_one_use(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *ann = claims_of("{\"sub\":\"ann\"}");
  char text[COHO_TICKET_TEXT];
  assert_int_equal(coho__tickets_give(t, ann, NOW, text), 0);
  assert_int_equal(strlen(text), COHO_TICKET_TEXT - 1);
  assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                   COHO_TICKET_TEXT - 1);
  struct coho__claims *got = take(t, text, NOW);
  assert_ptr_equal(got, ann);
  expect_none(t, text, NOW);
  coho__claims_unref(got);
  coho__claims_unref(ann);
  coho__tickets_free(t);
}

static void test_A18_within_a_minute(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *ann = claims_of("{\"sub\":\"ann\"}");
  char early[COHO_TICKET_TEXT], late[COHO_TICKET_TEXT];
  assert_int_equal(coho__tickets_give(t, ann, NOW, early), 0);
  assert_int_equal(coho__tickets_give(t, ann, NOW, late), 0);
  coho__claims_unref(take(t, early, NOW + COHO_TICKET_MS - 1));
  expect_none(t, late, NOW + COHO_TICKET_MS);
  assert_int_equal(atomic_load(&ann->refs), 1);
  coho__claims_unref(ann);
  coho__tickets_free(t);
}

/* Also while there is no time to forget all that ended. */
static void test_A18_many_that_ended(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *ann = claims_of("{\"sub\":\"ann\"}");
  char text[COHO_TICKET_TEXT];
  for (int i = 0; i < COHO_TICKETS_EACH; i++)
    assert_int_equal(coho__tickets_give(t, ann, NOW, text), 0);
  expect_none(t, text, NOW + COHO_TICKET_MS);
  coho__tickets_free(t);
  assert_int_equal(atomic_load(&ann->refs), 1);
  coho__claims_unref(ann);
}

/* Whatever differs in any place is another ticket. */
static void test_A18_what_is_none(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new(), *others = coho__tickets_new();
  struct coho__claims *ann = claims_of("{\"sub\":\"ann\"}");
  char text[COHO_TICKET_TEXT], wrong[COHO_TICKET_TEXT];
  assert_int_equal(coho__tickets_give(t, ann, NOW, text), 0);
  for (size_t i = 0; i < COHO_TICKET_TEXT - 1; i++) {
    memcpy(wrong, text, sizeof wrong);
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    expect_none(t, wrong, NOW);
  }
  assert_null(coho__tickets_take(t, (struct coho__view){text, COHO_TICKET_TEXT - 2}, NOW));
  assert_null(coho__tickets_take(t, (struct coho__view){text, COHO_TICKET_TEXT}, NOW));
  assert_null(coho__tickets_take(t, (struct coho__view){NULL, 0}, NOW));
  expect_none(others, text, NOW);
  coho__claims_unref(take(t, text, NOW));
  coho__claims_unref(ann);
  coho__tickets_free(t);
  coho__tickets_free(others);
}

/* What is full has room again as tickets are used, and as they end. */
static void test_A18_bounded_in_number(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *who = claims_of_subject(0), *late = claims_of_subject(-1);
  char first[COHO_TICKET_TEXT], text[COHO_TICKET_TEXT];
  assert_int_equal(coho__tickets_give(t, who, NOW, first), 0);
  for (int i = 1; i < COHO_TICKETS_MOST; i++) {
    if (i % COHO_TICKETS_EACH == 0) {
      coho__claims_unref(who);
      who = claims_of_subject(i);
    }
    assert_int_equal(coho__tickets_give(t, who, NOW, text), 0);
  }
  assert_int_equal(coho__tickets_give(t, late, NOW, text), COHO_EFULL);
  coho__claims_unref(take(t, first, NOW));
  assert_int_equal(coho__tickets_give(t, late, NOW, text), 0);
  assert_int_equal(coho__tickets_give(t, late, NOW, text), COHO_EFULL);
  assert_int_equal(coho__tickets_give(t, late, NOW + COHO_TICKET_MS, text), 0);
  coho__tickets_free(t);
  assert_int_equal(atomic_load(&late->refs), 1);
  coho__claims_unref(who);
  coho__claims_unref(late);
}

/* Until some are used, or have ended; whichever tokens of the subject they are for. */
static void test_A18_bounded_for_each_subject(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *ann = claims_of("{\"sub\":\"ann\"}"),
                      *again = claims_of("{\"sub\":\"ann\",\"exp\":1}"),
                      *bob = claims_of("{\"sub\":\"bob\"}");
  char text[COHO_TICKET_TEXT];
  for (int i = 0; i < COHO_TICKETS_EACH; i++)
    assert_int_equal(coho__tickets_give(t, i % 2 ? ann : again, NOW, text), 0);
  char none[COHO_TICKET_TEXT];
  assert_int_equal(coho__tickets_give(t, ann, NOW, none), COHO_ETOOMANY);
  assert_int_equal(coho__tickets_give(t, again, NOW, none), COHO_ETOOMANY);
  assert_int_equal(coho__tickets_give(t, bob, NOW, none), 0);
  coho__claims_unref(take(t, text, NOW));
  assert_int_equal(coho__tickets_give(t, ann, NOW, text), 0);
  assert_int_equal(coho__tickets_give(t, ann, NOW, text), COHO_ETOOMANY);
  assert_int_equal(coho__tickets_give(t, ann, NOW + COHO_TICKET_MS, text), 0);
  coho__tickets_free(t);
  coho__claims_unref(ann);
  coho__claims_unref(again);
  coho__claims_unref(bob);
}

/* Who has no subject is known by the token: nobody else's, whatever it says. */
static void test_A18_bounded_for_each_token_without_subject(void **state) {
  (void)state;
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *one = claims_of("{}"), *other = claims_of("{}");
  char text[COHO_TICKET_TEXT];
  memset(one->token, 1, sizeof one->token);
  memset(other->token, 2, sizeof other->token);
  for (int i = 0; i < COHO_TICKETS_EACH; i++)
    assert_int_equal(coho__tickets_give(t, one, NOW, text), 0);
  assert_int_equal(coho__tickets_give(t, one, NOW, text), COHO_ETOOMANY);
  assert_int_equal(coho__tickets_give(t, other, NOW, text), 0);
  coho__tickets_free(t);
  coho__claims_unref(one);
  coho__claims_unref(other);
}

/* A token may grant a lot. */
static void test_A18_bounded_in_bytes(void **state) {
  (void)state;
  enum { MIB = 1024 * 1024, SUBJECTS = 64 };
  struct coho__tickets *t = coho__tickets_new();
  struct coho__claims *all[SUBJECTS];
  size_t size = 0;
  char text[COHO_TICKET_TEXT];
  int err = 0, given = 0;
  for (int i = 0; i < SUBJECTS; i++) {
    all[i] = claims_of_subject(i + 10);
    size = all[i]->size;
    all[i]->size = MIB;
    if (!err) err = coho__tickets_give(t, all[i], NOW, text);
    given += !err;
  }
  assert_int_equal(err, COHO_EFULL);
  assert_in_range(given, 1, SUBJECTS - 1);
  coho__tickets_free(t);
  for (int i = 0; i < SUBJECTS; i++) {
    all[i]->size = size;
    coho__claims_unref(all[i]);
  }
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 200 };

struct race {
  struct coho__tickets *tickets;
  pthread_barrier_t start;
  char text[COHO_TICKET_TEXT];
  _Atomic int taken;
};

static void *run(void *arg) {
  struct race *race = (struct race *)arg;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_barrier_wait(&race->start);
    struct coho__claims *claims = take(race->tickets, race->text, NOW);
    if (claims) atomic_fetch_add(&race->taken, 1);
    coho__claims_unref(claims);
    pthread_barrier_wait(&race->start);
  }
  return NULL;
}

/* Who comes at the same time: one has it. */
static void test_A18_one_of_several_threads(void **state) {
  (void)state;
  struct race race = {.tickets = coho__tickets_new()};
  struct coho__claims *ann = claims_of("{\"sub\":\"ann\"}");
  pthread_t threads[THREADS];
  pthread_barrier_init(&race.start, NULL, THREADS + 1);
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, run, &race), 0);
  for (int i = 0; i < ROUNDS; i++) {
    assert_int_equal(coho__tickets_give(race.tickets, ann, NOW, race.text), 0);
    pthread_barrier_wait(&race.start);
    pthread_barrier_wait(&race.start);
    assert_int_equal(atomic_load(&race.taken), i + 1);
  }
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&race.start);
  coho__tickets_free(race.tickets);
  assert_int_equal(atomic_load(&ann->refs), 1);
  coho__claims_unref(ann);
}

static int use(void) {
  char text[COHO_TICKET_TEXT];
  struct coho__tickets *t = coho__tickets_new();
  if (!t) return COHO_ENOMEM;
  struct coho__claims *ann = NULL;
  json_t *payload = coho__json_object(VIEW("{\"sub\":\"ann\"}"));
  int err = coho__claims_new(payload, &ann);
  if (!err) err = coho__tickets_give(t, ann, NOW, text);
  if (!err) coho__claims_unref(take(t, text, NOW));
  coho__claims_unref(ann);
  json_decref(payload);
  coho__tickets_free(t);
  return err;
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    int err = use();
    alloc_assert_none_live();
    assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
    if (!alloc_failed()) break;
  }
  alloc_fail_at(0);
}

static void test_nothing_to_free(void **state) {
  (void)state;
  coho__tickets_free(NULL);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A18_for_one_use),
      cmocka_unit_test(test_A18_within_a_minute),
      cmocka_unit_test(test_A18_many_that_ended),
      cmocka_unit_test(test_A18_what_is_none),
      cmocka_unit_test(test_A18_bounded_in_number),
      cmocka_unit_test(test_A18_bounded_for_each_subject),
      cmocka_unit_test(test_A18_bounded_for_each_token_without_subject),
      cmocka_unit_test(test_A18_bounded_in_bytes),
      cmocka_unit_test(test_A18_one_of_several_threads),
      cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_nothing_to_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
