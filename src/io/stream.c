#include "io/stream.h"

const char *coho__stream_peer(const struct coho__stream *s, char *buf, size_t cap) {
  struct coho__addr a;
  if (!coho__stream_addr(s, &a)) a.sa.ss_family = AF_UNSPEC;
  return coho__addr_format(&a, buf, cap);
}

const char *coho__stream_tell_nothing(const struct coho__stream *s, enum coho__stream_fact what,
                                      char *buf, size_t cap) {
  (void)s;
  (void)what;
  if (cap) buf[0] = '\0';
  return buf;
}
