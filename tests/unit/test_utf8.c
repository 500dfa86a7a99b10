#include "base/utf8.h"

#include "base/check.h"
#include "support/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NEVER = -1, INCOMPLETE = -2 };

/* How many bytes a character with this first byte has; 0: none begins so. */
static size_t length_of(uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xc0 || first >= 0xf8) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Whether a character of len bytes has its value in first to last: no longer than needed, no
   surrogate, no more than U+10FFFF. */
static bool possible(size_t len, uint32_t first, uint32_t last) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool all_surrogates = first >= 0xd800 && last <= 0xdfff;
  return last >= smallest[len] && first <= 0x10ffff && !all_surrogates;
}

/* The obvious decoder. How many bytes the first character has, INCOMPLETE when more could make it
   one, NEVER when nothing could: then *bad is the first byte that does not fit. */
static int character(const uint8_t *p, size_t len, size_t *bad) {
  size_t need = length_of(p[0]);
  uint32_t value = need == 1 ? p[0] : p[0] & (0x7fU >> need);
  *bad = 0;
  if (need == 0) return NEVER;
  for (size_t i = 0; i < need; i++) {
    if (i == len) return INCOMPLETE;
    *bad = i;
    if (i > 0 && (p[i] & 0xc0) != 0x80) return NEVER;
    if (i > 0) value = value << 6 | (p[i] & 0x3f);
    uint32_t open = (uint32_t)(6 * (need - 1 - i)); /* bits still to come */
    uint32_t first = value << open;
    if (!possible(need, first, first | ((1U << open) - 1))) return NEVER;
  }
  return (int)need;
}

/* The place of the first impossible byte, len when there is none; *complete: could end here. */
static size_t slow(const uint8_t *p, size_t len, bool *complete) {
  size_t at = 0, bad = 0;
  *complete = true;
  while (at < len) {
    int n = character(p + at, len - at, &bad);
    *complete = n > 0;
    if (n == NEVER) return at + bad;
    if (n == INCOMPLETE) return len;
    at += (size_t)n;
  }
  return len;
}

/* Feeds the pieces before and behind cut; whether it went through. */
static bool in_two(const uint8_t *p, size_t len, size_t cut, coho__utf8 *state) {
  *state = COHO_UTF8_START;
  return coho__utf8_next(state, p, cut) && coho__utf8_next(state, p + cut, len - cut);
}

/* The validator says of these bytes what the decoder says: whole, bytewise and at every cut. */
static void compare(const uint8_t *p, size_t len) {
  bool complete;
  size_t bad = slow(p, len, &complete);
  bool ok = bad == len;
  coho__utf8 state = COHO_UTF8_START;
  assert_int_equal(coho__utf8_valid(p, len), ok && complete);
  for (size_t i = 0; i < len; i++)
    assert_int_equal(coho__utf8_next(&state, p + i, 1), i < bad); /* once bad, always bad */
  for (size_t cut = 0; cut <= len; cut++) {
    assert_int_equal(in_two(p, len, cut, &state), ok);
    if (ok) assert_int_equal(state == COHO_UTF8_START, complete);
  }
}

struct vector {
  const char *hex;
  int bad; /* place of the first impossible byte; NEVER: valid; INCOMPLETE */
};

