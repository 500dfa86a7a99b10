/*
 * What a GET asks to follow: the topic of its path, or below the mount's root those of `sub` in the
 * query, each NAME or NAME@POS.
 */
#ifndef COHO_TOPICS_WANTS_H
#define COHO_TOPICS_WANTS_H

#include "topics/access.h"

struct coho__want {
  struct coho__path path;
  const char *name;      /* as it was asked for, terminated; NULL: it is not even text */
  const coho_pos *since; /* at, or NULL: from now on */
  coho_pos at;
  int err; /* why it cannot be followed; 0: it can */
};

struct coho__wants {
  struct coho__want *list;
  size_t count;
  bool many; /* below the root */
};

/* Valid as long as the request and its strings. Of a single topic, its error. 0; COHO_ENOTOKEN: nothing is
   allowed without; COHO_ETOOMANY; COHO_ENOMEM. */
int coho__wants_read(struct coho__wants *w, const struct coho__mount *m, coho_request *r,
                     const struct coho__path *p, const struct coho__who *who);
/* Answers a GET that follows: finds out who asks and what for, then fn, whose error is the answer. */
void coho__wants_serve(struct coho__mount *m, coho_request *r, const struct coho__path *p,
                       int (*fn)(struct coho__mount *m, coho_request *r,
                                 const struct coho__wants *w, const struct coho__who *who));
void coho__wants_free(struct coho__wants *w); /* also when reading failed */

#endif
