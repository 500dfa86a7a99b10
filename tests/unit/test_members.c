/* Who is present: entering as often as it comes, leaving after the grace time, coming back. */
#include "hub/members.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t seed[2] = {1, 2};

/* ---- helpers -------------------------------------------------------------------------------- */

enum entered { IS_NEW = 1, CHANGED = 2, NEITHER = 0 };

/* An error, or enum entered. */
static int enter(struct coho__members *ms, const char *id, const char *info) {
  bool is_new, changed;
  int err = coho__members_enter(ms, coho__view_of(id), coho__view_of(info), &is_new, &changed);
  coho__members_check(ms);
  assert_true(!(is_new && changed) && !(err && (is_new || changed)));
  return err ? err : is_new * IS_NEW + changed * CHANGED;
}

static bool leave(struct coho__members *ms, const char *id, uint64_t goes_ms) {
  bool left = coho__members_leave(ms, coho__view_of(id), goes_ms);
  coho__members_check(ms);
  return left;
}

/* When the next one goes; UINT64_MAX: nobody leaves. */
static uint64_t next_leave(const struct coho__members *ms) {
  if (coho__list_empty(&ms->leaving)) return UINT64_MAX;
  return COHO_LIST_ENTRY(ms->leaving.next, struct coho__member, leaving)->goes_ms;
}

/* The ids of those who are gone now, as "ann bob". */
static const char *gone(struct coho__members *ms, uint64_t now_ms) {
  static char text[400];
  size_t len = 0;
  text[0] = '\0';
  for (struct coho__member *m; (m = coho__members_gone(ms, now_ms)) != NULL;) {
    coho__members_check(ms);
    len += (size_t)snprintf(text + len, sizeof text - len, len ? " %s" : "%s", m->id);
    coho__member_free(m);
  }
  return text;
}

static struct coho__member *nth(const struct coho__members *ms, size_t n) {
  struct coho__member *first[8] = {NULL};
  assert_true(n < COHO_COUNT(first) && coho__members_after(ms, 0, first, n + 1) == n + 1);
  return first[n];
}

/* ---- coming and going ----------------------------------------------------------------------- */

static void test_is_gone_after_the_grace_time(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  assert_int_equal(enter(&ms, "ann", "{}"), IS_NEW);
  assert_int_equal(next_leave(&ms), UINT64_MAX);
  assert_true(leave(&ms, "ann", 100));
  assert_int_equal(coho__members_count(&ms), 1); /* still here for others */
  assert_int_equal(next_leave(&ms), 100);
  assert_string_equal(gone(&ms, 99), "");
  assert_string_equal(gone(&ms, 100), "ann");
  assert_int_equal(coho__members_count(&ms), 0);
  assert_int_equal(next_leave(&ms), UINT64_MAX);
  assert_int_equal(enter(&ms, "ann", "{}"), IS_NEW);
  coho__members_free(&ms);
}

static void test_who_comes_back_never_left(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  enter(&ms, "ann", "{}");
  leave(&ms, "ann", 100);
  assert_int_equal(enter(&ms, "ann", "{}"), NEITHER);
  assert_string_equal(gone(&ms, UINT64_MAX), "");
  leave(&ms, "ann", 200);
  assert_int_equal(enter(&ms, "ann", "{\"x\":1}"), CHANGED); /* also while leaving */
  assert_string_equal(nth(&ms, 0)->info, "{\"x\":1}");
  leave(&ms, "ann", 300);
  assert_int_equal(next_leave(&ms), 300); /* the grace begins anew */
  assert_string_equal(gone(&ms, 300), "ann");
  coho__members_free(&ms);
}

static void test_is_one_member_however_often_it_enters(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  assert_int_equal(enter(&ms, "ann", "1"), IS_NEW);
  assert_int_equal(enter(&ms, "ann", "1"), NEITHER);
  assert_int_equal(enter(&ms, "ann", "22"), CHANGED);
  assert_int_equal(enter(&ms, "ann", "22"), NEITHER);
  assert_int_equal(coho__members_count(&ms), 1);
  assert_int_equal(nth(&ms, 0)->presences, 4);
  for (int i = 0; i < 3; i++) {
    assert_true(leave(&ms, "ann", 5));
    assert_int_equal(next_leave(&ms), UINT64_MAX);
  }
  assert_true(leave(&ms, "ann", 9));
  assert_int_equal(next_leave(&ms), 9);
  assert_false(leave(&ms, "ann", 20)); /* once more than it entered: nothing changes */
  assert_int_equal(next_leave(&ms), 9);
  assert_false(leave(&ms, "bob", 20));
  coho__members_free(&ms);
}

