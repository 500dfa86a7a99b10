/*
 * The client's way to an open connection: name, gate, TCP, handshake, under one deadline.
 *
 *   RESOLVING -> (WAITING) -> DIALING -> SHAKING -> the connection is open, the client is freed
 *
 * The gate: to one address and port there is at most one attempt at a time on a loop, the others
 * wait their turn (RFC 6455 4.1, second list, 2), unless COHO_CONNECT_TOGETHER allows more.
 */
#ifndef COHO_WS_CLIENT_H
#define COHO_WS_CLIENT_H

#include "ws/conn.h"

/* Begins a connection of this home. 0, COHO_EURL, COHO_EOPTION, COHO_ENOMEM,
   COHO_ESTOPPED (the loop is being freed). */
int coho__client_start(struct coho__home *home, const char *url, struct coho__options *opt,
                       coho_conn **out);
/* The deadline of a connection that is CONNECTING. */
void coho__client_timeout(coho_conn *c);
/* Gives up what a connection that is CONNECTING has under way; the caller ends it. */
void coho__client_drop(coho_conn *c);

#endif
