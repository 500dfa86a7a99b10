/* A message framed once for many: who shares a compressed frame, and who must not. */
#include "ws/framed.h"

#include "base/check.h"
#include "proto/frame.h"
#include "support/alloc_fail.h"
#include "support/zip.h"
#include "unit/packable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LEN = 20000, WINDOW_MIN = 8, WINDOW_MAX = 15, WINDOWS = WINDOW_MAX - WINDOW_MIN + 1 };

static struct coho__deflate_pool *pool;
static uint8_t message[LEN];

static const coho_deflate conf = {.mode = COHO_DEFLATE_SHARED,
                                  .window = WINDOW_MAX,
                                  .peer_window = WINDOW_MAX,
                                  .memory = 5,
                                  .level = 6,
                                  .min_size = 1};

/* ---- helpers -------------------------------------------------------------------------------- */

/* A server's side of a connection that agreed on this window for what it sends. */
static struct coho__permessage *codec(unsigned window, bool own) {
  struct coho__deflate_terms terms = {.agreed = true,
                                      .server_no_context = !own,
                                      .client_no_context = true,
                                      .server_window = (uint8_t)window,
                                      .client_window = WINDOW_MAX,
                                      .own_sends = own};
  struct coho__permessage *p = coho__permessage_new(pool, COHO_SERVER, &terms, &conf);
  assert_non_null(p);
  return p;
}

static struct coho__framed *framed(size_t len, uint32_t flags) {
  coho_msg m = coho_binary(message, len);
  m.flags = flags;
  struct coho__framed *f = coho__framed_new(&m);
  assert_non_null(f);
  return f;
}

static const uint8_t *payload(const struct coho__chunk *chunk, struct coho__frame *f) {
  const struct coho__frame_rules rules = {.masked = false, .rsv1 = true};
  int n = coho__frame_read(f, (const uint8_t *)chunk->data, chunk->len, rules);
  assert_true(n > 0);
  assert_int_equal(f->len, chunk->len - (size_t)n);
  assert_int_equal(f->opcode, COHO_BINARY);
  assert_true(f->fin);
  return (const uint8_t *)chunk->data + n;
}

static bool compressed(const struct coho__chunk *chunk) {
  struct coho__frame f;
  (void)payload(chunk, &f);
  return f.rsv1;
}

/* Whether a peer with exactly this window, and no context, reads the message in it. */
static bool readable(const struct coho__chunk *chunk, unsigned window) {
  struct coho__frame f;
  const uint8_t *data = payload(chunk, &f);
  struct zip *z = zip_new(WINDOW_MAX, 8, window);
  size_t len;
  const char *got = zip_unpack(z, data, (size_t)f.len, &len);
  bool right = got && len == LEN && memcmp(got, message, LEN) == 0;
  zip_free(z);
  return right;
}

/* ---- the keys ------------------------------------------------------------------------------- */

static void test_PD_06_keys_are_one_for_each_window(void **state) {
  (void)state;
  bool taken[COHO_SHARE_KEYS + 1] = {false};
  assert_int_equal(WINDOWS, COHO_SHARE_KEYS);
  for (unsigned window = WINDOW_MIN; window <= WINDOW_MAX; window++) {
    struct coho__permessage *p = codec(window, false), *own = codec(window, true);
    unsigned key = coho__permessage_share_key(p);
    assert_in_range(key, 1, COHO_SHARE_KEYS);
    assert_false(taken[key]);
    taken[key] = true;
    assert_int_equal(coho__permessage_share_key(own), 0);
    coho__permessage_free(own);
    coho__permessage_free(p);
  }
}

/* ---- sharing -------------------------------------------------------------------------------- */

static void test_PD_06_each_window_has_a_frame_of_its_own(void **state) {
  (void)state;
  struct coho__permessage *p[WINDOWS], *same[WINDOWS];
  const struct coho__chunk *chunks[WINDOWS];
  struct coho__framed *f = framed(LEN, 0);
  for (unsigned i = 0; i < WINDOWS; i++) {
    p[i] = codec(WINDOW_MIN + i, false);
    same[i] = codec(WINDOW_MIN + i, false);
    chunks[i] = coho__framed_chunk(f, p[i], 1);
    assert_true(compressed(chunks[i]));
    assert_true(readable(chunks[i], WINDOW_MIN + i));
    for (unsigned k = 0; k < i; k++)
      assert_ptr_not_equal(chunks[k], chunks[i]);
  }
  /* The largest is not for the smallest: the frames do differ in what they ask of the peer. */
  assert_false(readable(chunks[WINDOWS - 1], WINDOW_MIN));
  /* Later ones find them all, and nothing is compressed again. */
  alloc_fail_at(0);
  for (unsigned i = 0; i < WINDOWS; i++) {
    assert_ptr_equal(coho__framed_chunk(f, same[i], 1), chunks[i]);
    assert_ptr_equal(coho__framed_chunk(f, p[i], 1), chunks[i]);
  }
  assert_int_equal(alloc_calls(), 0);
  for (unsigned i = 0; i < WINDOWS; i++) {
    coho__permessage_free(p[i]);
    coho__permessage_free(same[i]);
  }
  coho__framed_free(f);
}

static void test_a_context_of_its_own_is_not_shared(void **state) {
  (void)state;
  struct coho__permessage *own = codec(12, true);
  struct coho__framed *f = framed(LEN, 0);
  assert_null(coho__framed_chunk(f, own, 1));
  coho__permessage_free(own);
  coho__framed_free(f);
}

