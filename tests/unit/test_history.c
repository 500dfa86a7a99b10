/* The history of a topic: what is found in it by offset, with holes and without, and what it counts. */
#include "hub/history.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t seed[2] = {1, 2};

/* ---- helpers -------------------------------------------------------------------------------- */

static struct coho__message *message(uint64_t offset, const char *key, size_t len) {
  static char bytes[5000];
  coho_msg m = coho_binary(bytes, len);
  struct coho__message *made = coho__message_new(&m, coho__view_of(key));
  assert_non_null(made);
  made->pos = (coho_pos){7, offset};
  return made;
}

/* Its only reference is the history's. */
static void add(struct coho__history *h, uint64_t offset, const char *key) {
  struct coho__message *m = message(offset, key, 10);
  assert_int_equal(coho__history_add(h, m), 0);
  coho__message_unref(m);
  coho__history_check(h);
}

static const char *key_text(size_t i) {
  static char text[32];
  snprintf(text, sizeof text, "key %zu", i);
  return text;
}

/* The offsets from this one on, as "3 4 7". */
static const char *offsets_from(const struct coho__history *h, uint64_t offset, size_t max) {
  static char text[400];
  struct coho__message *out[64];
  size_t len = 0, n = coho__history_from(h, offset, out, max);
  text[0] = '\0';
  for (size_t i = 0; i < n; i++)
    len +=
        (size_t)snprintf(text + len, sizeof text - len, i ? " %d" : "%d", (int)out[i]->pos.offset);
  return text;
}

/* ---- plain ---------------------------------------------------------------------------------- */

static void test_empty(void **state) {
  (void)state;
  struct coho__history h;
  struct coho__message *out[1];
  coho__history_init(&h, false, seed);
  coho__history_check(&h);
  assert_null(coho__history_first(&h));
  assert_int_equal(coho__history_from(&h, 0, out, 1), 0);
  assert_int_equal(coho__history_last(&h, out, 1), 0);
  assert_int_equal(coho__history_between(&h, 0, UINT64_MAX), 0);
  coho__history_free(&h);
}

static void test_is_found_by_offset(void **state) {
  (void)state;
  struct coho__history h;
  struct coho__message *out[3];
  coho__history_init(&h, false, seed);
  for (uint64_t i = 10; i <= 15; i++)
    add(&h, i, "same");
  assert_string_equal(offsets_from(&h, 0, 64), "10 11 12 13 14 15");
  assert_string_equal(offsets_from(&h, 12, 64), "12 13 14 15");
  assert_string_equal(offsets_from(&h, 12, 2), "12 13");
  assert_string_equal(offsets_from(&h, 15, 64), "15");
  assert_string_equal(offsets_from(&h, 16, 64), "");
  assert_string_equal(offsets_from(&h, UINT64_MAX, 64), "");
  assert_int_equal(coho__history_between(&h, 0, UINT64_MAX), 6);
  assert_int_equal(coho__history_between(&h, 12, 14), 2);
  assert_int_equal(coho__history_between(&h, 14, 12), 0);
  assert_int_equal(coho__history_between(&h, 12, 12), 0);
  assert_int_equal(coho__history_last(&h, out, 3), 3);
  assert_true(out[0]->pos.offset == 13 && out[2]->pos.offset == 15);
  assert_true(coho__history_first(&h)->pos.offset == 10);
  coho__history_free(&h);
}

/* A ring of 4, 8, 16 places that goes round and round. */
static void test_goes_round(void **state) {
  (void)state;
  for (size_t keep = 1; keep <= 17; keep++) {
    struct coho__history h;
    coho__history_init(&h, false, seed);
    for (uint64_t i = 1; i <= 100; i++) {
      add(&h, i, "");
      if (h.count > keep) coho__history_drop_first(&h);
      coho__history_check(&h);
      assert_int_equal(coho__history_first(&h)->pos.offset, i > keep ? i - keep + 1 : 1);
      uint64_t from = i > keep / 2 ? i - keep / 2 : 0;
      assert_int_equal(coho__history_between(&h, from, UINT64_MAX),
                       COHO_MIN(keep / 2 + 1, (size_t)i));
    }
    assert_true(h.cap <= 4 * keep);
    coho__history_free(&h);
  }
}

