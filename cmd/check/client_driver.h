/*
 * A client under test that connects by itself, one connection after the other. Either each is simply
 * the next case, or it is driven by the paths that drivers of test suites know:
 *
 *   /getCaseCount                 answers with the number of cases, as a text message
 *   /runCase?case=N&agent=NAME    is case N, from 1
 *   /getCaseInfo?case=N           {"id": "2.1", "description": "..."}
 *   /getCaseStatus?case=N         {"behavior": "OK"}, or FAILED, INFORMATIONAL, UNIMPLEMENTED
 *   /updateReports?agent=NAME     the client is through
 */
#ifndef COHO_CMD_CHECK_CLIENT_DRIVER_H
#define COHO_CMD_CHECK_CLIENT_DRIVER_H

#include "case.h"
#include "client_port.h"
#include "wire.h"

enum { DRIVER_AGENT = 200 };

struct client_driver {
  const struct client_port *port;
  struct ssl_ctx_st *tls; /* NULL: plain */
  uint64_t budget_ms;     /* of the whole run */
  uint64_t deadline;
  const struct check_case *const *cases; /* in the order in which they run */
  enum verdict *verdicts;
  size_t count;
  size_t now;      /* the number of the case that runs, 0: none yet */
  size_t opened;   /* connections of this case */
  size_t visits;   /* connections of all cases */
  size_t kept_for; /* the number of a later case whose connection is here already, 0: none */
  struct wire kept;
  bool driven;              /* by the paths */
  bool ended;               /* by the client: it is through */
  bool over;                /* nobody will come any more */
  bool came;                /* somebody did, whatever for */
  char agent[DRIVER_AGENT]; /* what the client calls itself */
};

/* budget_ms: for all cases. */
void driver_begin(struct client_driver *d, const struct client_port *port, struct ssl_ctx_st *tls,
                  uint64_t budget_ms, const struct check_case *const *cases, size_t count);
void driver_next(struct client_driver *d); /* the next case begins */
void driver_done(struct client_driver *d, enum verdict v);
/* A connection for this case, as struct link wants it. */
int driver_open(struct client_driver *d, struct wire *w, char *why, size_t cap);
/* Nobody came at all; why gets a sentence without full stop. */
bool driver_deserted(const struct client_driver *d, char *why, size_t cap);
/* All cases are through: answers what the client still asks. */
void driver_end(struct client_driver *d);

#endif
