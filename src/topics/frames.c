#include "topics/frames.h"

#include "base/base64.h"
#include "hub/look.h"
#include "hub/presence.h"
#include "topics/json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
  OVERHEAD = 64,                                       /* of a message around its payload */
  MEMBER_OVERHEAD = sizeof(",{\"id\":,\"info\":}") - 1 /* around id and information */
};

/* ---- pieces ---------------------------------------------------------------------------------- */

int coho__frame_pos(struct coho__buf *out, coho_pos pos) {
  char text[COHO_POS_MAX];
  return coho__buf_printf(out, "\"%s\"", coho_pos_text(pos, text, sizeof text));
}

int coho__frame_lost(struct coho__buf *out, uint64_t lost) {
  if (lost == COHO_LOST_UNKNOWN) return coho__buf_append_str(out, "null");
  return coho__buf_printf(out, "%" PRIu64, lost);
}

/* ,"name":"text" or nothing */
static int put_member(struct coho__buf *out, const char *name, const char *text) {
  if (!text) return 0;
  int err = coho__buf_printf(out, ",\"%s\":", name);
  return err ? err : coho__json_put_string(out, coho__view_of(text));
}

static int put_pos(struct coho__buf *out, coho_pos pos) {
  int err = coho__buf_append_str(out, ",\"pos\":");
  return err ? err : coho__frame_pos(out, pos);
}

/* Whatever the client chose. */
static int put_id(struct coho__buf *out, const json_t *id) {
  if (json_is_integer(id))
    return coho__buf_printf(out, ",\"id\":%" JSON_INTEGER_FORMAT, json_integer_value(id));
  return put_member(out, "id", json_string_value(id));
}

/* ---- messages -------------------------------------------------------------------------------- */

int coho__frame_body(struct coho__buf *out, const struct coho__message *m) {
  struct coho__view payload = {m->msg.data, m->msg.len};
  bool text = m->msg.type != COHO_BINARY;
  int err = coho__buf_append_str(out, "\"pos\":");
  if (!err) err = coho__frame_pos(out, m->pos);
  if (!err) err = coho__buf_append_str(out, text ? ",\"data\":" : ",\"data64\":");
  if (err) return err;
  return text ? coho__json_put_string(out, payload) : coho__json_put_base64(out, payload);
}

