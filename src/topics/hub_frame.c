#include "topics/hub_frame.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/check.h"
#include "topics/json_text.h"

#include <coho/client.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading -------------------------------------------------------------------------------- */

/* What it would take to read it, before it is read: brackets and commas outside of strings. */
static bool is_modest(struct coho__view text) {
  size_t depth = 0, values = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') i++;
    if (quoted) continue;
    bool opens = c == '{' || c == '[';
    if (opens && ++depth > COHO_HUB_DEPTH) return false;
    if ((c == '}' || c == ']') && depth > 0) depth--;
    if ((opens || c == ',') && ++values > COHO_HUB_VALUES) return false;
  }
  return true;
}

/* Messages may hold NUL. */
static json_t *load(struct coho__view text, size_t flags) {
  json_error_t unused;
  if (!text.len || !is_modest(text)) return NULL;
  return json_loadb(text.data, text.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES | flags, &unused);
}

bool coho__hub_is_json(struct coho__view text) {
  json_t *j = load(text, JSON_DECODE_ANY);
  json_decref(j);
  return j != NULL;
}

static struct coho__view string_of(const json_t *j) {
  return (struct coho__view){json_string_value(j), json_string_length(j)};
}

static bool is_string(const json_t *j, const char *text) {
  return json_is_string(j) && coho__view_eq(string_of(j), coho__view_of(text));
}

/* False: it is there, but no string that could be a pattern. */
static bool read_names(struct coho__hub_frame *f) {
  const json_t *pattern = json_object_get(f->json, "pattern");
  f->topic = string_of(json_object_get(f->json, "topic"));
  f->pattern = string_of(pattern);
  return f->topic.len > 0 && f->topic.len <= COHO_TOPIC_COMPANION_MAX &&
         (!pattern || f->pattern.len > 0);
}

/* A position of a message or a gap, not the "0" that may be asked for. */
static bool read_pos(const json_t *json, coho_pos *pos) {
  struct coho__view text = string_of(json_object_get(json, "pos"));
  bool plain = text.len && text.len < COHO_POS_MAX && !memchr(text.data, 0, text.len);
  return plain && !coho_pos_parse(text.data, pos) && pos->epoch;
}

static uint64_t read_id(const json_t *json) {
  const json_t *id = json_object_get(json, "id");
  return json_is_integer(id) && json_integer_value(id) > 0 ? (uint64_t)json_integer_value(id) : 0;
}

/* Into the frame's bytes, which grow. */
static int read_base64(struct coho__hub_frame *f, struct coho__view text, coho_msg *m) {
  size_t cap = text.len / 4 * 3 + 1;
  if (cap > f->bytes_cap) {
    char *bytes = (char *)coho__alloc(cap);
    if (!bytes) return COHO_ENOMEM;
    coho__free(f->bytes, f->bytes_cap);
    f->bytes = bytes;
    f->bytes_cap = cap;
  }
  ptrdiff_t n = coho__base64_decode(f->bytes, text.data, text.len);
  if (n < 0) return COHO_EHUBFRAME;
  *m = coho_binary(f->bytes, (size_t)n);
  return 0;
}

/* Position and payload of a message. 0, COHO_EHUBFRAME, COHO_ENOMEM. */
static int read_body(struct coho__hub_frame *f, const json_t *json, coho_pos *pos, coho_msg *m) {
  const json_t *data = json_object_get(json, "data");
  const json_t *data64 = json_object_get(json, "data64");
  if (!read_pos(json, pos) || !data == !data64) return COHO_EHUBFRAME;
  if (json_is_string(data64)) return read_base64(f, string_of(data64), m);
  if (!json_is_string(data)) return COHO_EHUBFRAME;
  *m = coho_text_n(json_string_value(data), json_string_length(data));
  return 0;
}

static int read_message(struct coho__hub_frame *f) {
  f->op = COHO_HUB_MESSAGE;
  return read_names(f) ? read_body(f, f->json, &f->pos, &f->msg) : COHO_EHUBFRAME;
}

static int read_gap(struct coho__hub_frame *f) {
  const json_t *lost = json_object_get(f->json, "lost");
  f->op = COHO_HUB_GAP;
  bool known = json_is_integer(lost) && json_integer_value(lost) > 0;
  f->lost = known ? (uint64_t)json_integer_value(lost) : COHO_LOST_UNKNOWN;
  bool fine = read_names(f) && read_pos(f->json, &f->pos) && (known || json_is_null(lost));
  return fine ? 0 : COHO_EHUBFRAME;
}

static int read_ok(struct coho__hub_frame *f) {
  f->op = COHO_HUB_OK;
  f->id = read_id(f->json);
  if (!json_object_get(f->json, "pos")) return 0;
  f->has_pos = read_pos(f->json, &f->pos);
  return f->has_pos ? 0 : COHO_EHUBFRAME;
}

