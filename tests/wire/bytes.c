#include "bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW = 16, ROWS = 8, SOME_TEXT = 1000 };

void *grow(void *old, size_t size) {
  void *p = realloc(old, size ? size : 1);
  if (!p) abort();
  return p;
}

char *copy_text(const char *s, size_t n) {
  char *copy = (char *)grow(NULL, n + 1);
  if (n) memcpy(copy, s, n);
  copy[n] = '\0';
  return copy;
}

void bytes_add(struct bytes *b, const void *data, size_t n) {
  if (b->cap - b->len < n) {
    b->cap = (b->len + n) * 2;
    b->data = (uint8_t *)grow(b->data, b->cap);
  }
  if (n) memcpy(b->data + b->len, data, n);
  b->len += n;
}

void bytes_byte(struct bytes *b, unsigned byte) {
  uint8_t one = (uint8_t)byte;
  bytes_add(b, &one, 1);
}

void bytes_text(struct bytes *b, const char *s) { bytes_add(b, s, strlen(s)); }

void bytes_repeat(struct bytes *b, size_t from, size_t times) {
  size_t n = b->len - from;
  if (times == 0) b->len = from;
  if (b->cap < from + n * times) {
    b->cap = from + n * times;
    b->data = (uint8_t *)grow(b->data, b->cap);
  }
  for (size_t i = 1; i < times; i++)
    bytes_add(b, b->data + from, n);
}

void bytes_free(struct bytes *b) {
  free(b->data);
  *b = (struct bytes){NULL, 0, 0};
}

size_t first_difference(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
  size_t n = a_len < b_len ? a_len : b_len;
  size_t i = 0;
  while (i < n && a[i] == b[i])
    i++;
  return i;
}

static void dump_row(const uint8_t *data, size_t n) {
  for (size_t i = 0; i < ROW; i++) {
    if (i < n)
      printf(" %02x", data[i]);
    else
      printf("   ");
  }
  printf("  ");
  for (size_t i = 0; i < n; i++)
    putchar(isprint(data[i]) ? data[i] : '.');
  putchar('\n');
}

void hexdump(const char *label, const uint8_t *data, size_t n, size_t difference) {
  size_t at = difference / ROW * ROW;
  if (at >= ROW) at -= ROW;
  printf("    %s (%zu bytes)%s\n", label, n, n ? "" : " none");
  for (size_t rows = 0; at < n && rows < ROWS; at += ROW, rows++) {
    printf("      %06zx", at);
    dump_row(data + at, n - at < ROW ? n - at : ROW);
  }
  if (at < n) printf("      ...\n");
}

void textdump(const char *label, const uint8_t *data, size_t n) {
  printf("    %s (%zu bytes)%s", label, n, n ? "\n      " : " none");
  for (size_t i = 0; i < n && i < SOME_TEXT; i++) {
    if (data[i] == '\n')
      printf("\\n\n      ");
    else if (data[i] == '\r')
      printf("\\r");
    else if (isprint(data[i]))
      putchar(data[i]);
    else
      printf("\\x%02x", data[i]);
  }
  printf("\n");
}
