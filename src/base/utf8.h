/* UTF-8 (RFC 3629 section 4), checked as the bytes come. */
#ifndef COHO_BASE_UTF8_H
#define COHO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is open at the end of the bytes seen so far; COHO_UTF8_START also means: could end here. */
typedef uint8_t coho__utf8;
enum { COHO_UTF8_START = 0 };

/* Goes on with len bytes. False at the first byte that makes the sequence impossible. */
bool coho__utf8_next(coho__utf8 *state, const void *data, size_t len);
/* All of data is valid and complete. */
bool coho__utf8_valid(const void *data, size_t len);

#endif