/* RFC 6455 8.1, RFC 3629: the vectors of the Autobahn suite's group 6. */
static const struct vector vectors[] = {
    {"68656c6c6f24776f726c64", NEVER},
    {"c2a2", NEVER},
    {"e282ac", NEVER},
    {"f0a4ada2", NEVER},
    {"cebae1bdb9cf83cebcceb5", NEVER},
    {"00", NEVER},
    {"7f", NEVER},
    {"c280", NEVER},
    {"dfbf", NEVER},
    {"e0a080", NEVER},
    {"efbfbf", NEVER},
    {"f0908080", NEVER},
    {"f48fbfbf", NEVER},
    {"ed9fbf", NEVER},
    {"ee8080", NEVER},
    {"efbfbd", NEVER},
    {"efbfbe", NEVER},
    {"efbbbf", NEVER},
    {"f888808080", 0},
    {"fc8480808080", 0},
    {"f7bfbfbf", 0},
    {"fbbfbfbfbf", 0},
    {"fdbfbfbfbfbf", 0},
    {"f4908080", 1},
    {"80", 0},
    {"bf", 0},
    {"80bf", 0},
    {"80bf80", 0},
    {"c0", 0},
    {"e080", 1},
    {"f08080", 1},
    {"f8808080", 0},
    {"fc80808080", 0},
    {"df", INCOMPLETE},
    {"efbf", INCOMPLETE},
    {"f7bfbf", 0},
    {"fbbfbfbf", 0},
    {"fdbfbfbfbf", 0},
    {"fe", 0},
    {"ff", 0},
    {"fefeffff", 0},
    {"c0af", 0},
    {"e080af", 1},
    {"f08080af", 1},
    {"c1bf", 0},
    {"e09fbf", 1},
    {"f08fbfbf", 1},
    {"c080", 0},
    {"e08080", 1},
    {"f0808080", 1},
    {"eda080", 1},
    {"edadbf", 1},
    {"edae80", 1},
    {"edafbf", 1},
    {"edb080", 1},
    {"edbe80", 1},
    {"edbfbf", 1},
    {"eda080edb080", 1},
    {"edafbfedbfbf", 1},
    {"cebae1bdb9cf83cebcceb5eda080656469746564", 12},
    {"cebae1bdb9cf83cebcceb5f490", 12},
    {"e282", INCOMPLETE},
    {"c328", 1},
    {"61ffff62", 1},
};

static size_t from_hex(const char *hex, uint8_t *out) {
  size_t n = 0;
  for (; hex[2 * n] != '\0'; n++) {
    char byte[3] = {hex[2 * n], hex[2 * n + 1], '\0'};
    out[n] = (uint8_t)strtoul(byte, NULL, 16);
  }
  return n;
}

static void test_DT_02_vectors(void **state) {
  (void)state;
  for (size_t i = 0; i < COHO_COUNT(vectors); i++) {
    uint8_t bytes[64];
    size_t len = from_hex(vectors[i].hex, bytes);
    bool complete;
    size_t bad = slow(bytes, len, &complete);
    size_t expected = vectors[i].bad >= 0 ? (size_t)vectors[i].bad : len;
    if (bad != expected) fail_msg("the decoder of this test is wrong about %s", vectors[i].hex);
    if (bad == len) assert_int_equal(complete, vectors[i].bad == NEVER);
    compare(bytes, len);
  }
}

/* Non-characters are characters (U+1FFFE, U+1FFFF ... U+10FFFF). */
static void test_DT_02_non_characters(void **state) {
  (void)state;
  for (unsigned plane = 1; plane <= 16; plane++) {
    for (uint8_t last = 0xbe; last <= 0xbf; last++) {
      uint8_t bytes[4] = {(uint8_t)(0xf0 | plane >> 2), (uint8_t)(0x8f | (plane & 3) << 4), 0xbf,
                          last};
      assert_true(coho__utf8_valid(bytes, 4));
      compare(bytes, 4);
    }
  }
}

/* Each vector at each place around the blocks that the fast way takes at once. */
static void test_DT_03_fail_fast_behind_ascii(void **state) {
  (void)state;
  for (size_t i = 0; i < COHO_COUNT(vectors); i++) {
    for (size_t before = 0; before <= 66; before++) {
      uint8_t bytes[200];
      memset(bytes, 'a', sizeof bytes);
      size_t len = from_hex(vectors[i].hex, bytes + before);
      bool good = vectors[i].bad == NEVER;
      assert_int_equal(coho__utf8_valid(bytes, before + len), good);
      assert_int_equal(coho__utf8_valid(bytes, before + len + 40), good);
      coho__utf8 s = COHO_UTF8_START;
      if (vectors[i].bad < 0) continue;
      size_t bad = before + (size_t)vectors[i].bad;
      assert_true(coho__utf8_next(&s, bytes, bad));
      assert_false(coho__utf8_next(&s, bytes + bad, 1));
      assert_false(coho__utf8_next(&s, "a", 1)); /* and it stays false */
      assert_false(coho__utf8_next(&s, NULL, 0));
    }
  }
}

/* A block of ASCII is skipped only when no character is open, also when the open one ends a block. */
static void test_DT_03_ascii_inside_a_character(void **state) {
  (void)state;
  char text[128];
  for (size_t before = 0; before <= 64; before++) {
    for (size_t after = 1; after <= 40; after++) {
      coho__utf8 s = COHO_UTF8_START;
      memset(text, 'a', sizeof text);
      text[before] = '\xe2';
      text[before + 1] = '\x82';
      assert_true(coho__utf8_next(&s, text, before + 2));
      assert_false(coho__utf8_next(&s, text + before + 2, after));
      s = COHO_UTF8_START;
      assert_false(coho__utf8_next(&s, text, before + 2 + after));
    }
  }
}

