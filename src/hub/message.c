#include "hub/message.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"

#include <coho/error.h>
#include <stdatomic.h>
#include <string.h>

/* What a history spends on a message beside: a place, or twice as many while its ring grows, and what
   the allocator takes for the two blocks of the message. */
enum { PLACES = 2 * 16, BLOCKS = 2 * 16 };

/* ---- what is kept ---------------------------------------------------------------------------- */

static void free_message(struct coho__message *m) {
  coho__chunk_unref(m->frame);
  coho__free(m, sizeof *m + m->key_len);
}

struct coho__message *coho__message_new(const coho_msg *m, struct coho__view key) {
  struct coho__message *copy = (struct coho__message *)coho__zalloc(sizeof *copy + key.len);
  if (!copy) return NULL;
  atomic_init(&copy->refs, 1);
  copy->key_len = key.len;
  if (key.len) memcpy(copy->key, key.data, key.len);
  copy->frame = coho__framed_plain(m);
  if (!copy->frame) {
    free_message(copy);
    return NULL;
  }
  copy->msg = *m;
  copy->msg.data = copy->frame->data + (copy->frame->len - m->len);
  if (!copy->msg.type) copy->msg.type = COHO_BINARY;
  return copy;
}

struct coho__message *coho__message_ref(struct coho__message *m) {
  atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  return m;
}

static void free_live(struct coho__live *live) {
  if (!live) return;
  for (size_t i = 0; i < COHO_FORMS; i++) {
    struct coho__form *f = atomic_load_explicit(&live->forms[i], memory_order_relaxed);
    if (f) f->free(f);
  }
  coho__framed_free(live->framed);
  coho__free(live, sizeof *live);
}

void coho__message_unref(struct coho__message *m) {
  if (!m) return;
  /* As of chunks: what others did with it happens before it is freed. */
  size_t refs = atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel);
  COHO_ASSERT(refs > 0);
  if (refs > 1) return;
  free_live(m->live);
  free_message(m);
}

size_t coho__message_size(const struct coho__message *m) {
  size_t own = sizeof *m + m->key_len + sizeof *m->frame + m->frame->cap;
  return own + PLACES + BLOCKS + (m->key_len ? coho__map_entry_size(m->key_len) : 0);
}

/* ---- while it is delivered ------------------------------------------------------------------- */

int coho__message_begin(struct coho__message *m, size_t leaves) {
  COHO_ASSERT(!m->live);
  if (!leaves) return 0;
  struct coho__live *live = (struct coho__live *)coho__zalloc(sizeof *live);
  if (!live) return COHO_ENOMEM;
  live->framed = coho__framed_over(m->frame, &m->msg);
  if (!live->framed) {
    coho__free(live, sizeof *live);
    return COHO_ENOMEM;
  }
  atomic_init(&live->leaves, leaves);
  m->live = live;
  return 0;
}

void coho__message_done(struct coho__message *m) {
  struct coho__live *live = m->live;
  COHO_ASSERT(live);
  size_t left = atomic_fetch_sub_explicit(&live->leaves, 1, memory_order_acq_rel);
  COHO_ASSERT(left > 0);
  if (left > 1) return;
  m->live = NULL;
  free_live(live);
}

struct coho__form *coho__message_form(const struct coho__message *m, unsigned place) {
  COHO_ASSERT(m->live && place < COHO_FORMS);
  return atomic_load_explicit(&m->live->forms[place], memory_order_acquire);
}

struct coho__form *coho__message_set_form(struct coho__message *m, unsigned place,
                                          struct coho__form *f) {
  COHO_ASSERT(m->live && place < COHO_FORMS && f);
  struct coho__form *known = NULL;
  if (atomic_compare_exchange_strong_explicit(&m->live->forms[place], &known, f,
                                              memory_order_acq_rel, memory_order_acquire))
    return f;
  f->free(f);
  return known;
}
