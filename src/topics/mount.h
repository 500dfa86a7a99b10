/*
 * A hub under a path of a server: which request goes where. Never changed after it was made, and shared by
 * all loops: other options are another mount, and who came by the old one keeps it.
 *
 *   site.h     the routes, and which mount holds now
 *   mount.c    options, and what a path says
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
#include <stdatomic.h>

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
  _Atomic uint32_t refs;
  /* Of the site: */
  struct coho__tickets *tickets;   /* NULL: without keys there are none */
  struct coho__throttle *guesses;  /* bad tokens; the same */
  struct coho__throttle *requests; /* NULL: any number */
};

/* Without what is of the site; conn of the options is not kept. One reference. 0, COHO_EOPTION,
   COHO_ENOMEM. */
int coho__mount_new(coho_hub *hub, const char *prefix, const coho_topics_options *opt,
                    struct coho__mount **out);
struct coho__mount *coho__mount_ref(struct coho__mount *m);
void coho__mount_unref(struct coho__mount *m); /* NULL is fine */
/* Answers a request, or sees to it that it is answered. */
void coho__mount_serve(struct coho__mount *m, coho_request *r);

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
