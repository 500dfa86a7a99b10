/*
 * Tickets: a token for one use within a minute, for pages that can send no header and should not have
 * the token itself in a URL. Random, kept here only as a hash, bounded in number, also for each subject,
 * so that nobody takes all; who has none is known by the token.
 */
#ifndef COHO_TOPICS_TICKETS_H
#define COHO_TOPICS_TICKETS_H

#include "topics/claims.h"

enum {
  COHO_TICKET_MS = 60 * 1000,
  COHO_TICKET_TEXT = 44, /* base64url of 32 bytes, and a terminator */
#ifdef COHO_HARD
  COHO_TICKETS_MOST = 8,
  COHO_TICKETS_EACH = 3
#else
  COHO_TICKETS_MOST = 100 * 1000,
  COHO_TICKETS_EACH = 16 /* not used yet: pages that open at once, and some that never came back */
#endif
};

struct coho__tickets;

struct coho__tickets *coho__tickets_new(void);    /* NULL: out of memory */
void coho__tickets_free(struct coho__tickets *t); /* NULL is fine */
/* Any thread. now_ms is monotonic. 0; COHO_EFULL; COHO_ETOOMANY: of this subject; COHO_ENOMEM. */
int coho__tickets_give(struct coho__tickets *t, struct coho__claims *claims, uint64_t now_ms,
                       char text[COHO_TICKET_TEXT]);
/* The claims, with a reference, and the ticket is gone; NULL: there is no such ticket, or any more. */
struct coho__claims *coho__tickets_take(struct coho__tickets *t, struct coho__view text,
                                        uint64_t now_ms);

#endif
