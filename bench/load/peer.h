/*
 * The connections of the generator: opened in batches, polled together. Each has a kind, which says what
 * it asks for and who takes what comes.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "load/link.h"

#include <stdint.h>

struct peer;

struct peer_kind {
  const char *request; /* the handshake; NULL: none, it is open once it is connected */
  void (*opened)(struct peer *p, const char *head); /* of the answer; "" without handshake */
  void (*took)(struct peer *p, const char *data, size_t len);
};

enum peer_state { PEER_CONNECTING, PEER_HANDSHAKE, PEER_OPEN };

struct peer {
  const struct peer_kind *kind; /* set before it is opened, as is user */
  void *user;
  struct link link;
  enum peer_state state;
  bool wants_write;
  const char *out; /* under way */
  size_t out_len, out_sent;
  size_t head_len; /* of the answer to the handshake */
  char head[1024];
};

/* Before anything else: how many there will be at most. */
void peer_prepare(size_t most, int port, bool tls);
/* A handshake for path, with further fields; lives for ever. */
const char *peer_request(const char *path, int port, const char *fields);
void peer_open_all(struct peer *peers, size_t count);
/* Data lives until it is out; only when nothing is under way. */
void peer_send(struct peer *p, const char *data, size_t len);
static inline bool peer_idle(const struct peer *p) { return p->out_sent == p->out_len; }
/* Waits at most so long, and takes all that is ready. */
void peer_turn(int timeout_ms);
void peer_run_for(double seconds, bool busy); /* busy: without sleeping */
/* When the turn before this one began to look: what is taken now came later. */
uint64_t peer_looked_ns(void);

#endif
