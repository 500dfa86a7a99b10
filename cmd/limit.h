/*
 * The options --limit, --rate and --timeout of coho serve: NAME=VALUE for each budget, rate and
 * deadline that the library has.
 */
#ifndef COHO_CMD_LIMIT_H
#define COHO_CMD_LIMIT_H

#include "option.h"

#include <coho/coho.h>

#define LIMIT_TEXT                                                                               \
  "a limit: connections=N over all threads (what file descriptors allow), per-address=N "        \
  "connections of one address (none), frame=BYTES of one frame (--max-message), fragments=N of " \
  "one message (what they cost), queue=BYTES that wait for one peer (4 * --max-message, at "     \
  "least 1M), head=BYTES (16k) and fields=N (64) of a request's head, body=BYTES of its body "   \
  "(64k), memory=BYTES of all connections together (half of the machine's), contexts=BYTES of "  \
  "compression in it (128M); may be repeated; in brackets what holds without it"

#define LIMIT_WORDS \
  "connections= per-address= frame= fragments= queue= head= fields= body= memory= contexts="
#define RATE_WORDS "messages= frames= bytes= handshakes= requests="
#define TIMEOUT_WORDS \
  "proxy= tls= head= body= idle= reply= message= ping= pong= silence= write= close= stop="

#define RATE_TEXT                                                                                \
  "so many in a second: messages=N, frames=N or bytes=N from one connection, which above it is " \
  "read more slowly, or handshakes=N of one address, which is answered 429, as is above "        \
  "requests=N (1000/2000; none for any number) who sends HTTP requests to topics; N/BURST lets " \
  "BURST of them come at once (N without it); an IPv6 address is its first 64 bits; may be "     \
  "repeated; none of the others by default"

#define RATE_CLOSE_TEXT \
  "close a connection above a --rate with 1008, instead of reading it more slowly"

#define TIMEOUT_TEXT                                                                              \
  "a deadline: proxy (3) for a PROXY header, tls (5) for the TLS handshake, head (10) for a "     \
  "request's head, body (30) for its "                                                            \
  "body, idle (15) between two requests, reply (10) for a reply without progress, message (120) " \
  "from the first byte of a message to its last, ping (20) of silence before a ping, pong (10) "  \
  "of silence after it, silence (never) without a message on a connection, write (30) for "       \
  "messages that make no progress, close (5) for the answer to a Close, stop (5) for all "        \
  "connections when the server ends; NAME=never for none; may be repeated"

/* What the file takes under the options' names. */
extern const struct option_pair limit_pairs[], rate_pairs[], timeout_pairs[];

struct limits {
  struct option_list limit, rate, timeout;
  bool rate_close;
  /* What they say; zero where they say nothing. */
  coho_server_options server;
  coho_options conn;
  coho_rate requests; /* http_rate of coho_topics_options */
  uint64_t memory, contexts;
};

/* 0, or EXIT_USAGE after a sentence on standard error. */
int limit_read(const struct command *c, struct limits *l);
/* Those of the process, before anything else of the library. */
void limit_set_process(const struct limits *l);
void limit_free(struct limits *l);

#endif
