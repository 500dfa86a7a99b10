#include "support/alloc_fail.h"
#include "ws/conn_table.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "io/mailbox.h"

static coho_loop *loop;
static struct coho__conn_table *t;
static char conns[8]; /* only their addresses matter */

static coho_conn *conn(size_t i) { return (coho_conn *)(void *)&conns[i]; }

static int setup(void **state) {
  (void)state;
  loop = coho_loop_new();
  t = coho__conn_table_of(loop);
  return loop && t ? 0 : -1;
}

static void remove_conn(uint32_t slot) {
  coho__conn_table_expire(t, slot);
  coho__conn_table_remove(t, slot);
}

static int teardown(void **state) {
  (void)state;
  coho_loop_free(loop);
  return 0;
}

static void test_an_id_has_three_parts(void **state) {
  (void)state;
  uint32_t slot = coho__conn_table_add(t, conn(0));
  coho_id id = coho__conn_table_id(t, slot);
  assert_int_equal(coho__id_loop(id), loop->index);
  assert_int_equal(coho__id_slot(id), slot);
  assert_int_equal(coho__id_generation(id), t->first);
  assert_true(id != 0);
  assert_int_equal(coho__id_loop(UINT64_MAX), 1023);
  assert_int_equal(coho__id_slot(UINT64_MAX), COHO_SLOT_NONE - 1);
  remove_conn(slot);
}

static void test_find(void **state) {
  (void)state;
  uint32_t a = coho__conn_table_add(t, conn(0)), b = coho__conn_table_add(t, conn(1));
  assert_ptr_equal(coho__conn_table_find(t, coho__conn_table_id(t, a)), conn(0));
  assert_ptr_equal(coho__conn_table_find(t, coho__conn_table_id(t, b)), conn(1));
  assert_null(coho__conn_table_find(t, 0));
  assert_null(coho__conn_table_find(t, coho__conn_table_id(t, a) + 1));
  assert_null(coho__conn_table_find(t, coho__conn_table_id(t, a) ^ ((uint64_t)1 << 54)));
  assert_null(coho__conn_table_find(t, UINT64_MAX));
  remove_conn(a);
  remove_conn(b);
}

static void test_a_used_slot_gets_a_new_generation(void **state) {
  (void)state;
  uint32_t slot = coho__conn_table_add(t, conn(0));
  coho_id first = coho__conn_table_id(t, slot);
  coho__conn_table_expire(t, slot);
  assert_null(coho__conn_table_find(t, first)); /* stale, although the slot is still taken */
  coho__conn_table_remove(t, slot);
  assert_int_equal(coho__conn_table_add(t, conn(1)), slot);
  coho_id second = coho__conn_table_id(t, slot);
  assert_true(first != second);
  assert_null(coho__conn_table_find(t, first));
  assert_ptr_equal(coho__conn_table_find(t, second), conn(1));
  remove_conn(slot);
}

static void test_a_slot_without_generations_is_retired(void **state) {
  (void)state;
  uint32_t slot = coho__conn_table_add(t, conn(0));
  t->slots[slot].generation = UINT32_MAX - 1;
  coho_id last = coho__conn_table_id(t, slot);
  remove_conn(slot);
  uint32_t other = coho__conn_table_add(t, conn(1));
  assert_int_not_equal(other, slot);
  assert_null(coho__conn_table_find(t, last));
  remove_conn(other);
  /* The loop's index is used up with it, which this test may not leave behind. */
  t->slots[slot].generation = 1;
}

static void test_ids_never_come_again_with_the_loops_index(void **state) {
  (void)state;
  uint32_t index = loop->index;
  uint32_t slot = coho__conn_table_add(t, conn(0));
  coho_id old = coho__conn_table_id(t, slot);
  remove_conn(slot);
  coho_loop_free(loop);
  assert_int_equal(setup(NULL), 0);
  assert_int_equal(loop->index, index);
  slot = coho__conn_table_add(t, conn(1));
  assert_int_equal(slot, coho__id_slot(old));
  assert_true(coho__conn_table_id(t, slot) > old);
  assert_null(coho__conn_table_find(t, old));
  remove_conn(slot);
}

static void test_an_index_without_generations_gives_none(void **state) {
  (void)state;
  uint32_t index = loop->index, before = t->first;
  t->first = UINT32_MAX;
  assert_int_equal(coho__conn_table_add(t, conn(0)), COHO_SLOT_NONE);
  t->first = before;
  assert_int_equal(loop->index, index);
}

static void test_walk_and_grow(void **state) {
  enum { COUNT = 1000 };
  (void)state;
  uint32_t slots[COUNT], it = 0;
  size_t seen = 0;
  for (size_t i = 0; i < COUNT; i++)
    slots[i] = coho__conn_table_add(t, conn(i % 8));
  while (coho__conn_table_next(t, &it))
    seen++;
  assert_int_equal(seen, COUNT);
  for (size_t i = 0; i < COUNT; i += 2)
    remove_conn(slots[i]);
  for (seen = 0, it = 0; coho__conn_table_next(t, &it);)
    seen++;
  assert_int_equal(seen, COUNT / 2);
  for (size_t i = 1; i < COUNT; i += 2)
    remove_conn(slots[i]);
  it = 0;
  assert_null(coho__conn_table_next(t, &it));
}

static void run_letter(coho_loop *l, struct coho__letter *letter) {
  (void)l;
  (void)letter;
}

static void drop_letter(struct coho__letter *letter) { (void)letter; }

static void test_post_to_a_loop_that_is_gone(void **state) {
  (void)state;
  static struct coho__letter letter = {.run = run_letter, .drop = drop_letter};
  coho_id id = (uint64_t)1023 << 54 | 1;
  assert_int_equal(coho__conn_table_post(id, 0, &letter), COHO_ESTALE);
  assert_int_equal(coho__conn_table_post(0, 0, &letter), COHO_ESTALE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_an_id_has_three_parts, setup, teardown),
      cmocka_unit_test_setup_teardown(test_find, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_used_slot_gets_a_new_generation, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_slot_without_generations_is_retired, setup, teardown),
      cmocka_unit_test_setup_teardown(test_ids_never_come_again_with_the_loops_index, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(test_an_index_without_generations_gives_none, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(test_walk_and_grow, setup, teardown),
      cmocka_unit_test_setup_teardown(test_post_to_a_loop_that_is_gone, setup, teardown),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
