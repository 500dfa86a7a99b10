#define _GNU_SOURCE /* MAP_ANONYMOUS */
/* Compressors, zlib's and the fast one, against zlib's decompressor at exactly the agreed window. */
#include "proto/deflater.h"

#include "base/check.h"
#include "proto/deflate_isal.h"
#include "proto/deflate_zlib.h"
#include "support/alloc_fail.h"
#include "unit/packable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 70000 };

static uint8_t message[MOST], packed[MOST + COHO_DEFLATE_TAIL];

/* A length with many small ones and all orders of magnitude. */
static size_t any_length(struct dice *d) {
  size_t len = 1 + (size_t)dice(d, 1U << dice(d, 17));
  return COHO_MIN(len, (size_t)MOST);
}

static enum packable any_kind(struct dice *d) { return (enum packable)dice(d, PACKABLE_KINDS); }

/* ---- zlib's ---------------------------------------------------------------------------------- */

/* Messages that refer to each other; some of them do not shrink, some are forgotten. */
static void talk(struct dice *d, struct coho__deflater *deflater, struct reference *reference) {
  for (int i = 0; i < 12; i++) {
    size_t len = any_length(d);
    packable_fill(d, any_kind(d), message, len);
    size_t n = coho__deflater_run(deflater, message, len, packed);
    assert_true(n < len);
    if (n == 0) continue;
    if (dice(d, 8) == 0)
      coho__deflater_reset(deflater); /* it was not sent */
    else
      assert_true(reference_means(reference, packed, n, message, len));
  }
}

static void test_PD_06_references_stay_in_the_window(void **state) {
  (void)state;
  struct dice d = dice_of(7692);
  for (unsigned window = 8; window <= 15; window++) {
    for (unsigned round = 0; round < 40; round++) {
      unsigned memory = 1 + dice(&d, 9), level = 1 + dice(&d, 9);
      struct coho__deflater *deflater = coho__deflater_new(window, memory, level);
      struct reference *reference = reference_new(window);
      talk(&d, deflater, reference);
      reference_free(reference);
      coho__deflater_free(deflater);
    }
  }
}

/* The window is used: what is 2^window back at most, and not nearer, is found again. */
static void test_window_is_used(void **state) {
  (void)state;
  struct dice d = dice_of(1951);
  for (unsigned window = 9; window <= 15; window++) {
    struct coho__deflater *deflater = coho__deflater_new(window, 8, 6);
    size_t half = ((size_t)1 << window) - 300;
    packable_fill(&d, PACKABLE_NOISE, message, half);
    memcpy(message + half, message, half);
    assert_in_range(coho__deflater_run(deflater, message, 2 * half, packed), half, half + half / 4);
    coho__deflater_free(deflater);
  }
}

static void test_PD_04_PD_05_context_lasts_until_it_is_reset(void **state) {
  (void)state;
  struct dice d = dice_of(4);
  struct coho__deflater *deflater = coho__deflater_new(15, 8, 6);
  struct reference *reference = reference_new(15);
  packable_fill(&d, PACKABLE_JSON, message, 1000);
  size_t fresh = coho__deflater_run(deflater, message, 1000, packed);
  assert_true(reference_means(reference, packed, fresh, message, 1000));
  size_t known = coho__deflater_run(deflater, message, 1000, packed);
  assert_in_range(known, 1, 20);
  assert_true(reference_means(reference, packed, known, message, 1000));
  coho__deflater_reset(deflater);
  assert_int_equal(coho__deflater_run(deflater, message, 1000, packed), fresh);
  reference_reset(reference); /* nothing before it is needed */
  assert_true(reference_means(reference, packed, fresh, message, 1000));
  reference_free(reference);
  coho__deflater_free(deflater);
}

/* What does not shrink takes no more room than it was given, and leaves no trace in the context. */
static void test_noise_is_refused_and_forgotten(void **state) {
  (void)state;
  struct dice d = dice_of(5);
  struct coho__deflater *deflater = coho__deflater_new(12, 5, 6);
  for (size_t len = 1; len < 40000; len = len * 5 / 4 + 1) {
    uint8_t *dst = (uint8_t *)malloc(len + COHO_DEFLATE_TAIL);
    packable_fill(&d, PACKABLE_NOISE, message, len);
    assert_int_equal(coho__deflater_run(deflater, message, len, dst), 0);
    assert_int_equal(coho__deflater_run(deflater, message, len, dst), 0);
    free(dst);
  }
  coho__deflater_free(deflater);
}

