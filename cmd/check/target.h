/* A server under test: its URL taken apart, its addresses, and what every connection to it has. */
#ifndef COHO_CMD_CHECK_TARGET_H
#define COHO_CMD_CHECK_TARGET_H

#include "link.h"

#include "option.h"
#include "proto/url.h"

struct addrinfo;

struct target {
  struct link link; /* leads back here */
  struct coho__url url;
  struct addrinfo *addresses;
  const struct addrinfo *good; /* the first that answered; the others are no longer asked */
  struct wire_tls tls;
  struct bytes fields; /* whole lines, terminated */
  char *host;          /* as the Host field has it */
};

struct target_conf {
  const char *url;
  const struct option_list *fields; /* "Name: value" */
  const char *protocols;
  struct ssl_ctx_st *tls; /* for wss, borrowed; NULL: plain */
};

/* Looks up its addresses. 0, or -1 with a sentence without full stop in why; to be closed either
   way. */
int target_open(struct target *t, const struct target_conf *conf, char *why, size_t cap);
void target_close(struct target *t);

#endif
