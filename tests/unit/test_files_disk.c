#include "http/files_disk.h"

#include "base/check.h"
#include "unit/folder.h"

#include <coho/error.h>
#include <fcntl.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int open_fn(int folder, const char *name, struct coho__disk_file *out);

static int folder;

static int set_up(void **state) {
  (void)state;
  folder_make();
  folder_write("a.txt", "hello", 5);
  folder_write("sub/deep/b.txt", "b", 1);
  folder_write("outside-is-named-so", "x", 1);
  folder_link("a.txt", "inside");
  folder_link("/etc/passwd", "absolute");
  folder_link("../../../../../../../etc/passwd", "up");
  folder_link("/etc", "etc");
  folder_link("/dev/zero", "zero");
  folder_link("loop", "loop");
  folder_link("/proc/self/root", "magic");
  folder_fifo("fifo");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove();
  return 0;
}

static void expect_regular(open_fn *open_it, const char *name, uint64_t size) {
  struct coho__disk_file file;
  assert_int_equal(open_it(folder, name, &file), 0);
  assert_false(file.folder);
  assert_true(file.fd >= 0);
  assert_true(file.size == size);
  assert_true(file.modified > 1000000000);
  close(file.fd);
}

static void expect_folder(open_fn *open_it, const char *name) {
  struct coho__disk_file file;
  assert_int_equal(open_it(folder, name, &file), 0);
  assert_true(file.folder);
  assert_int_equal(file.fd, -1);
}

static void expect_absent(open_fn *open_it, const char *name) {
  struct coho__disk_file file;
  int err = open_it(folder, name, &file);
  if (err != COHO_ENOENT) fail_msg("%s: %s", name, coho_errname(err));
}

/* Asserts that no descriptor is left open behind. */
static void run(open_fn *open_it, const char *const *absent, size_t count) {
  int lowest = open("/dev/null", O_RDONLY);
  close(lowest);
  expect_regular(open_it, "a.txt", 5);
  expect_regular(open_it, "sub/deep/b.txt", 1);
  expect_folder(open_it, "");
  expect_folder(open_it, "sub");
  expect_folder(open_it, "sub/deep");
  for (size_t i = 0; i < count; i++)
    expect_absent(open_it, absent[i]);
  int after = open("/dev/null", O_RDONLY);
  close(after);
  assert_int_equal(after, lowest);
}

static const char *const absent[] = {
    "nope", "a.txt/b", "sub/nope/c", "absolute",         "up",   "etc/passwd",
    "etc",  "zero",    "loop",       "magic/etc/passwd", "fifo", "magic",
};

static void test_A19_nothing_outside(void **state) {
  (void)state;
  folder = coho__files_disk_folder(folder_path());
  assert_true(folder >= 0);
  run(coho__files_disk_open, absent, COHO_COUNT(absent));
  expect_regular(coho__files_disk_open, "inside", 5); /* a link that stays below is fine */
  close(folder);
}

static void test_A19_nothing_outside_without_openat2(void **state) {
  (void)state;
  folder = coho__files_disk_folder(folder_path());
  run(coho__files_disk_walk, absent, COHO_COUNT(absent));
  expect_absent(coho__files_disk_walk, "inside");
  close(folder);
}

static void test_A19_names(void **state) {
  (void)state;
  static const char *const good[] = {"",    "a",        "a.b", "a/b/c", "a..b",
                                     "a b", "\xc3\xa4", "~",   "a%2e"};
  static const char *const bad[] = {"/",    "a/",   "/a",     "a//b",  ".",     "..",
                                    "../a", "a/..", "a/../b", "a/./b", ".git",  "a/.git/config",
                                    "...",  "a\\b", "..\\a",  "a\nb",  "a\x7f", "a/\tb"};
  char longest[COHO_DISK_NAME + 2];
  for (size_t i = 0; i < COHO_COUNT(good); i++)
    if (!coho__files_disk_name(good[i])) fail_msg("%s", good[i]);
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    if (coho__files_disk_name(bad[i])) fail_msg("%s", bad[i]);
  memset(longest, 'a', sizeof longest);
  longest[COHO_DISK_SEGMENT] = 0;
  assert_true(coho__files_disk_name(longest));
  longest[COHO_DISK_SEGMENT] = 'a';
  longest[COHO_DISK_SEGMENT + 1] = 0;
  assert_false(coho__files_disk_name(longest));
  for (size_t i = 0; i < sizeof longest; i++)
    longest[i] = i % 100 == 99 ? '/' : 'a';
  longest[COHO_DISK_NAME + 1] = 0;
  assert_false(coho__files_disk_name(longest));
  longest[COHO_DISK_NAME] = 0;
  assert_true(coho__files_disk_name(longest));
}

static void test_folder_errors(void **state) {
  (void)state;
  char path[600];
  (void)snprintf(path, sizeof path, "%s/a.txt", folder_path());
  assert_int_equal(coho__files_disk_folder("/nowhere/at/all"), COHO_ENOENT);
  assert_true(coho__files_disk_folder(path) < 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A19_nothing_outside),
      cmocka_unit_test(test_A19_nothing_outside_without_openat2),
      cmocka_unit_test(test_A19_names),
      cmocka_unit_test(test_folder_errors),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
