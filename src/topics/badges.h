/* The presence of one follower in all the topics that it follows, under one name. */
#ifndef COHO_TOPICS_BADGES_H
#define COHO_TOPICS_BADGES_H

#include "topics/badge.h"

struct coho__badges {
  struct coho__badge *list; /* NULL: nobody is present by them */
  size_t count, size;
  struct coho__view as, info; /* strings of the request */
};

/* Room for so many topics, when the request has an `as`. 0 or COHO_ENOMEM. */
int coho__badges_init(struct coho__badges *b, coho_request *r, size_t size);
/* As the request asks for, while it has its strings. Results as of coho__badge_enter(). */
int coho__badges_enter(struct coho__badges *b, const struct coho__mount *m,
                       const struct coho__who *who, struct coho__view topic);
void coho__badges_leave(struct coho__badges *b); /* all of them; also of empty ones */

#endif
