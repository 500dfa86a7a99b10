#include "topics/hub_frame.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/check.h"
#include "topics/json_text.h"

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

static bool read_topic(struct coho__hub_frame *f) {
  f->topic = string_of(json_object_get(f->json, "topic"));
  return f->topic.len > 0 && f->topic.len <= COHO_FOLLOWED_MAX;
}

/* A position of a message or a gap, not the "0" that may be asked for. */
static bool read_pos(struct coho__hub_frame *f) {
  struct coho__view text = string_of(json_object_get(f->json, "pos"));
  bool plain = text.len && text.len < COHO_POS_MAX && !memchr(text.data, 0, text.len);
  f->has_pos = plain && !coho_pos_parse(text.data, &f->pos) && f->pos.epoch;
  return f->has_pos;
}

static uint64_t read_id(const json_t *json) {
  const json_t *id = json_object_get(json, "id");
  return json_is_integer(id) && json_integer_value(id) > 0 ? (uint64_t)json_integer_value(id) : 0;
}

/* 0, COHO_EHUBFRAME, COHO_ENOMEM. */
static int read_base64(struct coho__hub_frame *f, struct coho__view text) {
  f->bytes_cap = text.len / 4 * 3 + 1;
  f->bytes = (char *)coho__alloc(f->bytes_cap);
  if (!f->bytes) return COHO_ENOMEM;
  ptrdiff_t n = coho__base64_decode(f->bytes, text.data, text.len);
  if (n < 0) return COHO_EHUBFRAME;
  f->msg = coho_binary(f->bytes, (size_t)n);
  return 0;
}

static int read_message(struct coho__hub_frame *f) {
  const json_t *data = json_object_get(f->json, "data");
  const json_t *data64 = json_object_get(f->json, "data64");
  if (json_object_get(f->json, "pattern")) return 0; /* nobody asked for one */
  f->op = COHO_HUB_MESSAGE;
  if (!read_topic(f) || !read_pos(f) || !data == !data64) return COHO_EHUBFRAME;
  if (json_is_string(data64)) return read_base64(f, string_of(data64));
  if (!json_is_string(data)) return COHO_EHUBFRAME;
  f->msg = coho_text_n(json_string_value(data), json_string_length(data));
  return 0;
}

static int read_gap(struct coho__hub_frame *f) {
  const json_t *lost = json_object_get(f->json, "lost");
  if (json_object_get(f->json, "pattern")) return 0;
  f->op = COHO_HUB_GAP;
  bool known = json_is_integer(lost) && json_integer_value(lost) > 0;
  f->lost = known ? (uint64_t)json_integer_value(lost) : COHO_LOST_UNKNOWN;
  return read_topic(f) && read_pos(f) && (known || json_is_null(lost)) ? 0 : COHO_EHUBFRAME;
}

static int read_ok(struct coho__hub_frame *f) {
  f->op = COHO_HUB_OK;
  f->id = read_id(f->json);
  return !json_object_get(f->json, "pos") || read_pos(f) ? 0 : COHO_EHUBFRAME;
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

int coho__hub_frame_read(struct coho__hub_frame *f, struct coho__view text) {
  static const struct {
    const char *op;
    int (*read)(struct coho__hub_frame *f);
  } table[] = {
      {"gap", read_gap}, {"ok", read_ok}, {"error", read_error}, {"expiring", read_expiring}};
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

int coho__hub_put_sub(struct coho__buf *out, uint64_t id, const struct coho__hub_sub *sub) {
  int err = put_op(out, "sub", id);
  if (!err) err = put_field(out, "topic", sub->topic);
  if (!err && sub->since) err = put_field(out, "since", sub->since);
  if (!err && sub->as) err = put_member(out, sub);
  return err ? err : coho__buf_append_str(out, "}");
}

int coho__hub_put_unsub(struct coho__buf *out, uint64_t id, const char *topic) {
  int err = put_op(out, "unsub", id);
  if (!err) err = put_field(out, "topic", topic);
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

int coho__hub_put_auth(struct coho__buf *out, uint64_t id, const char *token) {
  int err = put_op(out, "auth", id);
  if (!err) err = put_field(out, "token", token);
  return err ? err : coho__buf_append_str(out, "}");
}
