#include "packing.h"

#include <string.h>

enum { WINDOW_MIN = 9, WINDOW_MAX = 15, MEMORY = 8 };

/* As packing_word(): `name` and a number of least to most. */
static int number_word(const char *s, const char *name, unsigned least, unsigned most,
                       unsigned *number) {
  uint64_t n;
  if (strncmp(s, name, strlen(name)) != 0) return 0;
  if (!word_number(s, name, &n) || n < least || n > most) return -1;
  *number = (unsigned)n;
  return 1;
}

/* K/N */
static bool read_part(const char *s, struct packing *p) {
  uint64_t part, of;
  s = text_number(s, &part);
  if (!s || *s != '/' || !word_number(s + 1, "", &of)) return false;
  p->part = (size_t)part;
  p->of = (size_t)of;
  return part && part <= of;
}

int packing_word(struct packing *p, const struct token *token) {
  const char *s = token_text(token);
  if (strcmp(s, "packed") == 0 || strcmp(s, "fixed") == 0) {
    p->fixed = *s == 'f';
    p->window = WINDOW_MAX;
    return 1;
  }
  if (strcmp(s, "follows") == 0) return p->follows = true;
  if (strncmp(s, "part=", 5) == 0) return read_part(s + 5, p) ? 1 : -1;
  int packed = number_word(s, "packed=", WINDOW_MIN, WINDOW_MAX, &p->window);
  return packed ? packed : number_word(s, "memory=", 1, 9, &p->memory);
}

static void pack(struct packer *peer, const struct packing *p, const struct bytes *payload) {
  size_t n;
  if (!p->follows) {
    zip_free(peer->zip);
    peer->zip = zip_new(p->window, p->memory ? p->memory : MEMORY, WINDOW_MAX);
  }
  const char *packed = zip_pack(peer->zip, payload->data, payload->len, &n);
  bytes_add(&peer->last, packed, n);
}

/* Bits of a stream, the lowest of each byte first (RFC 1951 3.1.1). */
struct bits {
  struct bytes *out;
  unsigned held, count;
};

static void add_bit(struct bits *b, unsigned bit) {
  b->held |= bit << b->count;
  if (++b->count < 8) return;
  bytes_byte(b->out, b->held);
  b->held = b->count = 0;
}

/* A code, the highest bit first. */
static void add_code(struct bits *b, unsigned code, unsigned bits) {
  while (bits--)
    add_bit(b, code >> bits & 1);
}

/* One block of fixed codes without references (RFC 1951 3.2.6), and the beginning of an empty one. */
static void pack_fixed(struct packer *peer, const struct bytes *payload) {
  struct bits b = {.out = &peer->last};
  add_code(&b, 2, 3); /* not the last; fixed codes */
  for (size_t i = 0; i < payload->len; i++) {
    unsigned byte = payload->data[i];
    if (byte < 144)
      add_code(&b, 0x30 + byte, 8);
    else
      add_code(&b, 0x190 + byte - 144, 9);
  }
  add_code(&b, 0, 7 + 3);
  while (b.count)
    add_bit(&b, 0);
}

void packing_apply(struct packer *peer, const struct packing *p, struct bytes *payload) {
  if (!p->window && !p->of) return;
  if (p->window) peer->last.len = 0;
  if (p->window && p->fixed)
    pack_fixed(peer, payload);
  else if (p->window)
    pack(peer, p, payload);
  size_t n = peer->last.len;
  size_t from = p->of ? n * (p->part - 1) / p->of : 0, to = p->of ? n * p->part / p->of : n;
  payload->len = 0;
  bytes_add(payload, peer->last.data + from, to - from);
}

void packer_free(struct packer *peer) {
  zip_free(peer->zip);
  bytes_free(&peer->last);
}
