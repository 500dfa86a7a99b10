/* Slow and obvious readers of what coho reads and writes fast: what both say has to be the same. */
#ifndef FUZZ_SLOW_H
#define FUZZ_SLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How UTF-8 stands after these bytes: by decoding each character to its number (RFC 3629 3). */
enum slow_utf8 { UTF8_WHOLE, UTF8_OPEN, UTF8_WRONG };
enum slow_utf8 slow_utf8(const uint8_t *data, size_t len);

/* Claims that these bytes are frames that an endpoint may send (RFC 6455 5): masks by role, lengths
   minimal, fragments in order, control frames small, nothing behind a Close; text is UTF-8. With
   packed, RSV1 may mark a message, of which nothing more is known (RFC 7692 6). */
void slow_frames(const uint8_t *data, size_t len, bool masked, bool packed);

#endif
