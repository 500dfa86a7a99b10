/*
 * What cases are written with: connections and sending here, what has to come in expect.h, the end
 * in verdict.h. Each step returns false when the case is decided, so that a case reads as steps
 * joined by &&.
 */
#ifndef COHO_CMD_CHECK_PLAY_H
#define COHO_CMD_CHECK_PLAY_H

#include "case.h"
#include "handshake.h"
#include "link.h"

struct check_run {
  const struct check_case *c;
  struct link *link;
  uint64_t timeout_ms;
  uint64_t deadline; /* of the whole run */
  bool full;
  struct peer peer;
  struct head head; /* of the other side in the last handshake */
  bool has_head;
  char key[KEY_TEXT + 1]; /* of the last handshake, as client */
  size_t opened;          /* connections */
  bool decided;
  enum verdict verdict;
  char *reason;
  struct tape sent, received; /* of the connection before */
};

#define PLAY_TEXT(text) (text), (sizeof(text) - 1)

bool play_is_client(const struct check_run *r); /* we are: a server is under test */
/* For a reaction to so many bytes, or to transfer them. */
uint64_t play_deadline(const struct check_run *r, size_t bytes);

/* ---- connections: the one before is closed ---- */

/* A NULL member, or one of theirs, is as it has to be. */
struct play_plan {
  const struct request *request; /* when we are the client */
  const struct answer *answer;   /* when we are the server */
};

bool play_connect(struct check_run *r); /* no handshake yet */
bool play_open(struct check_run *r);    /* no extension */
bool play_open_with(struct check_run *r, const struct play_plan *plan);
/* With compression, or the case is unimplemented. `theirs` is what the other side is held to when it
   sends: bits 0: no demand. */
bool play_open_deflate(struct check_run *r, struct squeeze_side theirs);
void play_end(struct check_run *r);

/* As client: fills in what the request leaves out, sends it, and reads the answer into r->head. */
bool play_request(struct check_run *r, const struct request *request);
/* Appends the whole request; its key is in r->key when it has none of its own. */
void play_compose(struct check_run *r, const struct request *request, struct bytes *out);
bool play_ask(struct check_run *r, const struct request *request); /* sends it */
bool play_hear(struct check_run *r);                               /* reads the answer */
/* The answer in r->head accepts the request. */
bool play_judge_answer(struct check_run *r, const struct request *request);
/* As server: reads a request into r->head. */
bool play_take_request(struct check_run *r);
bool play_answer(struct check_run *r, const struct answer *answer);

/* ---- sending: an end of the connection is no failure yet, what came before it tells ---- */

bool play_send(struct check_run *r, const struct frame *f);
bool play_send_all(struct check_run *r, const struct frame *f, size_t count); /* in one write */
bool play_send_bytes(struct check_run *r, const void *data, size_t len);
/* One message in fragments of piece bytes, 0: in one frame. */
bool play_message(struct check_run *r, unsigned opcode, const void *data, size_t len, size_t piece);
/* The same, compressed; the pieces are of compressed bytes. */
bool play_packed(struct check_run *r, unsigned opcode, const void *data, size_t len, size_t piece);
bool play_ping(struct check_run *r, const void *data, size_t len);
bool play_send_close(struct check_run *r, unsigned code, const void *reason, size_t len);

#endif
