#include "hub/pattern.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- grammar -------------------------------------------------------------------------------- */

static char long_name[COHO_PATTERN_MAX + 2];

static void test_names(void **state) {
  (void)state;
  static const char *const good[] = {"a",    "room/1",  "A-z_0.9~/x",
                                     "...",  "a/.b/c.", "a..",
                                     "hist", "History", "historyx/presences"};
  static const char *const bad[] = {
      "",    "/",       "/a",        "a/",         "a//b",         ".",   "..",   "a/../b",
      "a/.", "history", "a/history", "presence/a", "a/presence/b", "+",   "#",    "a/+",
      "a b", "a%20b",   "a\n",       "a*",         "a:b",          "a@b", "a\\b", "\xc3\xa4"};
  for (size_t i = 0; i < COHO_COUNT(good); i++) {
    if (!coho__topic_name_valid(coho__view_of(good[i]))) fail_msg("refused: %s", good[i]);
    if (!coho__pattern_valid(coho__view_of(good[i]))) fail_msg("no pattern: %s", good[i]);
  }
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    if (coho__topic_name_valid(coho__view_of(bad[i]))) fail_msg("accepted: %s", bad[i]);
  assert_false(coho__topic_name_valid((struct coho__view){NULL, 0}));
  assert_false(coho__topic_name_valid((struct coho__view){"a\0b", 3}));
}

static void test_patterns(void **state) {
  (void)state;
  static const char *const good[] = {"+", "#", "+/#", "a/+", "+/a", "a/+/+/b/#", "+/+", "a"};
  static const char *const bad[] = {"",      "a+",   "+a",        "a/#b",       "#/a",   "a/#/b",
                                    "#/#",   "##",   "++",        "a/",         "/+",    "+/",
                                    "a/#/",  "a//#", "history/+", "+/presence", "./#",   "../+",
                                    "a/+/.", "*",    "a/ +",      "a/#\n",      "\xff/+"};
  for (size_t i = 0; i < COHO_COUNT(good); i++)
    if (!coho__pattern_valid(coho__view_of(good[i]))) fail_msg("refused: %s", good[i]);
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    if (coho__pattern_valid(coho__view_of(bad[i]))) fail_msg("accepted: %s", bad[i]);
  assert_false(coho__pattern_valid((struct coho__view){NULL, 0}));
}

static void test_255_bytes_at_most(void **state) {
  (void)state;
  memset(long_name, 'n', sizeof long_name - 1);
  assert_false(coho__topic_name_valid(coho__view_of(long_name)));
  assert_false(coho__pattern_valid(coho__view_of(long_name)));
  assert_true(coho__topic_name_valid((struct coho__view){long_name, COHO_PATTERN_MAX}));
  assert_true(coho__pattern_valid((struct coho__view){long_name, COHO_PATTERN_MAX}));
}

static void test_companions(void **state) {
  (void)state;
  static const struct {
    const char *name, *base; /* the same: it is none */
  } rows[] = {{"a/presence", "a"},
              {"a/b/presence", "a/b"},
              {"a/presence/presence", "a/presence"},
              {"presence", "presence"},
              {"/presence", "/presence"},
              {"apresence", "apresence"},
              {"a/presence/b", "a/presence/b"},
              {"", ""}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__view name = coho__view_of(rows[i].name), base = coho__view_of(rows[i].base);
    assert_true(coho__view_eq(coho__topic_base(name), base));
    assert_int_equal(coho__topic_is_companion(name), !coho__view_eq(name, base));
  }
}

/* ---- meaning -------------------------------------------------------------------------------- */

static void test_matches(void **state) {
  (void)state;
  static const struct {
    const char *pattern, *name;
    bool matches;
  } rows[] = {
      {"a/#", "a", true},         {"a/#", "a/b", true},         {"a/#", "a/b/c", true},
      {"a/#", "ab", false},       {"a/#", "b", false},          {"a/#", "b/a", false},
      {"#", "a", true},           {"#", "a/b/c/d", true},       {"+", "a", true},
      {"+", "a/b", false},        {"a/+", "a", false},          {"a/+", "a/b", true},
      {"a/+", "a/b/c", false},    {"+/b", "a/b", true},         {"+/b", "a/c", false},
      {"a/+/c", "a/b/c", true},   {"a/+/c", "a/b/d", false},    {"a/+/#", "a", false},
      {"a/+/#", "a/b", true},     {"a/+/#", "a/b/c/d", true},   {"a", "a", true},
      {"a", "a/b", false},        {"a/b", "a", false},          {"a", "A", false},
      {"room/1", "room/1", true}, {"room/1", "room/12", false},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    bool got = coho__pattern_matches(coho__view_of(rows[i].pattern), coho__view_of(rows[i].name));
    if (got != rows[i].matches) fail_msg("%s of %s: %d", rows[i].pattern, rows[i].name, got);
  }
}