static void test_the_messages_belong_to_it(void **state) {
  (void)state;
  struct coho__history h;
  struct coho__message *m = message(1, "k", 10), *again = message(2, "k", 10);
  coho__history_init(&h, true, seed);
  assert_int_equal(coho__history_add(&h, m), 0);
  assert_int_equal(m->refs, 2);
  assert_int_equal(coho__history_add(&h, again), 0);
  assert_int_equal(m->refs, 1); /* replaced */
  coho__history_drop_first(&h);
  assert_int_equal(again->refs, 1);
  coho__message_unref(m);
  coho__message_unref(again);
  assert_int_equal(alloc_live(), 0); /* an empty one takes nothing */
  assert_int_equal(h.bytes, 0);
}

static void test_places_are_given_back(void **state) {
  (void)state;
  struct coho__history h;
  coho__history_init(&h, false, seed);
  for (uint64_t i = 1; i <= 1000; i++)
    add(&h, i, "");
  size_t full = h.cap;
  while (h.count > 3) {
    coho__history_drop_first(&h);
    coho__history_check(&h);
  }
  assert_true(full >= 1000 && h.cap <= 16);
  assert_string_equal(offsets_from(&h, 0, 64), "998 999 1000");
  coho__history_free(&h);
}

/* What it counts is what it takes, give or take the rounding of tables. */
static void test_bytes_are_memory(void **state) {
  (void)state;
  for (int conflates = 0; conflates < 2; conflates++) {
    struct coho__history h;
    coho__history_init(&h, conflates, seed);
    for (uint64_t i = 1; i <= 5000; i++) {
      struct coho__message *m = message(i, key_text((size_t)i), (size_t)(i % 300));
      assert_int_equal(coho__history_add(&h, m), 0);
      coho__message_unref(m);
      if (i % 100 == 0) assert_in_range(alloc_live(), 0, h.bytes);
    }
    assert_true(h.bytes < alloc_live() * 3 / 2);
    coho__history_free(&h);
  }
}

/* ---- conflating ----------------------------------------------------------------------------- */

static void test_keeps_the_latest_of_each_key(void **state) {
  (void)state;
  struct coho__history h;
  struct coho__message *out[3];
  coho__history_init(&h, true, seed);
  add(&h, 1, "a");
  add(&h, 2, "b");
  add(&h, 3, "c");
  add(&h, 4, "b");
  assert_string_equal(offsets_from(&h, 0, 64), "1 3 4");
  assert_string_equal(offsets_from(&h, 2, 64), "3 4"); /* into the hole */
  assert_string_equal(offsets_from(&h, 0, 2), "1 3");
  assert_int_equal(coho__history_between(&h, 1, 4), 2);
  assert_int_equal(coho__history_between(&h, 2, 3), 0);
  assert_int_equal(coho__history_last(&h, out, 3), 3);
  assert_true(out[0]->pos.offset == 1 && out[1]->pos.offset == 3);
  add(&h, 5, ""); /* no key is a key like others */
  add(&h, 6, "");
  assert_string_equal(offsets_from(&h, 0, 64), "1 3 4 6");
  add(&h, 7, "a"); /* the first */
  assert_true(coho__history_first(&h)->pos.offset == 3);
  coho__history_drop_first(&h); /* c, which is then forgotten */
  coho__history_check(&h);
  add(&h, 8, "c");
  assert_string_equal(offsets_from(&h, 0, 64), "4 6 7 8");
  coho__history_free(&h);
}

static void test_one_key_takes_next_to_nothing(void **state) {
  (void)state;
  struct coho__history h;
  coho__history_init(&h, true, seed);
  for (uint64_t i = 1; i <= 1000; i++) {
    add(&h, i, "ticker");
    assert_int_equal(h.count, 1);
    assert_in_range(h.cap, 1, 4);
  }
  assert_string_equal(offsets_from(&h, 0, 64), "1000");
  coho__history_free(&h);
}

