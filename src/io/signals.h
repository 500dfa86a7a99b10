/*
 * Signals as events of a loop. The handler counts and writes to an eventfd of the process, which
 * all loops with signals watch and nobody ever closes: so a handler that runs late can neither
 * write to a reused descriptor nor find a dead loop. At most one loop has a signal at a time. Does
 * not keep coho_loop_run() running.
 */
#ifndef COHO_IO_SIGNALS_H
#define COHO_IO_SIGNALS_H

#include "io/loop.h"

/* coho_loop_signal() is here; it remembers the former disposition and restores it. */

/* Gives back all signals of this loop. */
void coho__signals_drop(coho_loop *loop);

#endif
