#include "io/tls_feed.h"

#include <string.h>

void coho__tls_feed_init(struct coho__tls_feed *f, const struct iovec *iov, int count) {
  *f = (struct coho__tls_feed){iov, count, 0};
  coho__tls_feed_skip(f, 0); /* empty pieces */
}

size_t coho__tls_feed_len(const struct coho__tls_feed *f) {
  size_t len = 0;
  for (int i = 0; i < f->count; i++)
    len += f->iov[i].iov_len;
  return len - f->at;
}

void coho__tls_feed_skip(struct coho__tls_feed *f, size_t n) {
  f->at += n;
  while (f->count && f->at >= f->iov->iov_len) {
    f->at -= f->iov->iov_len;
    f->iov++;
    f->count--;
  }
}

static const char *piece(const struct coho__tls_feed *f, size_t *len) {
  *len = f->iov->iov_len - f->at;
  return (const char *)f->iov->iov_base + f->at;
}

const char *coho__tls_feed_next(const struct coho__tls_feed *feed, char plain[COHO_WIRE_PLAIN],
                                size_t most, size_t *len) {
  struct coho__tls_feed f = *feed;
  size_t n;
  const char *p = piece(&f, &n);
  if (n >= COHO_WIRE_PLAIN && most >= COHO_WIRE_PLAIN) {
    n = COHO_MIN(n, most);
    *len = n - n % COHO_WIRE_PLAIN;
    return p;
  }
  most = COHO_MIN(most, (size_t)COHO_WIRE_PLAIN);
  for (*len = 0; f.count && *len < most; *len += n) {
    p = piece(&f, &n);
    n = COHO_MIN(n, most - *len);
    memcpy(plain + *len, p, n);
    coho__tls_feed_skip(&f, n);
  }
  return plain;
}
