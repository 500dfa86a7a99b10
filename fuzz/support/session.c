#include "support/session.h"

#include "support/claim.h"

#include <stdarg.h>
#include <string.h>

enum { CLIENT = 1, STREAM = 2, ECHO = 4, NARROW = 8, EXTRA_SHIFT = 4 }; /* of the first byte */

static const struct {
  uint64_t message, frame;
} limits[] = {{1 << 20, 1 << 20}, {125, 125},     {126, 200}, {1000, 400},
              {65536, 65535},     {16, SIZE_MAX}, {1, 1},     {UINT64_MAX, UINT64_MAX}};

enum { LIMITS = sizeof limits / sizeof limits[0] };

struct session session_read(struct input in) {
  struct session s;
  memset(&s, 0, sizeof s);
  uint8_t flags = input_byte(&in);
  uint8_t limit = input_byte(&in) % LIMITS;
  s.role = flags & CLIENT ? COHO_CLIENT : COHO_SERVER;
  s.stream = (flags & STREAM) != 0;
  s.echo = (flags & ECHO) != 0;
  s.narrow = (flags & NARROW) != 0;
  s.extra = flags >> EXTRA_SHIFT;
  s.max_message = limits[limit].message;
  s.max_frame = limits[limit].frame;
  s.deflate = input_byte(&in);
  s.fail_at = input_byte(&in);
  s.cuts = cuts_read(&in);
  s.action_count = input_byte(&in) % (SESSION_ACTIONS + 1);
  for (size_t i = 0; i < s.action_count; i++) {
    struct action *a = &s.actions[i];
    a->at = (i ? a[-1].at : 0) + input_byte(&in);
    a->what = (enum act)(input_byte(&in) % ACTS);
    a->arg = input_byte(&in);
  }
  s.bytes = in;
  return s;
}

coho_deflate session_deflate(uint8_t byte) {
  static const uint32_t windows[] = {0, 9, 10, 15}, peer_windows[] = {0, 8, 9, 15};
  coho_deflate d = {.mode = byte & 3};
  d.window = windows[byte >> 2 & 3];
  d.peer_window = peer_windows[byte >> 4 & 3];
  if (byte & 0x40) d.min_size = 1;
  if (byte & 0x80 && d.mode == COHO_DEFLATE_OWN) d.memory = d.level = 1;
  return d;
}

size_t session_memory(const struct session *s, size_t received, bool packed) {
  enum { CONTEXTS = 1 << 20 }; /* of compression, shared and own, with 64 KiB of a buffer */
  /* Nothing is reserved because it was announced, and it grows by doubling. */
  uint64_t most = 2 * (uint64_t)received;
  /* What is compressed may become any length up to the limit, twice: in the pool and assembled. */
  if (packed) return s->max_message > UINT32_MAX ? SIZE_MAX / 2 : 2 * s->max_message + CONTEXTS;
  return most < s->max_message ? most : s->max_message;
}

static void feed(struct player *p, struct input bytes, const struct cuts *cuts) {
  struct pieces pieces = pieces_of(bytes, cuts);
  while (pieces_next(&pieces))
    p->feed(p, pieces.block, pieces.len);
}

void session_play(const struct session *s, const struct cuts *cuts, struct player *p) {
  struct input left = s->bytes;
  for (size_t i = 0; i < s->action_count; i++) {
    size_t before = i ? s->actions[i - 1].at : 0;
    feed(p, input_take(&left, s->actions[i].at - before), cuts);
    p->act(p, &s->actions[i]);
  }
  feed(p, left, cuts);
}

/* ---- what the program says ----------------------------------------------------------------- */

const char *session_text(size_t len) {
  static char text[UINT8_MAX * 300];
  CLAIM(len <= sizeof text);
  if (!text[0]) memset(text, 'a', sizeof text);
  return text;
}

int session_code(const struct action *a) {
  static const int codes[] = {1000, 0, 1001, 1002, 1005, 1010, 1013, 3000, 4999, 5000, -1};
  return codes[a->arg % (sizeof codes / sizeof codes[0])];
}

static uint8_t random_byte(size_t at) {
  static const char nonce[] = "the sample nonce";
  if (at < sizeof nonce - 1) return (uint8_t)nonce[at];
  uint64_t x = (uint64_t)at * 0x9e3779b97f4a7c15;
  return (uint8_t)(x >> 56);
}

void session_random(void *ctx, void *buf, size_t len) {
  size_t *drawn = (size_t *)ctx;
  for (size_t i = 0; i < len; i++)
    ((uint8_t *)buf)[i] = random_byte((*drawn)++);
}

/* ---- the record ---------------------------------------------------------------------------- */

static void close_part(struct record *r) {
  if (r->open) tape_print(&r->tape, " ...\n");
  r->open = false;
}

static void forget_part(struct record *r) {
  if (r->open) r->tape.len = r->part;
  r->open = false;
}

/* Found out in the middle of a payload. */
static bool is_sudden(int err) {
  return err == COHO_EUTF8 || err == COHO_EINFLATE || err == COHO_ETOOBIG;
}

void record_event(struct record *r, const coho_event *ev) {
  CLAIM(ev->type >= COHO_REQUEST && ev->type <= COHO_CLOSE);
  bool message = ev->type == COHO_MESSAGE;
  int err = ev->err;
  if (is_sudden(err)) {
    if (ev->type == COHO_ERROR) forget_part(r);
    r->wrong = r->packed;
    if (r->packed) err = COHO_EINFLATE;
  }
  if (!message) close_part(r);
  if (!r->open) {
    r->part = r->tape.len;
    tape_print(&r->tape, "event %u err %d code %u status %u type %u ", ev->type, err, ev->code,
               ev->status, ev->msg.type);
  }
  tape_bytes(&r->tape, ev->msg.data, ev->msg.len);
  r->open = message && (ev->msg.flags & COHO_MORE) != 0;
  if (!r->open) tape_print(&r->tape, "\n");
}

void record_line(struct record *r, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  CLAIM(n >= 0 && (size_t)n < sizeof text);
  close_part(r);
  tape_print(&r->tape, "%s\n", text);
}

void record_same(struct record *whole, struct record *cut) {
  enum { CODE = 2 }; /* bytes at the end of the output */
  tape_same(&whole->tape, &cut->tape, "events");
  if (whole->wrong && whole->wire.len >= CODE && cut->wire.len >= CODE) {
    whole->wire.len -= CODE;
    cut->wire.len -= CODE;
  }
  tape_same(&whole->wire, &cut->wire, "output");
}

void record_free(struct record *r) {
  tape_free(&r->tape);
  tape_free(&r->wire);
}
