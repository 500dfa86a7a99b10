/* Pings on their way: which pong answers which, and after how long. */
#ifndef COHO_CMD_PINGS_H
#define COHO_CMD_PINGS_H

#include "base/view.h"

enum { PINGS_MOST = 16, PING_BYTES = 125 /* RFC 6455 5.5 */ };

struct ping {
  uint64_t sent_ns;
  size_t len;
  char data[PING_BYTES];
};

/* Zeroed: none. The oldest is forgotten when there are too many. */
struct pings {
  struct ping ring[PINGS_MOST];
  uint64_t first, end; /* numbers of the oldest and the next */
};

void pings_add(struct pings *p, struct coho__view data);
/* Whether a pong answers one of them; that and the older ones are done, since a peer may answer
   only the latest (RFC 6455 5.5.3). */
bool pings_match(struct pings *p, struct coho__view data, uint64_t *ns);

#endif
