/*
 * The section auth of the file of coho serve: whose tokens count for topics, and what is open to
 * everybody.
 *
 *   auth:
 *     issuers:
 *       - issuer: https://id.example
 *         jwks: https://id.example/.well-known/jwks.json
 *     audience: chat
 *     open-subscribe: [news/#]
 */
#ifndef COHO_CMD_AUTH_H
#define COHO_CMD_AUTH_H

#include "option.h"

#include <coho/keys.h>

#define AUTH_TEXT                                                                                \
  "serve topics, but only to who brings a token that allows it, a JWT signed with HS256, RS256 " \
  "or "                                                                                          \
  "ES256; docs/auth.md says what it has to hold"

struct auth_options {
  struct option_rows issuers;
  struct option_list audience, open_subscribe, open_publish;
  const char *cookie;
};

/* The same tokens count by both. */
bool auth_same(const struct auth_options *a, const struct auth_options *b);

/* The options in the section. */
extern const struct option auth_parts[];

/* Of a section that is there, at the place of `section`; reads the files, but fetches nothing. 0, or
   EXIT_USAGE after sentences. */
int auth_check(const struct command *c, const struct auth_options *a, const void *section);

struct auth {
  coho_keys *keys;
  struct jwks_fetch *fetch; /* NULL: all keys are in files */
};

/* Reads the keys and begins to fetch those of URLs. 0 or an error; why, of cap bytes, is a sentence
   then. */
int auth_begin(const struct auth_options *a, struct auth *out, char *why, size_t cap);
/* Whether each URL was tried once, which takes some 10 seconds at most. */
bool auth_ready(const struct auth *a);
/* Both: begins, and waits. */
int auth_start(const struct auth_options *a, struct auth *out, char *why, size_t cap);
void auth_stop(struct auth *a); /* also when it did not start */
/* Reads the files again, of which the log tells at once, and fetches what is fetched again. */
void auth_reload(const struct auth *a);

#endif
