/*
 * A client of a hub: one connection at a time, what is asked on it and not answered yet, and what
 * has to be asked again on the next one.
 *
 *   CONNECTING -> OPEN -> WAITING -> CONNECTING ...   or CLOSED
 *
 * follow.c has the topics, question.c what is asked about them, outbox.c what is published. All ask by
 * coho__hub_client_ask() and are told when the connection is lost: then nothing is asked any more.
 *
 * The program may free the client, and stop to follow, inside every handler: both stay in memory until
 * the end of the turn, with `freed` and `gone` set, and who called a handler looks at that.
 */
#ifndef COHO_TOPICS_HUB_CLIENT_H
#define COHO_TOPICS_HUB_CLIENT_H

#include "topics/follow.h"
#include "topics/outbox.h"
#include "topics/question.h"
#include "ws/options.h"

struct coho_client {
  coho_loop *loop;
  coho_client_options set; /* its strings are those below */
  struct coho__options *connection;
  char *url;
  char *token;        /* NULL: none */
  coho_conn *conn;    /* NULL: neither connecting nor open */
  coho_timer *wait;   /* WAITING: the next attempt */
  coho_timer *answer; /* something is asked: the server has to say something */
  coho_timer *again;  /* topics that were refused for now */
  struct coho__task burial;
  struct coho__map asked; /* struct coho__ask by id */
  struct coho__ask auth;
  struct coho__follows follows;
  struct coho__questions questions;
  struct coho__outbox outbox;
  uint64_t last_id;
  uint64_t opened_ms;
  uint64_t due_ms;        /* WAITING: of the next attempt */
  uint32_t failures;      /* in a row */
  uint32_t refusals;      /* rounds of topics that were refused for now, in a row */
  uint32_t after_ms;      /* for after a new token */
  int err;                /* why this side gave the connection up, 0 */
  uint8_t state;          /* enum coho_client_state */
  bool choked : 1;        /* the connection takes nothing for now: on_drain will come */
  bool auth_due : 1;      /* the token has to be told */
  bool token_new : 1;     /* set after the present attempt began */
  bool tokenless : 1;     /* WAITING: for a token */
  bool refusals_wait : 1; /* the timer again is set */
  bool paused : 1;
  bool freed : 1;
};

static inline bool coho__hub_client_open(const coho_client *c) {
  return c->state == COHO_CLIENT_OPEN && !c->err && !c->freed;
}

/* An id for a request. */
uint64_t coho__hub_client_id(coho_client *c);
/* Sends a request; its answer comes to the owner of a. 0, COHO_EFULL (not now), COHO_ECLOSED, COHO_ENOMEM:
   nothing was sent; after the latter the connection is given up. */
int coho__hub_client_ask(coho_client *c, struct coho__ask *a, struct coho__view frame);
/* Its answer is of no interest any more; also when nothing was asked. */
void coho__hub_client_forget(coho_client *c, struct coho__ask *a);
/* Asks what there is to ask. */
void coho__hub_client_pump(coho_client *c);
/* Lets a deadline ring at this time of the loop's clock; UINT64_MAX: never. */
void coho__hub_client_ring(const coho_client *c, coho_timer *t, uint64_t due_ms);
/* ms to leave a hub alone that refused for now, so many times in a row. */
uint32_t coho__hub_client_breath(const coho_client *c, uint32_t refusals);
/* Topics were refused for now: they are asked for again after a while. */
void coho__hub_client_again(coho_client *c);

#endif
