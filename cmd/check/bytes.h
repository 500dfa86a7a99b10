/* Bytes that grow. Memory that runs out ends the program with a sentence: a test run that lacks it
   has nothing to say. */
#ifndef COHO_CMD_CHECK_BYTES_H
#define COHO_CMD_CHECK_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
  uint8_t *data;
  size_t len, cap;
};

void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_add_byte(struct bytes *b, unsigned byte);
void bytes_add_text(struct bytes *b, const char *text);
void bytes_add_hex(struct bytes *b, const char *digits); /* "48656c", pairs, no blanks */
void bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for len more behind what is there; counted in when the caller adds to len. */
uint8_t *bytes_room(struct bytes *b, size_t len);
void bytes_drop(struct bytes *b, size_t len); /* the first len bytes go */
void bytes_free(struct bytes *b);             /* empty, to be used again */

_Noreturn void memory_lacks(void); /* says so and ends the program */
/* Never NULL. */
void *memory_new(size_t count, size_t size); /* zeroed */
char *memory_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
