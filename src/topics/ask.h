/* Questions with an answer at once: history, presence, a ticket. */
#ifndef COHO_TOPICS_ASK_H
#define COHO_TOPICS_ASK_H

#include "topics/mount.h"

void coho__ask_history(struct coho__mount *m, coho_request *r, const struct coho__path *p);
void coho__ask_presence(struct coho__mount *m, coho_request *r, const struct coho__path *p);
void coho__ask_ticket(struct coho__mount *m, coho_request *r); /* POST to the root */

#endif
