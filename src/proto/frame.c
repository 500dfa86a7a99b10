#include "proto/frame.h"

#include <coho/error.h>
#include <string.h>

enum {
  FIN = 0x80,
  RSV = 0x70,
  RSV1 = 0x40,
  OPCODE = 0x0f,
  MASKED = 0x80,
  LEN7 = 0x7f,
  LEN16 = 126, /* values of LEN7: the length follows in 16 or 64 bits */
  LEN64 = 127,
  KNOWN_OPCODES = 1 << COHO_OP_CONTINUATION | 1 << COHO_OP_TEXT | 1 << COHO_OP_BINARY |
                  1 << COHO_OP_CLOSE | 1 << COHO_OP_PING | 1 << COHO_OP_PONG
};

static bool begins_message(uint8_t opcode) {
  return opcode == COHO_OP_TEXT || opcode == COHO_OP_BINARY;
}

static int check_first(uint8_t byte, bool rsv1) {
  int reserved = rsv1 && begins_message(byte & OPCODE) ? RSV & ~RSV1 : RSV;
  if (byte & reserved) return COHO_ERSV;
  if (!(KNOWN_OPCODES >> (byte & OPCODE) & 1)) return COHO_EOPCODE;
  if (coho__opcode_is_control(byte) && !(byte & FIN)) return COHO_ECONTROLFIN;
  return 0;
}

static int check_second(uint8_t first, uint8_t second, bool masked) {
  if (coho__opcode_is_control(first) && (second & LEN7) > COHO_CONTROL_MAX) return COHO_ECONTROLLEN;
  if (masked != ((second & MASKED) != 0)) return masked ? COHO_EUNMASKED : COHO_EMASKED;
  return 0;
}

static uint64_t read_big_endian(const uint8_t *p, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++)
    v = v << 8 | p[i];
  return v;
}

static int read_extended(struct coho__frame *f, const uint8_t *p, size_t n) {
  f->len = read_big_endian(p, n);
  if (f->len >> 63) return COHO_ELENGTH63;
  return f->len <= (n == 2 ? 125U : 0xffffU) ? COHO_ELENGTH : 0;
}

int coho__frame_read(struct coho__frame *f, const uint8_t *data, size_t len,
                     struct coho__frame_rules rules) {
  if (len < 1) return 0;
  int err = check_first(data[0], rules.rsv1);
  if (err) return err;
  if (len < 2) return 0;
  err = check_second(data[0], data[1], rules.masked);
  if (err) return err;

  size_t extended = (data[1] & LEN7) == LEN16 ? 2 : (data[1] & LEN7) == LEN64 ? 8 : 0;
  size_t size = 2 + extended;
  if (len < size) return 0;
  f->len = data[1] & LEN7;
  if (extended && (err = read_extended(f, data + 2, extended)) != 0) return err;

  f->key = 0;
  if (rules.masked) {
    if (len < size + 4) return 0;
    memcpy(&f->key, data + size, 4);
    size += 4;
  }
  f->fin = (data[0] & FIN) != 0;
  f->opcode = data[0] & OPCODE;
  f->rsv1 = (data[0] & RSV1) != 0;
  f->masked = rules.masked;
  return (int)size;
}

size_t coho__frame_header_size(uint64_t len, bool masked) {
  return (size_t)(len <= 125 ? 2 : len <= 0xffff ? 4 : 10) + (masked ? 4 : 0);
}

size_t coho__frame_write(uint8_t dst[COHO_FRAME_HEADER_MAX], const struct coho__frame *f) {
  uint8_t mask_bit = f->masked ? MASKED : 0;
  size_t extended = f->len <= 125 ? 0 : f->len <= 0xffff ? 2 : 8;
  dst[0] = (uint8_t)((f->fin ? FIN : 0) | (f->rsv1 ? RSV1 : 0) | f->opcode);
  dst[1] = (uint8_t)(mask_bit | (extended == 0 ? f->len : extended == 2 ? LEN16 : LEN64));
  for (size_t i = 0; i < extended; i++)
    dst[2 + i] = (uint8_t)(f->len >> (8 * (extended - 1 - i)));
  if (!f->masked) return 2 + extended;
  memcpy(dst + 2 + extended, &f->key, 4);
  return 6 + extended;
}
