#include "lines.h"

#include "base/check.h"

#include <coho/error.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* As much as a pipe holds by default. */
enum { READ_BYTES = 64 * 1024 };

void lines_init(struct lines *l, int fd, size_t max) {
  *l = (struct lines){.fd = fd, .buf = COHO_BUF(max + READ_BYTES)};
}

void lines_free(struct lines *l) { coho__buf_release(&l->buf); }

static void drop_taken(struct lines *l) {
  coho__buf_consume(&l->buf, l->at);
  l->scanned -= l->at;
  l->at = 0;
}

int lines_read(struct lines *l) {
  drop_taken(l);
  if (l->buf.len > l->buf.max - READ_BYTES) return COHO_ETOOBIG;
  char *dst = coho__buf_reserve(&l->buf, READ_BYTES);
  if (!dst) return COHO_ENOMEM;
  ssize_t n = read(l->fd, dst, READ_BYTES);
  if (n < 0) return errno == EINTR || errno == EAGAIN ? 0 : COHO_ESYSTEM;
  l->buf.len += (size_t)n;
  l->ended = n == 0;
  return 0;
}

bool lines_peek(struct lines *l, struct coho__view *line) {
  if (l->at == l->buf.len) return false;
  const char *from = l->buf.data + l->scanned;
  const char *end = (const char *)memchr(from, '\n', l->buf.len - l->scanned);
  l->scanned = end ? (size_t)(end - l->buf.data) : l->buf.len;
  *line = (struct coho__view){l->buf.data + l->at, l->scanned - l->at};
  return end || l->ended;
}

void lines_take(struct lines *l, struct coho__view line) {
  l->at += line.len;
  if (l->at < l->buf.len) l->at++; /* the line end */
  l->scanned = l->at;
  l->count++;
  COHO_ASSERT(l->at <= l->buf.len);
}
