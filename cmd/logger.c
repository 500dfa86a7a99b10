#define _GNU_SOURCE
#include "logger.h"

#include "base/check.h"
#include "base/clock.h"

#include <coho/log.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Below PIPE_BUF: a pipe that has room for anything takes this at once. */
enum { LINE_MOST = 2048 };

static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* over dropped, and so that lines stay whole */
static unsigned long dropped;

static bool has_room(void) {
  struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
  return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

const char *logger_time(char *dst, size_t cap) {
  uint64_t now = coho__clock_wall_ms();
  time_t seconds = (time_t)(now / 1000);
  struct tm tm;
  char when[32];
  if (!gmtime_r(&seconds, &tm) || !strftime(when, sizeof when, "%FT%T", &tm)) when[0] = '\0';
  snprintf(dst, cap, "%s.%03uZ", when, (unsigned)(now % 1000));
  return dst;
}

/* Locked. One write each, which a descriptor with room takes whole. */
static void put(const char *line, bool bare) {
  char out[LINE_MOST], when[LOGGER_TIME] = "";
  if (!bare) (void)logger_time(when, sizeof when);
  int len = snprintf(out, sizeof out, "%s%s%.2000s\n", when, bare ? "" : " ", line);
  if (len > 0 && write(STDERR_FILENO, out, COHO_MIN((size_t)len, sizeof out - 1)) < 0) dropped++;
}

static void put_if_room(const char *line, bool bare) {
  pthread_mutex_lock(&lock);
  if (!has_room()) {
    dropped++;
  } else {
    if (dropped) {
      char text[64];
      snprintf(text, sizeof text, "coho: %lu lines were dropped", dropped);
      dropped = 0;
      put(text, false);
    }
    if (has_room())
      put(line, bare);
    else
      dropped++;
  }
  pthread_mutex_unlock(&lock);
}

void logger_line(const char *line) { put_if_room(line, false); }

void logger_bare(const char *line) { put_if_room(line, true); }

static void on_log(void *ctx, int level, const char *line) {
  static const char *const names[] = {"", "error", "warning", "info", "debug"};
  char text[LINE_MOST];
  (void)ctx;
  snprintf(text, sizeof text, "coho %s: %s", names[level], line);
  logger_line(text);
}

void logger_start(int level) { coho_set_log(on_log, NULL, level); }
