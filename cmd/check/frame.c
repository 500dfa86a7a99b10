#include "frame.h"

#include <openssl/rand.h>
#include <string.h>

static void put_number(struct bytes *out, uint64_t n, unsigned size) {
  while (size--)
    bytes_add_byte(out, (unsigned)(n >> (8 * size)) & 0xff);
}

static void put_length(struct bytes *out, const struct frame *f, unsigned mask_bit) {
  uint64_t len = f->claims ? f->claims : f->len;
  if (f->length == LENGTH_64 || len > 0xffff) {
    bytes_add_byte(out, mask_bit | 127);
    put_number(out, len, 8);
  } else if (f->length == LENGTH_16 || len > 125) {
    bytes_add_byte(out, mask_bit | 126);
    put_number(out, len, 2);
  } else {
    bytes_add_byte(out, mask_bit | (unsigned)len);
  }
}

static void put_masked(struct bytes *out, const struct frame *f) {
  uint8_t key[4] = {0, 0, 0, 0};
  if (f->mask != MASK_ZERO) (void)RAND_bytes(key, sizeof key);
  bytes_add(out, key, sizeof key);
  if (!f->len) return;
  const uint8_t *data = (const uint8_t *)f->data;
  uint8_t *to = bytes_room(out, f->len);
  for (size_t i = 0; i < f->len; i++)
    to[i] = data[i] ^ key[i % 4];
  out->len += f->len;
}

void frame_put(struct bytes *out, const struct frame *f, bool masked) {
  if (f->mask == MASK_ALWAYS || f->mask == MASK_ZERO) masked = true;
  if (f->mask == MASK_NEVER) masked = false;
  bytes_add_byte(out, (f->more ? 0 : 0x80U) | f->rsv << 4 | f->opcode);
  put_length(out, f, masked ? 0x80 : 0);
  if (masked)
    put_masked(out, f);
  else
    bytes_add(out, f->data, f->len);
}
