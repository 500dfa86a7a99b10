/*
 * When a client may try again: pure arithmetic, time and chance come in.
 *
 * After the n-th failure in a row it waits for a random part (full jitter) of first_ms * 2^(n-1), but
 * at most of most_ms. A server that asks to be left alone gets at least 5 * first_ms and is met
 * again spread over up to most_ms; by default 5 to 30 s, as the registry of close codes has it for
 * 1012. Where Retry-After says how long, it is that long and a random part of the back-off.
 */
#ifndef COHO_WS_RETRY_H
#define COHO_WS_RETRY_H

#include "base/view.h"

#include <coho/client.h>

enum coho__retry {
  COHO_RETRY_SOON,  /* by back-off */
  COHO_RETRY_LATER, /* the server asks to be left alone */
  COHO_RETRY_TOKEN, /* with another token, if at all */
  COHO_RETRY_NEVER  /* the same would happen again */
};

enum {
  COHO_RETRY_AFTER_MOST = 3600 * 1000
}; /* ms; what a server asks for beyond is not believed */

/* What the end of a connection, or of an attempt, means for the next one. */
enum coho__retry coho__retry_judge(const coho_ending *how);

/* The conf with its defaults. 0, or COHO_EOPTION: first_ms is above most_ms. */
int coho__retry_read(coho_retry *out, const coho_retry *conf);

struct coho__retry_case {
  enum coho__retry kind; /* COHO_RETRY_SOON or COHO_RETRY_LATER */
  uint32_t failures;     /* in a row, this one included */
  uint64_t after_ms;     /* what the server asked for, 0: nothing */
  uint32_t chance;       /* any number, each as likely */
};
/* How long to wait, ms. conf is read. */
uint32_t coho__retry_wait(const coho_retry *conf, const struct coho__retry_case *c);

/* The value of Retry-After, seconds or a date (RFC 9110 10.2.3), in ms from now, which is in seconds
   since 1970. 0: none. */
uint64_t coho__retry_after(struct coho__view value, int64_t now);

#endif
