/*
 * Signals as events of a loop. The handler counts and writes to an eventfd of the process, which
 * all loops with signals watch and nobody ever closes: so a handler that runs late can neither
 * write to a reused descriptor nor find a dead loop. At most one loop has a signal at a time. Does
 * not keep coho_loop_run() running.
 */
#ifndef COHO_IO_SIGNALS_H
#define COHO_IO_SIGNALS_H

#include "io/loop.h"

/* Behind coho_loop_signal(); remembers the former disposition and restores it. 0, COHO_EEXISTS (of
   another loop), COHO_ENOTFOUND (to give back), COHO_EINVAL (no such signal), COHO_ENOMEM. */
int coho__signals_set(coho_loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg);
/* Gives back all signals of this loop. */
void coho__signals_drop(coho_loop *loop);

#endif
