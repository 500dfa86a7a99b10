#include "sink.h"

#include "base/check.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

void sink_init(struct sink *s, int fd, size_t max) {
  *s = (struct sink){.fd = fd, .buf = COHO_BUF(max)};
}

void sink_free(struct sink *s) { coho__buf_release(&s->buf); }

bool sink_waits(const struct sink *s) { return s->at < s->buf.len; }

/* A writable pipe takes PIPE_BUF bytes without blocking; O_NONBLOCK would be set for all who share
   the descriptor, the shell included. */
static bool writable(const struct sink *s) {
  struct pollfd p = {.fd = s->fd, .events = POLLOUT};
  return poll(&p, 1, 0) > 0;
}

static void write_some(struct sink *s) {
  size_t len = COHO_MIN(s->buf.len - s->at, (size_t)PIPE_BUF);
  ssize_t n = write(s->fd, s->buf.data + s->at, len);
  if (n >= 0)
    s->at += (size_t)n;
  else if (errno != EINTR && errno != EAGAIN)
    s->error = errno;
}

/* A big buffer is given back: the next message is likely a small one. */
static void reset(struct sink *s) {
  enum { KEEP = 256 * 1024 };
  s->at = s->buf.len = 0;
  if (s->buf.cap > KEEP) coho__buf_release(&s->buf);
}

static void flush(struct sink *s, bool block) {
  while (sink_waits(s) && !s->error && !s->discard && (block || writable(s)))
    write_some(s);
  if (s->error || s->discard || !sink_waits(s)) reset(s);
}

void sink_flush(struct sink *s) { flush(s, false); }

void sink_flush_all(struct sink *s) { flush(s, true); }
