#include "head.h"
#include "play.h"
#include "support/zip.h"

#include <stdio.h>
#include <string.h>

/* ---- events -------------------------------------------------------------------------------- */

static const char *type_name(uint32_t type) {
  static const char *const names[] = {"nothing", "request", "open",  "message",
                                      "ping",    "pong",    "error", "close"};
  return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

static void describe(const char *label, const struct happening *h) {
  printf("    %s event %s", label, type_name(h->type));
  if (h->type == COHO_MESSAGE)
    printf(" %s%s", h->shape == COHO_TEXT ? "text" : "binary", h->more ? " (a part)" : "");
  if (h->type == COHO_CLOSE) printf(" %u", (unsigned)h->code);
  if (h->err) printf(" %s", coho_errname(h->err));
  if (h->status) printf(" status %u", (unsigned)h->status);
  printf("\n");
}

/* What it has to bring: of a message of which some came already, what is left. */
static struct bytes wanted_data(const struct play *p, const struct happening *want) {
  struct bytes all = want->rest && p->some ? p->some->event.data : want->data;
  size_t gone = want->rest && p->some ? p->some_len : 0;
  return (struct bytes){gone ? all.data + gone : all.data, all.len - gone, 0};
}

static bool same(const struct play *p, const struct happening *want, const struct happening *got) {
  if (want->type != got->type || want->err != got->err || want->code != got->code ||
      want->status != got->status || want->shape != got->shape || want->more != got->more)
    return false;
  if (want->any) return true;
  struct bytes data = wanted_data(p, want);
  bool enough = want->some ? got->data.len && got->data.len <= data.len : got->data.len == data.len;
  return enough && (got->data.len == 0 || memcmp(data.data, got->data.data, got->data.len) == 0);
}

static void expect_event(struct play *p, const struct step *s) {
  const struct happening *want = &s->event;
  static const struct happening nothing = {0};
  const struct happening *got = p->seen_next < p->seen_count ? &p->seen[p->seen_next] : &nothing;
  if (same(p, want, got)) {
    p->seen_next++;
    if (want->some) p->some = s;
    if (want->some) p->some_len = got->data.len;
    return;
  }
  play_fail(p, s, "another event came");
  describe("expected", want);
  describe("got     ", got);
  if (want->any || got->type == 0) return;
  struct bytes data = wanted_data(p, want);
  size_t d = first_difference(data.data, data.len, got->data.data, got->data.len);
  hexdump("expected", data.data, data.len, d);
  hexdump("got", got->data.data, got->data.len, d);
}

/* ---- output -------------------------------------------------------------------------------- */

static void expect_output(struct play *p, const struct step *s) {
  const uint8_t *got = p->out.data + p->out_next;
  size_t n = p->out.len - p->out_next, want = s->data.len;
  size_t d = first_difference(s->data.data, want, got, n < want ? n : want);
  if (d == want) {
    p->out_next += want;
    return;
  }
  play_fail(p, s, "other output came");
  hexdump("expected", s->data.data, want, d);
  hexdump("got", got, n, d);
}

/* ---- compressed output --------------------------------------------------------------------- */

/* The header of one frame, and its payload unmasked. False: it is not complete. */
struct got_frame {
  uint8_t head[2];
  uint8_t key[4];
  struct bytes payload;
  size_t size;
};

static bool read_frame(const uint8_t *d, size_t n, struct got_frame *f) {
  if (n < 2) return false;
  memcpy(f->head, d, 2);
  size_t len = d[1] & 127U, at = len == 126 ? 4 : len == 127 ? 10 : 2;
  size_t masked = d[1] & 128U ? 4 : 0;
  if (n < at + masked) return false;
  for (size_t i = 2; i < at; i++)
    len = (i == 2 ? 0 : len << 8) | d[i];
  memcpy(f->key, masked ? d + at : (const uint8_t *)"\0\0\0", 4);
  at += masked;
  if (n - at < len) return false;
  bytes_add(&f->payload, d + at, len);
  for (size_t i = 0; i < len; i++)
    f->payload.data[i] ^= f->key[i % 4];
  f->size = at + len;
  return true;
}

static size_t shortest_header(const struct step *s, size_t len) {
  return (len < 126 ? 2U : len < 65536 ? 4U : 10U) + (s->packed.masked ? 4U : 0U);
}

/* NULL, or what is wrong with the frame around it. */
static const char *wrong_frame(const struct step *s, const struct got_frame *f) {
  if (f->head[0] != (0xc0 | s->code)) return "FIN, RSV1 and the opcode are expected";
  if ((f->head[1] >> 7) != s->packed.masked || memcmp(f->key, s->packed.key, 4) != 0)
    return "another mask is expected";
  if (f->size - f->payload.len != shortest_header(s, f->payload.len))
    return "its header is too long";
  return f->payload.len > s->packed.most ? "more payload than expected" : NULL;
}

static const char *unpack(struct play *p, const struct step *s, const struct bytes *payload,
                          struct bytes *message) {
  size_t n;
  if (p->window != s->packed.window) {
    zip_free(p->zip);
    p->zip = zip_new(15, 8, s->packed.window);
    p->window = s->packed.window;
  }
  if (!s->packed.follows) zip_unpack_anew(p->zip);
  const char *data = zip_unpack(p->zip, payload->data, payload->len, &n);
  if (!data) return "it does not decompress with the window agreed on";
  bytes_add(message, data, n);
  return n == s->data.len && (n == 0 || memcmp(data, s->data.data, n) == 0)
             ? NULL
             : "it means something else";
}

static void expect_packed(struct play *p, const struct step *s) {
  struct got_frame f;
  struct bytes message = {NULL, 0, 0};
  memset(&f, 0, sizeof f);
  const uint8_t *got = p->out.data + p->out_next;
  size_t n = p->out.len - p->out_next;
  const char *wrong = read_frame(got, n, &f) ? wrong_frame(s, &f) : "no whole frame came";
  if (!wrong) wrong = unpack(p, s, &f.payload, &message);
  if (wrong) {
    play_fail(p, s, "a compressed message is expected: %s", wrong);
    hexdump("got", got, n, 0);
    if (f.size) printf("    %zu bytes of payload\n", f.payload.len);
    hexdump("which means", message.data, message.len,
            first_difference(message.data, message.len, s->data.data, s->data.len));
  }
  p->out_next += f.size;
  bytes_free(&f.payload);
  bytes_free(&message);
}

/* ---- heads --------------------------------------------------------------------------------- */

static size_t body_length(const uint8_t *head, size_t n) {
  struct coho_bytes value;
  size_t length = 0;
  if (head_find(head, n, "Content-Length", 14, &value) == 0) return 0;
  for (size_t i = 0; i < value.len; i++)
    length = length * 10 + (size_t)(value.data[i] - '0');
  return length;
}

static void expect_head(struct play *p, const struct step *s) {
  const uint8_t *got = p->out.data ? p->out.data + p->out_next : (const uint8_t *)"";
  size_t n = p->out.len - p->out_next;
  char status[] = "HTTP/1.1 000 ";
  snprintf(status, sizeof status, "HTTP/1.1 %3u ", (unsigned)s->code % 1000);
  const char *begin = s->text ? s->text : status;
  size_t length = head_length(got, n);
  const char *wrong = length == 0 ? "it is not complete" : head_wrong(got, length);
  size_t body = length && !s->text && !s->flags ? body_length(got, length) : 0;
  if (!wrong && !head_begins(got, length, begin)) wrong = "its first line is another";
  if (!wrong && n - length < body) wrong = "its body is not complete";
  if (wrong) {
    play_fail(p, s, "an HTTP head is expected that begins with: %s", begin);
    printf("    %s\n", wrong);
    textdump("got", got, n);
    return;
  }
  p->head.len = 0;
  bytes_add(&p->head, got, length);
  p->out_next += length + body;
}

static void expect_field(struct play *p, const struct step *s) {
  struct coho_bytes value = {"", 0};
  size_t name = strcspn(s->text, ":");
  size_t times = head_find(p->head.data, p->head.len, s->text, name, &value);
  const char *want = s->text + name;
  want += strspn(want, ": ");
  bool good = false;
  if (s->kind == STEP_NO_FIELD) {
    good = times == 0;
  } else if (s->kind == STEP_FIELD) {
    good = times == 1 && value.len == strlen(want) && memcmp(value.data, want, value.len) == 0;
  } else {
    char list[64];
    snprintf(list, sizeof list, "%.*s", (int)name, s->text);
    good = head_has_token(p->head.data, p->head.len, list, want);
  }
  if (good) return;
  play_fail(p, s, "%s: %s", s->kind == STEP_NO_FIELD ? "there is a field" : "no such field",
            s->text);
  textdump("head", p->head.data, p->head.len);
}

/* ---- all ----------------------------------------------------------------------------------- */

void expect_step(struct play *p, const struct step *s) {
  switch (s->kind) {
  case STEP_OUTPUT: expect_output(p, s); break;
  case STEP_PACKED: expect_packed(p, s); break;
  case STEP_EVENT: expect_event(p, s); break;
  case STEP_HEAD: expect_head(p, s); break;
  case STEP_FIELD:
  case STEP_TOKEN:
  case STEP_NO_FIELD: expect_field(p, s); break;
  case STEP_PROTOCOL:
    if (strcmp(coho_ws_protocol(p->ws), s->text) != 0)
      play_fail(p, s, "the subprotocol is \"%s\"", coho_ws_protocol(p->ws));
    break;
  case STEP_EXTENSIONS:
    if (strcmp(coho_ws_extensions(p->ws), s->text) != 0)
      play_fail(p, s, "the extension is \"%s\"", coho_ws_extensions(p->ws));
    break;
  case STEP_FINISHED: p->finished = true; break;
  case STEP_WAKE: {
    uint64_t wake = p->wake == UINT64_MAX ? UINT64_MAX : p->wake - p->now;
    if (wake != s->number)
      play_fail(p, s, "the next tick is wanted after %lld ms", (long long)wake);
    break;
  }
  case STEP_PEAK:
    if (p->tally->peak > s->number)
      play_fail(p, s, "the engine owned %zu bytes at a time", p->tally->peak);
    break;
  case STEP_OWNS:
    if (p->tally->now > s->number) play_fail(p, s, "the engine owns %zu bytes", p->tally->now);
    break;
  case STEP_NONE:
    if (p->ws) play_fail(p, s, "an engine was made");
    break;
  case STEP_INPUT:
  case STEP_CALL:
  case STEP_TICK:
  case STEP_EOF:
  case STEP_ON_REQUEST:
  case STEP_ON_PART:
  case STEP_PAUSE:
  case STEP_RESUME:
  case STEP_HOLD:
  case STEP_TAKE: break;
  }
}

void expect_quiet(struct play *p, const struct step *s) {
  if (p->failed) return;
  if (p->seen_next < p->seen_count) {
    play_fail(p, s, "an event came that nobody expects");
    describe("got", &p->seen[p->seen_next]);
    hexdump("got", p->seen[p->seen_next].data.data, p->seen[p->seen_next].data.len, 0);
  } else if (p->out_next < p->out.len && !p->holding) {
    play_fail(p, s, "output came that nobody expects");
    hexdump("got", p->out.data + p->out_next, p->out.len - p->out_next, 0);
  } else if (p->ws && (coho_ws_finished(p->ws) != 0) != p->finished) {
    play_fail(p, s, "coho_ws_finished() is %d", coho_ws_finished(p->ws));
  }
}
