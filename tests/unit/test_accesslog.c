/* The access log of coho serve as text and JSON: cmd/accesslog.h. */
#include "accesslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const coho_access request = {.peer = "127.0.0.1:1",
                                    .method = "GET",
                                    .target = "/a\\x22\\x5c?token=*&\xc3\xa9",
                                    .bytes = 10,
                                    .duration_ms = 3,
                                    .status = 200};
static const coho_access ended = {.peer = "[::1]:2",
                                  .method = "GET",
                                  .target = "/chat",
                                  .bytes = UINT64_MAX,
                                  .duration_ms = UINT64_MAX,
                                  .code = 1006};

static char file[] = "/tmp/coho-test-accesslog-XXXXXX";

static int setup(void **state) {
  (void)state;
  int fd = mkstemp(file);
  if (fd < 0) return -1;
  close(fd);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  accesslog_close();
  return unlink(file);
}

static void start(const char *format, const char *name) {
  const struct accesslog_options o = {.format = format, .file = name, .on = true};
  assert_int_equal(truncate(file, 0), 0);
  assert_int_equal(accesslog_set(&o), 0);
}

/* What is in the file, each line without its time, which is checked. */
static void expect(const char *before, const char *const *lines) {
  char line[2048];
  FILE *f = fopen(file, "r");
  assert_non_null(f);
  for (; *lines; lines++) {
    assert_non_null(fgets(line, sizeof line, f));
    line[strcspn(line, "\n")] = '\0';
    size_t head = strlen(before);
    assert_memory_equal(line, before, head);
    const char *when = line + head; /* 2026-01-31T12:00:00.000Z */
    assert_int_equal(strspn(when, "0123456789-T:."), 23);
    assert_true(when[4] == '-' && when[10] == 'T' && when[19] == '.' && when[23] == 'Z');
    assert_string_equal(when + 24, *lines);
  }
  assert_null(fgets(line, sizeof line, f));
  (void)fclose(f);
}

static void test_text(void **state) {
  (void)state;
  start("text", file);
  accesslog_on_access(NULL, &request);
  accesslog_on_access(NULL, &ended);
  const char *const lines[] = {
      " 127.0.0.1:1 \"GET /a\\x22\\x5c?token=*&\xc3\xa9\" 200 10 3ms",
      " [::1]:2 \"GET /chat\" 1006 18446744073709551615 18446744073709551615ms", NULL};
  expect("", lines);
}

static void test_json(void **state) {
  (void)state;
  start("json", file);
  accesslog_on_access(NULL, &request);
  accesslog_on_access(NULL, &ended);
  const char *const lines[] = {
      "\",\"peer\":\"127.0.0.1:1\",\"method\":\"GET\",\"target\":\"/"
      "a\\\\x22\\\\x5c?token=*&\xc3\xa9\","
      "\"status\":200,\"bytes\":10,\"duration_ms\":3}",
      "\",\"peer\":\"[::1]:2\",\"method\":\"GET\",\"target\":\"/chat\",\"code\":1006,"
      "\"bytes\":18446744073709551615,\"duration_ms\":18446744073709551615}",
      NULL};
  expect("{\"time\":\"", lines);
}

/* The longest target there is, all of it escaped, is one whole line. */
static void test_B24_longest_line(void **state) {
  (void)state;
  char target[601], line[2048];
  for (size_t i = 0; i < 150; i++)
    memcpy(target + 4 * i, "\\xff", 5);
  coho_access a = request;
  a.target = target;
  start("json", file);
  accesslog_on_access(NULL, &a);
  FILE *f = fopen(file, "r");
  assert_non_null(f);
  assert_non_null(fgets(line, sizeof line, f));
  assert_non_null(strstr(line, "\\\\xff\",\"status\":200,\"bytes\":10,\"duration_ms\":3}\n"));
  (void)fclose(f);
}

/* A disk that is full: what was lost is counted, and told when there is room again. */
static void test_lost_lines_are_told(void **state) {
  (void)state;
  start("json", "/dev/full");
  accesslog_on_access(NULL, &request);
  accesslog_on_access(NULL, &request);
  start("json", file);
  accesslog_on_access(NULL, &ended);
  const char *const lines[] = {
      "\",\"dropped\":2}",
      "\",\"peer\":\"[::1]:2\",\"method\":\"GET\",\"target\":\"/chat\",\"code\":1006,"
      "\"bytes\":18446744073709551615,\"duration_ms\":18446744073709551615}",
      NULL};
  expect("{\"time\":\"", lines);
}

static void test_off_and_a_file_that_cannot_be(void **state) {
  (void)state;
  const struct accesslog_options off = {.file = file}, wrong = {.file = "/nowhere/log", .on = true};
  start("text", file);
  assert_int_not_equal(accesslog_set(&wrong), 0);
  accesslog_on_access(NULL, &ended);
  assert_int_equal(accesslog_set(&off), 0);
  accesslog_on_access(NULL, &ended);
  const char *const lines[] = {
      " [::1]:2 \"GET /chat\" 1006 18446744073709551615 18446744073709551615ms", NULL};
  expect("", lines);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json),
                                     cmocka_unit_test(test_B24_longest_line),
                                     cmocka_unit_test(test_lost_lines_are_told),
                                     cmocka_unit_test(test_off_and_a_file_that_cannot_be)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
