/*
 * A server: listeners, routes, and one or more loops that serve them, each on its own thread or all
 * on a loop of the program.
 *
 * Stopping: whoever asks sets a flag and rings the bell (stop.h); each loop then closes its
 * listeners, drains HTTP, closes its WebSocket connections, at once or evenly over a while so that
 * those who come back do not all come together, and is done when the last connection is gone or the
 * drain deadline cut it. The server is freed with its last reference:
 * the program's, that of each loop that is not done, and that of each thread.
 */
#ifndef COHO_WS_SERVE_H
#define COHO_WS_SERVE_H

#include "base/ip.h"
#include "http/proxied.h"
#include "io/listen.h"
#include "proto/url.h"
#include "ws/stop.h"
#include "ws/upgrade.h"

#include <pthread.h>

enum coho__serve_state { COHO_SERVE_NEW, COHO_SERVE_RUNNING, COHO_SERVE_DRAINING, COHO_SERVE_DONE };

/* What a server has on one loop. All but the counters belong to the loop's thread. */
struct coho__serve_loop {
  struct coho__host host;
  struct coho__counters counters;
  struct coho__proxied_room room;
  struct coho__http_conf conf; /* of its HTTP */
  coho_server_options opt;     /* what holds here now */
  uint32_t version;            /* of it, see the server's */
  coho_server *server;
  coho_loop *loop; /* NULL once a loop of the program was freed */
  enum coho__serve_state state;
  uint64_t cut_ms;              /* DRAINING: when connections are cut */
  uint64_t drain_ms, spread_ms; /* since when, and over which time they are closed */
  uint64_t drain_total;         /* connections then */
  uint64_t drained;             /* of them, closed so far */
  uint64_t deferred_total;      /* requests that waited for their answer then */
  uint64_t deferred_told;       /* of them, told so far */
  uint32_t drain_it;            /* where in the table of connections it goes on */
  struct coho__stop_watch watch;
  struct coho__wheel_timer timer; /* DRAINING: looks whether it is over */
  struct coho__teardown teardown;
  struct coho__task grave;
  pthread_t thread;
  bool threaded;
};

/* A listener on one loop: door.c. */
struct coho__door {
  struct coho__listen *socket; /* closed by the loop; NULL: not open */
  struct coho__serve_loop *loop;
  struct coho__listener *listener;
};

struct coho__listener {
  struct coho__list node; /* in server->listeners */
  struct coho__url url;   /* of one that was adopted: none */
  int fd;                 /* to adopt; -1: there is a URL */
  char *text;             /* the URL with its real port */
  bool secure;
  bool single;               /* one socket for all loops */
  bool proxied;              /* PROXY headers are expected */
  uint32_t turn;             /* whose it is; of the loop that has the single socket */
  struct coho__door doors[]; /* for each loop */
};

struct coho_server {
  _Atomic uint32_t refs;
  _Atomic bool stopping, cutting; /* asked for */
  _Atomic uint32_t undone;        /* loops that run and are not done */
  _Atomic bool started;
  coho_server_options opt;
  struct coho__routes routes;
  struct coho__http_conf http_conf;
  struct coho__admission admission;
  struct coho__cidrs proxies; /* who begins with a PROXY header */
  struct coho__cidrs trusted; /* whose X-Forwarded-For counts */
  pthread_mutex_t lock;       /* listeners, after the start; fresh */
  /* What coho_server_update() said last: each loop hears the bell, sees that the version is another one,
     and takes it. */
  coho_server_options fresh;
  _Atomic uint32_t version;
  struct coho__list listeners;
  bool own_loops;
  bool obeys_stop;     /* coho_stop() means this server */
  unsigned stop_count; /* calls of it before this server */
  uint32_t loop_count;
  struct coho__serve_loop loops[];
};

/* Gives back a reference. */
void coho__server_unref(coho_server *s);
/* What of the options HTTP reads, into conf. */
void coho__server_conf(const coho_server_options *o, struct coho__http_conf *conf);

/* ---- one loop: serve_loop.c ------------------------------------------------------------------ */

void coho__serve_loop_init(struct coho__serve_loop *sl, coho_server *s, coho_loop *loop);
/* Begins to accept. The loop does not run yet, or the caller is on its thread. 0 or an error. */
int coho__serve_loop_start(struct coho__serve_loop *sl);
/* Cuts what is left, at the end of this turn. On its thread. */
void coho__serve_loop_cut(struct coho__serve_loop *sl);
/* Ends all at once: the loop or the server is about to be freed. On its thread, not in a handler. */
void coho__serve_loop_leave(struct coho__serve_loop *sl);

/* ---- listeners: listener.c ------------------------------------------------------------------- */

/* Which of its loops runs on this thread; NULL: none. */
struct coho__serve_loop *coho__serve_loop_here(const coho_server *s);
void coho__serve_loop_enter(struct coho__serve_loop *sl); /* NULL leaves */
void coho__listeners_free(coho_server *s);

#endif
