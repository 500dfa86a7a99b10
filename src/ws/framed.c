#include "ws/framed.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/frame.h"

#include <stdatomic.h>
#include <string.h>

struct coho__framed {
  struct coho__chunk *plain;
  /* By share key; plain where compressing does not pay. Several threads may find the same one missing:
     one of them wins. */
  struct coho__chunk *_Atomic packed[COHO_SHARE_KEYS + 1];
  coho_msg msg; /* inside plain */
};

static struct coho__chunk *frame(const coho_msg *m, const void *payload, size_t len, bool rsv1) {
  struct coho__frame f = {
      .len = len, .opcode = m->type ? (uint8_t)m->type : COHO_OP_BINARY, .fin = true, .rsv1 = rsv1};
  uint8_t header[COHO_FRAME_HEADER_MAX];
  size_t n = coho__frame_write(header, &f);
  struct coho__chunk *chunk = len <= SIZE_MAX - n ? coho__chunk_new(n + len) : NULL;
  if (!chunk) return NULL;
  memcpy(chunk->data, header, n);
  if (len) memcpy(chunk->data + n, payload, len);
  chunk->len = n + len;
  return chunk;
}

struct coho__chunk *coho__framed_plain(const coho_msg *m) {
  COHO_ASSERT(!(m->flags & COHO_MORE));
  return frame(m, m->data, m->len, false);
}

struct coho__framed *coho__framed_over(struct coho__chunk *plain, const coho_msg *m) {
  COHO_ASSERT(plain->len >= m->len && m->data == plain->data + (plain->len - m->len));
  struct coho__framed *f = (struct coho__framed *)coho__zalloc(sizeof *f);
  if (!f) return NULL;
  f->plain = coho__chunk_ref(plain);
  f->msg = *m;
  return f;
}

struct coho__framed *coho__framed_new(const coho_msg *m) {
  struct coho__chunk *plain = coho__framed_plain(m);
  if (!plain) return NULL;
  coho_msg inside = *m;
  inside.data = plain->data + (plain->len - m->len);
  struct coho__framed *f = coho__framed_over(plain, &inside);
  coho__chunk_unref(plain);
  return f;
}

void coho__framed_free(struct coho__framed *f) {
  if (!f) return;
  for (size_t i = 0; i < COHO_COUNT(f->packed); i++)
    coho__chunk_unref(atomic_load_explicit(&f->packed[i], memory_order_relaxed));
  coho__chunk_unref(f->plain);
  coho__free(f, sizeof *f);
}

const coho_msg *coho__framed_msg(const struct coho__framed *f) { return &f->msg; }

size_t coho__framed_size(const struct coho__framed *f) { return f->plain->len; }

/* A new reference. Without memory for more, the plain frame is as good. */
static struct coho__chunk *pack(struct coho__framed *f, struct coho__permessage *p) {
  struct coho__view packed;
  struct coho__chunk *chunk = NULL;
  if (coho__permessage_pack(p, f->msg.data, f->msg.len, &packed))
    chunk = frame(&f->msg, packed.data, packed.len, true);
  return chunk ? chunk : coho__chunk_ref(f->plain);
}

struct coho__chunk *coho__framed_chunk(struct coho__framed *f, struct coho__permessage *p,
                                       size_t min_size) {
  if (!p || f->msg.flags & COHO_PLAIN || f->msg.len < min_size) return f->plain;
  unsigned key = coho__permessage_share_key(p);
  if (key == 0) return NULL;
  COHO_ASSERT(key <= COHO_SHARE_KEYS);
  struct coho__chunk *known = atomic_load_explicit(&f->packed[key], memory_order_acquire);
  if (known) return known;
  struct coho__chunk *mine = pack(f, p);
  if (atomic_compare_exchange_strong_explicit(&f->packed[key], &known, mine, memory_order_acq_rel,
                                              memory_order_acquire))
    return mine;
  coho__chunk_unref(mine);
  return known;
}
