/*
 * A topic or pattern that `coho sub` follows.
 *
 * What has to be known first is asked first: with --last and --no-follow the history, for where to begin
 * and where to end; with --presence who is here. Then it is followed.
 */
#ifndef COHO_CMD_SUBJECT_H
#define COHO_CMD_SUBJECT_H

#include "subscriber.h"

#include "hub/pattern.h"

struct subject {
  struct subscriber *subscriber;
  const char *name;
  bool is_pattern;
  bool asking;    /* the history */
  bool reached;   /* --no-follow: all is printed */
  bool found;     /* --last: there was a message */
  bool watched;   /* --presence: who comes and goes is followed */
  coho_pos first; /* --last: of the first message */
  coho_pos end;   /* --no-follow: all up to here */
  char companion[COHO_TOPIC_COMPANION_MAX + 1];
};

/* name is one of either kind. After a failure the session is over. */
void subject_begin(struct subject *t, struct subscriber *s, const char *name);

#endif
