/*
 * The bell that coho_stop() and coho_server_stop() ring: one eventfd of the process that every loop
 * with something to stop watches (by a duplicate of its own), and that nobody ever closes or reads. So ringing is safe in a
 * signal handler and on any thread, cannot fail, and meets no dead loop; who hears the bell looks
 * for itself whether it is meant.
 */
#ifndef COHO_WS_STOP_H
#define COHO_WS_STOP_H

#include "io/loop.h"

struct coho__stop_watch {
  struct coho__io io;
  coho_loop *loop;
  void (*on_ring)(struct coho__stop_watch *w);
};

/* Does not keep coho_loop_run() running. 0, COHO_EMFILE, COHO_ENOMEM. */
int coho__stop_watch(struct coho__stop_watch *w, coho_loop *loop,
                     void (*on_ring)(struct coho__stop_watch *w));
/* w has to live until the end of the turn. */
void coho__stop_unwatch(struct coho__stop_watch *w);

/* Any thread, signal-safe. */
void coho__stop_ring(void);
/* How often coho_stop() was called so far. Any thread. */
unsigned coho__stop_count(void);

#endif