/* The first is never replaced, so that the holes can not go with it. */
static void test_holes_are_bounded(void **state) {
  (void)state;
  for (size_t keys = 1; keys <= 200; keys += 1 + keys / 2) {
    struct coho__history h;
    size_t most = 0;
    coho__history_init(&h, true, seed);
    add(&h, 1, "stays");
    for (uint64_t i = 2; i <= 2000; i++) {
      add(&h, i, key_text((size_t)i % keys));
      size_t holes = h.used - h.count;
      assert_true(holes <= h.used / 2 + 16);
      most = COHO_MAX(most, holes);
    }
    assert_int_equal(h.count, keys + 1);
    assert_true(most > 0 && h.cap <= 4 * (keys + 1) + 32);
    coho__history_free(&h);
  }
}

/* Many places from better times: they could all become holes before the ring is full. */
static void test_holes_are_bounded_in_a_large_ring(void **state) {
  (void)state;
  enum { MANY = 512, FEW = 140 };
  struct coho__history h;
  uint64_t offset = 0;
  size_t most = 0;
  coho__history_init(&h, true, seed);
  for (; offset < MANY; offset++)
    add(&h, offset + 1, key_text((size_t)offset + 1));
  while (h.count > FEW)
    coho__history_drop_first(&h);
  assert_int_equal(h.cap, MANY);
  for (size_t i = 0; i < 1000; i++) { /* all but the first, which would take the holes with it */
    add(&h, ++offset, key_text(MANY - FEW + 2 + i % (FEW - 1)));
    most = COHO_MAX(most, h.used - h.count);
    assert_true(h.used - h.count <= h.used / 2 + 16);
  }
  assert_true(most > FEW); /* as far as that it went */
  assert_int_equal(h.count, FEW);
  coho__history_free(&h);
}

/* ---- against a model ------------------------------------------------------------------------ */

enum { MODEL_MOST = 4000, KEYS = 60 };

/* The same in the plainest way: all that is held, in order. */
struct model {
  struct coho__message *held[MODEL_MOST];
  size_t count;
  uint64_t last; /* offset */
};

static void model_remove(struct model *m, size_t i) {
  coho__message_unref(m->held[i]);
  m->count--;
  for (; i < m->count; i++)
    m->held[i] = m->held[i + 1];
}

static void model_add(struct model *m, struct coho__message *message, bool conflates) {
  struct coho__view key = {message->key, message->key_len};
  for (size_t i = 0; conflates && i < m->count; i++) {
    if (!coho__view_eq((struct coho__view){m->held[i]->key, m->held[i]->key_len}, key)) continue;
    model_remove(m, i);
    break;
  }
  m->held[m->count++] = coho__message_ref(message);
  m->last = message->pos.offset;
}

/* Of the model, those with from <= offset < to: how many, and the first. */
static size_t model_between(const struct model *m, uint64_t from, uint64_t to, size_t *first) {
  size_t n = 0;
  *first = 0;
  for (size_t i = 0; i < m->count; i++) {
    if (m->held[i]->pos.offset < from) (*first)++;
    n += m->held[i]->pos.offset >= from && m->held[i]->pos.offset < to;
  }
  return n;
}

static void assert_same(struct coho__message *const *a, struct coho__message *const *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    assert_ptr_equal(a[i], b[i]);
}

static void compare(const struct coho__history *h, const struct model *m, struct dice *d) {
  static struct coho__message *out[MODEL_MOST];
  size_t first, max = dice(d, (uint32_t)m->count + 2);
  uint64_t from = dice(d, (uint32_t)m->last + 3), to = dice(d, (uint32_t)m->last + 3);
  coho__history_check(h);
  assert_int_equal(h->count, m->count);
  assert_ptr_equal(coho__history_first(h), m->count ? m->held[0] : NULL);
  assert_int_equal(coho__history_between(h, from, to), model_between(m, from, to, &first));
  size_t n = coho__history_from(h, from, out, max);
  assert_int_equal(n, COHO_MIN(max, m->count - first));
  assert_same(out, m->held + first, n);
  n = coho__history_last(h, out, max);
  assert_int_equal(n, COHO_MIN(max, m->count));
  assert_same(out, m->held + m->count - n, n);
}

