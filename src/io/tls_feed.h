/* What the owner of a TLS stream gave it to write, and what is left of it: a vector of pieces. */
#ifndef COHO_IO_TLS_FEED_H
#define COHO_IO_TLS_FEED_H

#include "io/tls_wire.h"

struct coho__tls_feed {
  const struct iovec *iov;
  int count;
  size_t at; /* in the first piece */
};

void coho__tls_feed_init(struct coho__tls_feed *f, const struct iovec *iov, int count);
size_t coho__tls_feed_len(const struct coho__tls_feed *f);
void coho__tls_feed_skip(struct coho__tls_feed *f, size_t n);
/* The next data for OpenSSL, at most `most`: whole records from where they are, or small pieces put
   together to one in plain. */
const char *coho__tls_feed_next(const struct coho__tls_feed *feed, char plain[COHO_WIRE_PLAIN],
                                size_t most, size_t *len);

#endif
