#include "topics/json_text.h"

#include "base/base64.h"

#include <coho/error.h>
#include <stdio.h>

static int put_escaped(struct coho__buf *out, char c) {
  char text[8];
  switch (c) {
  case '"': return coho__buf_append_str(out, "\\\"");
  case '\\': return coho__buf_append_str(out, "\\\\");
  case '\n': return coho__buf_append_str(out, "\\n");
  case '\r': return coho__buf_append_str(out, "\\r");
  case '\t': return coho__buf_append_str(out, "\\t");
  default: break;
  }
  (void)snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
  return coho__buf_append_str(out, text);
}

static bool is_plain(char c) { return (unsigned char)c >= ' ' && c != '"' && c != '\\'; }

size_t coho__json_string_size(struct coho__view text) {
  size_t size = 2;
  for (size_t i = 0; i < text.len; i++)
    size += is_plain(text.data[i]) ? 1 : text.data[i] == '"' || text.data[i] == '\\' ? 2 : 6;
  return size;
}

int coho__json_put_string(struct coho__buf *out, struct coho__view text) {
  int err = coho__buf_append(out, "\"", 1);
  for (size_t at = 0; !err && at < text.len;) {
    size_t n = 0;
    while (at + n < text.len && is_plain(text.data[at + n]))
      n++;
    err = n ? coho__buf_append(out, text.data + at, n) : put_escaped(out, text.data[at]);
    at += n ? n : 1;
  }
  return err ? err : coho__buf_append(out, "\"", 1);
}

int coho__json_put_base64(struct coho__buf *out, struct coho__view bytes) {
  int err = coho__buf_append(out, "\"", 1);
  if (!err && bytes.len) {
    /* Room for two thirds of all there can be would overflow before the cap says no. */
    size_t len = bytes.len > out->max ? out->max : COHO_BASE64_LEN(bytes.len);
    char *dst = coho__buf_reserve(out, len);
    if (!dst || bytes.len > out->max) return len > out->max - out->len ? COHO_EFULL : COHO_ENOMEM;
    coho__base64_encode(dst, bytes.data, bytes.len);
    out->len += len;
  }
  return err ? err : coho__buf_append(out, "\"", 1);
}