static void test_order_is_that_of_arrival(void **state) {
  (void)state;
  static const char *const ids[] = {"dan", "ann", "cem", "bob"};
  struct coho__members ms;
  coho__members_init(&ms, seed);
  for (size_t i = 0; i < COHO_COUNT(ids); i++)
    enter(&ms, ids[i], "null");
  leave(&ms, "ann", 10);
  enter(&ms, "ann", "null"); /* it keeps its place */
  for (size_t i = 0; i < COHO_COUNT(ids); i++)
    assert_string_equal(nth(&ms, i)->id, ids[i]);
  coho__members_free(&ms);
}

/* Times may come in any order, since each topic has a grace time but a program may change its mind. */
static void test_gone_by_time(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  for (const char *const *id = (const char *const[]){"a", "b", "c", "d", NULL}; *id; id++)
    enter(&ms, *id, "null");
  leave(&ms, "a", 30);
  leave(&ms, "b", 10);
  leave(&ms, "c", 20);
  leave(&ms, "d", 10); /* as b, behind it */
  assert_string_equal(gone(&ms, 9), "");
  assert_string_equal(gone(&ms, 20), "b d c");
  assert_int_equal(next_leave(&ms), 30);
  assert_string_equal(gone(&ms, UINT64_MAX), "a");
  coho__members_free(&ms);
}

/* ---- limits --------------------------------------------------------------------------------- */

static int enter_sized(struct coho__members *ms, size_t id_len, size_t info_len) {
  static char text[2000];
  bool is_new, changed;
  memset(text, 'x', sizeof text);
  return coho__members_enter(ms, (struct coho__view){text, id_len},
                             (struct coho__view){text, info_len}, &is_new, &changed);
}

static void test_lengths(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  assert_int_equal(enter_sized(&ms, 0, 1), COHO_EINVAL);
  assert_int_equal(enter_sized(&ms, 256, 1), COHO_EINVAL);
  assert_int_equal(enter_sized(&ms, 1, 1025), COHO_EINVAL);
  assert_int_equal(coho__members_count(&ms), 0);
  assert_int_equal(enter_sized(&ms, 255, 1024), 0);
  assert_int_equal(enter_sized(&ms, 1, 0), 0);
  assert_int_equal(enter_sized(&ms, 1, 1025), COHO_EINVAL);
  coho__members_check(&ms);
  assert_int_equal(nth(&ms, 1)->presences, 1);
  coho__members_free(&ms);
}

static void test_ids_are_bytes(void **state) {
  (void)state;
  struct coho__members ms;
  bool is_new, changed;
  coho__members_init(&ms, seed);
  assert_int_equal(coho__members_enter(&ms, VIEW("a\0b"), VIEW("1"), &is_new, &changed), 0);
  assert_int_equal(enter(&ms, "a", "1"), IS_NEW);
  assert_false(coho__members_leave(&ms, VIEW("a\0c"), 1));
  assert_true(coho__members_leave(&ms, VIEW("a\0b"), 1));
  coho__members_free(&ms);
}

static void test_most_members(void **state) {
  (void)state;
  struct coho__members ms;
  char id[32];
  bool is_new, changed;
  coho__members_init(&ms, seed);
  for (int i = 0; i < COHO_MEMBERS_MOST; i++) {
    snprintf(id, sizeof id, "%d", i);
    assert_int_equal(coho__members_enter(&ms, coho__view_of(id), VIEW("null"), &is_new, &changed),
                     0);
  }
  assert_int_equal(enter(&ms, "one more", "null"), COHO_EFULL);
  assert_int_equal(enter(&ms, "77", "1"), CHANGED); /* who is here may come again */
  leave(&ms, "0", 5);
  assert_int_equal(enter(&ms, "one more", "null"),
                   COHO_EFULL); /* a place that may be wanted back */
  assert_string_equal(gone(&ms, 5), "0");
  assert_int_equal(enter(&ms, "one more", "null"), IS_NEW);
  size_t live = alloc_live();
  assert_in_range(ms.bytes, live * 9 / 10, live * 11 / 10);
  coho__members_free(&ms);
  assert_int_equal(ms.bytes, 0);
}

static void test_B21_bytes_are_bounded(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  assert_int_equal(enter(&ms, "ann", "1"), IS_NEW);
  ms.room = ms.bytes - 1;
  assert_int_equal(enter(&ms, "bob", "1"), COHO_EFULL);
  assert_int_equal(enter(&ms, "bob", ""), IS_NEW);
  ms.room = 1;
  assert_int_equal(enter(&ms, "ann", "123"), COHO_EFULL);
  assert_int_equal(enter(&ms, "ann", "12"), CHANGED);
  ms.room = 0;
  assert_int_equal(enter(&ms, "ann", "12"), NEITHER);
  assert_int_equal(enter(&ms, "ann", "2"), CHANGED);
  coho__members_free(&ms);
}

static void test_presences_do_not_wrap(void **state) {
  (void)state;
  struct coho__members ms;
  coho__members_init(&ms, seed);
  enter(&ms, "ann", "1");
  nth(&ms, 0)->presences = UINT32_MAX;
  assert_int_equal(enter(&ms, "ann", "2"), COHO_EFULL);
  assert_string_equal(nth(&ms, 0)->info, "1");
  coho__members_free(&ms);
}

