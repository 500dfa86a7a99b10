/* How much memory there is: of the machine, and of control groups of both kinds. */
#include "io/machine.h"

#include "base/budget.h"
#include "unit/folder.h"

#include <coho/coho.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GIB ((uint64_t)1 << 30)
#define V2  "sys/fs/cgroup/"
#define V1  "sys/fs/cgroup/memory/"

struct file {
  const char *name, *text;
};

static const struct {
  const char *what;
  uint64_t bytes;
  const char *groups;   /* /proc/self/cgroup */
  struct file files[4]; /* of the control groups */
} rows[] = {
    /* The machine has 8 GiB. */
    {"no groups at all", 8 * GIB, "", {{NULL, NULL}}},
    {"v2 without limit", 8 * GIB, "0::/a\n", {{V2 "a/memory.max", "max\n"}}},
    {"v2", GIB, "0::/a\n", {{V2 "a/memory.max", "1073741824\n"}}},
    {"v2, the limit is above ours",
     GIB,
     "0::/a/b/c\n",
     {{V2 "a/b/c/memory.max", "max\n"}, {V2 "a/memory.max", "1073741824\n"}}},
    {"v2, the least counts",
     GIB,
     "0::/a/b\n",
     {{V2 "a/b/memory.max", "2147483648\n"}, {V2 "a/memory.max", "1073741824\n"}}},
    {"v2 in a container", GIB, "0::/\n", {{V2 "memory.max", "1073741824\n"}}},
    {"v2 in a container that sees the host's path",
     GIB,
     "0::/docker/1234\n",
     {{V2 "memory.max", "1073741824\n"}}},
    {"v2, more than the machine has", 8 * GIB, "0::/a\n", {{V2 "a/memory.max", "17179869184\n"}}},
    {"v1",
     GIB,
     "9:name=systemd:/\n4:memory:/a\n0::/\n",
     {{V1 "a/memory.limit_in_bytes", "1073741824\n"}}},
    {"v1 without limit",
     8 * GIB,
     "4:memory:/a\n",
     {{V1 "a/memory.limit_in_bytes", "9223372036854771712\n"}}},
    {"v1 together with another controller",
     GIB,
     "3:cpu,memory,io:/a",
     {{V1 "a/memory.limit_in_bytes", "1073741824\n"}}},
    {"v1, another controller's path",
     8 * GIB,
     "3:xmemory:/a\n2:memoryx,cpu:/a\n1:cpu:/memory:/a\n",
     {{V1 "a/memory.limit_in_bytes", "1073741824\n"}}},
    {"v1, in a container",
     GIB,
     "4:memory:/docker/1234\n",
     {{V1 "memory.limit_in_bytes", "1073741824\n"}}},
    {"nonsense", 8 * GIB, "memory\n:\n::\n4:memory\n", {{V1 "memory.limit_in_bytes", "1\n"}}},
    {"a limit that is no number", 8 * GIB, "0::/\n", {{V2 "memory.max", "-1\n"}}},
    {"a limit too large to read",
     8 * GIB,
     "0::/\n",
     {{V2 "memory.max", "99999999999999999999999\n"}}},
};

static void write_text(const char *name, const char *text) {
  folder_write(name, text, strlen(text));
}

static void test_table(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    folder_make();
    write_text("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:   1234 kB\n");
    write_text("proc/self/cgroup", rows[i].groups);
    for (const struct file *f = rows[i].files; f->name; f++)
      write_text(f->name, f->text);
    uint64_t bytes = coho__machine_memory(folder_path());
    if (bytes != rows[i].bytes) fail_msg("%s: %llu", rows[i].what, (unsigned long long)bytes);
    folder_remove();
  }
}

static void test_nothing_is_known(void **state) {
  (void)state;
  folder_make();
  assert_int_equal(coho__machine_memory(folder_path()), 0);
  write_text("proc/meminfo", "MemFree: 12 kB\n");
  assert_int_equal(coho__machine_memory(folder_path()), 0);
  write_text("proc/self/cgroup", "0::/\n");
  write_text("sys/fs/cgroup/memory.max", "4096\n");
  assert_int_equal(coho__machine_memory(folder_path()), 4096);
  folder_remove();
}

static void test_a_long_path_is_cut(void **state) {
  (void)state;
  char line[4200] = "0::/";
  folder_make();
  memset(line + 4, 'a', sizeof line - 5);
  write_text("proc/meminfo", "MemTotal: 4 kB");
  write_text("proc/self/cgroup", line);
  write_text("sys/fs/cgroup/memory.max", "1024");
  assert_int_equal(coho__machine_memory(folder_path()), 1024);
  folder_remove();
}

/* From the first loop on. */
static void test_this_machine(void **state) {
  (void)state;
  uint64_t bytes = coho__machine_memory("");
  assert_true(bytes > 1 << 20);
  assert_true(coho__memory_spare((size_t)(bytes - bytes / 8)));
  coho_loop *loop = coho_loop_new();
  assert_non_null(loop);
  assert_false(coho__memory_spare((size_t)(bytes / 2)));
  assert_true(coho__memory_spare((size_t)(bytes / 4)));
  coho_loop_free(loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_nothing_is_known),
      cmocka_unit_test(test_a_long_path_is_cut),
      cmocka_unit_test(test_this_machine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
