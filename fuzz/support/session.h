/*
 * A connection as the head of an input describes it: options, the cuts of what the peer sends, and
 * what the program does in between, each bound to the byte of the peer's that it comes after. So two
 * runs with other cuts have to come to the same.
 */
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include "support/input.h"
#include "support/tape.h"

#include <coho/core.h>

enum { SESSION_ACTIONS = 7 };

enum act {
  TICK,
  SEND_TEXT,
  SEND_BINARY,
  SEND_PART,
  SEND_LAST,
  PING,
  PONG,
  CLOSE,
  HOLD,
  TAKE,
  END,
  ACTS
};

struct action {
  size_t at; /* of the peer's bytes, so many come before it */
  enum act what;
  uint8_t arg;
};

struct session {
  coho_role role;
  bool stream, echo, narrow; /* narrow: little room for output */
  uint8_t extra;             /* 0 to 15, for the target */
  uint8_t deflate;           /* for session_deflate() */
  uint8_t fail_at;           /* the allocation to fail in a run of its own; 0: none */
  uint64_t max_message, max_frame;
  struct cuts cuts;
  struct action actions[SESSION_ACTIONS];
  size_t action_count;
  struct input bytes; /* of the peer */
};

/* The most memory that messages of a peer that sent so many bytes may take, and compression. */
size_t session_memory(const struct session *s, size_t received, bool packed);

/* How a target takes part. */
struct player {
  void (*feed)(struct player *p, uint8_t *data, size_t len); /* may write into data */
  void (*act)(struct player *p, const struct action *a);
};

struct session session_read(struct input in);
/* Options of compression out of one byte; all values are right, 0 is the default. */
coho_deflate session_deflate(uint8_t byte);
void session_play(const struct session *s, const struct cuts *cuts, struct player *p);

/* What a program says: the payload for an action, len bytes of letters. */
const char *session_text(size_t len);
/* The code of a CLOSE, which is not always a right one. */
int session_code(const struct action *a);

/* The same bytes in every run: the nonce "the sample nonce" first, then words that differ. ctx counts
   what was drawn. */
void session_random(void *ctx, void *buf, size_t len);

/*
 * What happened, for comparison. Parts of a message that follow each other are joined, since where
 * they are cut is the transport's doing. So is how many good bytes are delivered before those that
 * end the connection: the last parts do not count then. And where a compressed message is wrong in
 * more than one way, as it unpacks, as text and in its length, the way that is found first depends on
 * whether all of it was there.
 */
struct record {
  struct tape tape; /* events and what calls returned */
  struct tape wire; /* what was sent */
  size_t part;      /* where the message that goes on stands */
  bool open;        /* there is one */
  bool packed;      /* set by the target: messages may be compressed */
  bool wrong;       /* a message was, perhaps in more than one way: the code of the Close is open */
};

void record_event(struct record *r, const coho_event *ev);
/* A line; as printf(3). */
void record_line(struct record *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ends the process unless both are the same. */
void record_same(struct record *whole, struct record *cut);
void record_free(struct record *r);

#endif
