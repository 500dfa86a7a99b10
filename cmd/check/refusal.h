/* A handshake that has to be refused, or accepted, by a server. */
#ifndef COHO_CMD_CHECK_REFUSAL_H
#define COHO_CMD_CHECK_REFUSAL_H

#include "play.h"

enum refusal {
  REFUSAL_NONE,    /* 101, and messages are echoed */
  REFUSAL_ERROR,   /* a status of 400 and more, or the end of TCP */
  REFUSAL_PLAIN,   /* the same, or any answer to a request that asks for no WebSocket */
  REFUSAL_VERSION, /* an error whose head names the versions that are there */
  REFUSAL_END      /* an error, and TCP ends with it */
};

enum refusal_edit {
  EDIT_NONE,
  EDIT_NUL, /* the bytes 01 of the request become 00 */
  EDIT_LF   /* its lines end with LF alone */
};

struct refusal_row {
  const char *id, *title, *rule;
  struct request request;
  enum refusal expected;
  unsigned flags; /* of enum case_flag */
  enum refusal_edit edit;
};

/* Reads the answer to a request that was sent. Decides. */
void refusal_judge(struct check_run *r, enum refusal expected);
/* Plays a row. */
void refusal_play(struct check_run *r, const struct refusal_row *row);
/* A case of a row; it is played by run, which finds the row by arg.flags. */
struct check_case refusal_case(const struct refusal_row *row, unsigned index,
                               void (*run)(struct check_run *r));

#endif
