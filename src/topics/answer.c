#include "topics/answer.h"

#include "hub/look.h"

void coho__answer_init(struct coho__answer_body *a, bool frames) {
  *a = (struct coho__answer_body){.out = COHO_BUF(SIZE_MAX / 4), .frames = frames};
}

void coho__answer_free(struct coho__answer_body *a) { coho__buf_release(&a->out); }

/* Before each item, the first included. */
static int begin_item(struct coho__answer_body *a) {
  const char *first = a->frames ? "{\"frames\":[" : "{\"messages\":[";
  return coho__buf_append_str(&a->out, a->items++ ? "," : first);
}

/* One that did not fit is as if it had never been. */
static int undo(struct coho__answer_body *a, size_t len, int err) {
  if (!err) return 0;
  a->out.len = len;
  a->items--;
  return err;
}

/* ---- items ----------------------------------------------------------------------------------- */

static int put_message(struct coho__answer_body *a, const struct coho__delivery *d) {
  int err = begin_item(a);
  if (err) return err;
  if (a->frames) return coho__frame_message(&a->out, d);
  err = coho__buf_append_str(&a->out, "{");
  if (!err) err = coho__frame_body(&a->out, d->message);
  return err ? err : coho__buf_append_str(&a->out, "}");
}

int coho__answer_message(struct coho__answer_body *a, const struct coho__delivery *d) {
  size_t len = a->out.len;
  if (a->messages >= COHO_HISTORY_MOST || len >= COHO_ANSWER_BYTES) return COHO_EFULL;
  if (a->messages && !coho__buf_affordable(&a->out, d->message->msg.len)) return COHO_EFULL;
  int err = undo(a, len, put_message(a, d));
  if (err) return err;
  a->messages++;
  a->next = d->message->pos;
  a->due = true;
  return 0;
}

int coho__answer_gap(struct coho__answer_body *a, const char *topic, uint64_t lost, coho_pos pos) {
  size_t len = a->out.len;
  if (a->frames) {
    int err = begin_item(a);
    if (!err) err = coho__frame_gap(&a->out, topic, NULL, lost, pos);
    if (err) return undo(a, len, err);
  } else {
    if (a->messages || a->lost) return COHO_EFULL;
    a->lost = lost;
    a->next = pos;
  }
  a->due = true;
  return 0;
}

static int put_ok(struct coho__answer_body *a, const char *topic, coho_pos pos) {
  size_t len = a->out.len;
  a->next = pos;
  if (!a->frames) return 0;
  int err = begin_item(a);
  return undo(a, len, err ? err : coho__frame_ok(&a->out, NULL, topic, NULL, &pos));
}

int coho__answer_error(struct coho__answer_body *a, const struct coho__want *want, int err) {
  size_t len = a->out.len;
  if (err == COHO_ENOMEM || !a->frames) return err;
  a->due = true;
  int failed = begin_item(a);
  return undo(a, len, failed ? failed : coho__frame_error(&a->out, NULL, want->name, NULL, err));
}

/* ---- what is held ---------------------------------------------------------------------------- */

static int put_held(struct coho__answer_body *a, const struct coho__want *want,
                    const struct coho__taken *taken, size_t bytes) {
  int err = 0;
  size_t end = a->out.len + bytes;
  for (size_t i = 0; i < taken->count; i++) {
    struct coho__delivery d = {.message = taken->messages[i], .topic = want->name};
    err = a->out.len < end ? coho__answer_message(a, &d) : COHO_EFULL;
    if (err) return err;
  }
  a->next = taken->pos;
  return 0;
}

static size_t share(size_t most, size_t used, size_t others) {
  return used < most ? (most - used + others) / (others + 1) : 0;
}

int coho__answer_held(struct coho__answer_body *a, coho_hub *hub, const struct coho__want *want,
                      size_t others) {
  struct coho__taken taken;
  coho_start start;
  /* So that a busy topic leaves room for the others. */
  size_t count = share(COHO_HISTORY_MOST, a->messages, others);
  size_t bytes = share(COHO_ANSWER_BYTES, a->out.len, others);
  int err = coho__hub_take_since(hub, want->path.follow, want->since, count, &start, &taken);
  /* Without a position there is no answer that one could go on from. */
  if (err) return coho__answer_error(a, want, err);
  err = put_ok(a, want->name, start.pos);
  if (!err && start.lost) err = coho__answer_gap(a, want->name, start.lost, start.pos);
  if (!err) err = put_held(a, want, &taken, bytes);
  coho__taken_free(&taken);
  if (!want->since) a->due = true; /* it is to know where it is */
  return err == COHO_EFULL ? 0 : err;
}

/* ---- the end --------------------------------------------------------------------------------- */

int coho__answer_end(struct coho__answer_body *a) {
  int err = a->items ? 0 : begin_item(a);
  if (!err) err = coho__buf_append_str(&a->out, "]");
  if (!err && !a->frames) err = coho__buf_append_str(&a->out, ",\"next\":");
  if (!err && !a->frames) err = coho__frame_pos(&a->out, a->next);
  if (!err && a->lost) err = coho__buf_append_str(&a->out, ",\"gap\":{\"lost\":");
  if (!err && a->lost) err = coho__frame_lost(&a->out, a->lost);
  if (!err && a->lost) err = coho__buf_append_str(&a->out, "}");
  return err ? err : coho__buf_append_str(&a->out, "}");
}
