#include "base/outq.h"

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

/* What waits, as one string; the queue stays as it is. */
static size_t content(const struct coho__outq *q, char *out) {
  struct iovec iov[512];
  size_t n = 0;
  int count = coho__outq_iov(q, iov, 512);
  for (int i = 0; i < count; i++) {
    memcpy(out + n, iov[i].iov_base, iov[i].iov_len);
    n += iov[i].iov_len;
  }
  return n;
}

static void expect(const struct coho__outq *q, const char *text) {
  char out[4096];
  coho__outq_check(q);
  assert_int_equal(q->bytes, strlen(text));
  assert_int_equal(content(q, out), strlen(text));
  assert_memory_equal(out, text, strlen(text));
}

static struct coho__chunk *chunk_of(const char *text) {
  size_t len = strlen(text);
  struct coho__chunk *c = coho__chunk_new(len + 100);
  memcpy(c->data, text, len);
  c->len = len;
  return c;
}

static void test_small_copies_share_a_chunk(void **state) {
  (void)state;
  struct coho__outq q;
  coho__outq_init(&q);
  alloc_fail_at(0);
  assert_int_equal(coho__outq_copy(&q, "ab", 2), 0);
  assert_int_equal(coho__outq_copy2(&q, "cd", 2, "ef", 2), 0);
  assert_int_equal(coho__outq_copy2(&q, NULL, 0, "g", 1), 0);
  expect(&q, "abcdefg");
  assert_int_equal(q.count, 1);
  assert_int_equal(alloc_calls(), 2); /* a chunk and the ring */
  coho__outq_free(&q);
}

static void test_nothing_is_no_slice(void **state) {
  (void)state;
  struct coho__outq q, empty;
  struct coho__chunk *c = chunk_of("abc");
  coho__outq_init(&q);
  coho__outq_init(&empty);
  assert_int_equal(coho__outq_copy(&q, NULL, 0), 0);
  assert_int_equal(coho__outq_share(&q, c, 3, 0), 0);
  assert_int_equal(coho__outq_splice(&q, &empty), 0);
  coho__outq_sent(&q, 0);
  expect(&q, "");
  assert_int_equal(coho__outq_iov(&q, NULL, 4), 0);
  coho__chunk_unref(c);
}

/* The peer that never catches up: the chunk is used to its end, also after a part was sent. */
static void test_copies_go_on_behind_a_partly_sent_slice(void **state) {
  (void)state;
  struct coho__outq q;
  coho__outq_init(&q);
  assert_int_equal(coho__outq_copy(&q, "abcd", 4), 0);
  coho__outq_sent(&q, 3);
  assert_int_equal(coho__outq_copy(&q, "ef", 2), 0);
  expect(&q, "def");
  assert_int_equal(q.count, 1);
  coho__outq_free(&q);
}

static void test_shared_chunks_are_never_written_to(void **state) {
  (void)state;
  struct coho__outq q, other;
  struct coho__chunk *c = chunk_of("shared");
  coho__outq_init(&q);
  coho__outq_init(&other);
  assert_int_equal(coho__outq_share(&q, c, 0, 6), 0);
  assert_int_equal(coho__outq_share(&other, c, 2, 4), 0);
  coho__chunk_unref(c);
  assert_int_equal(coho__outq_copy(&q, "own", 3), 0); /* c has room */
  expect(&q, "sharedown");
  expect(&other, "ared");
  assert_int_equal(c->len, 6);
  coho__outq_free(&q);
  expect(&other, "ared");
  /* Ours alone by now, but for its front, which went out by the other queue. */
  assert_int_equal(coho__outq_copy(&other, "!", 1), 0);
  expect(&other, "ared!");
  coho__outq_free(&other);
}

/* A slice that ends before its chunk does: behind it lie bytes of somebody else. */
static void test_copy_does_not_overwrite_the_rest_of_a_chunk(void **state) {
  (void)state;
  struct coho__outq q;
  struct coho__chunk *c = chunk_of("abcdef");
  coho__outq_init(&q);
  assert_int_equal(coho__outq_share(&q, c, 0, 3), 0);
  coho__chunk_unref(c);
  assert_int_equal(coho__outq_copy(&q, "xyz", 3), 0);
  expect(&q, "abcxyz");
  assert_int_equal(q.count, 2);
  coho__outq_free(&q);
}

