/* What `coho check` was asked for; cmd_check.c reads it, the two modes act on it. */
#ifndef COHO_CMD_CHECK_CHECK_H
#define COHO_CMD_CHECK_CHECK_H

#include "catalog.h"
#include "option.h"
#include "runner.h"

struct check_conf {
  const char *url; /* of the server under test; with --client: where to listen */
  struct option_list filter;
  struct option_list header;
  const char *protocol;
  const char *ca_file;
  const char *cert_file, *key_file; /* of a wss listener; NULL: made for this run */
  char **command;     /* the client to run for each connection, ended by NULL; NULL: none */
  const char *report; /* the HTML file, NULL: none */
  uint64_t timeout_ms;
  uint64_t budget_ms; /* 0: by default */
  uint64_t at_once;   /* 0: by default */
  uint64_t verbose;
  bool client;
  bool list;
  bool full;
  bool json;
  bool insecure;
};

/* The cases of conf for this side of the other: those it is not for, of --full only, or filtered
   out are left out. Freed with free(). */
const struct check_case **check_choose(const struct check_conf *conf, const struct catalog *cat,
                                       enum side under_test, size_t *count);
/* Runs them, prints the results as text or JSON, writes the HTML file; the exit status. */
int check_and_tell(const struct check_conf *conf, struct link *link, const char *subject,
                   const struct check_case *const *cases, size_t count);

/* coho check --client: listens at conf->url (NULL: ws://127.0.0.1:0) and tests the clients that
   connect. The exit status. */
int check_client(const struct check_conf *conf, const struct catalog *cat);

#endif
