/*
 * What a client asks about topics: their history, and who is present. A question is asked on each
 * connection until it is answered, which costs a hub nothing but the work, and ends once: by the answer,
 * its deadline, or the end of the client. Who is present comes in pages: each is a request of its own.
 */
#ifndef COHO_TOPICS_QUESTION_H
#define COHO_TOPICS_QUESTION_H

#include "topics/follow.h"

struct coho__questions {
  struct coho__list all; /* by age */
  coho_timer *expiry;    /* the deadline of the oldest */
  size_t count;
};

int coho__questions_init(coho_client *c); /* 0 or COHO_ENOMEM */
/* Ends all with err. */
void coho__questions_end(coho_client *c, int err);
void coho__questions_free(coho_client *c); /* ended before */
/* As of coho__hub_client_ask(). */
int coho__questions_pump(coho_client *c);
void coho__questions_lost(coho_client *c);
/* 0 or COHO_EHUBFRAME. */
int coho__question_answer(coho_client *c, struct coho__ask *a, struct coho__hub_frame *frame);

#endif
