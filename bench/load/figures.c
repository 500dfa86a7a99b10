#include "load/figures.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 4096 }; /* 32 for each power of two of ns */

static uint64_t histogram[STEPS];

uint64_t figures_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* ---- round trips --------------------------------------------------------------------------- */

void figures_round_trip(uint64_t ns) {
  size_t i = ns;
  if (ns >= 64) {
    unsigned e = 63 - (unsigned)__builtin_clzll(ns);
    i = ((e - 5) << 5) + ((ns >> (e - 5)) & 31) + 32;
  }
  histogram[i < STEPS - 1 ? i : STEPS - 1]++;
}

double figures_percentile_us(double q) {
  uint64_t total = 0, sum = 0;
  for (size_t i = 0; i < STEPS; i++)
    total += histogram[i];
  for (size_t i = 0; i < STEPS; i++) {
    sum += histogram[i];
    if ((double)sum <= q * (double)total) continue;
    if (i < 64) return (double)i / 1000;
    size_t e = ((i - 32) >> 5) + 5;
    return ((double)(32 + ((i - 32) & 31)) + 0.5) * (double)(1ULL << (e - 5)) / 1000;
  }
  return 0;
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

double figures_rss_bytes(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  return number_in(path, "VmRSS:") * 1024;
}
