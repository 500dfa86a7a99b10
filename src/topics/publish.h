/* POST to a topic. */
#ifndef COHO_TOPICS_PUBLISH_H
#define COHO_TOPICS_PUBLISH_H

#include "topics/mount.h"

void coho__post(struct coho__mount *m, coho_request *r, const struct coho__path *p);

#endif
