/* The first and the last bytes that went one way, for the report of a case. */
#ifndef COHO_CMD_CHECK_TAPE_H
#define COHO_CMD_CHECK_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAPE_BYTES = 64, TAPE_HEAD = 2048 };

struct tape {
  uint8_t last[TAPE_BYTES]; /* the newest is the last of len */
  size_t len;
  uint8_t first[TAPE_HEAD]; /* total bytes, as far as there is room */
  uint64_t total;           /* of all, those that are gone included */
};

void tape_add(struct tape *t, const void *data, size_t len);
/* The HTTP heads at the start: so many of the first bytes. *whole: the last of them has its empty
   line; else these are all the first bytes there are. */
size_t tape_head(const struct tape *t, bool *whole);
/* "81 05 48 65", with "... " in front when earlier bytes are gone; "" when there were none. text has
   room for TAPE_TEXT. */
enum { TAPE_TEXT = TAPE_BYTES * 3 + 8 };
void tape_print(const struct tape *t, char *text);

#endif
