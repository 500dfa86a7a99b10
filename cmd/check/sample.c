#include "sample.h"

#include "base/check.h"

/* A small generator of its own, so that the data is the same on every machine. */
static uint32_t draw(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static const char *word(uint32_t *state) {
  static const char *const words[] = {
      "river",   "stone",   "winter", "of",    "the",   "and",    "lantern", "a",     "quiet",
      "harbour", "north",   "she",    "he",    "in",    "letter", "glass",   "over",  "under",
      "with",    "morning", "ship",   "light", "never", "to",     "garden",  "bridge"};
  return words[draw(state) % COHO_COUNT(words)];
}

static void add_prose(struct bytes *out, uint32_t *state) {
  uint32_t r = draw(state);
  bytes_add_text(out, word(state));
  bytes_add_text(out, r % 11 == 0 ? ".\n" : r % 7 == 0 ? ", " : " ");
}

static void add_record(struct bytes *out, uint32_t *state) {
  uint32_t id = draw(state) % 100000;
  bytes_printf(out, "{\"id\": %u, \"name\": \"%s %s\", ", id, word(state), word(state));
  bytes_printf(out, "\"active\": %s, \"tags\": [\"%s\", \"%s\"]},\n", id % 2 ? "true" : "false",
               word(state), word(state));
}

static void add_markup(struct bytes *out, uint32_t *state) {
  uint32_t n = draw(state) % 1000;
  bytes_printf(out, "<li class=\"item-%u\"><a href=\"/%s/%u\">%s %s</a></li>\n", n % 7, word(state),
               n, word(state), word(state));
}

static void add_pixels(struct bytes *out, uint32_t *state) {
  size_t at = out->len;
  uint32_t noise = draw(state);
  bytes_add_byte(out, (at / 3 + (noise & 3)) & 0xff);
  bytes_add_byte(out, (at / 192) & 0xff);
  bytes_add_byte(out, 0x40 + (noise >> 8 & 7));
}

static void add_some(struct bytes *out, enum sample kind, uint32_t *state) {
  switch (kind) {
  case SAMPLE_ASCII: bytes_add_byte(out, ' ' + draw(state) % 95); return;
  case SAMPLE_BINARY: bytes_add_byte(out, draw(state) >> 11 & 0xff); return;
  case SAMPLE_JSON: add_record(out, state); return;
  case SAMPLE_IMAGE: add_pixels(out, state); return;
  case SAMPLE_PROSE: add_prose(out, state); return;
  case SAMPLE_MARKUP: add_markup(out, state); return;
  }
}

void sample_add(struct bytes *out, enum sample kind, size_t len) {
  uint32_t state = 2463534242U;
  size_t end = out->len + len;
  while (out->len < end)
    add_some(out, kind, &state);
  out->len = end;
}
