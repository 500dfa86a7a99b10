/* The lines inside a case: each word and the steps it stands for. */
#ifndef WIRE_STEPS_H
#define WIRE_STEPS_H

#include "head.h"
#include "items.h"
#include "script.h"
#include "tokens.h"

struct builder {
  struct wire_case *c;
  int line;
  struct head head; /* of the next `request` or `response` */
  struct speaker peer, engine;
  struct tokens tokens; /* of the present line */
  const char *raw;      /* the line behind its first word, for lines that are not cut into words */
  const char *why;      /* set when the line is wrong */
};

/* The role line, `[open] server|client OPTION...`, without open and role. False: b->why. */
bool steps_begin(struct builder *b, bool open);
/* Any other line. */
bool steps_line(struct builder *b, const char *line);
void steps_end(struct builder *b);

#endif
