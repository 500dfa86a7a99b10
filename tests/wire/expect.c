#include "head.h"
#include "play.h"

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

static bool same(const struct happening *a, const struct happening *b) {
  if (a->type != b->type || a->err != b->err || a->code != b->code || a->status != b->status)
    return false;
  if (a->shape != b->shape || a->more != b->more) return false;
  if (a->any || b->any) return true;
  return a->data.len == b->data.len &&
         (a->data.len == 0 || memcmp(a->data.data, b->data.data, a->data.len) == 0);
}

static void expect_event(struct play *p, const struct step *s) {
  const struct happening *want = &s->event;
  static const struct happening nothing = {0};
  const struct happening *got = p->seen_next < p->seen_count ? &p->seen[p->seen_next] : &nothing;
  if (same(want, got)) {
    p->seen_next++;
    return;
  }
  play_fail(p, s, "another event came");
  describe("expected", want);
  describe("got     ", got);
  if (want->any || got->type == 0) return;
  size_t d = first_difference(want->data.data, want->data.len, got->data.data, got->data.len);
  hexdump("expected", want->data.data, want->data.len, d);
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
  case STEP_EVENT: expect_event(p, s); break;
  case STEP_HEAD: expect_head(p, s); break;
  case STEP_FIELD:
  case STEP_TOKEN:
  case STEP_NO_FIELD: expect_field(p, s); break;
  case STEP_PROTOCOL:
    if (strcmp(coho_ws_protocol(p->ws), s->text) != 0)
      play_fail(p, s, "the subprotocol is \"%s\"", coho_ws_protocol(p->ws));
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
