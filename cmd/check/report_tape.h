/* What went one way in a case, for the page: bytes, and beside them the text they are. */
#ifndef COHO_CMD_CHECK_REPORT_TAPE_H
#define COHO_CMD_CHECK_REPORT_TAPE_H

#include "bytes.h"
#include "tape.h"

#include <stdbool.h>

struct report_tape {
  const char *name, *label; /* the class, and what people read */
  bool heads;               /* the case is about the handshake: its heads are shown as lines */
};

/* Nothing for an empty tape. */
void report_tape(struct bytes *b, const struct report_tape *look, const struct tape *t);

#endif
