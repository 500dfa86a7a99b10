#include "base/log.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <coho/log.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

typedef void (*sink_fn)(void *ctx, int level, const char *line);

static _Atomic int threshold = COHO_LOG_WARN;
/* fn and ctx change together, hence the lock: held for two loads or stores, never for a call. */
static struct {
  atomic_flag locked;
  sink_fn fn; /* NULL: standard error */
  void *ctx;
} sink = {ATOMIC_FLAG_INIT, NULL, NULL};

static void lock(void) {
  while (atomic_flag_test_and_set_explicit(&sink.locked, memory_order_acquire))
    sched_yield();
}

static void unlock(void) { atomic_flag_clear_explicit(&sink.locked, memory_order_release); }

void coho_set_log(sink_fn fn, void *ctx, int level) {
  lock();
  sink.fn = fn;
  sink.ctx = ctx;
  unlock();
  atomic_store_explicit(&threshold, level, memory_order_relaxed);
}

bool coho__log_wants(int level) {
  return level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* One write(2), so that lines of several threads and processes do not mix (PIPE_BUF, O_APPEND). */
static void write_line(const char *line, size_t len) {
  while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
    continue;
}

static void to_stderr(int level, const char *line) {
  static const char *const names[] = {"error", "warning", "info", "debug"};
  char out[LINE_MAX_BYTES + 64];
  char when[32];
  struct tm tm;
  uint64_t now = coho__clock_wall_ms();
  time_t seconds = (time_t)(now / 1000);
  int name = COHO_MIN(COHO_MAX(level, COHO_LOG_ERROR), COHO_LOG_DEBUG) - COHO_LOG_ERROR;
  if (gmtime_r(&seconds, &tm) == NULL || strftime(when, sizeof when, "%FT%T", &tm) == 0) return;
  int len = snprintf(out, sizeof out, "%s.%03uZ coho %s: %s\n", when, (unsigned)(now % 1000),
                     names[name], line);
  if (len > 0) write_line(out, COHO_MIN((size_t)len, sizeof out - 1));
}

/* A line stays one line and does not move the cursor, whatever was forgotten to be escaped. */
static void make_tame(char *line) {
  for (; *line != '\0'; line++) {
    if ((unsigned char)*line < ' ' || *line == 0x7f) *line = '?';
  }
}

/* Cuts between characters, if it is UTF-8, and says so. */
static void cut(char *line, size_t len) {
  size_t end = len - 3;
  while (end > len - 8 && ((unsigned char)line[end] & 0xc0) == 0x80)
    end--;
  memcpy(line + end, "...", 4);
}

void coho__log(int level, const char *format, ...) {
  if (!coho__log_wants(level)) return;
  int saved = errno;
  char line[LINE_MAX_BYTES + 1];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len > LINE_MAX_BYTES) cut(line, LINE_MAX_BYTES);
  if (len >= 0) {
    make_tame(line);
    lock();
    sink_fn fn = sink.fn;
    void *ctx = sink.ctx;
    unlock();
    if (fn != NULL) {
      fn(ctx, level, line);
    } else {
      to_stderr(level, line);
    }
  }
  errno = saved;
}

void coho__assert_print(const char *what, const char *file, int line) {
  char out[512];
  int len = snprintf(out, sizeof out, "coho: bug at %s:%d: %s\n", file, line, what);
  if (len > 0) write_line(out, COHO_MIN((size_t)len, sizeof out - 1));
}

/* Bytes of the character at p, 0 when it is not UTF-8. */
static size_t char_len(const char *p, size_t len) {
  coho__utf8 state = COHO_UTF8_START;
  for (size_t i = 0; i < len && coho__utf8_next(&state, p + i, 1); i++) {
    if (state == COHO_UTF8_START) return i + 1;
  }
  return 0;
}

/* A character that does something to a terminal or to who reads it: C0, C1, DEL, the lines and
   paragraphs U+2028 and U+2029, the directions U+202A to U+202E and U+2066 to U+2069. */
static bool harmful(const char *p, size_t n) {
  uint8_t c[3] = {0};
  memcpy(c, p, COHO_MIN(n, sizeof c));
  if (n == 1) return c[0] < ' ' || c[0] == 0x7f || c[0] == '"' || c[0] == '\\';
  if (n == 2) return c[0] == 0xc2 && c[1] < 0xa0;
  if (n != 3 || c[0] != 0xe2) return false;
  return (c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
         (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

static void put_hex(char *dst, const char *p, size_t n) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    *dst++ = '\\';
    *dst++ = 'x';
    *dst++ = digits[(uint8_t)p[i] >> 4];
    *dst++ = digits[(uint8_t)p[i] & 15];
  }
}

const char *coho__escape(char *dst, size_t cap, const char *data, size_t len) {
  static const char dots[] = "...";
  COHO_ASSERT(cap >= sizeof dots);
  size_t out = 0;
  size_t fits = 0; /* where the dots would still have room */
  for (size_t i = 0; i < len;) {
    size_t n = char_len(data + i, len - i);
    bool plain = n > 0 && !harmful(data + i, n);
    n = COHO_MAX(n, (size_t)1);
    size_t width = plain ? n : 4 * n;
    if (out <= cap - sizeof dots) fits = out;
    if (out + width >= cap) {
      memcpy(dst + fits, dots, sizeof dots);
      return dst;
    }
    if (plain) {
      memcpy(dst + out, data + i, n);
    } else {
      put_hex(dst + out, data + i, n);
    }
    out += width;
    i += n;
  }
  dst[out] = '\0';
  return dst;
}
