/*
 * What a hub has on one loop, while it has subscribers there: the leaves with something new, which one
 * letter at a time tells about, and those who go on in another turn.
 */
#ifndef COHO_HUB_PART_H
#define COHO_HUB_PART_H

#include "base/list.h"
#include "base/view.h"
#include "io/mailbox.h"

#include <coho/hub.h>

struct coho__shelf;

struct coho__part {
  coho_hub *hub;
  coho_loop *loop;
  uint32_t index; /* of the loop */
  struct coho__mailbox *mailbox;
  struct coho__shelf *shelf;
  struct coho__letter letter;
  struct coho__list news;         /* coho__leaf; locked */
  struct coho__list resting;      /* coho__leaf; locked */
  struct coho__list leaves;       /* coho__leaf, all of them; locked */
  struct coho__list patterns;     /* coho__pattern; locked */
  uint32_t pattern_count;         /* different ones; locked */
  struct coho__list hungry;       /* coho__lag: to go on in the next turn */
  struct coho__list unsettled;    /* coho__leaf */
  struct coho__list slow;         /* coho__lag, of topics that block */
  bool posted;                    /* the letter is under way; locked */
  struct coho__wheel_timer timer; /* every second */
};

enum {
  COHO_PATTERNS_MOST = 1000 /* of one loop: topics look which of them match */
};

/* Of this hub on this loop; made when there is none. NULL: out of memory. On the loop's thread. */
struct coho__part *coho__part_need(coho_hub *hub, coho_loop *loop);
/* Locked, on its thread: freed when nothing is left. */
void coho__part_drop_if_empty(struct coho__part *p);
/* Locked: one of its patterns matches. */
bool coho__part_matches(const struct coho__part *p, struct coho__view name);
/* Locked: what is new will be delivered soon. */
void coho__part_post(struct coho__part *p);

#endif
