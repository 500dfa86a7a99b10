/*
 * The head of an HTTP/1.1 message, whole and cut: the same verdict, and of a good one after the same
 * byte, the same fields. What was read, written down again, has to be read as the same.
 */
#include "proto/http1.h"

#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/tape.h"

#include <coho/error.h>
#include <string.h>

static const struct coho__http1_limits limits[] = {{0, 0, 0, 0, 0},
                                                   {20, 100, 5, 8, 2},
                                                   {16, 64, 16, 16, 1},
                                                   {UINT16_MAX, UINT16_MAX, 999, 999, 9}};

enum { LIMITS = sizeof limits / sizeof limits[0], RESPONSE = 0x80 };

/* A part of the head is what it claims to be, and is terminated. */
static void claim_part(struct coho__view v, bool token) {
  CLAIM(v.data[v.len] == '\0' && strlen(v.data) == v.len);
  CLAIM(token ? coho__http1_is_token(v) : coho__http1_is_field_value(v));
  struct coho__view trimmed = coho__view_trim(v);
  CLAIM(trimmed.len == v.len);
}

static void note_lists(struct tape *t, const struct coho__http1 *h, const char *name) {
  struct coho__http1_list it = {0};
  struct coho__view element;
  size_t count = 0;
  while (coho__http1_list_next(h, name, &it, &element)) {
    CLAIM(element.len > 0 && ++count == it.count);
    tape_view(t, "  element", element);
  }
}

static void note_head(struct tape *t, const struct coho__http1 *h) {
  tape_print(t, "status %d minor %d\n", h->status, h->minor);
  if (h->kind == COHO_HTTP1_REQUEST) {
    claim_part(coho__http1_method(h), true);
    claim_part(coho__http1_target(h), false);
    tape_view(t, "method", coho__http1_method(h));
    tape_view(t, "target", coho__http1_target(h));
  }
  for (size_t i = 0; i < h->field_count; i++) {
    struct coho__view name = coho__http1_name(h, i), value = coho__http1_value(h, i), only;
    claim_part(name, true);
    claim_part(value, false);
    CLAIM(coho__http1_find(h, name.data, 0) <= i && coho__http1_find(h, name.data, i) == i);
    if (coho__http1_only(h, name.data, &only)) CLAIM(only.data == value.data);
    tape_view(t, "name", name);
    tape_view(t, "value", value);
    note_lists(t, h, name.data);
  }
}

/* Feeds a head; returns the verdict. */
static int read_head(struct coho__http1 *h, struct input text, const struct cuts *cuts,
                     size_t *used) {
  struct pieces pieces = pieces_of(text, cuts);
  int got = 0;
  *used = 0;
  while (got == 0 && pieces_next(&pieces)) {
    size_t n = SIZE_MAX;
    got = coho__http1_input(h, (const char *)pieces.block, pieces.len, &n);
    CLAIM(n <= pieces.len && (got != 0 || n == pieces.len));
    CLAIM((got == 1) == h->complete && (got >= 0 || h->err == got));
    *used += n;
    coho__buf_check(&h->head);
    CLAIM(h->head.len <= h->limits.head && h->field_count <= h->limits.fields);
  }
  pieces_end(&pieces);
  if (got < 0) {
    size_t n = SIZE_MAX;
    CLAIM(coho__http1_input(h, "GET / HTTP/1.1\r\n\r\n", 18, &n) == got);
  }
  return got;
}

static int note(struct tape *t, struct coho__http1 *h, struct input text, const struct cuts *cuts) {
  size_t used;
  int got = read_head(h, text, cuts, &used);
  tape_print(t, "gives %d after %zu\n", got, got < 0 ? 0 : used); /* wrong is wrong, wherever */
  if (got == 1) note_head(t, h);
  return got;
}

static void write_head(struct tape *t, const struct coho__http1 *h) {
  if (h->kind == COHO_HTTP1_REQUEST) {
    struct coho__view method = coho__http1_method(h), target = coho__http1_target(h);
    tape_bytes(t, method.data, method.len);
    tape_print(t, " ");
    tape_bytes(t, target.data, target.len);
    tape_print(t, " HTTP/1.%d\r\n", h->minor);
  } else {
    tape_print(t, "HTTP/1.%d %03d Why\r\n", h->minor, h->status);
  }
  for (size_t i = 0; i < h->field_count; i++) {
    struct coho__view name = coho__http1_name(h, i), value = coho__http1_value(h, i);
    tape_bytes(t, name.data, name.len);
    tape_print(t, ":\t");
    tape_bytes(t, value.data, value.len);
    tape_print(t, " \t\r\n");
  }
  tape_print(t, "\r\n");
}

/* Into a buffer without limits, on a parser that was used before. */
static void claim_again(struct coho__http1 *h, const struct tape *whole) {
  static const struct coho__http1_limits wide = {UINT16_MAX, UINT16_MAX, 0, 0, 0};
  struct tape text = {NULL, 0, 0}, again = {NULL, 0, 0};
  write_head(&text, h);
  coho__http1_reset(h);
  h->limits.line = wide.line;
  h->limits.head = wide.head;
  h->limits.value = wide.line;
  h->head.max = wide.head;
  struct input in = {(const uint8_t *)text.data, text.len};
  size_t used;
  CLAIM(read_head(h, in, &cuts_none, &used) == 1 && used == text.len);
  const char *line = (const char *)memchr(whole->data, '\n', whole->len);
  tape_bytes(&again, whole->data, (size_t)(line + 1 - whole->data)); /* where it ended differs */
  note_head(&again, h);
  tape_same(whole, &again, "a head written down again");
  tape_free(&text);
  tape_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  uint8_t flags = input_byte(&in);
  struct cuts cuts = cuts_read(&in);
  struct tape whole = {NULL, 0, 0}, cut = {NULL, 0, 0};
  struct coho__http1 h;
  memory_fail_at(0);
  coho__http1_init(&h, flags & RESPONSE ? COHO_HTTP1_RESPONSE : COHO_HTTP1_REQUEST,
                   &limits[flags % LIMITS]);
  note(&cut, &h, in, &cuts);
  coho__http1_reset(&h);
  int got = note(&whole, &h, in, &cuts_none);
  tape_same(&whole, &cut, "head");
  if (got == 1) claim_again(&h, &whole);
  coho__http1_free(&h);
  memory_claim_empty();
  tape_free(&whole);
  tape_free(&cut);
  return 0;
}
