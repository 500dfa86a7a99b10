/* UTF-8 by the table of RFC 3629, one byte at a time, obvious rather than fast. */
#ifndef COHO_CMD_CHECK_UNICODE_H
#define COHO_CMD_CHECK_UNICODE_H

#include <stdbool.h>
#include <stddef.h>

/* The offset of the first byte that cannot stand there; len when the text is cut short at its end
   or when all is well, which *whole tells apart. */
size_t unicode_check(const void *text, size_t len, bool *whole);
bool unicode_valid(const void *text, size_t len);

#endif
