/* The option --deflate of the commands: MODE[,NAME=NUMBER...]. */
#ifndef COHO_CMD_DEFLATE_H
#define COHO_CMD_DEFLATE_H

#include "option.h"

#include <coho/core.h>

#define DEFLATE_VALUE "MODE"
#define DEFLATE_WORDS "shared own off"
#define DEFLATE_TEXT                                                                         \
  "compression of messages: shared (the default: nothing is remembered from one message to " \
  "the next), own (a context for each connection: smaller messages, more memory) or off; "   \
  "own may be followed by ,window=BITS (9 to 15) ,memory=1 to 9 and ,level=1 to 9, both by " \
  ",min=BYTES (smaller messages are not compressed; 256 by default)"

/* text NULL leaves *out as it is. 0, or EXIT_USAGE after a sentence on standard error. */
int deflate_option(const struct command *c, const char *text, coho_deflate *out);

#endif
