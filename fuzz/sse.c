/*
 * Server-Sent Events: the stream whole and in pieces gives the same events, and an event written down
 * again is read as the same.
 */
#include "proto/sse.h"

#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/tape.h"

#include <coho/error.h>
#include <string.h>

enum { MOST = 1000 };

static void write_message(struct tape *t, const struct coho__sse_message *m) {
  tape_print(t, "event %zu %zu %zu\n", m->type.len, m->id.len, m->data.len);
  tape_bytes(t, m->type.data, m->type.len);
  tape_bytes(t, m->id.data, m->id.len);
  tape_bytes(t, m->data.data, m->data.len);
}

static bool same(struct coho__view a, struct coho__view b) { return coho__view_eq(a, b); }

/* NUL may be in a type that was read, never in one that is written; CR and LF in neither. */
static void claim_again(const struct coho__sse_message *m) {
  struct coho__sse_event e = {.data = m->data, .id = m->id, .type = m->type};
  struct coho__buf b = COHO_BUF(8 * MOST);
  struct coho__sse_reader r;
  struct coho__sse_message again;
  size_t used;
  if (!e.data.data) e.data = VIEW("");
  if (!e.id.data) e.id = VIEW("");
  bool nul = memchr(m->type.data, '\0', m->type.len) != NULL;
  CLAIM(coho__sse_event(&b, &e) == (nul ? COHO_EINVAL : 0));
  coho__sse_reader_init(&r, 2 * MOST);
  if (!nul) {
    CLAIM(coho__sse_read(&r, b.data, b.len, &used, &again) == 1 && used == b.len);
    CLAIM(same(again.data, m->data) && same(again.id, m->id) && same(again.type, m->type));
  }
  coho__sse_reader_free(&r);
  coho__buf_release(&b);
}

static int read_piece(struct coho__sse_reader *r, const struct pieces *p, struct tape *t) {
  size_t at = 0;
  int result = 0;
  while (at < p->len && result >= 0) {
    struct coho__sse_message m;
    size_t used;
    result = coho__sse_read(r, (const char *)p->block + at, p->len - at, &used, &m);
    CLAIM(used > 0 && used <= p->len - at && (result != 0 || used == p->len - at));
    at += used;
    if (result == 1) {
      write_message(t, &m);
      claim_again(&m);
    }
  }
  return result < 0 ? result : 0;
}

static void read_stream(struct input in, const struct cuts *cuts, struct tape *t) {
  struct pieces p = pieces_of(in, cuts);
  struct coho__sse_reader r;
  int result = 0;
  coho__sse_reader_init(&r, MOST);
  while (result == 0 && pieces_next(&p))
    result = read_piece(&r, &p, t);
  if (result != 0) pieces_end(&p);
  /* A line that is too long ends the stream where it is seen to be: with its end or before. */
  tape_print(t, "result %d retry %d\n", result, r.has_retry);
  coho__sse_reader_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  struct tape whole = {NULL, 0, 0}, cut = {NULL, 0, 0};
  struct cuts cuts = cuts_read(&in);
  memory_fail_at(0);
  read_stream(in, &cuts_none, &whole);
  read_stream(in, &cuts, &cut);
  tape_same(&whole, &cut, "the same events in pieces");
  memory_claim_empty();
  tape_free(&whole);
  tape_free(&cut);
  return 0;
}