int coho__frame_message(struct coho__buf *out, const struct coho__delivery *d) {
  int err = coho__buf_append_str(out, "{\"topic\":");
  if (!err) err = coho__json_put_string(out, coho__view_of(d->topic));
  if (!err) err = put_member(out, "pattern", d->pattern);
  if (!err) err = coho__buf_append_str(out, ",");
  if (!err) err = coho__frame_body(out, d->message);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__frame_gap(struct coho__buf *out, const char *topic, const char *pattern, uint64_t lost,
                    coho_pos pos) {
  int err = coho__buf_append_str(out, "{\"op\":\"gap\"");
  if (!err) err = put_member(out, "topic", topic);
  if (!err) err = put_member(out, "pattern", pattern);
  if (!err) err = coho__buf_append_str(out, ",\"lost\":");
  if (!err) err = coho__frame_lost(out, lost);
  if (!err) err = put_pos(out, pos);
  return err ? err : coho__buf_append_str(out, "}");
}

/* ---- answers --------------------------------------------------------------------------------- */

int coho__frame_begin(struct coho__buf *out, const char *op, const json_t *id, const char *topic) {
  int err = coho__buf_printf(out, "{\"op\":\"%s\"", op);
  if (!err) err = put_id(out, id);
  return err ? err : put_member(out, "topic", topic);
}

int coho__frame_ok(struct coho__buf *out, const json_t *id, const char *topic, const char *pattern,
                   const coho_pos *pos) {
  int err = coho__frame_begin(out, "ok", id, topic);
  if (!err) err = put_member(out, "pattern", pattern);
  if (!err && pos) err = put_pos(out, *pos);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__frame_error(struct coho__buf *out, const json_t *id, const char *topic,
                      const char *pattern, int err) {
  return coho__frame_fault(out, id, topic, pattern, err, NULL);
}

int coho__frame_fault(struct coho__buf *out, const json_t *id, const char *topic,
                      const char *pattern, int err, const char *text) {
  const struct coho__fault *fault = coho__fault_of(err);
  err = coho__frame_begin(out, "error", id, topic);
  if (!err) err = put_member(out, "pattern", pattern);
  if (!err) err = put_member(out, "code", fault->code);
  if (!err) err = put_member(out, "text", text ? text : fault->text);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__frame_refusal(struct coho__buf *out, int err) {
  const struct coho__fault *fault = coho__fault_of(err);
  return coho__buf_printf(out, "{\"error\":{\"code\":\"%s\",\"text\":\"%s\"}}", fault->code,
                          fault->text);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static int put_one(struct coho__buf *out, const struct coho__present *m, bool first) {
  int err = coho__buf_append_str(out, first ? "{\"id\":" : ",{\"id\":");
  if (!err) err = coho__json_put_string(out, coho__view_of(m->id));
  return err ? err : coho__buf_printf(out, ",\"info\":%s}", m->info);
}

static size_t member_size(const struct coho__present *m) {
  return MEMBER_OVERHEAD + coho__json_string_size(coho__view_of(m->id)) + strlen(m->info);
}

/* What is still to be put, and what has been. */
struct list {
  struct coho__look_around around;
  size_t put;
  bool ended; /* those who come next are for another answer */
  bool more;  /* there are some */
};

/* As many of a page as still fit. */
static int put_page(struct coho__buf *out, const struct coho__presence_page *page, struct list *l) {
  int err = 0;
  for (size_t i = 0; i < page->count && !err && !l->ended; i++) {
    const struct coho__present *m = &page->members[i];
    size_t size = member_size(m);
    l->ended = l->put == l->around.count || (l->put && size > l->around.bytes);
    l->more = l->ended;
    if (l->ended) break;
    l->around.bytes -= COHO_MIN(size, l->around.bytes);
    l->around.after = m->number;
    err = put_one(out, m, !l->put++);
  }
  return err;
}

int coho__frame_members(struct coho__buf *out, coho_hub *hub, struct coho__view topic,
                        struct coho__look_around around) {
  struct coho__presence_page page;
  struct list l = {.around = around};
  coho_pos pos = {0, 0};
  int err = coho__buf_append_str(out, "\"members\":[");
  if (!err) err = coho__presence_look(hub, topic, around.after, &page, &pos);
  if (!err) err = put_page(out, &page, &l);
  while (!err && !l.ended && page.more) {
    (void)coho__presence_look(hub, topic, l.around.after, &page, NULL);
    err = put_page(out, &page, &l);
  }
  if (!err) err = coho__buf_append_str(out, "]");
  if (!err) err = put_pos(out, pos);
  if (!err && l.more) err = coho__buf_printf(out, ",\"next\":%" PRIu64, l.around.after);
  return err;
}

/* As it is written; what is escaped may be six times as long. */
static size_t written_size(const struct coho__message *m) {
  struct coho__view payload = {m->msg.data, m->msg.len};
  bool text = m->msg.type != COHO_BINARY;
  return OVERHEAD + (text ? coho__json_string_size(payload) : COHO_BASE64_LEN(payload.len));
}

/* The first of the last messages that together take at most so many bytes, or the very last one. */
static size_t first_that_fits(const struct coho__taken *taken, size_t most) {
  size_t i = taken->count, bytes = 0;
  while (i > 0) {
    bytes += written_size(taken->messages[i - 1]);
    if (bytes > most && i < taken->count) break;
    i--;
  }
  return i;
}

int coho__frame_history(struct coho__buf *out, coho_hub *hub, struct coho__view topic,
                        struct coho__look_back back, const char *pos_name) {
  struct coho__taken taken;
  int err = coho__hub_take_last(hub, topic, back.count, &taken);
  if (err == COHO_ENOTFOUND) {
    coho_start start;
    err = coho__hub_start(hub, topic, NULL, &start); /* one has to be able to go on from there */
    taken.pos = start.pos;
  }
  if (!err) err = coho__buf_append_str(out, "\"messages\":[");
  size_t first = first_that_fits(&taken, back.bytes);
  for (size_t i = first; i < taken.count && !err; i++) {
    err = coho__buf_append_str(out, i > first ? ",{" : "{");
    if (!err) err = coho__frame_body(out, taken.messages[i]);
    if (!err) err = coho__buf_append_str(out, "}");
  }
  if (!err) err = coho__buf_printf(out, "],\"%s\":", pos_name);
  if (!err) err = coho__frame_pos(out, taken.pos);
  coho__taken_free(&taken);
  return err;
}
