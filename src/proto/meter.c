#include "proto/meter.h"

#include "base/alloc.h"

struct coho__meter *coho__meter_new(void) {
  return (struct coho__meter *)coho__zalloc(sizeof(struct coho__meter));
}

void coho__meter_watch(struct coho__meter *m, struct coho__watch *w) {
  w->next = m->watches;
  w->link = &m->watches;
  if (w->next) w->next->link = &w->next;
  m->watches = w;
}

void coho__meter_unwatch(struct coho__watch *w) {
  *w->link = w->next;
  if (w->next) w->next->link = w->link;
  w->next = NULL;
  w->link = NULL;
}

void coho__meter_free(struct coho__meter *m) {
  if (!m) return;
  while (m->watches) {
    struct coho__watch *w = m->watches;
    coho__meter_unwatch(w);
    w->gone(w);
  }
  coho__free(m, sizeof *m);
}

static uint64_t wire_size(const struct coho__frame *f) {
  return (uint64_t)coho__frame_header_size(f->len, f->masked) + f->len;
}

void coho__meter_arrives(struct coho__meter *m, const struct coho__frame *f) {
  struct coho__watch *next;
  if (!coho__opcode_is_control(f->opcode))
    m->wire_in += (uint64_t)coho__frame_header_size(f->len, f->masked);
  for (struct coho__watch *w = m->watches; w; w = next) {
    next = w->next;
    w->arrives(w, f);
  }
}

void coho__meter_piece(struct coho__meter *m, uint8_t opcode, const void *data, size_t n,
                       uint64_t left) {
  struct coho__watch *next;
  if (!coho__opcode_is_control(opcode)) m->wire_in += n;
  for (struct coho__watch *w = m->watches; w; w = next) {
    next = w->next;
    w->piece(w, data, n, left);
  }
}

void coho__meter_sent(struct coho__meter *m, const struct coho__frame *f, const void *payload) {
  struct coho__watch *next;
  if (!coho__opcode_is_control(f->opcode)) m->wire_out += wire_size(f);
  for (struct coho__watch *w = m->watches; w; w = next) {
    next = w->next;
    w->sent(w, f, payload);
  }
}

void coho__meter_message(struct coho__meter *m, const struct coho__frame *f, const void *data,
                         bool out) {
  struct coho__watch *next;
  for (struct coho__watch *w = m->watches; w; w = next) {
    next = w->next;
    w->message(w, f, data, out);
  }
}
