/*
 * Keys by URL: JSON Web Key Sets of configured issuers, fetched on a thread of their own and handed to a
 * coho_keys. What a token says has no influence on where they come from, and little on when: a token
 * whose key is unknown has them fetched again, once a minute at most.
 *
 * They come by https, or by http from this machine, from that host and no other. They are fetched
 * again when they are stale (Cache-Control), after 5 minutes at the earliest and a day at the latest.
 * While that fails the old ones stay.
 */
#ifndef COHO_CMD_JWKS_FETCH_H
#define COHO_CMD_JWKS_FETCH_H

#include <coho/keys.h>
#include <stdbool.h>

enum { JWKS_SOURCES_MOST = 16 };

struct jwks_source {
  const char *issuer;
  const char *url;
};

/* Zero is the default of every field. Copied. */
struct jwks_options {
  const struct jwks_source *sources; /* one for each issuer */
  size_t count;
  const char *ca;     /* PEM file of the authorities to trust instead of the system's */
  uint64_t minute_ms; /* how long a minute is; 60,000 */
};

struct jwks_fetch;

/* What is wrong with a URL to fetch keys from; NULL: it is fine. */
const char *jwks_url_objection(const char *url);
/* How long what came with this Cache-Control, which may be NULL, is kept, in ms. */
uint64_t jwks_keep_ms(const char *cache_control);

/* Begins to fetch; the issuers are known to keys at once. 0; COHO_EURL, COHO_EOPTION (an issuer without
   name), COHO_EEXISTS (an issuer twice), COHO_EFULL, COHO_ESYSTEM, COHO_ENOMEM. keys outlives it. */
int jwks_fetch_start(coho_keys *keys, const struct jwks_options *opt, struct jwks_fetch **out);
/* Until each URL was tried once, some 10 seconds at most. */
void jwks_fetch_wait(struct jwks_fetch *f);
bool jwks_fetch_tried(struct jwks_fetch *f); /* whether that is so */
/* Fetches all of them now. */
void jwks_fetch_again(struct jwks_fetch *f);
void jwks_fetch_stop(struct jwks_fetch *f); /* NULL is fine */

#endif