static void test_PM_05_who_has_no_compression_gets_the_plain_frame(void **state) {
  (void)state;
  struct coho__permessage *p = codec(15, false);
  struct coho__framed *f = framed(LEN, 0);
  struct coho__chunk *packed = coho__framed_chunk(f, p, 1);
  struct coho__chunk *plain = coho__framed_chunk(f, NULL, 1);
  struct coho__frame head;
  assert_true(compressed(packed));
  assert_memory_equal(payload(plain, &head), message, LEN);
  assert_false(head.rsv1);
  assert_int_equal(plain->len, coho__framed_size(f));
  coho__permessage_free(p);
  coho__framed_free(f);
}

/* The plain frame does for all of these, whoever they are for. */
static void test_what_is_not_compressed_at_all(void **state) {
  (void)state;
  struct coho__permessage *p = codec(15, false), *own = codec(15, true);
  const struct {
    size_t len;
    uint32_t flags;
    size_t min_size;
  } cases[] = {{LEN, COHO_PLAIN, 1}, {255, 0, 256}, {0, 0, 1}};
  for (size_t i = 0; i < COHO_COUNT(cases); i++) {
    struct coho__framed *f = framed(cases[i].len, cases[i].flags);
    struct coho__chunk *plain = coho__framed_chunk(f, NULL, cases[i].min_size);
    assert_false(compressed(plain));
    assert_ptr_equal(coho__framed_chunk(f, p, cases[i].min_size), plain);
    assert_ptr_equal(coho__framed_chunk(f, own, cases[i].min_size), plain);
    coho__framed_free(f);
  }
  coho__permessage_free(own);
  coho__permessage_free(p);
}

static void test_noise_stays_plain(void **state) {
  (void)state;
  struct coho__permessage *p = codec(15, false), *same = codec(15, false);
  packable_fill(&(struct dice){7}, PACKABLE_NOISE, message, LEN);
  struct coho__framed *f = framed(LEN, 0);
  struct coho__chunk *chunk = coho__framed_chunk(f, p, 1);
  assert_ptr_equal(chunk, coho__framed_chunk(f, NULL, 1));
  alloc_fail_at(0);
  assert_ptr_equal(coho__framed_chunk(f, same, 1), chunk);
  assert_int_equal(alloc_calls(), 0);
  coho__permessage_free(p);
  coho__permessage_free(same);
  coho__framed_free(f);
}

/* A queue may hold the frame longer than the publication lives. */
static void test_a_frame_outlives_the_message(void **state) {
  (void)state;
  struct coho__permessage *p = codec(10, false);
  struct coho__framed *f = framed(LEN, 0);
  struct coho__chunk *chunk = coho__chunk_ref(coho__framed_chunk(f, p, 1));
  coho__framed_free(f);
  assert_true(readable(chunk, 10));
  coho__chunk_unref(chunk);
  coho__permessage_free(p);
}

/* One that was framed long ago is compressed anew for who comes back. */
static void test_over_a_frame_that_exists(void **state) {
  (void)state;
  struct coho__permessage *p = codec(12, false);
  coho_msg m = coho_binary(message, LEN);
  struct coho__chunk *plain = coho__framed_plain(&m);
  m.data = plain->data + (plain->len - LEN);
  struct coho__framed *f = coho__framed_over(plain, &m);
  assert_ptr_equal(coho__framed_chunk(f, NULL, 1), plain);
  assert_ptr_equal(coho__framed_msg(f)->data, m.data);
  coho__chunk_unref(plain); /* f has a reference of its own */
  assert_true(readable(coho__framed_chunk(f, p, 1), 12));
  coho__framed_free(f);
  coho__permessage_free(p);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Whichever allocation fails: no message, or a frame that is right, if only the plain one. */
static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    struct coho__deflate_pool *warm = pool;
    pool = coho__deflate_pool_new();
    struct coho__permessage *p = codec(11, false);
    coho_msg m = coho_binary(message, LEN);
    alloc_fail_at(i);
    struct coho__framed *f = coho__framed_new(&m);
    struct coho__chunk *chunk = f ? coho__framed_chunk(f, p, 1) : NULL;
    bool failed = alloc_failed();
    alloc_fail_at(0);
    assert_int_equal(chunk != NULL, f != NULL);
    bool packed = chunk && compressed(chunk);
    assert_true(packed || failed);
    if (packed) assert_true(readable(chunk, 11));
    coho__framed_free(f);
    coho__permessage_free(p);
    coho__deflate_pool_free(pool);
    pool = warm;
    if (!failed) break;
    assert_in_range(i, 1, 100);
  }
}

static int setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  packable_fill(&(struct dice){3}, PACKABLE_FAR, message, LEN);
  pool = coho__deflate_pool_new();
  return pool ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  coho__deflate_pool_free(pool);
  return alloc_live() == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_PD_06_keys_are_one_for_each_window),
      TEST(test_PD_06_each_window_has_a_frame_of_its_own),
      TEST(test_a_context_of_its_own_is_not_shared),
      TEST(test_PM_05_who_has_no_compression_gets_the_plain_frame),
      TEST(test_what_is_not_compressed_at_all),
      TEST(test_noise_stays_plain),
      TEST(test_a_frame_outlives_the_message),
      TEST(test_over_a_frame_that_exists),
      TEST(test_out_of_memory),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
