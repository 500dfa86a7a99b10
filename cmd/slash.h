/* What is typed at the terminal: a text to send, or a command that begins with a slash. */
#ifndef COHO_CMD_SLASH_H
#define COHO_CMD_SLASH_H

#include "base/view.h"

enum slash_kind {
  SLASH_TEXT,   /* argument: the line, one slash less when it began with two */
  SLASH_PING,   /* argument: payload */
  SLASH_CLOSE,  /* code, argument: reason */
  SLASH_BINARY, /* argument: hexadecimal digits */
  SLASH_FILE,   /* argument: path */
  SLASH_HELP,
  SLASH_WRONG /* argument: a sentence that says what to type, static */
};

struct slash {
  enum slash_kind kind;
  int code; /* 0: none given */
  const char *argument;
};

struct slash slash_parse(const char *line);
/* The commands, one per line, ended by NULL. */
extern const char *const slash_help[];

#endif
