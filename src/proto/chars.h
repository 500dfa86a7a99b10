/* The classes of bytes that the grammars of HTTP and of URLs are made of. */
#ifndef COHO_PROTO_CHARS_H
#define COHO_PROTO_CHARS_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coho__char_class {
  COHO_CHAR_TOKEN = 1,  /* RFC 9110 5.6.2 */
  COHO_CHAR_VALUE = 2,  /* in a field's value: no control character but tab (RFC 9110 5.5) */
  COHO_CHAR_TARGET = 4, /* in a request target: visible ASCII but # " < >, since browsers send
                           some bytes that RFC 3986 forbids */
  COHO_CHAR_URL = 8,    /* in a path or query, escapes apart (RFC 3986 3.3, 3.4) */
  COHO_CHAR_NAME = 16   /* in a reg-name, escapes apart (RFC 3986 3.2.2) */
};

/* For each byte, the classes it belongs to. */
extern const uint8_t coho__chars[256];

/* How many bytes from the first on belong to the class. */
static inline size_t coho__chars_run(enum coho__char_class cls, const char *data, size_t len) {
  size_t n = 0;
  while (n < len && (coho__chars[(unsigned char)data[n]] & cls) != 0)
    n++;
  return n;
}

static inline bool coho__chars_all(enum coho__char_class cls, struct coho__view v) {
  return coho__chars_run(cls, v.data, v.len) == v.len;
}

static inline bool coho__is_digit(char c) { return c >= '0' && c <= '9'; }

/* 0 to 15, or -1. */
static inline int coho__hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* The byte that the escape %XX at the start of these bytes stands for, or -1 when it is none. */
static inline int coho__percent_escape(const char *data, size_t len) {
  if (len < 3 || data[0] != '%') return -1;
  int high = coho__hex_digit(data[1]), low = coho__hex_digit(data[2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

#endif
