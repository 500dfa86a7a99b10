/* A growing byte string, for the runner alone: it aborts when memory runs out. */
#ifndef WIRE_BYTES_H
#define WIRE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
  uint8_t *data;
  size_t len, cap;
};

void *grow(void *old, size_t size); /* realloc(3) that succeeds */
char *copy_text(const char *s, size_t n);

void bytes_add(struct bytes *b, const void *data, size_t n);
void bytes_byte(struct bytes *b, unsigned byte);
void bytes_text(struct bytes *b, const char *s);
void bytes_repeat(struct bytes *b, size_t from, size_t times); /* what was added since from */
void bytes_free(struct bytes *b);

/* Prints the bytes with offsets, from the line before the first difference to other on. */
void hexdump(const char *label, const uint8_t *data, size_t n, size_t difference);
/* The same as lines of text. */
void textdump(const char *label, const uint8_t *data, size_t n);
size_t first_difference(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

#endif
