#include "support/slow.h"

#include "support/claim.h"
#include "support/tape.h"

/* ---- UTF-8 --------------------------------------------------------------------------------- */

/* The bytes of the character that this one begins; 0: none begins so. */
static size_t character_len(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc0 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf8 ? 4 : 0;
}

/* The number that the bytes mean, with those that lack all set to `rest`. */
static uint32_t decode(const uint8_t *data, size_t have, size_t len, uint32_t rest) {
  static const uint32_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t number = data[0] & lead_bits[len];
  for (size_t i = 1; i < len; i++)
    number = number << 6 | (i < have ? data[i] & 0x3fU : rest);
  return number;
}

/* Whether a number between these two is a character that is written in len bytes. */
static bool some_character(uint32_t low, uint32_t high, size_t len) {
  static const uint32_t first[] = {0, 0, 0x80, 0x800, 0x10000};
  for (uint32_t number = low;; number += 0x40) {
    bool surrogate = number >= 0xd800 && number <= 0xdfff;
    if (number >= first[len] && number <= 0x10ffff && !surrogate) return true;
    if (high - number < 0x40) return false;
  }
}

enum slow_utf8 slow_utf8(const uint8_t *data, size_t len) {
  while (len > 0) {
    size_t want = character_len(data[0]);
    if (want == 0) return UTF8_WRONG;
    size_t have = want < len ? want : len;
    for (size_t i = 1; i < have; i++)
      if ((data[i] & 0xc0) != 0x80) return UTF8_WRONG;
    uint32_t low = decode(data, have, want, 0), high = decode(data, have, want, 0x3f);
    if (!some_character(low, high, want)) return UTF8_WRONG;
    if (have < want) return UTF8_OPEN;
    data += want;
    len -= want;
  }
  return UTF8_WHOLE;
}

/* ---- frames -------------------------------------------------------------------------------- */

struct reader {
  const uint8_t *data;
  size_t len;
  bool masked, packed;
  unsigned message; /* opcode of the message that goes on, 0: none */
  bool plain;       /* it is not compressed */
  bool closed;
  struct tape text; /* of the message so far */
};

static uint8_t take(struct reader *r) {
  CLAIM(r->len > 0);
  r->len--;
  return *r->data++;
}

static uint64_t take_length(struct reader *r, unsigned *mask_bit) {
  uint8_t byte = take(r);
  *mask_bit = byte & 0x80;
  unsigned width = (byte & 0x7f) == 126 ? 2 : (byte & 0x7f) == 127 ? 8 : 0;
  if (width == 0) return byte & 0x7f;
  uint64_t len = 0;
  for (unsigned i = 0; i < width; i++)
    len = len << 8 | take(r);
  CLAIM(width == 2 ? len > 125 : len > 65535);
  return len;
}

static void claim_control(struct reader *r, uint8_t first, const struct tape *payload) {
  unsigned opcode = first & 15;
  const uint8_t *bytes = (const uint8_t *)payload->data;
  CLAIM(opcode <= 10 && (first & 0xf0) == 0x80 && payload->len <= 125);
  if (opcode != 8) return;
  r->closed = true;
  if (payload->len == 0) return;
  CLAIM(payload->len >= 2);
  unsigned code = (unsigned)bytes[0] << 8 | bytes[1];
  CLAIM((code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
        (code >= 3000 && code <= 4999));
  CLAIM(slow_utf8(bytes + 2, payload->len - 2) == UTF8_WHOLE);
}

static void claim_data(struct reader *r, uint8_t first, const struct tape *payload) {
  unsigned opcode = first & 15;
  CLAIM((opcode == 0) == (r->message != 0));
  CLAIM((first & 0x30) == 0 && opcode <= 2);
  if (first & 0x40) CLAIM(r->packed && opcode != 0);
  if (opcode) {
    r->message = opcode;
    r->plain = (first & 0x40) == 0;
  }
  if (r->message == 1 && r->plain) tape_bytes(&r->text, payload->data, payload->len);
  if ((first & 0x80) == 0) return;
  CLAIM(slow_utf8((const uint8_t *)r->text.data, r->text.len) == UTF8_WHOLE);
  r->text.len = 0;
  r->message = 0;
}

static void claim_frame(struct reader *r) {
  struct tape payload = {NULL, 0, 0};
  uint8_t key[4] = {0, 0, 0, 0};
  unsigned mask_bit;
  CLAIM(!r->closed);
  uint8_t first = take(r);
  uint64_t len = take_length(r, &mask_bit);
  CLAIM((mask_bit != 0) == r->masked);
  for (size_t i = 0; r->masked && i < sizeof key; i++)
    key[i] = take(r);
  CLAIM(len <= r->len);
  tape_bytes(&payload, r->data, (size_t)len);
  for (size_t i = 0; i < payload.len; i++)
    payload.data[i] = (char)((uint8_t)payload.data[i] ^ key[i % 4]);
  r->data += payload.len;
  r->len -= payload.len;
  if (first & 8)
    claim_control(r, first, &payload);
  else
    claim_data(r, first, &payload);
  tape_free(&payload);
}

void slow_frames(const uint8_t *data, size_t len, bool masked, bool packed) {
  struct reader r = {.data = data, .len = len, .masked = masked, .packed = packed};
  while (r.len > 0)
    claim_frame(&r);
  tape_free(&r.text);
}
