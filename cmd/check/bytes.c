#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* _Exit: other threads are at work. */
void memory_lacks(void) {
  fputs("coho: out of memory\n", stderr);
  _Exit(1);
}

void *memory_new(size_t count, size_t size) {
  void *p = calloc(count ? count : 1, size);
  if (!p) memory_lacks();
  return p;
}

char *memory_text(const char *format, ...) {
  struct bytes b = {NULL, 0, 0};
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  size_t room = len < 0 ? 1 : (size_t)len + 1;
  char *text = (char *)bytes_room(&b, room);
  va_start(args, format);
  (void)vsnprintf(text, room, format, args);
  va_end(args);
  return text;
}

uint8_t *bytes_room(struct bytes *b, size_t len) {
  if (len > SIZE_MAX / 4 - b->len) memory_lacks();
  if (b->len + len > b->cap || !b->data) {
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->len + len)
      cap *= 2;
    uint8_t *grown = (uint8_t *)realloc(b->data, cap);
    if (!grown) memory_lacks();
    b->data = grown;
    b->cap = cap;
  }
  return b->data + b->len;
}

void bytes_add(struct bytes *b, const void *data, size_t len) {
  if (!len) return;
  memcpy(bytes_room(b, len), data, len);
  b->len += len;
}

void bytes_add_byte(struct bytes *b, unsigned byte) {
  *bytes_room(b, 1) = (uint8_t)byte;
  b->len++;
}

void bytes_add_text(struct bytes *b, const char *text) { bytes_add(b, text, strlen(text)); }

static unsigned digit(char c) {
  return (unsigned)(c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15U;
}

void bytes_add_hex(struct bytes *b, const char *digits) {
  for (; digits[0] && digits[1]; digits += 2)
    bytes_add_byte(b, digit(digits[0]) << 4 | digit(digits[1]));
}

void bytes_printf(struct bytes *b, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (len <= 0) return;
  char *text = (char *)bytes_room(b, (size_t)len + 1);
  va_start(args, format);
  (void)vsnprintf(text, (size_t)len + 1, format, args);
  va_end(args);
  b->len += (size_t)len;
}

void bytes_drop(struct bytes *b, size_t len) {
  if (!len) return;
  b->len -= len;
  memmove(b->data, b->data + len, b->len);
}

void bytes_free(struct bytes *b) {
  free(b->data);
  *b = (struct bytes){NULL, 0, 0};
}