static int error_of(const json_t *code) {
  static const struct {
    const char *code;
    int err;
  } table[] = {
      {"bad-request", COHO_EREQUEST},     {"bad-since", COHO_EPOSITION},
      {"unauthorized", COHO_ENOTOKEN},    {"forbidden", COHO_EFORBIDDEN},
      {"bad-name", COHO_ENAME},           {"not-subscribed", COHO_ENOTFOUND},
      {"exists", COHO_EEXISTS},           {"too-big", COHO_ETOOBIG},
      {"too-many", COHO_ETOOMANY},        {"full", COHO_EFULL},
      {"unavailable", COHO_EUNAVAILABLE},
  };
  for (size_t i = 0; i < COHO_COUNT(table); i++)
    if (is_string(code, table[i].code)) return table[i].err;
  return COHO_EHUBREFUSED;
}

static int read_error(struct coho__hub_frame *f) {
  const json_t *code = json_object_get(f->json, "code");
  const json_t *text = json_object_get(f->json, "text");
  f->op = COHO_HUB_ERROR;
  f->id = read_id(f->json);
  f->err = error_of(code);
  f->topic = string_of(json_object_get(f->json, "topic"));
  f->pattern = string_of(json_object_get(f->json, "pattern"));
  f->text = string_of(text);
  return json_is_string(code) && json_is_string(text) ? 0 : COHO_EHUBFRAME;
}

static int read_expiring(struct coho__hub_frame *f) {
  const json_t *in = json_object_get(f->json, "in");
  f->op = COHO_HUB_EXPIRING;
  if (!json_is_integer(in) || json_integer_value(in) < 0) return COHO_EHUBFRAME;
  /* 0 would mean that it has ended. */
  uint64_t seconds = COHO_MAX((uint64_t)json_integer_value(in), (uint64_t)1);
  f->seconds = (uint32_t)COHO_MIN(seconds, (uint64_t)UINT32_MAX);
  return 0;
}

/* The list of an answer, without looking at what is in it. */
static bool read_list(struct coho__hub_frame *f, enum coho__hub_op op, const char *name) {
  f->op = op;
  f->id = read_id(f->json);
  f->items = json_object_get(f->json, name);
  f->count = json_array_size(f->items);
  return json_is_array(f->items) && read_pos(f->json, &f->pos);
}

static int read_history(struct coho__hub_frame *f) {
  coho_pos pos;
  coho_msg m;
  if (!read_list(f, COHO_HUB_HISTORY, "messages")) return COHO_EHUBFRAME;
  int err = 0;
  for (size_t i = 0; i < f->count && !err; i++)
    err = read_body(f, json_array_get(f->items, i), &pos, &m);
  return err;
}

static bool is_id(const json_t *id) {
  struct coho__view text = string_of(id);
  return text.len > 0 && text.len <= COHO_HUB_MEMBER && !memchr(text.data, 0, text.len);
}

static int read_presence(struct coho__hub_frame *f) {
  const json_t *next = json_object_get(f->json, "next");
  bool fine = read_list(f, COHO_HUB_PRESENCE, "members") &&
              (!next || (json_is_integer(next) && json_integer_value(next) > 0));
  f->next = fine && next ? (uint64_t)json_integer_value(next) : 0;
  for (size_t i = 0; i < f->count && fine; i++)
    fine = is_id(json_object_get(json_array_get(f->items, i), "id"));
  return fine ? 0 : COHO_EHUBFRAME;
}

int coho__hub_frame_read(struct coho__hub_frame *f, struct coho__view text) {
  static const struct {
    const char *op;
    int (*read)(struct coho__hub_frame *f);
  } table[] = {{"gap", read_gap},           {"ok", read_ok},           {"error", read_error},
               {"expiring", read_expiring}, {"history", read_history}, {"presence", read_presence}};
  *f = (struct coho__hub_frame){.op = COHO_HUB_OTHER};
  f->json = load(text, 0);
  if (!json_is_object(f->json)) return COHO_EHUBFRAME;
  const json_t *op = json_object_get(f->json, "op");
  if (!op) return read_message(f);
  if (!json_is_string(op)) return COHO_EHUBFRAME;
  for (size_t i = 0; i < COHO_COUNT(table); i++)
    if (is_string(op, table[i].op)) return table[i].read(f);
  return 0;
}

bool coho__hub_frame_for_now(const struct coho__hub_frame *f) {
  return f->err == COHO_EFULL || f->err == COHO_ETOOMANY || f->err == COHO_EUNAVAILABLE;
}

void coho__hub_frame_free(struct coho__hub_frame *f) {
  json_decref(f->json);
  coho__free(f->bytes, f->bytes_cap);
  *f = (struct coho__hub_frame){.op = COHO_HUB_OTHER};
}

/* ---- what lists hold ------------------------------------------------------------------------ */

void coho__hub_frame_message(struct coho__hub_frame *f, size_t i, coho_pos *pos, coho_msg *m) {
  int err = read_body(f, json_array_get(f->items, i), pos, m); /* went well before */
  COHO_ASSERT(!err);
}

