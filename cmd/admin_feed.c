#include "admin_feed.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/clock.h"
#include "escape.h"

#include <coho/inspect.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  ROWS_MOST = 500,
  SHOWN = 300, /* bytes of a text of a peer's */
  PAYLOAD = 256,
  BEHIND = 1024 * 1024, /* bytes that wait for a page: then frames are given up */
  ID_LEN = 16
};

/* A page that looks. */
struct feed {
  struct feed *next;
  coho_conn *conn;
  coho_tap *tap;
  char tapped[ID_LEN + 1];
  uint64_t lost; /* frames that it was too slow for */
  bool asking;
};

/* A question under way. */
struct question {
  coho_id page;
};

static struct metrics source;
static coho_loop *loop;
static struct feed *feeds;

void admin_feed_start(const struct metrics *m, coho_loop *l) {
  source = *m;
  loop = l;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* A page that cannot be told everything is told nothing more. */
static void tell(coho_conn *c, json_t *object) {
  char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(8)) : NULL;
  json_decref(object);
  if (!text || coho_send(c, coho_text(text)) < 0) coho_close(c, 1013, "too slow");
  free(text);
}

static json_t *number(uint64_t n) { return json_integer((json_int_t)n); }
static json_t *real(double d) { return isnan(d) ? json_null() : json_real(d); }

static json_t *shown(const char *s, size_t len) {
  char text[SHOWN];
  return json_string(escape_line(text, sizeof text, (struct coho__view){s, len}));
}

/* What stands in a query may be secret. */
static json_t *shown_target(const char *s) { return shown(s, strcspn(s, "?")); }

static void id_text(coho_id id, char dst[ID_LEN + 1]) {
  (void)snprintf(dst, ID_LEN + 1, "%016" PRIx64, id);
}

static coho_id id_of(const json_t *message) {
  const char *text = json_string_value(json_object_get(message, "id"));
  char *end = NULL;
  if (!text || strlen(text) != ID_LEN) return 0;
  coho_id id = strtoull(text, &end, 16);
  return *end ? 0 : id;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static json_t *json_of_conn(const coho_conn_info *c) {
  char id[ID_LEN + 1];
  id_text(c->id, id);
  return json_pack(
      "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
      "s:o, s:o, s:o}",
      "id", id, "peer", shown(c->peer, strlen(c->peer)), "route", shown(c->route, strlen(c->route)),
      "target", shown_target(c->target), "protocol", shown(c->protocol, strlen(c->protocol)),
      "extensions", shown(c->extensions, strlen(c->extensions)), "tls",
      shown(c->tls, strlen(c->tls)), "topics", shown(c->topics, strlen(c->topics)), "age_ms",
      number(c->age_ms), "quiet_ms", number(c->quiet_ms), "queued", number(c->queued),
      "messages_in", number(c->messages_in), "messages_out", number(c->messages_out), "bytes_in",
      number(c->bytes_in), "bytes_out", number(c->bytes_out), "wire_in", number(c->wire_in),
      "wire_out", number(c->wire_out), "drops", number(c->drops), "rtt_ms", real(c->rtt_ms),
      "rtt_smooth_ms", real(c->rtt_smooth_ms), "flags", number(c->flags));
}

static const char *state_name(void) {
  static const char *const names[] = {"starting", "ready", "draining"};
  return names[metrics_get_state()];
}

static json_t *json_of_server(void) {
  coho_stats s;
  struct metrics_process p;
  coho_server_stats(source.server, &s);
  metrics_process(&p);
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "state",
                   state_name(), "uptime_s", number(p.uptime_s), "connections",
                   number(s.connections), "connections_total", number(s.connections_total),
                   "messages_in", number(s.messages_in), "messages_out", number(s.messages_out),
                   "bytes_in", number(s.bytes_in), "bytes_out", number(s.bytes_out), "rss_bytes",
                   number(p.rss_bytes), "open_fds", number(p.open_fds), "cpu_ns", number(p.cpu_ns),
                   "lag_ms", (double)metrics_lag_us() / 1000);
}

static struct feed *feed_of(coho_id page) {
  struct feed *f = feeds;
  while (f && coho_conn_id(f->conn) != page)
    f = f->next;
  return f;
}

static void on_list(void *ctx, const coho_conn_list *list) {
  struct question *q = (struct question *)ctx;
  struct feed *f = feed_of(q->page);
  free(q);
  if (!f) return;
  f->asking = false;
  json_t *conns = json_array();
  for (size_t i = 0; i < list->count; i++)
    json_array_append_new(conns, json_of_conn(coho_conn_list_at(list, i)));
  tell(f->conn, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "type", "list", "time",
                          number(coho__clock_wall_ms()), "total", number(list->total), "matched",
                          number(list->matched), "server", json_of_server(), "conns", conns));
}

static uint32_t order_of(const json_t *message) {
  static const char *const names[] = {"age",          "quiet",    "rtt",
                                      "queued",       "drops",    "messages_in",
                                      "messages_out", "bytes_in", "bytes_out"};
  const char *name = json_string_value(json_object_get(message, "order"));
  for (size_t i = 0; i < COHO_COUNT(names) && name; i++)
    if (!strcmp(name, names[i])) return (uint32_t)i;
  return COHO_BY_AGE;
}

