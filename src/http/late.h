/*
 * A request whose handler answers later: what it wants to be told, and what is due. The state that
 * waits for the answer is the connection's (COHO_HTTP_LATE); here is what concerns the handler alone.
 *
 * No callback runs inside a call of the program: what such a call causes is left to a task, which runs
 * the connection at the end of the turn.
 */
#ifndef COHO_HTTP_LATE_H
#define COHO_HTTP_LATE_H

#include "http/conn.h"

struct coho__late {
  struct coho__http_conn *conn;
  coho_late on;
  uint64_t max_queue; /* of its parts; 0: the server's */
  struct coho__task task;
  bool want_drain; /* a part was refused, or waits */
  bool stop_due;   /* although the drain is paced */
  bool stop_told;
  bool done; /* answered: nothing more is called */
  bool cut;  /* by the server: the connection is closed as soon as nobody is inside a call */
};

/* All but coho__late_waits() do nothing for a request that was not deferred. */

/* It was deferred and is not answered. */
bool coho__late_waits(const struct coho__http_conn *c);
void coho__late_wake(struct coho__http_conn *c); /* the connection runs at the end of the turn */
void coho__late_done(struct coho__http_conn *c); /* the answer is complete */
void coho__late_free(struct coho__http_conn *c);
/* Calls on_drain or on_stop when that is due. sent: some of what waited went out. */
void coho__late_tell(struct coho__http_conn *c, bool sent);
void coho__late_gone(struct coho__http_conn *c); /* the last call, unless it is answered */

#endif
