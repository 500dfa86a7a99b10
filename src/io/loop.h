/*
 * The event loop: one thread, epoll (edge-triggered), and a turn of named phases:
 *
 *   wait      epoll_wait, no longer than the next timer; not at all while something is ready
 *   dispatch  descriptors with events, then those left ready by an earlier turn
 *   mailbox   what other threads posted
 *   timers    the wheel
 *   tasks     what was put off to the end of the turn: flushing, mostly
 *   bury      objects that died in this turn are freed
 *
 * Nothing is freed before the last phase, so a handler may close everything, itself included.
 */
#ifndef COHO_IO_LOOP_H
#define COHO_IO_LOOP_H

#include "base/buf.h"
#include "base/list.h"
#include "io/wheel.h"

#include <coho/coho.h>
#include <stdatomic.h>
#include <stdbool.h>

enum coho__io_event {
  COHO_IO_READ = 1,  /* may be readable */
  COHO_IO_WRITE = 2, /* may be writable */
  COHO_IO_HANGUP = 4 /* the peer closed or the socket failed: reading will tell. From then on it
                        comes with every event, so that who put reading off cannot miss it. */
};

/*
 * A descriptor in the loop, edge-triggered: after READ the owner reads until a short count or
 * EAGAIN, or calls coho__io_again() to go on in the next turn.
 */
struct coho__io {
  struct coho__list ready; /* in loop->ready while events wait for the next turn */
  void (*on_event)(struct coho__io *io, unsigned events);
  int fd;           /* -1: not in epoll, events come by coho__io_again() only */
  uint16_t pending; /* events for the next turn */
  uint16_t hangup;  /* COHO_IO_HANGUP once it came, else 0 */
};

/* Something to do once. Embedded in its owner; run() may put it in again. */
struct coho__task {
  struct coho__list node;
  void (*run)(struct coho__task *t);
};

#ifdef COHO_HARD /* tiny, so that what happens once a week elsewhere happens always */
enum { COHO_LOOP_RECV = 64, COHO_LOOP_CORK = 512, COHO_LOOP_EVENTS = 4 };
#else
enum {
  /* One read takes at most this: large enough that a burst costs one system call, and touched only
     as far as bytes really come. */
  COHO_LOOP_RECV = 512 * 1024,
  /* Room for the answers to one read: twice what was read, so that answers of the size of their
     questions never overflow it, frame headers included. */
  COHO_LOOP_CORK = 1024 * 1024,
  /* Events taken from the kernel in one turn: 12 KiB of them, and with more the handlers of the
     first ones would wait too long for the flush at the end of the turn. */
  COHO_LOOP_EVENTS = 1024
};
#endif

struct coho__mailbox;
struct coho__signals;
struct coho__wire_buffers;
struct epoll_event;

struct coho_loop {
  int epoll_fd;
  uint32_t index;             /* in the process-wide table of loops, for coho_id */
  uint64_t now_ms;            /* monotonic, set after each wait */
  struct epoll_event *events; /* COHO_LOOP_EVENTS, of this turn */
  struct coho__wheel wheel;
  struct coho__list ready;    /* coho__io */
  struct coho__list tasks;    /* coho__task, end of this turn */
  struct coho__list dead;     /* coho__task, freed at the end of this turn */
  struct coho__list dead_ios; /* coho__io, the same */
  struct coho__list teardown; /* coho__teardown, called by coho_loop_free() */
  struct coho__mailbox *mailbox;
  struct coho__signals *signals;   /* NULL until there is one */
  size_t active;                   /* what keeps coho_loop_run() running */
  char *recv;                      /* COHO_LOOP_RECV bytes, shared by all reads */
  struct coho__buf cork;           /* output of the connection whose input is being handled */
  struct coho__wire_buffers *wire; /* of TLS streams; NULL until there is one */
  void *conns;                     /* ws: the table of connections; NULL until there is one */
  _Atomic uint64_t busy_ns;        /* longest turn since it was last taken */
  _Atomic bool stop;
  _Atomic bool ending; /* inside coho_loop_free() */
  bool turning;        /* inside coho_loop_turn() */
};

/* Without a descriptor: coho__io_again() works. */
void coho__io_init(struct coho__io *io, void (*on_event)(struct coho__io *io, unsigned events));
/* Registers for read and write, once; keeps coho_loop_run() running. 0 or an error. */
int coho__io_add(coho_loop *loop, struct coho__io *io, int fd,
                 void (*on_event)(struct coho__io *io, unsigned events));
/* Takes it out of the loop; the descriptor stays open. No event comes after this, but its memory
   has to live until the end of the turn. */
void coho__io_remove(coho_loop *loop, struct coho__io *io);
/* Takes it out; when the dead are buried, free_owner(io, 0) is called. */
void coho__io_bury(coho_loop *loop, struct coho__io *io,
                   void (*free_owner)(struct coho__io *io, unsigned events));
/* Delivers these events in the next turn, which will not wait. */
void coho__io_again(coho_loop *loop, struct coho__io *io, unsigned events);

void coho__task_init(struct coho__task *t, void (*run)(struct coho__task *));
/* Runs at the end of this turn; once, also if asked twice. Asked by a task: in the next turn. */
void coho__loop_soon(coho_loop *loop, struct coho__task *t);
/* run() frees the owner, after all tasks of this turn. */
void coho__loop_bury(coho_loop *loop, struct coho__task *t);
void coho__task_cancel(struct coho__task *t);

/* now_ms inside a turn; between turns, when that is old, the clock. */
uint64_t coho__loop_time(const coho_loop *loop);
static inline void coho__loop_set_timer(coho_loop *loop, struct coho__wheel_timer *t,
                                        uint64_t delay_ms) {
  coho__wheel_set(&loop->wheel, t, coho__loop_time(loop), delay_ms);
}
static inline void coho__loop_stop_timer(coho_loop *loop, struct coho__wheel_timer *t) {
  coho__wheel_stop(&loop->wheel, t);
}

/* What has to end before the loop is freed: run in reverse order of coho__loop_on_free(). */
struct coho__teardown {
  struct coho__list node;
  void (*run)(struct coho__teardown *t);
};
void coho__loop_on_free(coho_loop *loop, struct coho__teardown *t);

/* Keeps coho_loop_run() from returning while something is under way. */
void coho__loop_hold(coho_loop *loop);
void coho__loop_release(coho_loop *loop);

#endif