static void do_list(struct feed *f, const json_t *message) {
  const char *match = json_string_value(json_object_get(message, "match"));
  coho_conn_filter filter = {.loop = loop,
                             .match = match && *match ? match : NULL,
                             .order = order_of(message),
                             .limit = ROWS_MOST};
  if (json_is_true(json_object_get(message, "ascending"))) filter.flags |= COHO_ASK_ASCENDING;
  if (json_is_true(json_object_get(message, "ping"))) filter.flags |= COHO_ASK_PING;
  if (f->asking) return; /* the answer is on its way */
  struct question *q = (struct question *)malloc(sizeof *q);
  if (!q) return;
  q->page = coho_conn_id(f->conn);
  f->asking = true;
  if (!coho_server_connections(source.server, &filter, on_list, q)) return;
  f->asking = false;
  free(q);
}

/* ---- frames --------------------------------------------------------------------------------- */

static json_t *json_of_frame(const coho_tapped *t) {
  char data[COHO_BASE64_LEN(PAYLOAD)];
  coho__base64_encode(data, t->data, t->data_len);
  return json_pack("{s:o, s:o, s:o, s:i, s:i, s:o}", "time_us", number(t->time_us), "len",
                   number(t->len), "lost", number(t->lost), "opcode", t->opcode, "flags", t->flags,
                   "data", json_stringn(data, COHO_BASE64_LEN((size_t)t->data_len)));
}

static void on_frames(void *ctx, const coho_tapped *frames, size_t count) {
  struct feed *f = (struct feed *)ctx;
  json_t *list = json_array();
  bool behind = coho_conn_queued(f->conn) > BEHIND;
  for (size_t i = 0; i < count; i++) {
    f->lost += frames[i].lost + behind;
    if (!behind) json_array_append_new(list, json_of_frame(&frames[i]));
  }
  if (behind) {
    json_decref(list);
    return;
  }
  uint64_t lost = f->lost;
  f->lost = 0;
  tell(f->conn, json_pack("{s:s, s:s, s:o, s:o}", "type", "frames", "id", f->tapped, "lost",
                          number(lost), "frames", list));
}

static void on_tap_end(void *ctx, uint64_t lost) {
  struct feed *f = (struct feed *)ctx;
  f->tap = NULL;
  tell(f->conn, json_pack("{s:s, s:s, s:o}", "type", "tap_end", "id", f->tapped, "lost",
                          number(f->lost + lost)));
}

static void stop_tap(struct feed *f) {
  coho_tap_stop(f->tap);
  f->tap = NULL;
  f->lost = 0;
}

static void do_tap(struct feed *f, const json_t *message) {
  coho_id id = id_of(message);
  const coho_tap_options opt = {
      .loop = loop, .on_frames = on_frames, .on_end = on_tap_end, .ctx = f, .max_payload = PAYLOAD};
  stop_tap(f);
  id_text(id, f->tapped);
  int err = id ? coho_tap_start(id, &opt, &f->tap) : COHO_ESTALE;
  tell(f->conn, json_pack("{s:s, s:s, s:s}", "type", "tap", "id", f->tapped, "error",
                          err ? coho_strerror(err) : ""));
}

/* ---- closing -------------------------------------------------------------------------------- */

static void do_close(struct feed *f, const json_t *message) {
  coho_id id = id_of(message);
  char text[ID_LEN + 1];
  json_int_t code = json_integer_value(json_object_get(message, "code"));
  const char *reason = json_string_value(json_object_get(message, "reason"));
  int err = code < 1000 || code > 4999 ? COHO_EINVAL : COHO_ESTALE;
  if (id && err == COHO_ESTALE) err = coho_close_id(id, (int)code, reason);
  id_text(id, text);
  tell(f->conn, json_pack("{s:s, s:s, s:s}", "type", "closing", "id", text, "error",
                          err ? coho_strerror(err) : ""));
}

/* ---- handlers ------------------------------------------------------------------------------- */

static void on_open(coho_conn *c) {
  struct feed *f = (struct feed *)calloc(1, sizeof *f);
  coho_conn_set_user(c, f);
  if (!f) {
    coho_close(c, 1011, "out of memory");
    return;
  }
  f->conn = c;
  f->next = feeds;
  feeds = f;
}

static void on_close(coho_conn *c, const coho_ending *how) {
  struct feed *f = (struct feed *)coho_conn_user(c);
  (void)how;
  if (!f) return;
  stop_tap(f);
  struct feed **at = &feeds;
  while (*at != f)
    at = &(*at)->next;
  *at = f->next;
  free(f);
}

static void obey(struct feed *f, const json_t *message) {
  const char *op = json_string_value(json_object_get(message, "op"));
  if (!op)
    coho_close(f->conn, 1008, "no op");
  else if (!strcmp(op, "list"))
    do_list(f, message);
  else if (!strcmp(op, "tap"))
    do_tap(f, message);
  else if (!strcmp(op, "untap"))
    stop_tap(f);
  else if (!strcmp(op, "close"))
    do_close(f, message);
  else
    coho_close(f->conn, 1008, "unknown op");
}

static void on_message(coho_conn *c, coho_msg m) {
  struct feed *f = (struct feed *)coho_conn_user(c);
  if (!f) return;
  json_t *message = m.type == COHO_TEXT ? json_loadb(m.data, m.len, 0, NULL) : NULL;
  if (json_is_object(message))
    obey(f, message);
  else
    coho_close(c, 1007, "not a JSON object");
  json_decref(message);
}

void admin_feed_handlers(coho_options *o) {
  o->on_open = on_open;
  o->on_message = on_message;
  o->on_close = on_close;
}
