/*
 * Text of a stranger, made safe for a terminal: control characters, what steers the direction of
 * writing and what is not UTF-8 appear as \x1b, \u202e and \xff.
 */
#ifndef COHO_CMD_ESCAPE_H
#define COHO_CMD_ESCAPE_H

#include "base/buf.h"
#include "base/view.h"

enum escape_style {
  ESCAPE_LINE, /* stays one line: \n, \r and \t are escaped as well */
  ESCAPE_TEXT  /* tabs stay, and line ends, indented so that no line looks like another message */
};

/* Nothing of text would be escaped in a line. */
bool escape_is_safe(struct coho__view text);
/* Appends text. 0, COHO_EFULL, COHO_ENOMEM. */
int escape_append(struct coho__buf *out, struct coho__view text, enum escape_style style);
/* text as one line, escaped and terminated, into dst and cut where dst is full; returns dst. */
const char *escape_line(char *dst, size_t cap, struct coho__view text);

#endif
