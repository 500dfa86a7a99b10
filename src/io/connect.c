#define _GNU_SOURCE
#include "io/connect.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct attempt {
  struct coho__io io; /* fd -1: not under way */
  struct coho__connect *parent;
};

struct coho__connect {
  coho_loop *loop;
  void (*on_done)(void *owner, struct coho__stream *s, int err, const char *detail);
  void *owner;
  struct coho__wheel_timer next; /* starts an attempt */
  struct coho__task begin;
  struct coho__task bury;
  int err;          /* of the last attempt that failed */
  char detail[256]; /* the same in words */
  size_t started, running, n;
  struct coho__addr addrs[COHO_RESOLVE_MAX];
  struct attempt attempts[COHO_RESOLVE_MAX];
};

static void free_connect(struct coho__task *t) {
  struct coho__connect *c = COHO_CONTAINER_OF(t, struct coho__connect, bury);
  coho__free(c, sizeof *c);
}

/* Takes the attempt's descriptor out of the loop. */
static int take_fd(struct attempt *a) {
  int fd = a->io.fd;
  coho__io_remove(a->parent->loop, &a->io);
  a->parent->running--;
  return fd;
}

/* A second time it finds nothing more to end. */
static void end(struct coho__connect *c) {
  coho__loop_stop_timer(c->loop, &c->next);
  coho__task_cancel(&c->begin);
  for (size_t i = 0; i < c->started; i++) {
    if (c->attempts[i].io.fd >= 0) close(take_fd(&c->attempts[i]));
  }
  coho__loop_bury(c->loop, &c->bury);
}

static void fail(struct coho__connect *c) {
  end(c);
  c->on_done(c->owner, NULL, c->err, c->detail);
}

/* ---- the sentence --------------------------------------------------------------------------- */

static const char *reason_of(int err) {
  switch (err) {
  case COHO_ECONNREFUSED: return "connection refused by";
  case COHO_ECONNRESET: return "connection reset by";
  case COHO_ETIMEDOUT: return "no answer from";
  case COHO_EUNREACHABLE: return "no route to";
  default: return NULL;
  }
}

static void describe(struct coho__connect *c, const struct coho__addr *a) {
  char addr[COHO_ADDR_MAX];
  coho__addr_format(a, addr, sizeof addr);
  const char *reason = reason_of(c->err);
  if (reason)
    snprintf(c->detail, sizeof c->detail, "%s %s", reason, addr);
  else
    snprintf(c->detail, sizeof c->detail, "cannot connect to %s: %s", addr, coho_strerror(c->err));
  size_t len = strlen(c->detail);
  if (c->n > 1)
    snprintf(c->detail + len, sizeof c->detail - len, ", the last of %zu addresses", c->n);
}

/* ---- attempts ------------------------------------------------------------------------------- */

static void win(struct coho__connect *c, int fd) {
  struct coho__stream *s = coho__stream_tcp(c->loop, fd, &c->err);
  end(c);
  c->on_done(c->owner, s, s ? 0 : c->err, s ? "" : coho_strerror(c->err));
}

static int socket_error(int fd) {
  int e = 0;
  socklen_t len = sizeof e;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0 ? errno : e;
}

static void start_next(struct coho__connect *c);

static void on_event(struct coho__io *io, unsigned events) {
  struct attempt *a = COHO_CONTAINER_OF(io, struct attempt, io);
  struct coho__connect *c = a->parent;
  if (!(events & (COHO_IO_WRITE | COHO_IO_HANGUP))) return;
  int e = socket_error(io->fd);
  int fd = take_fd(a);
  if (e == 0) {
    win(c, fd);
    return;
  }
  close(fd);
  c->err = coho__error_of_errno(e);
  describe(c, &c->addrs[a - c->attempts]);
  start_next(c);
}

/* 0: under way. */
static int start(struct coho__connect *c, struct attempt *a, const struct coho__addr *addr) {
  int fd = coho__sock_open(addr->sa.ss_family);
  if (fd < 0) return fd;
  int err = 0;
  if (connect(fd, (const struct sockaddr *)&addr->sa, addr->len) < 0 && errno != EINPROGRESS)
    err = coho__error_of_errno(errno);
  /* Also one that is connected already: its event comes, and on_done never inside a call. */
  if (!err) err = coho__io_add(c->loop, &a->io, fd, on_event);
  if (err) close(fd);
  return err;
}

/* The next attempt that gets under way; what fails at once makes room for another. */
static void start_next(struct coho__connect *c) {
  while (c->started < c->n) {
    struct attempt *a = &c->attempts[c->started];
    const struct coho__addr *addr = &c->addrs[c->started++];
    a->parent = c;
    coho__io_init(&a->io, on_event);
    int err = start(c, a, addr);
    if (!err) {
      c->running++;
      if (c->started < c->n) coho__loop_set_timer(c->loop, &c->next, COHO_CONNECT_DELAY_MS);
      return;
    }
    c->err = err;
    describe(c, addr);
  }
  if (c->running == 0) fail(c);
}

static void on_next(struct coho__wheel_timer *t) {
  start_next(COHO_CONTAINER_OF(t, struct coho__connect, next));
}

/* ---- life ----------------------------------------------------------------------------------- */

static void on_begin(struct coho__task *t) {
  start_next(COHO_CONTAINER_OF(t, struct coho__connect, begin));
}

struct coho__connect *coho__connect_addrs(coho_loop *loop, const struct coho__addr *addrs, size_t n,
                                          void (*on_done)(void *owner, struct coho__stream *s,
                                                          int err, const char *detail),
                                          void *owner) {
  COHO_ASSERT(n > 0 && n <= COHO_RESOLVE_MAX);
  struct coho__connect *c = (struct coho__connect *)coho__zalloc(sizeof *c);
  if (!c) return NULL;
  c->loop = loop;
  c->owner = owner;
  c->on_done = on_done;
  coho__wheel_timer_init(&c->next, on_next);
  coho__task_init(&c->begin, on_begin);
  coho__task_init(&c->bury, free_connect);
  memcpy(c->addrs, addrs, n * sizeof *addrs);
  c->n = n;
  coho__loop_soon(loop, &c->begin);
  return c;
}

void coho__connect_cancel(struct coho__connect *c) { end(c); }
