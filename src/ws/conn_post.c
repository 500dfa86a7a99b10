#include "base/alloc.h"
#include "base/utf8.h"
#include "io/mailbox.h"
#include "proto/close_code.h"
#include "ws/conn.h"

#include <string.h>

/* What another thread wants of a connection, with a copy of its bytes. */
struct letter {
  struct coho__letter base;
  coho_id id;
  coho_msg msg; /* data points behind this structure */
  int code;     /* of a Close */
};

static size_t letter_size(const struct letter *l) { return sizeof *l + l->msg.len + 1; }

static void free_letter(struct coho__letter *base) {
  struct letter *l = COHO_CONTAINER_OF(base, struct letter, base);
  coho__free(l, letter_size(l));
}

static coho_conn *addressee(coho_loop *loop, coho_id id) {
  const struct coho__conn_table *t = (const struct coho__conn_table *)loop->conns;
  return t ? coho__conn_table_find(t, id) : NULL;
}

static void run_send(coho_loop *loop, struct coho__letter *base) {
  struct letter *l = COHO_CONTAINER_OF(base, struct letter, base);
  coho_conn *c = addressee(loop, l->id);
  int err = c ? coho__conn_insert(c, &l->msg) : 0;
  /* The sender was told that it is queued: a hole would be silent, an end is not. */
  if (err == COHO_EFULL || err == COHO_ETOOBIG)
    coho__conn_overflow(c, err);
  else if (err == COHO_ENOMEM)
    coho__conn_doom(c, err);
  free_letter(base);
}

static void run_close(coho_loop *loop, struct coho__letter *base) {
  struct letter *l = COHO_CONTAINER_OF(base, struct letter, base);
  coho_conn *c = addressee(loop, l->id);
  if (c) (void)coho_close(c, l->code, l->msg.len ? l->msg.data : NULL);
  free_letter(base);
}

static int post(coho_id id, coho_msg m, int code, void (*run)(coho_loop *, struct coho__letter *)) {
  if (m.len > SIZE_MAX / 2) return COHO_ETOOBIG;
  size_t size = sizeof(struct letter) + m.len + 1;
  struct letter *l = (struct letter *)coho__alloc(size);
  if (!l) return COHO_ENOMEM;
  char *copy = (char *)(l + 1);
  if (m.len) memcpy(copy, m.data, m.len);
  copy[m.len] = '\0';
  *l = (struct letter){
      .base = {.run = run, .drop = free_letter, .bytes = size}, .id = id, .msg = m, .code = code};
  l->msg.data = copy;
  int err = coho__conn_table_post(id, m.len, &l->base);
  if (err) free_letter(&l->base);
  return err;
}

int coho_send_id(coho_id id, coho_msg m) {
  /* Parts of several threads would mix. */
  if (m.type > COHO_BINARY || (m.flags & ~(uint32_t)COHO_PLAIN)) return COHO_EINVAL;
  int err = post(id, m, 0, run_send);
  return err ? err : COHO_QUEUED;
}

int coho_close_id(coho_id id, int code, const char *reason) {
  size_t len = reason ? strlen(reason) : 0;
  if (code != 0 && !coho__close_code_sendable(code, COHO_CLIENT)) return COHO_EINVAL;
  if (len > (code ? COHO_CLOSE_REASON_MAX : 0) || !coho__utf8_valid(reason, len))
    return COHO_EINVAL;
  return post(id, coho_text_n(reason, len), code, run_close);
}
