/*
 * What a token says (RFC 7519 4.1), and what its bearer may do: "coho" has the topics to subscribe in
 * "sub" and those to publish in "pub", each a list of names and patterns (hub/pattern.h). Without,
 * the bearer may nothing.
 *
 * Does not change; shared by reference.
 */
#ifndef COHO_TOPICS_CLAIMS_H
#define COHO_TOPICS_CLAIMS_H

#include "hub/pattern.h"
#include "topics/json.h"

#include <openssl/sha.h>
#include <stdatomic.h>

enum {
  COHO_GRANTS_MOST = 64, /* patterns in each list */
  COHO_SUBJECT_MOST = 255
};

enum coho__action { COHO_MAY_SUBSCRIBE, COHO_MAY_PUBLISH };

#define COHO_CLAIMS_NEVER UINT64_MAX

struct coho__claims {
  _Atomic uint32_t refs;
  uint32_t count[2]; /* of patterns, by enum coho__action */
  uint64_t expires;  /* "exp", wall clock, ms; COHO_CLAIMS_NEVER */
  uint64_t until;    /* the same with the leeway: from then on the token is refused */
  size_t size;       /* of all */
  unsigned char token[SHA256_DIGEST_LENGTH]; /* a hash of it, when it names no subject */
  struct coho__view subject;                 /* terminated; "" when there is none */
  struct coho__view patterns[];              /* those to subscribe first */
};

/* When a token counts, ms of the wall clock. */
struct coho__token_times {
  uint64_t expires;    /* COHO_CLAIMS_NEVER: it does not */
  uint64_t not_before; /* 0: at once */
  uint64_t issued;     /* 0: unknown */
};

/* Of a payload. 0; COHO_ECLAIMS: a time is no number, or out of all reason. */
int coho__claims_times(const json_t *payload, struct coho__token_times *out);
/* Subject and grants of a payload, with a reference. 0; COHO_ECLAIMS, COHO_ENOMEM. */
int coho__claims_new(const json_t *payload, struct coho__claims **out);
struct coho__claims *coho__claims_ref(struct coho__claims *c); /* any thread; NULL gives NULL */
void coho__claims_unref(struct coho__claims *c);               /* any thread; NULL is fine */

/* Of a topic's name; what is none, nobody may. */
bool coho__claims_may(const struct coho__claims *c, enum coho__action action,
                      struct coho__view topic);
/* Whether one of the patterns to subscribe covers all of this one. */
bool coho__claims_may_pattern(const struct coho__claims *c, struct coho__view pattern);

#endif