/* ---- against a model ------------------------------------------------------------------------ */

enum { IDS = 40, GRACE = 50 };

struct model {
  uint32_t presences[IDS];
  uint64_t goes_ms[IDS]; /* 0: not leaving */
  char info[IDS];        /* 0: not there */
};

static const char *id_text(size_t i) {
  static char text[16];
  snprintf(text, sizeof text, "id %zu", i);
  return text;
}

static void step_enter(struct coho__members *ms, struct model *m, struct dice *d, size_t i) {
  char info[] = {(char)('a' + (char)dice(d, 2)), '\0'};
  int expected = !m->info[i] ? IS_NEW : m->info[i] != info[0] ? CHANGED : NEITHER;
  int got = enter(ms, id_text(i), info);
  if (got == COHO_ENOMEM) {
    assert_true(alloc_failed());
    return;
  }
  assert_int_equal(got, expected);
  m->presences[i]++;
  m->goes_ms[i] = 0;
  m->info[i] = info[0];
}

static void step_leave(struct coho__members *ms, struct model *m, uint64_t now, size_t i) {
  assert_int_equal(leave(ms, id_text(i), now + GRACE), m->presences[i] > 0);
  if (m->presences[i] && --m->presences[i] == 0) m->goes_ms[i] = now + GRACE;
}

static void step_gone(struct coho__members *ms, struct model *m, uint64_t now) {
  uint64_t before = 0;
  for (struct coho__member *x; (x = coho__members_gone(ms, now)) != NULL;) {
    size_t i = strtoul(x->id + strlen("id "), NULL, 10);
    assert_true(i < IDS && m->goes_ms[i] && m->goes_ms[i] <= now && m->goes_ms[i] >= before);
    assert_int_equal(x->info[0], m->info[i]);
    before = m->goes_ms[i];
    m->goes_ms[i] = 0;
    m->info[i] = 0;
    coho__member_free(x);
  }
}

static void compare(const struct coho__members *ms, const struct model *m) {
  uint64_t next = UINT64_MAX;
  size_t n = 0;
  for (size_t i = 0; i < IDS; i++) {
    n += m->info[i] != 0;
    if (m->goes_ms[i]) next = COHO_MIN(next, m->goes_ms[i]);
  }
  assert_int_equal(coho__members_count(ms), n);
  assert_true(next_leave(ms) == next);
}

static void test_random_steps(void **state) {
  (void)state;
  struct coho__members ms;
  struct dice d = dice_of(4);
  struct model m;
  uint64_t now = 1;
  memset(&m, 0, sizeof m);
  coho__members_init(&ms, seed);
  for (int step = 0; step < 20000; step++) {
    bool fails = dice(&d, 8) == 0;
    now += dice(&d, 3);
    if (fails) alloc_fail_at(1 + (long)dice(&d, 4));
    if (dice(&d, 2))
      step_enter(&ms, &m, &d, dice(&d, IDS));
    else
      step_leave(&ms, &m, now, dice(&d, IDS));
    if (dice(&d, 10) == 0) step_gone(&ms, &m, now);
    if (fails) alloc_fail_at(0);
    coho__members_check(&ms);
    compare(&ms, &m);
  }
  coho__members_free(&ms);
}

static bool attempt(long i) {
  static const struct {
    const char *id, *info;
  } steps[] = {{"ann", "1"}, {"ann", "22"}, {"bob", "3"}, {"ann", "22"}};
  struct coho__members ms;
  bool failed = false;
  coho__members_init(&ms, seed);
  alloc_fail_at(i);
  for (size_t k = 0; k < COHO_COUNT(steps); k++) {
    uint64_t bytes = ms.bytes;
    if (enter(&ms, steps[k].id, steps[k].info) >= 0) continue;
    assert_true(alloc_failed() && !failed && ms.bytes == bytes);
    failed = true;
    k--; /* now there is memory */
  }
  assert_int_equal(coho__members_count(&ms), 2);
  assert_int_equal(nth(&ms, 0)->presences, 3);
  assert_string_equal(nth(&ms, 0)->info, "22");
  coho__members_free(&ms);
  return failed;
}

static void test_out_of_memory(void **state) {
  (void)state;
  alloc_fail_each(50, attempt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_is_gone_after_the_grace_time),
      TEST(test_who_comes_back_never_left),
      TEST(test_is_one_member_however_often_it_enters),
      TEST(test_order_is_that_of_arrival),
      TEST(test_gone_by_time),
      TEST(test_lengths),
      TEST(test_ids_are_bytes),
      TEST(test_most_members),
      TEST(test_B21_bytes_are_bounded),
      TEST(test_presences_do_not_wrap),
      TEST(test_random_steps),
      TEST(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
