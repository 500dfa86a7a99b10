/* How cases come by connections: one side connects, the other waits for a client to come. */
#ifndef COHO_CMD_CHECK_LINK_H
#define COHO_CMD_CHECK_LINK_H

#include "peer.h"

struct check_case;
struct check_result;

struct link {
  enum side side; /* ours: SIDE_CLIENT tests a server */
  /* A connection without handshake. 0; or -1, or 1 when the case cannot be played like this, each
     with a sentence without full stop in why. Called from several threads. */
  int (*open)(struct link *l, struct wire *w, uint64_t deadline, char *why, size_t cap);
  /* Around each case, in its thread. NULL: nothing to do. */
  void (*begin)(struct link *l, const struct check_case *c);
  void (*end)(struct link *l, const struct check_result *result);
  /* After all cases: nobody ever came, why in a sentence without full stop. NULL: not to be asked. */
  bool (*deserted)(struct link *l, char *why, size_t cap);
  /* SIDE_CLIENT: what every request has. */
  const char *host, *target;
  const char *fields; /* whole lines of -H, NULL: none */
  const char *protocols;
};

#endif
