/* The limits of what a thread shares: what a message may grow to, what is kept afterwards. */
#include "proto/deflate_pool.h"

#include "base/check.h"
#include "proto/deflate_zlib.h"
#include "unit/packable.h"

#include <coho/core.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MIB = 1 << 20, PIECE = 64 * 1024, BOMB = 10 * MIB };

static uint8_t message[BOMB];
static struct coho__view none;

/* ---- an allocator that counts --------------------------------------------------------------- */

static struct { size_t now, peak, calls; } tally;

static void *counting_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  tally.calls++;
  tally.now += new_size - old_size;
  tally.peak = COHO_MAX(tally.peak, tally.now);
  if (new_size) return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

static int count_memory(void **state) {
  (void)state;
  memset(&tally, 0, sizeof tally);
  coho_set_allocator(counting_alloc, NULL);
  return 0;
}

static int nothing_is_left(void **state) {
  (void)state;
  assert_int_equal(tally.now, 0);
  coho_set_allocator(NULL, NULL);
  return 0;
}

/* Packed by one pool, as a copy, which the caller frees. */
static char *packed_copy(struct coho__deflate_pool *pool, size_t len, struct coho__view *packed) {
  assert_true(
      coho__deflate_pool_pack(pool, NULL, 15, (struct coho__view){(char *)message, len}, packed));
  char *copy = (char *)malloc(packed->len);
  assert_non_null(copy);
  memcpy(copy, packed->data, packed->len);
  packed->data = copy;
  return copy;
}

/* ---- the limit ------------------------------------------------------------------------------ */

static void test_TR_08_bomb_takes_the_limit_and_a_piece(void **state) {
  (void)state;
  static const uint64_t limits[] = {1, 1000, 65536, MIB, 4 * MIB};
  struct coho__deflate_pool *pool = coho__deflate_pool_new();
  struct coho__view bomb, m;
  char *copy = packed_copy(pool, BOMB, &bomb);
  assert_in_range(bomb.len, BOMB / 1100, BOMB / 100);
  coho__deflate_pool_free(pool);
  for (int own = 0; own < 2; own++) {
    struct coho__inflater *f = own ? coho__inflater_new(15) : NULL;
    pool = coho__deflate_pool_new();
    /* The states are there, and their window. */
    assert_int_equal(coho__deflate_pool_unpack(pool, f, bomb, 1000, &m), COHO_ETOOBIG);
    for (size_t i = 0; i < COHO_COUNT(limits); i++) {
      if (f) coho__inflater_reset(f);
      size_t before = tally.peak = tally.now;
      assert_int_equal(coho__deflate_pool_unpack(pool, f, bomb, limits[i], &m), COHO_ETOOBIG);
      assert_in_range(tally.peak - before, 0, limits[i] + PIECE);
      assert_in_range(tally.now, 0, before + PIECE);
    }
    coho__deflate_pool_free(pool);
    coho__inflater_free(f);
  }
  free(copy);
}

static int unpack(struct coho__deflate_pool *pool, bool own, struct coho__view packed, uint64_t max,
                  size_t len) {
  struct coho__inflater *f = own ? coho__inflater_new(15) : NULL;
  struct coho__view m = none;
  int err = coho__deflate_pool_unpack(pool, f, packed, max, &m);
  if (!err) assert_int_equal(m.len, len);
  if (!err) assert_memory_equal(m.data, message, len);
  coho__inflater_free(f);
  return err;
}

/* One byte more than the limit is too many, whatever the sizes of the buffers are. */
static void test_limit_is_exact(void **state) {
  (void)state;
  static const size_t lens[] = {10,   63,    64,    65,    4095,  4096,
                                4097, 20000, 65535, 65536, 65537, 300000};
  struct coho__deflate_pool *pool = coho__deflate_pool_new();
  for (size_t kind = 0; kind < 2; kind++) {
    struct dice d = dice_of(kind);
    packable_fill(&d, kind ? PACKABLE_RUNS : PACKABLE_JSON, message, 300000);
    memset(message, 'a', 10);
    for (size_t i = 0; i < COHO_COUNT(lens); i++) {
      struct coho__view packed;
      char *copy = packed_copy(pool, lens[i], &packed);
      for (int own = 0; own < 2; own++) {
        assert_int_equal(unpack(pool, own, packed, lens[i], lens[i]), 0);
        assert_int_equal(unpack(pool, own, packed, lens[i] - 1, lens[i]), COHO_ETOOBIG);
        assert_int_equal(unpack(pool, own, packed, lens[i] / 2, lens[i]), COHO_ETOOBIG);
        assert_int_equal(unpack(pool, own, packed, UINT64_MAX, lens[i]), 0);
        assert_int_equal(unpack(pool, own, packed, 0, lens[i]), COHO_ETOOBIG);
      }
      free(copy);
    }
  }
  assert_int_equal(unpack(pool, false, (struct coho__view){"", 1}, 0, 0), 0); /* an empty message */
  coho__deflate_pool_free(pool);
}

