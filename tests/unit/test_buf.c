#include "base/buf.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const struct coho__buf *b, const char *text) {
  coho__buf_check(b);
  assert_int_equal(b->len, strlen(text));
  assert_memory_equal(b->data, text, b->len);
}

static void test_empty_owns_nothing(void **state) {
  (void)state;
  struct coho__buf b;
  coho__buf_init(&b, 100);
  assert_int_equal(coho__buf_append(&b, NULL, 0), 0);
  assert_int_equal(alloc_live(), 0);
  assert_int_equal(coho__buf_append_str(&b, "abc"), 0);
  coho__buf_release(&b);
  coho__buf_check(&b);
  assert_int_equal(alloc_live(), 0);
  assert_int_equal(b.max, 100);
  assert_int_equal(coho__buf_append_str(&b, "again"), 0);
  expect(&b, "again");
  coho__buf_release(&b);
}

static void test_cap_is_never_passed(void **state) {
  (void)state;
  struct coho__buf b = COHO_BUF(10);
  assert_int_equal(coho__buf_append_str(&b, "0123456"), 0);
  assert_int_equal(coho__buf_append_str(&b, "789a"), COHO_EFULL);
  expect(&b, "0123456");
  assert_null(coho__buf_reserve(&b, 4));
  assert_null(coho__buf_reserve(&b, SIZE_MAX));
  assert_non_null(coho__buf_reserve(&b, 3));
  assert_int_equal(coho__buf_append_str(&b, "789"), 0);
  expect(&b, "0123456789");
  assert_int_equal(alloc_live(), 10);
  coho__buf_release(&b);
  b = COHO_BUF(0);
  assert_int_equal(coho__buf_append_str(&b, "x"), COHO_EFULL);
}

static void test_reserve_gives_room_without_length(void **state) {
  (void)state;
  struct coho__buf b = COHO_BUF(SIZE_MAX);
  assert_non_null(coho__buf_reserve(&b, 0));
  char *p = coho__buf_reserve(&b, 1000);
  memset(p, 'x', 1000);
  assert_int_equal(b.len, 0);
  assert_true(b.cap >= 1000);
  b.len = 1000;
  assert_ptr_equal(coho__buf_reserve(&b, 0), b.data + 1000);
  coho__buf_check(&b);
  coho__buf_release(&b);
}

/* A buffer that grows byte by byte is moved a logarithmic number of times. */
static void test_growth_doubles(void **state) {
  (void)state;
  struct coho__buf b = COHO_BUF(1 << 20);
  alloc_fail_at(0);
  for (int i = 0; i < 1 << 20; i++)
    assert_int_equal(coho__buf_append(&b, "x", 1), 0);
  assert_true(alloc_calls() <= 21);
  coho__buf_release(&b);
}

static void test_out_of_memory_changes_nothing(void **state) {
  (void)state;
  struct coho__buf b = COHO_BUF(10000);
  assert_int_equal(coho__buf_append_str(&b, "kept"), 0);
  alloc_fail_at(1);
  assert_null(coho__buf_reserve(&b, 5000));
  alloc_fail_at(1);
  assert_int_equal(coho__buf_printf(&b, "%5000d", 1), COHO_ENOMEM);
  expect(&b, "kept");
  alloc_fail_at(0);
  coho__buf_release(&b);
}

static void test_printf(void **state) {
  (void)state;
  struct coho__buf b = COHO_BUF(200);
  assert_int_equal(coho__buf_printf(&b, "%s", ""), 0);
  expect(&b, "");
  assert_int_equal(coho__buf_printf(&b, "%s %d", "HTTP/1.1", 101), 0);
  expect(&b, "HTTP/1.1 101");
  assert_int_equal(coho__buf_printf(&b, "%150s", "|"), 0);
  assert_int_equal(b.len, 162);
  assert_int_equal(coho__buf_printf(&b, "%38s", "|"), COHO_EFULL);
  assert_int_equal(b.len, 162);
  assert_int_equal(coho__buf_printf(&b, "%37s", "|"), 0);
  assert_int_equal(b.len, 199);
  coho__buf_release(&b);
}

/* Also when the text ends where the memory ends. */
static void test_printf_of_every_length(void **state) {
  (void)state;
  for (int n = 1; n < 300; n++) {
    struct coho__buf b = COHO_BUF(1000);
    char text[301];
    memset(text, 'x', sizeof text);
    text[n] = '\0';
    assert_int_equal(coho__buf_append_str(&b, "ab"), 0);
    assert_int_equal(coho__buf_printf(&b, "%s", text), 0);
    coho__buf_consume(&b, 2);
    expect(&b, text);
    coho__buf_release(&b);
  }
}

static void test_consume(void **state) {
  (void)state;
  struct coho__buf b = COHO_BUF(100);
  coho__buf_consume(&b, 0);
  assert_int_equal(coho__buf_append_str(&b, "abcdef"), 0);
  coho__buf_consume(&b, 2);
  expect(&b, "cdef");
  coho__buf_consume(&b, 4);
  expect(&b, "");
  coho__buf_release(&b);
}

/* Against a plain array. */
static void test_random_steps(void **state) {
  (void)state;
  enum { MAX = 3000 };
  struct coho__buf b = COHO_BUF(MAX);
  struct dice d = dice_of(6455);
  char model[MAX], piece[600];
  size_t len = 0;
  for (int step = 0; step < 20000; step++) {
    size_t n = dice(&d, sizeof piece);
    if (dice(&d, 2) == 0) {
      memset(piece, 'a' + step % 26, n);
      int err = coho__buf_append(&b, piece, n);
      assert_int_equal(err, n > MAX - len ? COHO_EFULL : 0);
      if (err == 0) {
        memcpy(model + len, piece, n);
        len += n;
      }
    } else {
      n = COHO_MIN(n, len);
      coho__buf_consume(&b, n);
      len -= n;
      memmove(model, model + n, len);
    }
    if (dice(&d, 500) == 0) {
      coho__buf_release(&b);
      len = 0;
    }
    coho__buf_check(&b);
    assert_int_equal(b.len, len);
    if (len > 0) assert_memory_equal(b.data, model, len);
  }
  coho__buf_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_empty_owns_nothing),
      TEST(test_cap_is_never_passed),
      TEST(test_reserve_gives_room_without_length),
      TEST(test_growth_doubles),
      TEST(test_out_of_memory_changes_nothing),
      TEST(test_printf),
      TEST(test_printf_of_every_length),
      TEST(test_consume),
      TEST(test_random_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
