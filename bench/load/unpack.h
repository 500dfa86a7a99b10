/*
 * Decompresses what many connections get alike. Without context the same bytes are the same message,
 * so each is decompressed once, and the generator keeps up with what one server sends to thousands.
 */
#ifndef BENCH_UNPACK_H
#define BENCH_UNPACK_H

#include <stddef.h>

#define UNPACK_OFFER                                                           \
  "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; " \
  "client_no_context_takeover\r\n"

/* Ends the program when the server compresses not at all, or with context. */
void unpack_check(const char *head);
/* A message of at most `most` bytes; it lives until the next call. Ends the program when it is none. */
const char *unpack(const char *data, size_t len, size_t most, size_t *out_len);

#endif
