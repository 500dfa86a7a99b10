/*
 * A hub under a path of a server: which request goes where. What is read-only after it was made is
 * shared by all loops.
 *
 *   mount.c    options, routes, and what a path says
 *   access.h   who may
 *   raw.h, session.h            WebSocket: one topic, many topics
 *   events.h, poll.h, publish.h, ask.h  HTTP: events, long polls, POST, history and presence
 *   frames.h   what is written
 */
#ifndef COHO_TOPICS_MOUNT_H
#define COHO_TOPICS_MOUNT_H

#include "base/bucket.h"
#include "base/buf.h"
#include "base/view.h"

#include <coho/topics.h>

struct coho__tickets;
struct coho__throttle;

enum {
  COHO_POLL_DEFAULT_S = 25,
  COHO_HISTORY_DEFAULT = 100,
  COHO_HISTORY_MOST = 1000 /* messages in one answer */
};

struct coho__mount {
  coho_hub *hub;
  coho_topics_options opt; /* with defaults; its lists and strings are below */
  char *prefix;
  char **lists[3]; /* open_subscribe, open_publish, origins */
  char *cookie;
  struct coho__tickets *tickets;   /* NULL: without keys there are none */
  struct coho__throttle *throttle; /* the same */
};

/* What a path below the prefix names. */
enum coho__place {
  COHO_PLACE_NONE, /* no name */
  COHO_PLACE_ROOT,
  COHO_PLACE_TOPIC,
  COHO_PLACE_HISTORY,
  COHO_PLACE_PRESENCE
};

struct coho__path {
  enum coho__place place;
  struct coho__view topic; /* of TOPIC, HISTORY and PRESENCE */
  struct coho__view
      follow; /* what a subscriber follows: the topic, or with PRESENCE its companion */
};

/* Of the decoded path. The views point into the request. */
struct coho__path coho__path_of(const struct coho__mount *m, const coho_request *r);
/* The same of a name as clients give it in coho.json.v1: TOPIC, PRESENCE or NONE. */
struct coho__path coho__path_read(struct coho__view name);

/* Where somebody asks to go on: Last-Event-ID, else `since`. *pos points to *at, or is NULL: from now on.
   0 or COHO_EPOSITION. */
int coho__since_of(coho_request *r, coho_pos *at, const coho_pos **pos);

#endif
