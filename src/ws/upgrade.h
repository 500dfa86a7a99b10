/* The server's way to an open connection: a WebSocket route of the http layer (RFC 6455 4.2). */
#ifndef COHO_WS_UPGRADE_H
#define COHO_WS_UPGRADE_H

#include "http/http.h"
#include "ws/conn_table.h"
#include "ws/options.h"

/* A loop of a server: where its requests come from, and where their connections go. */
struct coho__host {
  struct coho__http http;
  struct coho__home home;
};

/* Adds the route; the table holds opt. Its requests come from the http of a host. 0, COHO_EINVAL,
   COHO_EEXISTS, COHO_ENOMEM. */
int coho__upgrade_route(struct coho__routes *routes, const char *pattern,
                        struct coho__options *opt);

/* Other options for the handshakes to come of a route that is there. Any thread. 0, COHO_ENOTFOUND,
   COHO_ENOMEM. */
int coho__upgrade_update(struct coho__routes *routes, const char *pattern,
                         struct coho__options *opt);

#endif