static int read_member(struct coho__hub_member *m, const json_t *json) {
  const json_t *info = json_object_get(json, "info");
  m->id = json_string_value(json_object_get(json, "id"));
  if (!info || json_is_null(info)) return 0;
  m->info = json_dumps(info, JSON_COMPACT | JSON_ENCODE_ANY);
  return m->info ? 0 : COHO_ENOMEM;
}

int coho__hub_frame_member(const struct coho__hub_frame *f, size_t i, struct coho__hub_member *m) {
  *m = (struct coho__hub_member){.event = 0};
  return read_member(m, json_array_get(f->items, i));
}

static uint32_t event_of(const json_t *word) {
  if (is_string(word, "join")) return COHO_JOIN;
  if (is_string(word, "update")) return COHO_UPDATE;
  return is_string(word, "leave") ? COHO_LEAVE : 0;
}

int coho__hub_member_read(struct coho__hub_member *m, coho_msg event) {
  *m = (struct coho__hub_member){.event = 0};
  if (event.type == COHO_TEXT) m->json = load((struct coho__view){event.data, event.len}, 0);
  m->event = event_of(json_object_get(m->json, "event"));
  if (!m->event || !is_id(json_object_get(m->json, "id"))) return COHO_EHUBFRAME;
  return read_member(m, m->json);
}

void coho__hub_member_free(struct coho__hub_member *m) {
  json_decref(m->json);
  free(m->info); /* of jansson */
}

/* ---- writing -------------------------------------------------------------------------------- */

/* ,"name":"value" */
static int put_field(struct coho__buf *out, const char *name, const char *value) {
  int err = coho__buf_printf(out, ",\"%s\":", name);
  return err ? err : coho__json_put_string(out, coho__view_of(value));
}

static int put_op(struct coho__buf *out, const char *op, uint64_t id) {
  return coho__buf_printf(out, "{\"op\":\"%s\",\"id\":%llu", op, (unsigned long long)id);
}

static int put_member(struct coho__buf *out, const struct coho__hub_sub *sub) {
  int err = coho__buf_append_str(out, ",\"as\":{\"id\":");
  if (!err) err = coho__json_put_string(out, coho__view_of(sub->as));
  if (!err && sub->info) err = coho__buf_append_str(out, ",\"info\":");
  if (!err && sub->info) err = coho__buf_append_str(out, sub->info);
  return err ? err : coho__buf_append_str(out, "}");
}

static int put_names(struct coho__buf *out, const struct coho__hub_sub *sub) {
  return sub->topic ? put_field(out, "topic", sub->topic) : put_field(out, "pattern", sub->pattern);
}

int coho__hub_put_sub(struct coho__buf *out, uint64_t id, const struct coho__hub_sub *sub) {
  int err = put_op(out, "sub", id);
  if (!err) err = put_names(out, sub);
  if (!err && sub->since) err = put_field(out, "since", sub->since);
  if (!err && sub->as) err = put_member(out, sub);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__hub_put_unsub(struct coho__buf *out, uint64_t id, const struct coho__hub_sub *sub) {
  int err = put_op(out, "unsub", id);
  if (!err) err = put_names(out, sub);
  return err ? err : coho__buf_append_str(out, "}");
}

static int put_data(struct coho__buf *out, const coho_msg *m) {
  struct coho__view payload = {m->data, m->len};
  if (m->type == COHO_TEXT) {
    int err = coho__buf_append_str(out, ",\"data\":");
    return err ? err : coho__json_put_string(out, payload);
  }
  int err = coho__buf_append_str(out, ",\"data64\":");
  return err ? err : coho__json_put_base64(out, payload);
}

int coho__hub_put_pub(struct coho__buf *out, uint64_t id, const struct coho__hub_pub *pub) {
  int err = put_op(out, "pub", id);
  if (!err) err = put_field(out, "topic", pub->topic);
  if (!err && pub->key) err = put_field(out, "key", pub->key);
  if (!err) err = put_field(out, "idem", pub->idem);
  if (!err) err = put_data(out, &pub->msg);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__hub_put_history(struct coho__buf *out, uint64_t id, const char *topic, uint32_t limit) {
  int err = put_op(out, "history", id);
  if (!err) err = put_field(out, "topic", topic);
  return err ? err : coho__buf_printf(out, ",\"limit\":%u}", limit);
}

int coho__hub_put_presence(struct coho__buf *out, uint64_t id, const struct coho__hub_page *page) {
  int err = put_op(out, "presence", id);
  if (!err) err = put_field(out, "topic", page->topic);
  if (!err) err = coho__buf_printf(out, ",\"limit\":%u", page->limit);
  if (!err && page->after)
    err = coho__buf_printf(out, ",\"after\":%llu", (unsigned long long)page->after);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__hub_put_auth(struct coho__buf *out, uint64_t id, const char *token) {
  int err = put_op(out, "auth", id);
  if (!err) err = put_field(out, "token", token);
  return err ? err : coho__buf_append_str(out, "}");
}
