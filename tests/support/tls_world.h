/* A world (world.h) whose server listens on wss://127.0.0.1, and what its clients are. */
#ifndef TESTS_SUPPORT_TLS_WORLD_H
#define TESTS_SUPPORT_TLS_WORLD_H

#include "support/certs.h"
#include "support/raw.h"

#include <coho/tls.h>

struct tls_world {
  struct world w;
  coho_tls *tls; /* the server's */
  struct probe server, client;
};

/* What is made of certificates written to files: a server's pair, and the trust of a client. */
coho_tls_options tls_serves(const struct cert *c);
coho_tls_options tls_trusts(const struct cert *authority);
coho_tls *tls_of(const coho_tls_options *o); /* fails with its sentence */

/* A server that echoes messages of any size below 4 MiB on "/". so NULL: as usual; its loop and tls
   are set here. */
void tls_world_open(struct tls_world *t, const coho_tls_options *o, const coho_server_options *so);
void tls_world_close(struct tls_world *t);
/* Connects to this host; returns when the client is open or has ended. */
void tls_world_dial(struct tls_world *t, const char *host, coho_tls *tls);
void tls_world_dial_with(struct tls_world *t, const char *host, const coho_tls_options *o);
/* Closes the client if it is open, and waits until it is not. */
void tls_world_part(struct tls_world *t);

#endif
