/* The presence of one follower of a topic, for as long as it follows. */
#ifndef COHO_TOPICS_BADGE_H
#define COHO_TOPICS_BADGE_H

#include "topics/access.h"

struct coho__badge {
  coho_hub *hub; /* NULL: nobody is present by it */
  char *topic, *id;
};

/* As who, who asks to be called `as` (no data: to be present by its token's subject is not asked for
   either: nothing happens). info: JSON, or no data. 0; COHO_EFORBIDDEN: that is another's name;
   COHO_EREQUEST, COHO_EFULL, COHO_ENOMEM. */
int coho__badge_enter(struct coho__badge *b, const struct coho__mount *m,
                      const struct coho__who *who, struct coho__view topic, struct coho__view as,
                      struct coho__view info);
void coho__badge_leave(struct coho__badge *b); /* also when it never entered */

#endif