/* Now and then there is no memory: nothing has changed then, and the next try succeeds. */
static void step_add(struct coho__history *h, struct model *m, struct dice *d) {
  uint64_t offset = m->last + 1 + dice(d, 3);
  /* Few keys come often, and some of many keys now and then. */
  size_t key = dice(d, 2) ? dice(d, 5) : dice(d, KEYS);
  struct coho__message *made = message(offset, key_text(key), dice(d, 50));
  bool fails = dice(d, 10) == 0;
  if (fails) alloc_fail_at(1 + (long)dice(d, 3));
  int err = coho__history_add(h, made);
  assert_true(err == 0 || (err == COHO_ENOMEM && alloc_failed()));
  if (fails) alloc_fail_at(0);
  if (err) {
    compare(h, m, d);
    assert_int_equal(coho__history_add(h, made), 0);
  }
  model_add(m, made, h->conflates);
  coho__message_unref(made);
}

static void step_drop(struct coho__history *h, struct model *m, struct dice *d) {
  if (!m->count) return;
  alloc_fail_at(dice(d, 4) == 0); /* it can always be done */
  coho__history_drop_first(h);
  alloc_fail_at(0);
  model_remove(m, 0);
}

static void random_steps(bool conflates, uint64_t dice_seed) {
  static struct model m;
  struct dice d = dice_of(dice_seed);
  struct coho__history h;
  memset(&m, 0, sizeof m);
  coho__history_init(&h, conflates, seed);
  for (int i = 0; i < 6000; i++) {
    uint32_t adds = i / 1000 % 2 ? 30U : 80U; /* tides */
    if (dice(&d, 100) < adds)
      step_add(&h, &m, &d);
    else
      step_drop(&h, &m, &d);
    compare(&h, &m, &d);
  }
  coho__history_free(&h);
  while (m.count)
    model_remove(&m, m.count - 1);
}

static void test_random_steps(void **state) {
  (void)state;
  random_steps(false, 1);
  random_steps(false, 2);
}

static void test_random_steps_that_conflate(void **state) {
  (void)state;
  for (uint64_t i = 10; i < 14; i++)
    random_steps(true, i);
}

/* ---- memory --------------------------------------------------------------------------------- */

static bool attempt(long i) {
  struct coho__history h;
  struct coho__message *messages[40];
  bool failed = false;
  coho__history_init(&h, true, seed);
  for (size_t k = 0; k < COHO_COUNT(messages); k++)
    messages[k] = message(k + 1, key_text(k % 25), 10);
  size_t live = alloc_live();
  alloc_fail_at(i);
  for (size_t k = 0; k < COHO_COUNT(messages); k++) {
    size_t count = h.count;
    uint64_t bytes = h.bytes;
    int err = coho__history_add(&h, messages[k]);
    if (!err) continue;
    assert_true(err == COHO_ENOMEM && alloc_failed() && !failed);
    assert_true(h.count == count && h.bytes == bytes && messages[k]->refs == 1);
    if (k == 0) assert_int_equal(alloc_live(), live);
    coho__history_check(&h);
    failed = true;
    k--; /* now there is memory */
  }
  coho__history_check(&h);
  assert_int_equal(h.count, 25);
  coho__history_free(&h);
  for (size_t k = 0; k < COHO_COUNT(messages); k++)
    coho__message_unref(messages[k]);
  return failed;
}

static void test_out_of_memory(void **state) {
  (void)state;
  alloc_fail_each(200, attempt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_empty),
      TEST(test_is_found_by_offset),
      TEST(test_goes_round),
      TEST(test_the_messages_belong_to_it),
      TEST(test_places_are_given_back),
      TEST(test_bytes_are_memory),
      TEST(test_keeps_the_latest_of_each_key),
      TEST(test_one_key_takes_next_to_nothing),
      TEST(test_holes_are_bounded),
      TEST(test_holes_are_bounded_in_a_large_ring),
      TEST(test_random_steps),
      TEST(test_random_steps_that_conflate),
      TEST(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
