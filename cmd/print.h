/* A received message as it appears on standard output. */
#ifndef COHO_CMD_PRINT_H
#define COHO_CMD_PRINT_H

#include "base/buf.h"

#include <coho/core.h>
#include <stdbool.h>

struct print {
  bool terminal; /* escaped text, binary as a dump; else the exact bytes */
  bool hex;      /* binary as a line of hexadecimal digits, not as its bytes */
  bool marked;   /* "< " before it, as typed lines have "> " */
};

/* Appends the message: text ends with a line end, binary in a pipe does not. 0, COHO_EFULL,
   COHO_ENOMEM. */
int print_message(struct coho__buf *out, const struct print *p, const coho_msg *m);

#endif