/* ---- what is kept --------------------------------------------------------------------------- */

static void test_large_buffers_are_given_back(void **state) {
  (void)state;
  struct coho__deflate_pool *pool = coho__deflate_pool_new();
  struct coho__view small, large, m;
  packable_fill(&(struct dice){1}, PACKABLE_JSON, message, MIB);
  char *small_copy = packed_copy(pool, 1000, &small), *large_copy = packed_copy(pool, MIB, &large);
  assert_int_equal(coho__deflate_pool_unpack(pool, NULL, small, MIB, &m), 0);
  coho__deflate_pool_trim(pool);
  size_t usual = tally.now;
  assert_int_equal(coho__deflate_pool_unpack(pool, NULL, large, MIB, &m), 0);
  assert_true(tally.now > usual + MIB / 2);
  coho__deflate_pool_trim(pool);
  assert_in_range(tally.now, 0, usual + 2 * PIECE);
  /* The next message does it, too. */
  free(packed_copy(pool, MIB, &m));
  assert_int_equal(coho__deflate_pool_unpack(pool, NULL, large, MIB, &m), 0);
  free(packed_copy(pool, 1000, &m));
  assert_int_equal(coho__deflate_pool_unpack(pool, NULL, small, MIB, &m), 0);
  assert_in_range(tally.now, 0, usual + 2 * PIECE);
  free(small_copy);
  free(large_copy);
  coho__deflate_pool_free(pool);
}

static void test_an_unused_pool_is_small(void **state) {
  (void)state;
  struct coho__deflate_pool *pool = coho__deflate_pool_new();
  assert_in_range(tally.now, 1, 1024);
  coho__deflate_pool_free(pool);
  coho__deflate_pool_free(NULL);
}

#ifndef COHO_HARD
/* Messages up to 64 KiB, packed and unpacked, whole and in pieces, take no memory after the first. */
static void test_no_allocation_once_warm(void **state) {
  (void)state;
  struct coho__deflate_pool *pool = coho__deflate_pool_new();
  size_t before = 0;
  for (int round = 0; round < 4; round++) {
    struct dice d = {1};
    for (int i = 0; i < 100; i++) {
      struct coho__view packed, m;
      size_t len = 100 + dice(&d, 60000) / (1 + dice(&d, 100));
      packable_fill(&d, (enum packable)dice(&d, PACKABLE_KINDS), message, len);
      if (coho__deflate_pool_pack(pool, NULL, 15, (struct coho__view){(char *)message, len},
                                  &packed))
        assert_int_equal(coho__deflate_pool_unpack(pool, NULL, packed, MIB, &m), 0);
      coho__deflate_pool_return(pool, coho__deflate_pool_borrow(pool));
    }
    if (round == 0) before = tally.calls;
  }
  assert_int_equal(tally.calls, before);
  coho__deflate_pool_free(pool);
}
#endif

/* ---- states for messages in pieces ------------------------------------------------------------ */

static void test_borrowed_states_come_back_clean(void **state) {
  (void)state;
  static const uint8_t half[] = {0xf2, 0x48, 0xcd}, hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0};
  struct coho__deflate_pool *pool = coho__deflate_pool_new();
  struct coho__inflater *f[10];
  char text[100];
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < COHO_COUNT(f); i++) {
      const uint8_t *data = hello;
      size_t len = sizeof hello;
      f[i] = coho__deflate_pool_borrow(pool);
      assert_non_null(f[i]);
      assert_int_equal(coho__inflater_run(f[i], &data, &len, text, sizeof text), 5);
      assert_int_equal(coho__inflater_end(f[i]), 0);
      data = half;
      len = sizeof half;
      assert_true(coho__inflater_run(f[i], &data, &len, text, sizeof text) >= 0);
    }
    for (size_t i = 0; i < COHO_COUNT(f); i++)
      coho__deflate_pool_return(pool, f[i]);
    assert_in_range(tally.now, 1, 4 * coho__inflater_size(15) + 1024);
  }
  coho__deflate_pool_free(pool);
}

/* ---- sizes and memory of a state --------------------------------------------------------------- */

static void test_inflater_size_is_what_it_takes(void **state) {
  (void)state;
  static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0};
  char text[100];
  for (unsigned window = 8; window <= 15; window++) {
    const uint8_t *data = hello;
    size_t len = sizeof hello;
    struct coho__inflater *f = coho__inflater_new(window);
    assert_int_equal(coho__inflater_run(f, &data, &len, text, sizeof text), 5);
    assert_int_equal(tally.now, coho__inflater_size(window));
    coho__inflater_free(f);
  }
  coho__inflater_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count_memory, nothing_is_left)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_TR_08_bomb_takes_the_limit_and_a_piece),
      TEST(test_limit_is_exact),
      TEST(test_large_buffers_are_given_back),
      TEST(test_an_unused_pool_is_small),
#ifndef COHO_HARD
      TEST(test_no_allocation_once_warm),
#endif
      TEST(test_borrowed_states_come_back_clean),
      TEST(test_inflater_size_is_what_it_takes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
