/*
 * The mailbox of a loop: a bounded queue that any thread may put into, with an eventfd that wakes
 * the loop. It outlives its loop as long as somebody holds it, so posting can never touch freed
 * memory: to a dead loop it gives COHO_ESTALE.
 */
#ifndef COHO_IO_MAILBOX_H
#define COHO_IO_MAILBOX_H

#include "io/loop.h"

enum {
  COHO_MAILBOX_LETTERS = 65536,          /* letters that may wait */
  COHO_MAILBOX_BYTES = 64 * 1024 * 1024, /* their bytes, as told by the senders */
#ifdef COHO_HARD
  COHO_MAILBOX_TURN = 2,
#else
  COHO_MAILBOX_TURN = 4096, /* letters handled in one turn, so that sockets get theirs */
#endif
  COHO_LOOPS_MAX = 1024 /* loops that live at a time */
};

/* A letter. run() is called on the loop's thread and owns it from then on; when the loop dies
   first, drop() is called instead, on any thread. */
struct coho__letter {
  struct coho__letter *next;
  void (*run)(coho_loop *loop, struct coho__letter *l);
  void (*drop)(struct coho__letter *l);
  size_t bytes; /* counted against COHO_MAILBOX_BYTES */
};

struct coho__mailbox *coho__mailbox_of(coho_loop *loop);           /* borrowed */
struct coho__mailbox *coho__mailbox_hold(struct coho__mailbox *m); /* any thread */
void coho__mailbox_drop(struct coho__mailbox *m);                  /* any thread */
/* The mailbox of the living loop with this index, held for the caller; NULL. Any thread. */
struct coho__mailbox *coho__mailbox_find(uint32_t loop_index);
/* 0: the letter is the mailbox's now; COHO_EFULL, COHO_ESTALE: it stays the caller's. Any thread. */
int coho__mailbox_post(struct coho__mailbox *m, struct coho__letter *l);

/* The same for the answer to a question of the loop's own, which is never refused as too many: there
   are as many as it asked. 0 or COHO_ESTALE. */
int coho__mailbox_answer(struct coho__mailbox *m, struct coho__letter *l);

/* A number that the table of loops keeps for each index, from one loop to the next: the generation
   that ids made at this index begin with, so that those of a dead loop never come again. First 0. */
uint32_t coho__loop_generation(uint32_t index);
void coho__loop_set_generation(uint32_t index, uint32_t next);

/* ---- for the loop itself -------------------------------------------------------------------- */

/* Gives the loop a mailbox and an index. 0, COHO_ENOMEM, COHO_EMFILE (also: COHO_LOOPS_MAX). */
int coho__mailbox_open(coho_loop *loop);
/* Takes the index away, drops what was not run. */
void coho__mailbox_close(coho_loop *loop);
void coho__mailbox_turn(coho_loop *loop);
/* Runs all letters that wait now, in as many turns as they need. */
void coho__mailbox_empty(coho_loop *loop);
bool coho__mailbox_waiting(const struct coho__mailbox *m);
/* Ends the loop's wait. Any thread that holds it, signal-safe. */
void coho__mailbox_wake(const struct coho__mailbox *m);

#endif
