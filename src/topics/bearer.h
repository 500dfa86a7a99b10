/*
 * Where a request brings a token: the first of Authorization: Bearer (RFC 6750 2.1), a subprotocol
 * "bearer.TOKEN", a ticket in the query, the cookie. What comes after the first one is not looked at,
 * so that a good token never saves a bad one.
 */
#ifndef COHO_TOPICS_BEARER_H
#define COHO_TOPICS_BEARER_H

#include "base/view.h"

#include <coho/core.h>

enum coho__bearer_kind { COHO_BEARER_NONE, COHO_BEARER_TOKEN, COHO_BEARER_TICKET };

struct coho__bearer {
  enum coho__bearer_kind kind;
  struct coho__view text; /* in the request */
};

/* cookie: its name; NULL: cookies do not count. 0, also when there is none; COHO_ETOKEN: it cannot be told which one is meant, two
   fields Authorization or two cookies of the name that differ, or it cannot be decoded. */
int coho__bearer_find(coho_request *r, const char *cookie, struct coho__bearer *out);

#endif
