/*
 * coho.json.v1 as a client speaks it: frames to a hub written, frames from a hub read. A hub is a
 * stranger: what is read has the right shape or is refused as a whole.
 */
#ifndef COHO_TOPICS_HUB_FRAME_H
#define COHO_TOPICS_HUB_FRAME_H

#include "base/buf.h"
#include "base/view.h"
#include "hub/pattern.h"

#include <coho/hub.h>
#include <jansson.h>

#define COHO_HUB_PROTOCOL "coho.json.v1"

enum {
  COHO_HUB_DEPTH = 16,         /* nesting of what a hub sends: more than coho.json.v1 has */
  COHO_HUB_VALUES = 64 * 1024, /* in one frame: each costs about 100 bytes while it is looked at */
  COHO_HUB_TEXT = 1024,        /* bytes of an error's text that are shown */
  COHO_HUB_MEMBER = 255        /* bytes of a member's id */
};

enum coho__hub_op {
  COHO_HUB_OTHER, /* nothing that a client asked for */
  COHO_HUB_MESSAGE,
  COHO_HUB_GAP,
  COHO_HUB_OK,
  COHO_HUB_ERROR,
  COHO_HUB_HISTORY,
  COHO_HUB_PRESENCE,
  COHO_HUB_EXPIRING
};

/* What was read; views and the message live until coho__hub_frame_free(). */
struct coho__hub_frame {
  enum coho__hub_op op;
  int err;                   /* ERROR: what the code means */
  uint64_t id;               /* of an answer: 0, when it was to none of ours */
  struct coho__view topic;   /* MESSAGE, GAP; ERROR: or empty */
  struct coho__view pattern; /* MESSAGE, GAP: by which it comes; empty: none; ERROR: or empty */
  coho_pos pos;              /* MESSAGE, GAP, HISTORY, PRESENCE; OK, when has_pos */
  coho_msg msg;              /* MESSAGE */
  uint64_t lost;             /* GAP; COHO_LOST_UNKNOWN */
  uint32_t seconds;          /* EXPIRING */
  bool has_pos;
  struct coho__view text; /* ERROR */
  size_t count;           /* HISTORY: messages, PRESENCE: members */
  const json_t *items;    /* those */
  uint64_t next;          /* PRESENCE: there are more, after this; 0: there are not */
  json_t *json;
  char *bytes; /* of data64 */
  size_t bytes_cap;
};

/* 0, COHO_EHUBFRAME, COHO_ENOMEM; there is something to free in any case. */
int coho__hub_frame_read(struct coho__hub_frame *f, struct coho__view text);
/* An error that another time might be none: the hub is full, or was asked too much. */
bool coho__hub_frame_for_now(const struct coho__hub_frame *f);
void coho__hub_frame_free(struct coho__hub_frame *f);

/* HISTORY: the i-th message, valid until the next one. */
void coho__hub_frame_message(struct coho__hub_frame *f, size_t i, coho_pos *pos, coho_msg *m);

/* Somebody who is present, or comes and goes. */
struct coho__hub_member {
  uint32_t event; /* enum coho_presence_event; 0 in a list */
  const char *id; /* in json */
  char *info;     /* JSON; NULL: nothing */
  json_t *json;
};

/* PRESENCE: the i-th member. 0 or COHO_ENOMEM; there is something to free in any case. */
int coho__hub_frame_member(const struct coho__hub_frame *f, size_t i, struct coho__hub_member *m);
/* What a message of a companion tells. 0, COHO_EHUBFRAME (none of the events that are known),
   COHO_ENOMEM; there is something to free in any case. */
int coho__hub_member_read(struct coho__hub_member *m, coho_msg event);
void coho__hub_member_free(struct coho__hub_member *m);

/* Whether this is JSON, of any kind. */
bool coho__hub_is_json(struct coho__view text);

struct coho__hub_sub {
  const char *topic; /* or NULL, and */
  const char *pattern;
  const char *since; /* NULL: none */
  const char *as;    /* NULL: none */
  const char *info;  /* JSON; NULL: none */
};
struct coho__hub_pub {
  const char *topic;
  coho_msg msg;    /* text is UTF-8 */
  const char *key; /* NULL: none */
  const char *idem;
};

/* Append a frame. 0, COHO_EFULL, COHO_ENOMEM. */
int coho__hub_put_sub(struct coho__buf *out, uint64_t id, const struct coho__hub_sub *sub);
/* Of the sub only topic and pattern count. */
int coho__hub_put_unsub(struct coho__buf *out, uint64_t id, const struct coho__hub_sub *sub);
int coho__hub_put_pub(struct coho__buf *out, uint64_t id, const struct coho__hub_pub *pub);
int coho__hub_put_history(struct coho__buf *out, uint64_t id, const char *topic, uint32_t limit);
/* after 0: from the first one on. */
struct coho__hub_page {
  const char *topic;
  uint32_t limit;
  uint64_t after;
};
int coho__hub_put_presence(struct coho__buf *out, uint64_t id, const struct coho__hub_page *page);
int coho__hub_put_auth(struct coho__buf *out, uint64_t id, const char *token);

#endif
