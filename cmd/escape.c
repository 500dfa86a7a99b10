#include "escape.h"

#include "base/check.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A character: its number and how many bytes it takes. */
struct character {
  uint32_t number;
  size_t len; /* 0: the first byte begins no UTF-8 sequence */
};

static struct character decode(struct coho__view text) {
  unsigned char lead = (unsigned char)text.data[0];
  size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (len > text.len || !coho__utf8_valid(text.data, len)) return (struct character){lead, 0};
  uint32_t number = len == 1 ? lead : lead & (0xffU >> (len + 1));
  for (size_t i = 1; i < len; i++)
    number = number << 6 | ((unsigned char)text.data[i] & 0x3fU);
  return (struct character){number, len};
}

/* Ranges of characters that a terminal obeys, or that make text read otherwise than it is. */
static bool is_unsafe(uint32_t c) {
  static const uint32_t ranges[][2] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c},
                                       {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
                                       {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
  for (size_t i = 0; i < COHO_COUNT(ranges); i++)
    if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
  return false;
}

bool escape_is_safe(struct coho__view text) {
  while (text.len) {
    struct character c = decode(text);
    if (!c.len || is_unsafe(c.number)) return false;
    text.data += c.len;
    text.len -= c.len;
  }
  return true;
}

static int append_escaped(struct coho__buf *out, struct character c) {
  switch (c.number) {
  case '\n': return coho__buf_append_str(out, "\\n");
  case '\r': return coho__buf_append_str(out, "\\r");
  case '\t': return coho__buf_append_str(out, "\\t");
  default: break;
  }
  if (c.len <= 1) return coho__buf_printf(out, "\\x%02x", (unsigned)c.number);
  return coho__buf_printf(out, c.number > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c.number);
}

static int append_character(struct coho__buf *out, struct coho__view text, struct character c,
                            enum escape_style style) {
  if (style == ESCAPE_TEXT && c.number == '\n') return coho__buf_append_str(out, "\n  ");
  if (style == ESCAPE_TEXT && c.number == '\t') return coho__buf_append_str(out, "\t");
  if (!c.len || is_unsafe(c.number)) return append_escaped(out, c);
  return coho__buf_append(out, text.data, c.len);
}

/* How many bytes at the start are printable ASCII, which is most of what is written. */
static size_t plain_len(struct coho__view text) {
  size_t n = 0;
  while (n < text.len && text.data[n] >= ' ' && text.data[n] <= '~')
    n++;
  return n;
}

int escape_append(struct coho__buf *out, struct coho__view text, enum escape_style style) {
  int err = 0;
  while (text.len && !err) {
    size_t used = plain_len(text);
    if (used) {
      err = coho__buf_append(out, text.data, used);
    } else {
      struct character c = decode(text);
      err = append_character(out, text, c, style);
      used = c.len ? c.len : 1;
    }
    text.data += used;
    text.len -= used;
  }
  return err;
}

const char *escape_line(char *dst, size_t cap, struct coho__view text) {
  struct coho__buf b = {.data = dst, .cap = cap - 1, .max = cap - 1};
  /* Fails only when dst is full. */
  (void)escape_append(&b, text, ESCAPE_LINE);
  dst[b.len] = '\0';
  return dst;
}
