#define _GNU_SOURCE
#include "systemd.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
  FIRST_FD = 3,
  SOCKETS_MOST = 64,
  TELL_MOST = 1024,
  US_PER_MS = 1000 /* microseconds */
};

/* A whole number that is all of the variable; 0: not there, or none. */
static uint64_t number_of(const char *name) {
  const char *text = getenv(name);
  char *end;
  if (!text || !*text || strspn(text, "0123456789") != strlen(text)) return 0;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  return errno ? 0 : n;
}

/* ---- sockets -------------------------------------------------------------------------------- */

size_t systemd_sockets(void) {
  if (number_of("LISTEN_PID") != (uint64_t)getpid()) return 0;
  uint64_t n = number_of("LISTEN_FDS");
  return (size_t)COHO_MIN(n, (uint64_t)SOCKETS_MOST);
}

/* The index-th of LISTEN_FDNAMES, which has colons between them. */
static void name_of(size_t index, char *name, size_t cap) {
  const char *names = getenv("LISTEN_FDNAMES");
  for (; names && index > 0; index--) {
    names = strchr(names, ':');
    if (names) names++;
  }
  (void)snprintf(name, cap, "%.*s", names ? (int)strcspn(names, ":") : 0, names ? names : "");
}

int systemd_socket(size_t index, char *name, size_t cap) {
  int fd = FIRST_FD + (int)index;
  if (name) name_of(index, name, cap);
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

const char *systemd_scheme(size_t index) {
  char name[64];
  name_of(index, name, sizeof name);
  return strcmp(name, "wss") == 0 ? "wss" : "ws";
}

/* ---- telling -------------------------------------------------------------------------------- */

/* "/run/..." or "@abstract". */
static socklen_t address_of(struct sockaddr_un *a) {
  const char *path = getenv("NOTIFY_SOCKET");
  *a = (struct sockaddr_un){.sun_family = AF_UNIX};
  size_t len = path ? strlen(path) : 0;
  if (len < 2 || len >= sizeof a->sun_path || (path[0] != '/' && path[0] != '@')) return 0;
  memcpy(a->sun_path, path, len);
  if (path[0] == '@') a->sun_path[0] = '\0'; /* and no terminator: it would belong to the name */
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'));
}

bool systemd_tell(const char *format, ...) {
  struct sockaddr_un a;
  char text[TELL_MOST];
  va_list args;
  socklen_t len = address_of(&a);
  if (!len) return false;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n < 0) return false;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  size_t size = COHO_MIN((size_t)n, sizeof text - 1);
  bool sent = sendto(fd, text, size, MSG_NOSIGNAL, (struct sockaddr *)&a, len) == (ssize_t)size;
  close(fd);
  return sent;
}

void systemd_reloading(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
  (void)systemd_tell("RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)us);
}

void systemd_ready(void) { (void)systemd_tell("READY=1"); }

void systemd_stopping(void) { (void)systemd_tell("STOPPING=1"); }

/* ---- the watchdog --------------------------------------------------------------------------- */

static struct {
  coho_server *server;
  coho_timer *timer;
  _Atomic unsigned asked; /* loops that have not answered */
  bool unasked;           /* one could not even be asked */
  char status[TELL_MOST / 2];
} watch;

static void on_answer(void *arg) {
  (void)arg;
  watch.asked--;
}

/* Its own loop turns; the others have to have answered since the last time. */
static void on_watch(void *arg) {
  coho_loop *loop;
  (void)arg;
  if (watch.asked > 0) return;
  if (!watch.unasked) (void)systemd_tell("WATCHDOG=1");
  watch.unasked = false;
  for (size_t i = 1; (loop = coho_server_loop(watch.server, i)); i++) {
    watch.asked++;
    if (coho_loop_post(loop, on_answer, NULL) == 0) continue;
    watch.asked--;
    watch.unasked = true;
  }
}

/* Half of the time that systemd waits; 0: it does not. */
static uint64_t watch_ms(void) {
  uint64_t pid = number_of("WATCHDOG_PID");
  if (pid && pid != (uint64_t)getpid()) return 0;
  uint64_t us = number_of("WATCHDOG_USEC");
  return us ? COHO_MAX(us / US_PER_MS / 2, 1) : 0;
}

static void on_running(void *arg) {
  (void)arg;
  (void)systemd_tell("READY=1\nSTATUS=%s", watch.status);
}

int systemd_start(coho_server *s, const char *status) {
  coho_loop *loop = coho_server_loop(s, 0);
  uint64_t ms = watch_ms();
  if (!getenv("NOTIFY_SOCKET")) return 0;
  watch.server = s;
  (void)snprintf(watch.status, sizeof watch.status, "%s", status);
  if (ms) {
    watch.timer = coho_timer_new(loop, on_watch, NULL);
    if (!watch.timer) return COHO_ENOMEM;
    uint32_t step = (uint32_t)COHO_MIN(ms, (uint64_t)UINT32_MAX - 1);
    coho_timer_start(watch.timer, step, step);
  }
  return coho_loop_post(loop, on_running, NULL);
}

void systemd_end(void) {
  coho_timer_free(watch.timer);
  watch.timer = NULL;
  watch.server = NULL;
}