static void test_DT_04_incomplete_at_the_end(void **state) {
  (void)state;
  static const char *const rows[] = {"\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xf4", "a\xed"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    coho__utf8 s = COHO_UTF8_START;
    assert_true(coho__utf8_next(&s, rows[i], strlen(rows[i])));
    assert_int_not_equal(s, COHO_UTF8_START);
    assert_false(coho__utf8_valid(rows[i], strlen(rows[i])));
  }
}

/* Nothing, also as a piece in the middle of a character, changes nothing. */
static void test_empty_pieces(void **state) {
  (void)state;
  coho__utf8 s = COHO_UTF8_START;
  assert_true(coho__utf8_valid(NULL, 0));
  assert_true(coho__utf8_next(&s, "\xe2\x82", 2));
  assert_true(coho__utf8_next(&s, NULL, 0));
  assert_true(coho__utf8_next(&s, "\xac", 1));
  assert_int_equal(s, COHO_UTF8_START);
}

/* What the loops below ask, without the cost of an assertion each time. */
static bool agrees(const uint8_t *p, size_t len) {
  bool complete;
  bool ok = slow(p, len, &complete) == len;
  coho__utf8 state = COHO_UTF8_START;
  bool got = coho__utf8_next(&state, p, len);
  return got == ok && (!ok || (state == COHO_UTF8_START) == complete);
}

static void test_all_sequences_of_3_bytes(void **state) {
  (void)state;
  for (uint32_t n = 0; n < 1U << 24; n++) {
    const uint8_t p[3] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    if (!agrees(p, 3)) fail_msg("%06x", (unsigned)n);
  }
}

static void test_all_sequences_of_1_and_2_bytes(void **state) {
  (void)state;
  for (uint32_t n = 0; n < 1U << 16; n++) {
    const uint8_t p[2] = {(uint8_t)(n >> 8), (uint8_t)n};
    compare(p, 1);
    compare(p, 2);
  }
}

/* All first bytes, with the borders of every range behind them. */
static void test_sequences_of_4_bytes(void **state) {
  (void)state;
  static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1,
                                  0xbe, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf4, 0xff};
  enum { EDGES = sizeof edges };
  for (unsigned first = 0; first < 256; first++) {
    for (size_t n = 0; n < (size_t)EDGES * EDGES * EDGES; n++) {
      const uint8_t p[4] = {(uint8_t)first, edges[n % EDGES], edges[n / EDGES % EDGES],
                            edges[n / EDGES / EDGES]};
      if (!agrees(p, 4)) fail_msg("%02x%02x%02x%02x", p[0], p[1], p[2], p[3]);
    }
  }
}

/* Long texts of all kinds of characters, some with a byte changed, in random pieces. */
static void test_random_texts(void **state) {
  (void)state;
  static const char *const letters[] = {"a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  struct dice d = dice_of(3629);
  for (int round = 0; round < 3000; round++) {
    uint8_t text[400];
    size_t len = 0;
    while (len < 330) {
      for (const char *c = letters[dice(&d, COHO_COUNT(letters))]; *c != '\0'; c++)
        text[len++] = (uint8_t)*c;
    }
    if (round % 2 == 0) text[dice(&d, (uint32_t)len)] = (uint8_t)dice(&d, 256);
    bool complete;
    size_t bad = slow(text, len, &complete);
    coho__utf8 s = COHO_UTF8_START;
    for (size_t at = 0, n; at < len; at += n) {
      n = dice(&d, 100);
      n = COHO_MIN(n, len - at);
      assert_int_equal(coho__utf8_next(&s, text + at, n), at + n <= bad);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_DT_02_vectors),
      cmocka_unit_test(test_DT_02_non_characters),
      cmocka_unit_test(test_DT_03_fail_fast_behind_ascii),
      cmocka_unit_test(test_DT_03_ascii_inside_a_character),
      cmocka_unit_test(test_DT_04_incomplete_at_the_end),
      cmocka_unit_test(test_empty_pieces),
      cmocka_unit_test(test_all_sequences_of_1_and_2_bytes),
      cmocka_unit_test(test_all_sequences_of_3_bytes),
      cmocka_unit_test(test_sequences_of_4_bytes),
      cmocka_unit_test(test_random_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