static void test_covers(void **state) {
  (void)state;
  static const struct {
    const char *granted, *wanted;
    bool covers;
  } rows[] = {
      {"#", "#", true},         {"#", "a/b", true},          {"+/#", "#", true},
      {"+", "#", false},        {"room/+", "room/1", true},  {"room/+", "room/+", true},
      {"room/+", "+/1", false}, {"room/+", "room/#", false}, {"room/1", "room/+", false},
      {"a/#", "a", true},       {"a/#", "a/+/c/#", true},    {"a/+/#", "a/#", false},
      {"a/+/#", "a/b/#", true}, {"a/#", "+/b", false},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    bool got = coho__pattern_covers(coho__view_of(rows[i].granted), coho__view_of(rows[i].wanted));
    if (got != rows[i].covers) fail_msg("%s over %s: %d", rows[i].granted, rows[i].wanted, got);
  }
}

/* ---- every short pattern against every short name ------------------------------------------- */

enum { LEVELS = 3, NAME_LEVELS = 5, WORD = 2 * NAME_LEVELS + 2, MOST = 512 };

struct words {
  char text[MOST][WORD];
  size_t count;
};

static struct words names, patterns;
static bool hit[MOST][MOST]; /* of a pattern, by a name */

static void add(struct words *w, const char *head, const char *tail) {
  assert_true(w->count < MOST);
  int n = snprintf(w->text[w->count++], WORD, "%s%s", head, tail);
  assert_in_range(n, 1, WORD - 1);
}

/* All words of 1 to levels segments out of letters. */
static void enumerate(struct words *w, const char *letters, int levels) {
  size_t begin = w->count, end;
  for (const char *c = letters; *c; c++)
    add(w, (const char[]){*c, '\0'}, "");
  for (int level = 1; level < levels; level++, begin = end) {
    end = w->count;
    for (size_t i = begin; i < end; i++)
      for (const char *c = letters; *c; c++)
        add(w, w->text[i], (const char[]){'/', *c, '\0'});
  }
}

/* The definition, word for word, on segments of one letter. */
static bool means(const char *pattern, const char *name) {
  if (*pattern == '#') return true;
  if (!*pattern || !*name) return !*pattern && !*name;
  if (*pattern != '+' && *pattern != *name) return false;
  const char *rest = pattern[1] ? pattern + 2 : pattern + 1;
  const char *others = name[1] ? name + 2 : name + 1;
  return means(rest, others);
}

static int set_up(void **state) {
  (void)state;
  enumerate(&names, "abc", NAME_LEVELS); /* "c" stands for all that no pattern names */
  enumerate(&patterns, "ab+", LEVELS);
  size_t plain = patterns.count;
  for (size_t i = 0; i < plain; i++)
    add(&patterns, patterns.text[i], "/#");
  add(&patterns, "#", "");
  return 0;
}

static void test_matches_as_defined(void **state) {
  (void)state;
  for (size_t p = 0; p < patterns.count; p++) {
    assert_true(coho__pattern_valid(coho__view_of(patterns.text[p])));
    for (size_t n = 0; n < names.count; n++) {
      hit[p][n] =
          coho__pattern_matches(coho__view_of(patterns.text[p]), coho__view_of(names.text[n]));
      if (hit[p][n] != means(patterns.text[p], names.text[n]))
        fail_msg("%s of %s: %d", patterns.text[p], names.text[n], hit[p][n]);
    }
  }
}

static bool includes(const bool *granted, const bool *wanted) {
  for (size_t n = 0; n < names.count; n++)
    if (wanted[n] && !granted[n]) return false;
  return true;
}

static void test_covers_as_defined(void **state) {
  (void)state;
  for (size_t g = 0; g < patterns.count; g++)
    for (size_t w = 0; w < patterns.count; w++) {
      bool got =
          coho__pattern_covers(coho__view_of(patterns.text[g]), coho__view_of(patterns.text[w]));
      if (got != includes(hit[g], hit[w]))
        fail_msg("%s over %s: %d", patterns.text[g], patterns.text[w], got);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_patterns),
      cmocka_unit_test(test_255_bytes_at_most),
      cmocka_unit_test(test_companions),
      cmocka_unit_test(test_matches),
      cmocka_unit_test(test_covers),
      cmocka_unit_test(test_matches_as_defined),
      cmocka_unit_test(test_covers_as_defined),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
