#define _GNU_SOURCE
#include "accesslog.h"

#include "logger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MOST = 2048 };

static struct {
  pthread_mutex_t lock; /* over all of it, and so that lines stay whole */
  int fd;               /* -1: standard error, by the logger */
  bool on, json;
  bool torn; /* the last line is not whole: the disk was full */
  unsigned long dropped;
} log_now = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* ---- lines ---------------------------------------------------------------------------------- */

/* What is in an access log is UTF-8 and has few backslashes: those of what was escaped. */
static void append_text(char *dst, size_t *len, const char *name, const char *text) {
  *len += (size_t)snprintf(dst + *len, LINE_MOST - *len, ",\"%s\":\"", name);
  for (; *text && *len + 8 < LINE_MOST; text++) {
    if (*text == '\\' || *text == '"') dst[(*len)++] = '\\';
    dst[(*len)++] = (unsigned char)*text < ' ' ? '?' : *text;
  }
  dst[(*len)++] = '"';
}

static const char *to_json(char dst[LINE_MOST], const char *when, const coho_access *a) {
  size_t len = (size_t)snprintf(dst, LINE_MOST, "{\"time\":\"%s\"", when);
  append_text(dst, &len, "peer", a->peer);
  append_text(dst, &len, "method", a->method);
  append_text(dst, &len, "target", a->target);
  (void)snprintf(
      dst + len, LINE_MOST - len, ",\"%s\":%u,\"bytes\":%" PRIu64 ",\"duration_ms\":%" PRIu64 "}",
      a->status ? "status" : "code", a->status ? a->status : a->code, a->bytes, a->duration_ms);
  return dst;
}

/* ---- the file ------------------------------------------------------------------------------- */

/* Locked. Half a line is ended before the next one begins. */
static void write_line(const char *line) {
  char out[LINE_MOST + 2];
  int len = snprintf(out, sizeof out, "%s%s\n", log_now.torn ? "\n" : "", line);
  if (len < 0) return;
  ssize_t n = write(log_now.fd, out, (size_t)len);
  if (n != len) log_now.dropped++;
  if (n > 0) log_now.torn = n != len;
}

/* Locked. */
static void write_dropped(const char *when) {
  char line[LOGGER_TIME + 80];
  unsigned long dropped = log_now.dropped;
  log_now.dropped = 0;
  (void)snprintf(line, sizeof line,
                 log_now.json ? "{\"time\":\"%s\",\"dropped\":%lu}" : "%s %lu lines were dropped",
                 when, dropped);
  write_line(line);
  if (log_now.dropped) log_now.dropped = dropped;
}

/* Locked. */
static void put(const char *when, const coho_access *a) {
  char line[LINE_MOST], text[COHO_ACCESS_MAX];
  if (log_now.json)
    (void)to_json(line, when, a);
  else
    (void)snprintf(line, sizeof line, "%s %s", when, coho_access_text(a, text, sizeof text));
  if (log_now.fd < 0) {
    logger_bare(line);
    return;
  }
  if (log_now.dropped) write_dropped(when);
  if (log_now.dropped)
    log_now.dropped++;
  else
    write_line(line);
}

void accesslog_on_access(void *ctx, const coho_access *a) {
  char when[LOGGER_TIME];
  (void)ctx;
  (void)logger_time(when, sizeof when);
  pthread_mutex_lock(&log_now.lock);
  if (log_now.on) put(when, a);
  pthread_mutex_unlock(&log_now.lock);
}

/* ---- options -------------------------------------------------------------------------------- */

static bool is_json(const struct accesslog_options *o) {
  return o->format && !strcmp(o->format, "json");
}

int accesslog_check(const struct command *c, const struct accesslog_options *o) {
  if (o->format && !is_json(o) && strcmp(o->format, "text") != 0)
    return usage_error_about(c, o->format, "--access-log-format is text or json, not '%s'",
                             o->format);
  if (o->file && !*o->file)
    return usage_error_about(c, o->file, "--access-log-file takes the name of a file");
  if (o->file && !o->on) return usage_error(c, "--access-log-file needs --access-log");
  if (is_json(o) && !o->on) return usage_error(c, "--access-log-format needs --access-log");
  return 0;
}

int accesslog_set(const struct accesslog_options *o) {
  int fd = -1;
  if (o->on && o->file) {
    fd = open(o->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
    if (fd < 0) return errno;
  }
  pthread_mutex_lock(&log_now.lock);
  int old = log_now.fd;
  log_now.fd = fd;
  log_now.on = o->on;
  log_now.json = is_json(o);
  log_now.torn = false;
  pthread_mutex_unlock(&log_now.lock);
  if (old >= 0) close(old);
  return 0;
}

void accesslog_close(void) {
  const struct accesslog_options off = {.on = false};
  (void)accesslog_set(&off);
}