static void test_large_copy_gets_an_exact_chunk(void **state) {
  (void)state;
  static char large[100000];
  struct coho__outq q;
  coho__outq_init(&q);
  assert_int_equal(coho__outq_copy(&q, large, sizeof large), 0);
  assert_int_equal(q.count, 1);
  assert_true(alloc_live() < sizeof large + 1000);
  coho__outq_free(&q);
}

/* Whatever the size of the messages, a queue holds little more than twice what waits; with chunks
   of 64 bytes their heads and slices count. */
#ifdef COHO_HARD
enum { MEMORY_FACTOR = 6 };
#else
enum { MEMORY_FACTOR = 2 };
#endif

static void test_memory_follows_the_bytes(void **state) {
  (void)state;
  static const char text[9000] = "";
  static const size_t sizes[] = {1, 20, 125, 1000, 1025, 9000};
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    struct coho__outq q;
    coho__outq_init(&q);
    while (q.bytes < 200000) {
      assert_int_equal(coho__outq_copy(&q, text, sizes[i]), 0);
      assert_in_range(alloc_live(), q.bytes, MEMORY_FACTOR * q.bytes + 2048);
    }
    coho__outq_free(&q);
  }
}

static void test_memory_is_given_back(void **state) {
  (void)state;
  struct coho__outq q;
  struct coho__chunk *c = chunk_of("x");
  coho__outq_init(&q);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(coho__outq_share(&q, c, 0, 1), 0);
  coho__outq_sent(&q, 999);
  expect(&q, "x");
  coho__chunk_unref(c);
  coho__outq_sent(&q, 1);
  expect(&q, "");
  assert_int_equal(alloc_live(), 0);
  assert_int_equal(coho__outq_copy(&q, "again", 5), 0);
  expect(&q, "again");
  coho__outq_free(&q);
}

static void test_splice(void **state) {
  (void)state;
  struct coho__outq q, src;
  struct coho__chunk *c = chunk_of("12");
  coho__outq_init(&q);
  coho__outq_init(&src);
  assert_int_equal(coho__outq_copy(&src, "ab", 2), 0);
  assert_int_equal(coho__outq_splice(&q, &src), 0); /* into an empty one */
  expect(&q, "ab");
  expect(&src, "");
  assert_int_equal(coho__outq_share(&q, c, 0, 1), 0);
  assert_int_equal(coho__outq_share(&src, c, 1, 1), 0);
  for (int i = 0; i < 20; i++)
    assert_int_equal(coho__outq_share(&src, c, 0, 1), 0);
  assert_int_equal(coho__outq_splice(&q, &src), 0);
  expect(&q, "ab12"
             "11111111111111111111");
  expect(&src, "");
  coho__chunk_unref(c);
  coho__outq_free(&q);
}

static void test_iov_takes_the_first_places(void **state) {
  (void)state;
  struct coho__outq q;
  struct iovec iov[2];
  struct coho__chunk *c = chunk_of("abc");
  coho__outq_init(&q);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(coho__outq_share(&q, c, i, 1), 0);
  assert_int_equal(coho__outq_iov(&q, iov, 2), 2);
  assert_memory_equal(iov[0].iov_base, "a", 1);
  assert_memory_equal(iov[1].iov_base, "b", 1);
  coho__outq_free(&q);
  coho__chunk_unref(c);
}

static void test_out_of_memory_takes_nothing(void **state) {
  (void)state;
  static char large[50000];
  struct coho__outq q, src;
  struct coho__chunk *c = chunk_of("s");
  coho__outq_init(&q);
  coho__outq_init(&src);
  for (long i = 1; i <= 2; i++) { /* the chunk; the ring */
    alloc_fail_at(i);
    assert_int_equal(coho__outq_copy(&q, "ab", 2), COHO_ENOMEM);
    expect(&q, "");
  }
  alloc_fail_at(1);
  assert_int_equal(coho__outq_share(&q, c, 0, 1), COHO_ENOMEM);
  assert_int_equal(c->refs, 1);
  assert_int_equal(coho__outq_copy(&q, "ab", 2), 0);
  alloc_fail_at(1);
  assert_int_equal(coho__outq_copy2(&q, "cd", 2, large, sizeof large), COHO_ENOMEM);
  expect(&q, "ab"); /* nor did "cd" go into the first chunk */
  for (int i = 0; i < 20; i++)
    assert_int_equal(coho__outq_share(&src, c, 0, 1), 0);
  alloc_fail_at(1);
  assert_int_equal(coho__outq_splice(&q, &src), COHO_ENOMEM);
  expect(&q, "ab");
  expect(&src, "ssssssssssssssssssss");
  coho__outq_free(&q);
  coho__outq_free(&src);
  coho__chunk_unref(c);
}