static void test_size_is_what_it_takes(void **state) {
  (void)state;
  packable_fill(&(struct dice){1}, PACKABLE_JSON, message, 5000);
  for (unsigned window = 8; window <= 15; window++) {
    for (unsigned memory = 1; memory <= 9; memory++) {
      struct coho__deflater *d = coho__deflater_new(window, memory, 6);
      assert_int_equal(alloc_live(), coho__deflater_size(window, memory));
      coho__deflater_run(d, message, 5000, packed);
      assert_int_equal(alloc_live(), coho__deflater_size(window, memory));
      coho__deflater_free(d);
      alloc_assert_none_live();
    }
  }
  /* 4 * 2^window + 512 * 2^memory, and the rest is small. */
  assert_in_range(coho__deflater_size(12, 5), 16384 + 16384, 16384 + 16384 + 6200);
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    struct coho__deflater *d = coho__deflater_new(15, 8, 1);
    assert_true(alloc_failed() == !d);
    coho__deflater_free(d);
    alloc_assert_none_live();
    if (d) break;
  }
  alloc_fail_at(0);
}

/* ---- the fast one ---------------------------------------------------------------------------- */

#ifdef COHO_ISAL

static void test_PD_04_PD_06_fast_one_stays_in_window_and_message(void **state) {
  (void)state;
  struct dice d = dice_of(2300);
  struct coho__isal *s = coho__isal_new();
  for (unsigned window = 8; window <= 15; window++) {
    struct reference *reference = reference_new(window);
    for (int round = 0; round < 300; round++) {
      size_t len = any_length(&d);
      packable_fill(&d, any_kind(&d), message, len);
      size_t n = coho__isal_run(s, window, message, len, packed);
      assert_true(n < len);
      reference_reset(reference);
      if (n) assert_true(reference_means(reference, packed, n, message, len));
    }
    reference_free(reference);
  }
  coho__isal_free(s);
}

/* It shrinks about as much as zlib does, so that what is said of one holds for the other. */
static void test_fast_one_is_as_good(void **state) {
  (void)state;
  struct dice d = dice_of(6);
  struct coho__isal *s = coho__isal_new();
  struct coho__deflater *deflater = coho__deflater_new(15, 8, 1);
  for (size_t len = 256; len < MOST; len *= 2) {
    packable_fill(&d, PACKABLE_JSON, message, len);
    coho__deflater_reset(deflater);
    size_t usual = coho__deflater_run(deflater, message, len, packed);
    size_t fast = coho__isal_run(s, 15, message, len, packed);
    assert_in_range(fast, 1, usual + usual / 8);
  }
  coho__deflater_free(deflater);
  coho__isal_free(s);
}

/* A block of so many bytes that ends where memory ends. */
static uint8_t *guarded(size_t len, void **pages, size_t *size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t use = (len + page - 1) / page * page;
  *size = use + page;
  *pages = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(*pages, MAP_FAILED);
  assert_int_equal(mprotect((uint8_t *)*pages + use, page, PROT_NONE), 0);
  return (uint8_t *)*pages + use - len;
}

/* It is not compiled by us, so no sanitizer sees into it. */
static void test_fast_one_stays_in_its_buffers(void **state) {
  (void)state;
  struct dice d = dice_of(8);
  struct coho__isal *s = coho__isal_new();
  for (int round = 0; round < 600; round++) {
    void *in_pages, *out_pages;
    size_t in_size, out_size, len = any_length(&d);
    uint8_t *in = guarded(len, &in_pages, &in_size);
    uint8_t *out = guarded(len + COHO_DEFLATE_TAIL, &out_pages, &out_size);
    packable_fill(&d, any_kind(&d), in, len);
    assert_true(coho__isal_run(s, 8 + dice(&d, 8), in, len, out) < len);
    munmap(in_pages, in_size);
    munmap(out_pages, out_size);
  }
  coho__isal_free(s);
}

#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_PD_06_references_stay_in_the_window),
      cmocka_unit_test(test_window_is_used),
      cmocka_unit_test(test_PD_04_PD_05_context_lasts_until_it_is_reset),
      cmocka_unit_test(test_noise_is_refused_and_forgotten),
      cmocka_unit_test(test_size_is_what_it_takes),
      cmocka_unit_test(test_out_of_memory),
#ifdef COHO_ISAL
      cmocka_unit_test(test_PD_04_PD_06_fast_one_stays_in_window_and_message),
      cmocka_unit_test(test_fast_one_is_as_good),
      cmocka_unit_test(test_fast_one_stays_in_its_buffers),
#endif
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
