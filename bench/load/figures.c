#include "load/figures.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t figures_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* ---- the server's process ------------------------------------------------------------------ */

/* The number behind `key` in the first line of a file that begins with it; 0 when there is none. */
static double number_in(const char *path, const char *key) {
  char line[256];
  FILE *f = fopen(path, "re");
  double n = 0;
  while (f && fgets(line, sizeof line, f)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    n = strtod(line + strlen(key), NULL);
    break;
  }
  if (f) fclose(f);
  return n;
}

double figures_cpu_ns(int pid) {
  char path[512];
  double sum = 0;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = pid ? opendir(path) : NULL;
  const struct dirent *task;
  while (tasks && (task = readdir(tasks))) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
    if (task->d_name[0] != '.') sum += number_in(path, "");
  }
  if (tasks) closedir(tasks);
  return sum;
}

struct figures_memory figures_memory(int pid, int with_pss) {
  char path[64];
  struct figures_memory m = {.rss = 0};
  if (!pid) return m;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  m.rss = number_in(path, "VmRSS:") * 1024;
  m.peak = number_in(path, "VmHWM:") * 1024;
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  if (with_pss) m.pss = number_in(path, "Pss:") * 1024;
  return m;
}
