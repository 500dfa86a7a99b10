#include "items.h"

#include "frame.h"
#include "support/dice.h"

#include <coho/core.h>
#include <ctype.h>
#include <string.h>

enum { FIN = 0x80, RSV1 = 0x40, RSV2 = 0x20, RSV3 = 0x10 };

static const uint8_t peer_key[4] = {0x37, 0xfa, 0x21, 0x3d};

void marks_add(struct marks *m, size_t at) {
  m->at = (size_t *)grow(m->at, (m->count + 1) * sizeof *m->at);
  m->at[m->count++] = at;
}

static unsigned nibble(char c) {
  return isdigit((unsigned char)c) ? (unsigned)(c - '0')
                                   : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

static bool add_hex(struct bytes *out, const char *s) {
  size_t n = strlen(s);
  if (n == 0 || n % 2 || strspn(s, "0123456789abcdefABCDEF") != n) return false;
  for (size_t i = 0; i < n; i += 2)
    bytes_byte(out, nibble(s[i]) * 16 + nibble(s[i + 1]));
  return true;
}

/* "noise=N", random bytes, and "letters=N", random ones of a to p: always the same. */
static bool add_random(struct bytes *out, const char *s) {
  uint64_t n;
  bool letters = word_number(s, "letters=", &n);
  struct dice d = {1};
  if (!letters && !word_number(s, "noise=", &n)) return false;
  while (n--)
    bytes_byte(out, letters ? 'a' + dice(&d, 16) : dice(&d, 256));
  return true;
}

bool items_payload(struct tokens *t, struct bytes *out, const char **why) {
  for (const struct token *token; (token = tokens_take(t));) {
    size_t from = out->len;
    if (token->quoted) {
      bytes_add(out, token->data.data, token->data.len);
    } else if (!add_random(out, token_text(token)) && !add_hex(out, token_text(token))) {
      *why = "bytes are pairs of hex digits, a quoted text, noise=N or letters=N";
      return false;
    }
    bytes_repeat(out, from, token->times);
  }
  return true;
}

uint32_t items_type(struct tokens *t) {
  if (tokens_take_word(t, "text")) return COHO_TEXT;
  if (tokens_take_word(t, "binary")) return COHO_BINARY;
  return 0;
}

static int opcode_of(const struct token *token) {
  static const struct {
    const char *name;
    int opcode;
  } names[] = {{"cont", 0}, {"text", 1}, {"binary", 2}, {"close", 8}, {"ping", 9}, {"pong", 10}};
  if (!token || token->quoted) return -1;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (token_is(token, names[i].name)) return names[i].opcode;
  const char *s = token_text(token);
  return strncmp(s, "op", 2) == 0 && strlen(s) == 3 && isxdigit((unsigned char)s[2])
             ? (int)nibble(s[2])
             : -1;
}

static bool read_key(struct frame *f, const char *hex) {
  struct bytes key = {NULL, 0, 0};
  bool good = add_hex(&key, hex) && key.len == sizeof f->key;
  if (good) memcpy(f->key, key.data, sizeof f->key);
  f->masked = true;
  bytes_free(&key);
  return good;
}

static bool read_length(struct frame *f, const char *s) {
  f->announced = true;
  f->length = 0;
  for (; isdigit((unsigned char)*s); s++)
    f->length = f->length * 10 + (unsigned)(*s - '0');
  return *s == '\0';
}

/* 1: it was a modifier, 0: it was none, -1: a wrong one. */
static int modifier(struct frame *f, struct packing *p, const struct token *token) {
  if (!token || token->quoted) return 0;
  const char *s = token_text(token);
  int packing = packing_word(p, token);
  if (p->window) f->first |= RSV1;
  if (packing) return packing;
  if (strncmp(s, "mask=", 5) == 0) return read_key(f, s + 5) ? 1 : -1;
  if (strncmp(s, "len=", 4) == 0) return read_length(f, s + 4) ? 1 : -1;
  if (token_is(token, "more"))
    f->first &= (uint8_t)~FIN;
  else if (token_is(token, "rsv1"))
    f->first |= RSV1;
  else if (token_is(token, "rsv2"))
    f->first |= RSV2;
  else if (token_is(token, "rsv3"))
    f->first |= RSV3;
  else if (token_is(token, "nomask"))
    f->masked = false;
  else if (token_is(token, "len16"))
    f->width = WIDTH_16;
  else if (token_is(token, "len64"))
    f->width = WIDTH_64;
  else
    return 0;
  return 1;
}

/* Header and payload of the frame whose opcode was just taken. */
static bool build_frame(struct tokens *t, int opcode, struct speaker *who, struct frame *f,
                        struct bytes *payload, const char **why) {
  bool named_close = token_is(&t->list[t->next - 1], "close");
  f->first = (uint8_t)(FIN | opcode);
  f->masked = who->masks;
  memcpy(f->key, peer_key, sizeof f->key);
  if (who->masks && who->engine) randomness_mask(who->frames++, f->key);
  struct packing packing = {.window = 0};
  for (int good; (good = modifier(f, &packing, tokens_peek(t))) != 0; tokens_take(t)) {
    if (good < 0) {
      *why = "mask= wants 8 hex digits, len= a decimal number, packed= 9 to 15, memory= 1 to 9, "
             "part= K/N";
      return false;
    }
  }
  uint64_t code;
  if (named_close && tokens_take_number(t, &code)) {
    bytes_byte(payload, (unsigned)(code >> 8) & 0xff);
    bytes_byte(payload, (unsigned)code & 0xff);
  }
  if (!items_payload(t, payload, why)) return false;
  packing_apply(&who->packer, &packing, payload);
  return true;
}

bool items_build(struct tokens *t, struct speaker *who, struct bytes *out, struct marks *marks,
                 const char **why) {
  int opcode = opcode_of(tokens_peek(t));
  if (opcode < 0) return items_payload(t, out, why);
  tokens_take(t);
  struct frame f;
  memset(&f, 0, sizeof f);
  struct bytes payload = {NULL, 0, 0};
  bool good = build_frame(t, opcode, who, &f, &payload, why);
  if (good && marks) marks_add(marks, out->len);
  if (good) {
    size_t begin = frame_add(out, &f, &payload);
    if (marks) marks_add(marks, begin);
  }
  bytes_free(&payload);
  return good;
}
