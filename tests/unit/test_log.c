#include "base/log.h"

#include "base/check.h"

#include <coho/log.h>
#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A sink that keeps the last line. */
struct kept {
  char line[2000];
  int level;
  int count;
};

static void keep(void *ctx, int level, const char *line) {
  struct kept *k = (struct kept *)ctx;
  snprintf(k->line, sizeof k->line, "%s", line);
  k->level = level;
  k->count++;
  errno = EIO;
}

static void test_lines_reach_the_sink(void **state) {
  (void)state;
  struct kept k = {"", 0, 0};
  coho_set_log(keep, &k, COHO_LOG_INFO);
  errno = EAGAIN;
  coho__log(COHO_LOG_INFO, "%s from %d", "open", 42);
  assert_int_equal(errno, EAGAIN); /* whoever logs in the middle of an error may go on */
  assert_string_equal(k.line, "open from 42");
  assert_int_equal(k.level, COHO_LOG_INFO);
  coho__log(COHO_LOG_DEBUG, "not wanted");
  assert_int_equal(k.count, 1);
}

static void test_levels(void **state) {
  (void)state;
  struct kept k = {"", 0, 0};
  for (int set = 0; set <= COHO_LOG_DEBUG; set++) {
    coho_set_log(keep, &k, set);
    for (int level = COHO_LOG_ERROR; level <= COHO_LOG_DEBUG; level++)
      assert_int_equal(coho__log_wants(level), level <= set);
  }
}

static void test_long_lines_are_cut(void **state) {
  (void)state;
  struct kept k = {"", 0, 0};
  coho_set_log(keep, &k, COHO_LOG_WARN);
  coho__log(COHO_LOG_WARN, "%1024d", 7);
  assert_int_equal(strlen(k.line), 1024);
  assert_int_equal(k.line[1023], '7');
  coho__log(COHO_LOG_WARN, "%1025d", 7);
  assert_int_equal(strlen(k.line), 1024);
  assert_string_equal(k.line + 1020, " ...");
}

static void test_cut_does_not_split_a_character(void **state) {
  (void)state;
  struct kept k = {"", 0, 0};
  char euros[1201] = "";
  for (size_t i = 0; i < 1200; i += 3)
    memcpy(euros + i, "\xe2\x82\xac", 4);
  coho_set_log(keep, &k, COHO_LOG_WARN);
  for (int shift = 1; shift <= 3; shift++) {
    coho__log(COHO_LOG_WARN, "%.*s%s", shift, "abc", euros);
    size_t len = strlen(k.line);
    assert_in_range(len, 1020, 1024);
    assert_string_equal(k.line + len - 6, "\xe2\x82\xac...");
  }
}

/* A line that somebody forgot to escape still is one line. */
static void test_line_stays_one_line(void **state) {
  (void)state;
  struct kept k = {"", 0, 0};
  coho_set_log(keep, &k, COHO_LOG_WARN);
  coho__log(COHO_LOG_WARN, "a\r\nb\x1b[2Jc\x7f");
  assert_string_equal(k.line, "a??b?[2Jc?");
}

/* Standard error is a pipe while fn(arg) runs; returns what came. */
static const char *captured(void (*fn)(const char *), const char *arg) {
  static char out[4096];
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  int real = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  close(ends[1]);
  fn(arg);
  dup2(real, STDERR_FILENO);
  close(real);
  ssize_t n = read(ends[0], out, sizeof out - 1);
  close(ends[0]);
  out[n > 0 ? n : 0] = '\0';
  return out;
}

static void warn(const char *text) { coho__log(COHO_LOG_WARN, "%s", text); }

static void test_default_is_a_line_on_stderr(void **state) {
  (void)state;
  regex_t re;
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  const char *line = captured(warn, "out of files");
  assert_int_equal(regcomp(&re,
                           "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
                           "coho warning: out of files\n$",
                           REG_EXTENDED | REG_NOSUB),
                   0);
  if (regexec(&re, line, 0, NULL, 0) != 0) fail_msg("%s", line);
  regfree(&re);
}

static void test_longest_line_ends_on_stderr(void **state) {
  (void)state;
  char text[2001];
  memset(text, 'x', 2000);
  text[2000] = '\0';
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  const char *line = captured(warn, text);
  size_t len = strlen(line);
  assert_true(len > 1024);
  assert_string_equal(line + len - 5, "x...\n");
  assert_ptr_equal(strchr(line, '\n'), line + len - 1);
}

static void print_assertion(const char *what) { coho__assert_print(what, "base/buf.c", 7); }

static void test_a_failed_assertion_says_where(void **state) {
  (void)state;
  assert_string_equal(captured(print_assertion, "len <= cap"),
                      "coho: bug at base/buf.c:7: len <= cap\n");
}

