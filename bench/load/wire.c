#include "load/wire.h"

#include "load/link.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t wire_header(char *dst, unsigned first, size_t len, bool masked) {
  size_t n = 0;
  dst[n++] = (char)first;
  unsigned mask = masked ? 0x80 : 0;
  size_t extended = len <= 125 ? 0 : len <= 65535 ? 2 : 8;
  dst[n++] = (char)(mask | (extended == 0 ? len : extended == 2 ? 126 : 127));
  while (extended--)
    dst[n++] = (char)((uint64_t)len >> (8 * extended));
  return n;
}

size_t wire_put(char *dst, unsigned first, const char *payload, size_t len, bool masked) {
  static const unsigned char keys[2][4] = {{0}, {0x37, 0xfa, 0x21, 0x3d}};
  const unsigned char *key = keys[masked];
  size_t n = wire_header(dst, first, len, masked);
  if (masked) memcpy(dst + n, key, 4);
  n += masked ? 4 : 0;
  for (size_t i = 0; i < len; i++)
    dst[n++] = (char)(payload[i] ^ key[i & 3]);
  return n;
}

bool wire_read(struct wire_frame *f, const char *data, size_t n) {
  const unsigned char *p = (const unsigned char *)data;
  size_t header = n < 2 ? 0 : p[1] < 126 ? 2 : p[1] == 126 ? 4 : 10;
  if (!header || n < header) return false;
  uint64_t len = header == 2 ? p[1] : 0;
  for (size_t i = 2; i < header; i++)
    len = len << 8 | p[i];
  if (n - header < len) return false;
  *f = (struct wire_frame){
      .first = p[0], .payload = data + header, .len = (size_t)len, .size = header + (size_t)len};
  return true;
}

static void keep(struct wire_rest *rest, const char *data, size_t len) {
  if (rest->len + len > rest->cap) {
    rest->cap = (rest->len + len) * 2;
    rest->data = (char *)realloc(rest->data, rest->cap);
    if (!rest->data) link_die("realloc");
  }
  memcpy(rest->data + rest->len, data, len);
  rest->len += len;
}

void wire_take(struct wire_rest *rest, const char *data, size_t len,
               void (*fn)(void *ctx, const struct wire_frame *f), void *ctx) {
  struct wire_frame f;
  bool joined = rest->len > 0;
  if (joined) {
    keep(rest, data, len);
    data = rest->data;
    len = rest->len;
  }
  size_t at = 0;
  for (; wire_read(&f, data + at, len - at); at += f.size)
    fn(ctx, &f);
  if (joined) {
    rest->len -= at;
    memmove(rest->data, rest->data + at, rest->len);
  } else if (at < len) {
    keep(rest, data + at, len - at);
  }
}
