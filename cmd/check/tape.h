/* The last bytes that went one way, for the report of a case. */
#ifndef COHO_CMD_CHECK_TAPE_H
#define COHO_CMD_CHECK_TAPE_H

#include <stddef.h>
#include <stdint.h>

enum { TAPE_BYTES = 64 };

struct tape {
  uint8_t last[TAPE_BYTES]; /* the newest is the last of len */
  size_t len;
  uint64_t total; /* of all, those that are gone included */
};

void tape_add(struct tape *t, const void *data, size_t len);
/* "81 05 48 65", with "... " in front when earlier bytes are gone; "" when there were none. text has
   room for TAPE_TEXT. */
enum { TAPE_TEXT = TAPE_BYTES * 3 + 8 };
void tape_print(const struct tape *t, char *text);

#endif
