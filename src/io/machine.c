#include "io/machine.h"

#include "base/budget.h"
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MOST = 4096, PATH_MOST = 1024, KIB = 1024 };

/* The first bytes of a file of the kernel, terminated; "" when there is none. */
static void read_file(const char *path, char text[TEXT_MOST]) {
  ssize_t n = -1;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    do
      n = read(fd, text, TEXT_MOST - 1);
    while (n < 0 && errno == EINTR);
    close(fd);
  }
  text[n > 0 ? n : 0] = '\0';
}

/* The number a file begins with; UINT64_MAX, which limits nothing, for "max" or when there is none. */
static uint64_t read_limit(const char *path) {
  char text[TEXT_MOST];
  read_file(path, text);
  if (*text < '0' || *text > '9') return UINT64_MAX;
  return strtoull(text, NULL, 10); /* UINT64_MAX when it is too large */
}

static uint64_t lesser(uint64_t a, uint64_t b) { return COHO_MIN(a, b); }

static uint64_t total(const char *root) {
  static const char name[] = "MemTotal:";
  char path[PATH_MOST], text[TEXT_MOST];
  (void)snprintf(path, sizeof path, "%s/proc/meminfo", root);
  read_file(path, text);
  const char *line = strstr(text, name);
  uint64_t kib = line ? strtoull(line + sizeof name - 1, NULL, 10) : 0;
  return kib < UINT64_MAX / KIB ? kib * KIB : 0;
}

/* Whether a comma separated list, which ends with a colon, has the word. */
static bool lists(const char *list, const char *word) {
  size_t len = strlen(word);
  for (;;) {
    size_t n = strcspn(list, ",:");
    if (n == len && strncmp(list, word, n) == 0) return true;
    if (list[n] != ',') return false;
    list += n + 1;
  }
}

/* The path of our group, out of lines "ID:CONTROLLERS:PATH": of v1's controller of memory, or of v2,
   which names none. False: there is no such line. */
static bool find_group(const char *text, const char *controller, char group[PATH_MOST]) {
  for (const char *line = text; *line;) {
    size_t len = strcspn(line, "\n");
    const char *names = line + strcspn(line, ":\n");
    const char *path = *names == ':' ? names + 1 + strcspn(names + 1, ":\n") : names;
    if (*path == ':' && lists(names + 1, controller)) {
      int n = (int)COHO_MIN((size_t)(line + len - path - 1), (size_t)PATH_MOST - 1);
      (void)snprintf(group, PATH_MOST, "%.*s", n, path + 1);
      return true;
    }
    line += len + (line[len] == '\n');
  }
  return false;
}

/* The least limit of the group and of all above it. In a container the path may be the host's, of
   which only the top is to be seen here. */
static uint64_t group_limit(const char *root, const char *mount, const char *file, char *group) {
  char path[PATH_MOST * 2];
  uint64_t least = UINT64_MAX;
  for (;;) {
    (void)snprintf(path, sizeof path, "%s/sys/fs/cgroup%s%s/%s", root, mount, group, file);
    least = lesser(least, read_limit(path));
    char *slash = strrchr(group, '/');
    if (!slash) return least;
    *slash = '\0';
  }
}

static uint64_t groups_limit(const char *root) {
  char path[PATH_MOST], text[TEXT_MOST], group[PATH_MOST];
  uint64_t least = UINT64_MAX;
  (void)snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  read_file(path, text);
  if (find_group(text, "", group)) least = group_limit(root, "", "memory.max", group);
  if (find_group(text, "memory", group))
    least = lesser(least, group_limit(root, "/memory", "memory.limit_in_bytes", group));
  return least;
}

uint64_t coho__machine_memory(const char *root) {
  uint64_t machine = total(root), group = groups_limit(root);
  if (machine == 0) return group == UINT64_MAX ? 0 : group;
  return lesser(machine, group);
}

static void set_default(void) {
  uint64_t bytes = coho__machine_memory("");
  if (bytes) coho__memory_set_default(bytes / 2);
}

void coho__machine_budget(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, set_default);
}