enum { MODEL_MAX = 40000 };

/* One of two queues, and the bytes that should be in it. */
struct model {
  struct coho__outq q;
  char bytes[MODEL_MAX];
  size_t len;
};

static void add(struct model *m, struct dice *d, struct coho__chunk *shared) {
  char piece[3000];
  size_t n = dice(d, 8) == 0 ? dice(d, sizeof piece) : dice(d, 40);
  size_t cut = dice(d, (uint32_t)n + 1);
  if (m->len + n > MODEL_MAX) return;
  for (size_t i = 0; i < n; i++)
    piece[i] = (char)dice_any(d);
  if (dice(d, 3) == 0) {
    size_t offset = dice(d, (uint32_t)shared->len);
    n = COHO_MIN(n, shared->len - offset);
    memcpy(piece, shared->data + offset, n);
    assert_int_equal(coho__outq_share(&m->q, shared, offset, n), 0);
  } else {
    assert_int_equal(coho__outq_copy2(&m->q, piece, cut, piece + cut, n - cut), 0);
  }
  memcpy(m->bytes + m->len, piece, n);
  m->len += n;
}

static void send_some(struct model *m, struct dice *d) {
  size_t n = dice(d, dice(d, 4) == 0 ? (uint32_t)m->len + 1 : 100);
  n = COHO_MIN(n, m->len);
  coho__outq_sent(&m->q, n);
  m->len -= n;
  memmove(m->bytes, m->bytes + n, m->len);
}

static void compare(const struct model *m) {
  struct iovec iov[16];
  size_t at = 0;
  coho__outq_check(&m->q);
  assert_int_equal(m->q.bytes, m->len);
  int n = coho__outq_iov(&m->q, iov, 16);
  for (int i = 0; i < n; i++) {
    assert_memory_equal(iov[i].iov_base, m->bytes + at, iov[i].iov_len);
    at += iov[i].iov_len;
  }
}

static void test_random_steps(void **state) {
  (void)state;
  static struct model a, b;
  struct dice d = dice_of(20111211);
  struct coho__chunk *shared = chunk_of("the bytes that every subscriber gets");
  coho__outq_init(&a.q);
  coho__outq_init(&b.q);
  for (int step = 0; step < 30000; step++) {
    struct model *m = dice(&d, 2) == 0 ? &a : &b;
    uint32_t what = dice(&d, 40);
    if (what == 0 && a.len + b.len <= MODEL_MAX) {
      assert_int_equal(coho__outq_splice(&a.q, &b.q), 0);
      memcpy(a.bytes + a.len, b.bytes, b.len);
      a.len += b.len;
      b.len = 0;
    } else if (what < 20) {
      send_some(m, &d);
    } else {
      add(m, &d, shared);
    }
    compare(&a);
    compare(&b);
  }
  coho__outq_free(&a.q);
  coho__outq_free(&b.q);
  coho__chunk_unref(shared);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_small_copies_share_a_chunk),
      TEST(test_nothing_is_no_slice),
      TEST(test_copies_go_on_behind_a_partly_sent_slice),
      TEST(test_shared_chunks_are_never_written_to),
      TEST(test_copy_does_not_overwrite_the_rest_of_a_chunk),
      TEST(test_large_copy_gets_an_exact_chunk),
      TEST(test_memory_follows_the_bytes),
      TEST(test_memory_is_given_back),
      TEST(test_splice),
      TEST(test_iov_takes_the_first_places),
      TEST(test_out_of_memory_takes_nothing),
      TEST(test_random_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
