/*
 * SIGHUP: coho serve reads its configuration again, all of it or nothing, and takes over what can change
 * while it runs: for connections and requests that come from then on. What cannot is named in the log.
 */
#ifndef COHO_CMD_SERVE_RELOAD_H
#define COHO_CMD_SERVE_RELOAD_H

#include "serve_options.h"
#include "settle.h"

struct serve_kept;

struct serve_running {
  coho_server *server;
  coho_tls *tls;
  const struct settle_source *from;
  const struct serve_values *v; /* what it was started with */
  struct serve_kept *kept;      /* what it took over last; NULL: nothing */
};

/* On the server's first loop. */
void serve_reload(struct serve_running *g);
/* When nothing reads the options any more. */
void serve_reload_free(struct serve_running *g);

#endif