/* Two sinks, each with a context of its own kind: fn and ctx have to belong together. */
static _Atomic int mismatches, lines;

static void first_sink(void *ctx, int level, const char *line) {
  (void)level;
  (void)line;
  if (strcmp((const char *)ctx, "first") != 0) mismatches++;
  lines++;
}

static void second_sink(void *ctx, int level, const char *line) {
  (void)level;
  (void)line;
  if (strcmp((const char *)ctx, "second") != 0) mismatches++;
  lines++;
}

static void *log_much(void *arg) {
  for (int i = 0; i < 20000; i++)
    coho__log(COHO_LOG_ERROR, "line %d", i);
  return arg;
}

static void test_sink_changes_while_others_log(void **state) {
  (void)state;
  static char first[] = "first", second[] = "second";
  pthread_t threads[2];
  coho_set_log(first_sink, first, COHO_LOG_ERROR);
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, log_much, NULL), 0);
  for (int i = 0; i < 20000; i++) {
    coho_set_log(second_sink, second, COHO_LOG_WARN);
    coho_set_log(first_sink, first, COHO_LOG_ERROR);
  }
  for (size_t i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(mismatches, 0);
  assert_int_equal(lines, 2 * 20000); /* no line is lost meanwhile */
}

/* A sink may use coho itself. */
static void sink_that_logs(void *ctx, int level, const char *line) {
  int *depth = (int *)ctx;
  (void)level;
  if (++*depth < 3) coho__log(COHO_LOG_ERROR, "about %s", line);
}

static void test_sink_may_log(void **state) {
  (void)state;
  int depth = 0;
  coho_set_log(sink_that_logs, &depth, COHO_LOG_ERROR);
  coho__log(COHO_LOG_ERROR, "x");
  assert_int_equal(depth, 3);
}

static void test_escape(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"plain text, 'quoted'", "plain text, 'quoted'"},
      {"say \"hi\" \\o/", "say \\x22hi\\x22 \\x5co/"},
      {"a\r\n\t\x1b[31m\x7f", "a\\x0d\\x0a\\x09\\x1b[31m\\x7f"},
      {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"\xc3", "\\xc3"}, /* a character that never ends */
      {"\xc3(", "\\xc3("},
      {"\xe2\x82", "\\xe2\\x82"},
      {"\xff\xc0\x80", "\\xff\\xc0\\x80"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
      {"\xc2\x9b"
       "31m\xc2\xa0",
       "\\xc2\\x9b31m\xc2\xa0"}, /* C1: an escape sequence in one */
      {"\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6", "\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6"},
      {"\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5"},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char out[100];
    assert_ptr_equal(coho__escape(out, sizeof out, rows[i][0], strlen(rows[i][0])), out);
    assert_string_equal(out, rows[i][1]);
  }
  char out[10];
  assert_string_equal(coho__escape(out, sizeof out, "a\0b", 3), "a\\x00b");
  assert_string_equal(coho__escape(out, sizeof out, NULL, 0), "");
}

static void test_escape_cuts(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t cap;
    const char *out;
  } rows[] = {
      {"abcdef", 7, "abcdef"},
      {"abcdef", 6, "ab..."},
      {"abcdef", 4, "..."},
      {"abc", 4, "abc"},
      {"ab\n", 7, "ab\\x0a"},
      {"ab\n", 6, "ab..."},
      {"ab\nc", 7, "ab..."}, /* not half of what stands for a byte */
      {"a\xe2\x82\xac"
       "bc",
       7,
       "a\xe2\x82\xac"
       "bc"},
      {"a\xe2\x82\xac"
       "bcd",
       7, "a..."}, /* nor half a character */
      {"a\xe2\x82\xac"
       "bcde",
       8, "a\xe2\x82\xac..."},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char out[16];
    memset(out, '#', sizeof out);
    coho__escape(out, rows[i].cap, rows[i].text, strlen(rows[i].text));
    assert_string_equal(out, rows[i].out);
    assert_int_equal(out[rows[i].cap], '#');
  }
}

static int reset(void **state) {
  (void)state;
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, reset)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_lines_reach_the_sink),
      TEST(test_levels),
      TEST(test_long_lines_are_cut),
      TEST(test_cut_does_not_split_a_character),
      TEST(test_line_stays_one_line),
      TEST(test_default_is_a_line_on_stderr),
      TEST(test_longest_line_ends_on_stderr),
      TEST(test_a_failed_assertion_says_where),
      TEST(test_sink_changes_while_others_log),
      TEST(test_sink_may_log),
      TEST(test_escape),
      TEST(test_escape_cuts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
