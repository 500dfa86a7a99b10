#define _GNU_SOURCE /* nftw(3) */
#include "unit/folder.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[256];

void folder_make(void) {
  const char *base = getenv("TMPDIR");
  (void)snprintf(root, sizeof root, "%s/coho-test-XXXXXX", base ? base : "/tmp");
  assert_non_null(mkdtemp(root));
}

const char *folder_path(void) { return root; }

static const char *path_of(const char *name) {
  static char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", root, name);
  for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    (void)mkdir(path, 0777);
    *slash = '/';
  }
  return path;
}

void folder_write(const char *name, const void *data, size_t len) {
  FILE *file = fopen(path_of(name), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

void folder_link(const char *target, const char *name) {
  assert_int_equal(symlink(target, path_of(name)), 0);
}

void folder_fifo(const char *name) { assert_int_equal(mkfifo(path_of(name), 0666), 0); }

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st;
  (void)type;
  (void)at;
  return remove(path);
}

void folder_remove(void) { assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0); }
