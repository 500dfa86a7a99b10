/*
 * The admin listener of coho serve: a server of its own on a thread of its own, with the page, what it
 * shows (admin_feed.h), metrics and health.
 *
 * On a loopback address or a unix socket all who reach it may; elsewhere, or with a token, only who has
 * the token: as "Authorization: Bearer TOKEN", or in a browser by a cookie that signing in gives. Pages
 * of other sites get nothing: there is no CORS, an Origin has to be the listener's own, and the Host an
 * address, localhost or the name in its URL, so that a name that was pointed here does not help.
 */
#ifndef COHO_CMD_ADMIN_H
#define COHO_CMD_ADMIN_H

#include "metrics.h"
#include "option.h"

#define ADMIN_TEXT                                                                              \
  "serve metrics, health and a page that shows connections as they live, on a listener of its " \
  "own such as ws://127.0.0.1:9091; any but a loopback address or a unix socket needs "         \
  "--admin-token"
#define ADMIN_TOKEN_TEXT \
  "only who has the token in this file, 16 to 256 characters on its first line, may use --admin"

struct admin_options {
  const char *url, *token_file;
};

/* 0, or an exit status after complaints. *secure becomes its URL when it needs a certificate. */
int admin_check(const struct command *c, const struct admin_options *o, const char **secure);
/* Begins to serve. 0, or an error of error.h. */
int admin_start(const struct admin_options *o, const struct metrics *m, coho_tls *tls);
/* The URL with its real port; NULL: there is none. */
const char *admin_url(void);
/* Before the server that it looks into is freed. */
void admin_stop(void);

#endif
