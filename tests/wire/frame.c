#include "frame.h"

static const char nonce[] = "the sample nonce";
enum { NONCE = sizeof nonce - 1 };

static void add_length(struct bytes *out, const struct frame *f, uint64_t n) {
  unsigned mask_bit = f->masked ? 0x80 : 0;
  enum frame_width width = f->width;
  if (width == WIDTH_SHORTEST && n > 125) width = n > 0xffff ? WIDTH_64 : WIDTH_16;
  if (width == WIDTH_SHORTEST) {
    bytes_byte(out, mask_bit | (unsigned)n);
    return;
  }
  bytes_byte(out, mask_bit | (unsigned)width);
  for (int shift = width == WIDTH_64 ? 56 : 8; shift >= 0; shift -= 8)
    bytes_byte(out, (unsigned)(n >> shift) & 0xff);
}

size_t frame_add(struct bytes *out, const struct frame *f, const struct bytes *payload) {
  bytes_byte(out, f->first);
  add_length(out, f, f->announced ? f->length : payload->len);
  if (f->masked) bytes_add(out, f->key, sizeof f->key);
  size_t begin = out->len;
  bytes_add(out, payload->data, payload->len);
  for (size_t i = 0; f->masked && i < payload->len; i++)
    out->data[begin + i] ^= f->key[i % 4];
  return begin;
}

void randomness_mask(size_t n, uint8_t key[4]) {
  uint32_t word = 0x37fa213dU + (uint32_t)n * 0x9e3779b9U;
  for (int i = 0; i < 4; i++)
    key[i] = (uint8_t)(word >> (24 - 8 * i));
}

static uint8_t random_byte(size_t at) {
  uint8_t key[4];
  if (at < NONCE) return (uint8_t)nonce[at];
  randomness_mask((at - NONCE) / 4, key);
  return key[(at - NONCE) % 4];
}

void randomness_fill(void *ctx, void *buf, size_t len) {
  struct randomness *r = (struct randomness *)ctx;
  uint8_t *bytes = (uint8_t *)buf;
  for (size_t i = 0; i < len; i++)
    bytes[i] = random_byte(r->drawn++);
}
