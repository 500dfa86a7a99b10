/* The options of TLS: of a server --tls and what goes with it, of a client --cacert and its like. */
#ifndef COHO_CMD_TLS_H
#define COHO_CMD_TLS_H

#include "option.h"

#include <coho/tls.h>

struct tls_server {
  struct option_list pairs; /* "CERT,KEY" or "self" */
  const char *client_ca;
  bool client_optional;
  bool any_name;
};

struct tls_client {
  const char *ca, *cert, *key, *name;
  bool insecure;
};

/* What can be known to be wrong without a look at the files. secure: there is a wss:// URL, of a server
   its text, NULL for none. 0, or EXIT_USAGE after a sentence on standard error. */
int tls_server_check(const struct command *c, const struct tls_server *t, const char *secure);
int tls_client_check(const struct command *c, const struct tls_client *t, bool secure);

/* Reads the files; *out is NULL when nothing was asked for. 0, or an exit status after a sentence. */
int tls_server_open(const struct command *c, const struct tls_server *t, coho_tls **out);
int tls_client_open(const struct command *c, const struct tls_client *t, coho_tls **out);

/* Reads the files, for nothing but to know whether it works. */
int tls_server_try(const struct command *c, const struct tls_server *t);

/* Reads the files again and says so in the log. */
void tls_reload(coho_tls *tls);

#endif
