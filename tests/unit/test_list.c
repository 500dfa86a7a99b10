#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
  int number;
  struct coho__list node;
};

static struct item items[6];

static void fill(struct coho__list *l, int from, int to) {
  coho__list_init(l);
  for (int i = from; i < to; i++) {
    items[i].number = i;
    coho__list_append(l, &items[i].node);
  }
}

/* The numbers in order, as digits, walked both ways. */
static int digits(const struct coho__list *l) {
  int forth = 0, back = 0, place = 1;
  for (struct coho__list *n = l->next; n != l; n = n->next)
    forth = forth * 10 + COHO_LIST_ENTRY(n, struct item, node)->number;
  for (struct coho__list *n = l->prev; n != l; n = n->prev, place *= 10)
    back += COHO_LIST_ENTRY(n, struct item, node)->number * place;
  assert_int_equal(forth, back);
  return forth;
}

static void test_order_of_appending(void **state) {
  (void)state;
  struct coho__list l;
  coho__list_init(&l);
  assert_true(coho__list_empty(&l));
  fill(&l, 1, 5);
  assert_false(coho__list_empty(&l));
  assert_int_equal(digits(&l), 1234);
}

static void test_remove_twice_is_harmless(void **state) {
  (void)state;
  struct coho__list l;
  fill(&l, 1, 5);
  coho__list_remove(&items[2].node);
  coho__list_remove(&items[2].node);
  assert_int_equal(digits(&l), 134);
  coho__list_remove(&items[1].node);
  coho__list_remove(&items[4].node);
  assert_int_equal(digits(&l), 3);
  coho__list_append(&l, &items[2].node);
  assert_int_equal(digits(&l), 32);
}

static void test_pop_takes_the_first(void **state) {
  (void)state;
  struct coho__list l;
  fill(&l, 1, 3);
  assert_ptr_equal(coho__list_pop(&l), &items[1].node);
  assert_true(coho__list_empty(&items[1].node));
  assert_ptr_equal(coho__list_pop(&l), &items[2].node);
  assert_null(coho__list_pop(&l));
  assert_true(coho__list_empty(&l));
}

static void test_splice(void **state) {
  (void)state;
  struct coho__list a, b;
  fill(&a, 1, 3);
  fill(&b, 3, 6);
  coho__list_splice(&a, &b);
  assert_int_equal(digits(&a), 12345);
  assert_true(coho__list_empty(&b));
  coho__list_splice(&a, &b); /* nothing */
  assert_int_equal(digits(&a), 12345);
  coho__list_splice(&b, &a); /* into an empty one */
  assert_int_equal(digits(&b), 12345);
  assert_true(coho__list_empty(&a));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_of_appending),
      cmocka_unit_test(test_remove_twice_is_harmless),
      cmocka_unit_test(test_pop_takes_the_first),
      cmocka_unit_test(test_splice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
