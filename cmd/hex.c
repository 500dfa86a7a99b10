#include "hex.h"

#include "base/check.h"

#include <coho/error.h>
#include <string.h>

enum { ROW = 16 };

static const char digits[] = "0123456789abcdef";

static int value_of(char c) {
  if (c >= 'A' && c <= 'F') c = (char)(c - 'A' + 'a');
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

static bool separates(char c) { return c && strchr(" \t\r,:;-", c); }

static bool is_prefix(struct coho__view v) {
  return v.len >= 2 && v.data[0] == '0' && (v.data[1] == 'x' || v.data[1] == 'X');
}

int hex_parse(struct coho__buf *out, struct coho__view text) {
  while (text.len) {
    size_t used = 2;
    if (separates(*text.data)) {
      used = 1;
    } else if (!is_prefix(text)) {
      int high = value_of(text.data[0]);
      int low = text.len > 1 ? value_of(text.data[1]) : -1;
      if (high < 0 || low < 0) return COHO_EINVAL;
      char byte = (char)(high << 4 | low);
      int err = coho__buf_append(out, &byte, 1);
      if (err) return err;
    }
    text.data += used;
    text.len -= used;
  }
  return 0;
}

static char *put_byte(char *dst, unsigned char byte) {
  *dst++ = digits[byte >> 4];
  *dst++ = digits[byte & 15];
  return dst;
}

int hex_append(struct coho__buf *out, struct coho__view bytes) {
  if (bytes.len > SIZE_MAX / 2) return COHO_EFULL;
  char *dst = coho__buf_reserve(out, bytes.len * 2);
  if (!dst) return bytes.len * 2 > out->max - out->len ? COHO_EFULL : COHO_ENOMEM;
  for (size_t i = 0; i < bytes.len; i++)
    dst = put_byte(dst, (unsigned char)bytes.data[i]);
  out->len += bytes.len * 2;
  return 0;
}

/* "00000010  68 65 79 0a                                       |hey.|" */
static int dump_row(struct coho__buf *out, size_t offset, struct coho__view row) {
  char text[ROW * 4 + 8];
  char *dst = text;
  for (size_t i = 0; i < ROW; i++) {
    if (i == ROW / 2) *dst++ = ' ';
    *dst++ = ' ';
    if (i < row.len) {
      dst = put_byte(dst, (unsigned char)row.data[i]);
    } else {
      *dst++ = ' ';
      *dst++ = ' ';
    }
  }
  *dst++ = ' ';
  *dst++ = '|';
  for (size_t i = 0; i < row.len; i++)
    *dst++ = row.data[i] >= ' ' && row.data[i] <= '~' ? row.data[i] : '.';
  return coho__buf_printf(out, "%08zx %.*s|\n", offset, (int)(dst - text), text);
}

int hex_dump(struct coho__buf *out, struct coho__view bytes) {
  int err = 0;
  for (size_t at = 0; at < bytes.len && !err; at += ROW)
    err = dump_row(out, at,
                   (struct coho__view){bytes.data + at, COHO_MIN(bytes.len - at, (size_t)ROW)});
  return err;
}
