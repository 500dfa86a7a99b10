/*
 * Who may: whether a request brings a token, and what it allows. A token is looked for in this order,
 * and the first one found counts: Authorization: Bearer, a subprotocol "bearer.TOKEN", a ticket in the
 * query, the cookie; that only of a page whose Origin is trusted (cors.h).
 *
 * Whether the Origin is let in is checked by who calls: before anything else is looked at.
 */
#ifndef COHO_TOPICS_ACCESS_H
#define COHO_TOPICS_ACCESS_H

#include "topics/claims.h"
#include "topics/mount.h"

enum {
  /* Bad tokens of an address in so many seconds; then none is looked at until one more is allowed. */
  COHO_GUESSES_MOST = 10,
  COHO_GUESSES_S = 60
};

/* Who asks, for the life of a request or connection. */
struct coho__who {
  struct coho__claims *claims; /* NULL: nobody in particular */
};

/* Of a request. 0, also without a token; an error of coho__token_verify(); COHO_ETOKENRATE: too many bad
   tokens from this address lately (429). Logs why, without any part of the token. */
int coho__who_of(const struct coho__mount *m, coho_request *r, struct coho__who *who);
/* Of a token that came later; peer for the log and the throttle. Results as above, and COHO_EFORBIDDEN: who
   had a token must have the same subject. *who is as before on an error. */
int coho__who_becomes(const struct coho__mount *m, struct coho__who *who, struct coho__view token,
                      const char *peer);
void coho__who_free(struct coho__who *who);

/* 0; COHO_EFORBIDDEN; COHO_ENOTOKEN: perhaps with a token; COHO_EEXPIRED. name: of a topic. */
int coho__who_may(const struct coho__mount *m, const struct coho__who *who,
                  enum coho__action action, struct coho__view name);
int coho__who_may_pattern(const struct coho__mount *m, const struct coho__who *who,
                          struct coho__view pattern);
/* Whether nothing at all is allowed without a token. */
bool coho__who_needs_token(const struct coho__mount *m, const struct coho__who *who);
/* The name under which somebody is present: that of the token; of who has none, the one asked for. Where
   tokens count that begins with '~', as no token's may, so that nobody takes another's. False: this may
   not be one's name. */
bool coho__who_id(const struct coho__mount *m, const struct coho__who *who, struct coho__view asked,
                  struct coho__view *id);
/* When the token ends, ms of the wall clock; COHO_CLAIMS_NEVER. */
uint64_t coho__who_until(const struct coho__who *who);

#endif
