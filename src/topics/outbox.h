/*
 * What a client publishes: frames that are sent until they are answered, in order. Each ends once, by an
 * answer, its deadline, or the end of the client. Both lists are sorted by id, that is, by age.
 *
 * A hub that has no room for now refuses what is on its way, maybe not all of it: that is sent again
 * after a while, first one by one.
 */
#ifndef COHO_TOPICS_OUTBOX_H
#define COHO_TOPICS_OUTBOX_H

#include "topics/follow.h"

struct coho__publish;

struct coho__outbox {
  struct coho__list unsent, sent;
  coho_timer *expiry; /* the deadline of the oldest */
  coho_timer *hold;   /* nothing is sent until then */
  size_t count;
  size_t flying;     /* of sent */
  size_t window;     /* most of flying */
  uint32_t refusals; /* in a row */
  bool held;
  uint64_t bytes; /* of memory */
};

int coho__outbox_init(coho_client *c); /* 0 or COHO_ENOMEM */
/* Ends all with err. */
void coho__outbox_end(coho_client *c, int err);
void coho__outbox_free(coho_client *c); /* ended before */
/* As of coho__hub_client_ask(). */
int coho__outbox_pump(coho_client *c);
void coho__outbox_lost(coho_client *c);
/* The connection ended because a message was too large for the hub: which can only be the largest of
   those that were sent. */
void coho__outbox_too_big(coho_client *c);
/* 0 or COHO_EHUBFRAME. */
int coho__publish_answer(coho_client *c, struct coho__ask *a, const struct coho__hub_frame *frame);

#endif
