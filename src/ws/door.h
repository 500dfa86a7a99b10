/*
 * A door: one listener on one loop, and the way of those who come in by it.
 *
 *   accepted -> dealt to a loop -> PROXY header -> TLS -> HTTP
 *
 * A TCP listener has a socket for each loop, among which the kernel deals. A unix socket, or one that
 * somebody else opened, is one for all: the loop that has it deals, each loop its turn, since loops that
 * accepted from it side by side would leave most connections to the first.
 */
#ifndef COHO_WS_DOOR_H
#define COHO_WS_DOOR_H

#include "ws/serve.h"

/* Opens the listener's socket on this loop, and accepts if it runs. The first one finds out whether
   the port is free; of a listener with one socket only the first is opened. On its thread. 0 or an
   error. */
int coho__door_open(struct coho__door *d, uint16_t port, bool first);
/* Accepts from now on, if it is open. */
void coho__door_start(struct coho__door *d);

#endif
