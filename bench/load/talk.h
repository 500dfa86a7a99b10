/*
 * What the generator says, and whether the echo is right: plain bytes and plain frames are known to
 * the byte; compressed ones are taken apart, decompressed and compared.
 */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include <stdbool.h>
#include <stddef.h>

struct talk_options {
  bool raw;     /* no WebSocket at all */
  bool text;    /* text, not binary */
  bool deflate; /* messages that vary, JSON, compressed */
  size_t size;  /* bytes of a message; about so many with deflate */
  size_t depth; /* messages of a burst */
};

struct talk; /* of one connection: where it stands in what comes back */

void talk_prepare(const struct talk_options *options);
/* The head of the answer to the handshake decides how contexts are kept. */
struct talk *talk_new(const char *head);
/* The next burst, which lives for ever. */
const char *talk_burst(struct talk *t, size_t *len);
/* Bytes that came back: how many messages they complete. Ends the program when they are wrong. */
size_t talk_take(struct talk *t, const char *data, size_t len);
/* The field that asks for compression, or "". */
const char *talk_offer(void);

#endif
