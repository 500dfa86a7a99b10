/* What a subscriber is given, be it a connection or a sink. */
#ifndef COHO_HUB_GIVE_H
#define COHO_HUB_GIVE_H

#include "hub/leaf.h"

/* A message. 0; COHO_EFULL: it cannot take it now, and its lag is fed when it can; anything else: it is
   about to end. pattern NULL: by the topic. */
int coho__give(const struct coho__shelf *s, const struct coho__sub *sub,
               const struct coho__delivery *d);
/* lost messages of the leaf's topic are missing before what follows pos. Results as above. */
int coho__give_gap(const struct coho__leaf *l, const struct coho__sub *sub, uint64_t lost,
                   coho_pos pos);
/* Closes it: COHO_EFULL, it is too slow; COHO_ENOMEM. */
void coho__give_close(const struct coho__shelf *s, const struct coho__sub *sub, int err);
/* By which those of this list subscribed; NULL: by the topic. */
const char *coho__give_pattern(struct coho__subs *of);

#endif
