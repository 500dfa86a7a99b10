/*
 * What `coho sub` prints, how far it came, and when it has enough. Lines go to standard output, what
 * happens to the connection to standard error.
 */
#ifndef COHO_CMD_SUBSCRIBER_H
#define COHO_CMD_SUBSCRIBER_H

#include "bookmarks.h"
#include "hub_session.h"
#include "print.h"

struct sub_values {
  struct hub_options hub;
  const char *since;
  const char *state;
  const char *as;
  const char *info;
  uint64_t last; /* 0: not */
  uint64_t count;
  uint64_t timeout;
  bool no_follow;
  bool presence;
  bool exit_on_gap;
  bool json;
  bool hex;
  bool verbose;
};

struct subscriber {
  struct hub_session session;
  const struct sub_values *values;
  struct sink sink;
  struct print print;
  struct bookmarks marks;
  uint64_t printed; /* messages, or who is present, comes and goes */
  size_t waits_for; /* subjects that hold something which was not printed yet */
  bool paused;
};

/* What a line is about. */
struct sub_subject {
  const char *topic;   /* NULL: any that the pattern matches */
  const char *pattern; /* NULL: none */
};

void subscriber_message(struct subscriber *s, const struct sub_subject *of, coho_pos pos,
                        coho_msg m);
void subscriber_gap(struct subscriber *s, const struct sub_subject *of, uint64_t lost,
                    coho_pos pos);

/* word: "here", "join", "update" or "leave"; info NULL: nothing; pos NULL: of no event. */
struct sub_event {
  const char *word, *id, *info;
  const coho_pos *pos;
};
void subscriber_event(struct subscriber *s, const char *topic, const struct sub_event *e);

/* Writes what the reader of the output takes, and stops the client while that is not all. */
void subscriber_flush(struct subscriber *s);
/* Writes positions into the file of --state, once what was printed has left. */
void subscriber_save(struct subscriber *s);

#endif
