/*
 * The topics and patterns that a client follows. Each is in one list, by what has to be done:
 *
 *   idle -> running          asked for, then active once the server said yes
 *   running -> refused       for now; idle again after a while
 *   running -> denied        idle again with another token; both also when the hub ends it later
 *   running -> leaving -> left, then freed
 *
 * The position of a topic is that of the last message or gap that was delivered. A message that is not
 * after it came before, and is dropped. A pattern has none: what comes is delivered, and each connect
 * but the first is a gap.
 */
#ifndef COHO_TOPICS_FOLLOW_H
#define COHO_TOPICS_FOLLOW_H

#include "base/list.h"
#include "base/map.h"
#include "io/loop.h"
#include "topics/hub_frame.h"

#include <coho/client.h>

/* Requests without answer on one connection: a hub takes no more than some at once. */
enum { COHO_ASKED_MOST = 64 };

enum coho__ask_kind { COHO_ASK_FOLLOW, COHO_ASK_PUBLISH, COHO_ASK_QUESTION, COHO_ASK_AUTH };

/* A request. */
struct coho__ask {
  uint64_t id;
  enum coho__ask_kind kind;
  bool asked; /* in the client's map: an answer will come */
};

struct coho_follow {
  struct coho__ask ask;
  struct coho__list node;
  struct coho__task burial;
  coho_client *client;
  coho_follow_options set; /* its strings are those below; of a pattern what both have */
  coho_pattern_options match;
  char *name; /* the topic or the pattern */
  char *as;
  char *info;
  coho_pos pos; /* once known */
  bool known;
  bool from_start; /* not known: all that is held */
  bool is_pattern;
  bool active; /* the server said yes on this connection */
  bool broken; /* a pattern: it was active on another one */
  bool gone;   /* the program is not interested any more */
};

struct coho__follows {
  struct coho__map topics, patterns; /* by name, without those that are gone */
  struct coho__list idle, running, refused, denied, leaving, left;
  size_t count; /* in all lists */
};

void coho__follows_init(struct coho__follows *s);
/* The one that a frame is about; NULL: none. */
coho_follow *coho__follows_find(const struct coho__follows *s, const struct coho__hub_frame *frame);
/* Frees all, without a word. */
void coho__follows_free(coho_client *c);
/* As of coho__hub_client_ask(). */
int coho__follows_pump(coho_client *c);
void coho__follows_lost(coho_client *c);
/* Those refused for now, and with token those denied, are asked for again. */
void coho__follows_retry(coho_client *c, bool token);

/* The hub ends what this frame names, and nobody asked for that. */
void coho__follows_ended(const struct coho__follows *s, const struct coho__hub_frame *frame);

/* A frame that belongs to it. 0 or COHO_EHUBFRAME. */
int coho__follow_answer(coho_follow *f, const struct coho__hub_frame *frame);
void coho__follow_message(coho_follow *f, const struct coho__hub_frame *frame);
void coho__follow_gap(coho_follow *f, const struct coho__hub_frame *frame);

#endif
