#include "support/fake_hub.h"

#include "base/base64.h"
#include "support/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saying --------------------------------------------------------------------------------- */

static void say_json(coho_conn *c, json_t *j) {
  char *text = json_dumps(j, JSON_COMPACT);
  assert_non_null(text);
  if (coho_send(c, coho_text(text)) < 0) coho_abort(c); /* a hole would be worse */
  free(text);
  json_decref(j);
}

static const char *pos_text(const struct fake_hub *h, uint64_t offset, char buf[40]) {
  snprintf(buf, 40, "%s.%llu", h->epoch, (unsigned long long)offset);
  return buf;
}

static void say_message(struct fake_hub *h, coho_conn *c, const struct fake_topic *t,
                        const struct fake_message *m) {
  char pos[40], text[COHO_BASE64_LEN(FAKE_TEXT) + 1] = "";
  json_t *j = json_pack("{s:s, s:s}", "topic", t->name, "pos", pos_text(h, m->offset, pos));
  if (m->binary) {
    coho__base64_encode(text, m->text, m->len);
    json_object_set_new(j, "data64", json_string(text));
  } else {
    json_object_set_new(j, "data", json_stringn(m->text, m->len));
  }
  say_json(c, j);
}

static void say_gap(struct fake_hub *h, coho_conn *c, const struct fake_topic *t, uint64_t lost,
                    uint64_t offset) {
  char pos[40];
  json_t *j =
      json_pack("{s:s, s:s, s:s}", "op", "gap", "topic", t->name, "pos", pos_text(h, offset, pos));
  json_object_set_new(j, "lost", lost ? json_integer((json_int_t)lost) : json_null());
  say_json(c, j);
}

static void say_ok(coho_conn *c, json_t *request, const char *topic, const char *pos) {
  json_t *j = json_pack("{s:s, s:O}", "op", "ok", "id", json_object_get(request, "id"));
  if (topic) json_object_set_new(j, "topic", json_string(topic));
  if (pos) json_object_set_new(j, "pos", json_string(pos));
  say_json(c, j);
}

static void say_error(coho_conn *c, json_t *request, const char *code) {
  say_json(c, json_pack("{s:s, s:O, s:s, s:s}", "op", "error", "id", json_object_get(request, "id"),
                        "code", code, "text", "because"));
}

/* ---- topics --------------------------------------------------------------------------------- */

static struct fake_topic *topic_of(struct fake_hub *h, const char *name) {
  for (size_t i = 0; i < FAKE_TOPICS; i++) {
    if (!h->topics[i]) {
      h->topics[i] = (struct fake_topic *)calloc(1, sizeof **h->topics);
      assert_non_null(h->topics[i]);
      snprintf(h->topics[i]->name, sizeof h->topics[i]->name, "%s", name);
    }
    if (!strcmp(h->topics[i]->name, name)) return h->topics[i];
  }
  fail_msg("more than %d topics", FAKE_TOPICS);
  return NULL;
}

static bool follows(const struct fake_conn *k, const struct fake_topic *t) {
  for (size_t i = 0; i < k->sub_count; i++)
    if (k->subs[i] == t) return true;
  return false;
}

static uint64_t add(struct fake_hub *h, struct fake_topic *t, coho_msg m, const char *idem) {
  assert_true(t->count < FAKE_HELD && m.len <= FAKE_TEXT);
  struct fake_message *to = &t->held[t->count++];
  *to = (struct fake_message){.offset = ++t->last, .len = m.len, .binary = m.type != COHO_TEXT};
  if (m.len) memcpy(to->text, m.data, m.len);
  snprintf(to->idem, sizeof to->idem, "%s", idem);
  for (size_t i = 0; i < FAKE_CONNS; i++)
    if (h->conns[i].conn && follows(&h->conns[i], t)) say_message(h, h->conns[i].conn, t, to);
  return t->last;
}

uint64_t fake_hub_publish_msg(struct fake_hub *h, const char *topic, coho_msg m) {
  return add(h, topic_of(h, topic), m, "");
}

uint64_t fake_hub_publish(struct fake_hub *h, const char *topic, const char *text) {
  return fake_hub_publish_msg(h, topic, coho_text(text));
}

void fake_hub_trim(struct fake_hub *h, const char *topic, size_t keep) {
  struct fake_topic *t = topic_of(h, topic);
  if (keep >= t->count) return;
  memmove(t->held, t->held + (t->count - keep), keep * sizeof *t->held);
  t->count = keep;
}

/* ---- requests ------------------------------------------------------------------------------- */

static const char *string_of(json_t *j, const char *name) {
  json_t *member = json_object_get(j, name);
  assert_true(!member || json_is_string(member));
  return json_string_value(member);
}

/* No field but these, op and id. */
static void check_fields(json_t *j, const char *allowed) {
  const char *key;
  json_t *value;
  json_object_foreach(j, key, value) {
    char word[64];
    snprintf(word, sizeof word, " %s ", key);
    if (!strstr(allowed, word)) fail_msg("field %s in %s", key, json_dumps(j, 0));
  }
  assert_true(json_is_integer(json_object_get(j, "id")));
}

static void replay(struct fake_hub *h, coho_conn *c, struct fake_topic *t, uint64_t after) {
  for (size_t i = 0; i < t->count; i++)
    if (t->held[i].offset > after) say_message(h, c, t, &t->held[i]);
}

/* As docs/topics.md has it under "Positions". */
static void resume(struct fake_hub *h, struct fake_conn *k, struct fake_topic *t, json_t *j) {
  const char *since = string_of(j, "since");
  char pos[40];
  uint64_t first = t->last - t->count; /* before all that is held */
  if (!since || !strcmp(since, "0")) {
    uint64_t from = since ? first : t->last;
    say_ok(k->conn, j, t->name, pos_text(h, from, pos));
    replay(h, k->conn, t, from);
    return;
  }
  const char *dot = strchr(since, '.');
  assert_non_null(dot);
  uint64_t offset = strtoull(dot + 1, NULL, 10);
  bool same =
      !strncmp(since, h->epoch, (size_t)(dot - since)) && strlen(h->epoch) == (size_t)(dot - since);
  bool known = same && offset <= t->last;
  uint64_t from = known && offset >= first ? offset : first;
  say_ok(k->conn, j, t->name, pos_text(h, from, pos));
  if (!known || offset < first) say_gap(h, k->conn, t, known ? first - offset : 0, from);
  replay(h, k->conn, t, from);
}

static void do_sub(struct fake_hub *h, struct fake_conn *k, json_t *j) {
  check_fields(j, " op id topic since as ");
  h->subs++;
  if (h->refuse_sub > 0) {
    h->refuse_sub--;
    say_error(k->conn, j, h->sub_code);
    return;
  }
  struct fake_topic *t = topic_of(h, string_of(j, "topic"));
  assert_false(follows(k, t));
  assert_true(k->sub_count < FAKE_SUBS);
  k->subs[k->sub_count++] = t;
  resume(h, k, t, j);
}

static void do_unsub(struct fake_hub *h, struct fake_conn *k, json_t *j) {
  check_fields(j, " op id topic ");
  h->unsubs++;
  const struct fake_topic *t = topic_of(h, string_of(j, "topic"));
  size_t n = 0;
  for (size_t i = 0; i < k->sub_count; i++)
    if (k->subs[i] != t) k->subs[n++] = k->subs[i];
  if (n == k->sub_count)
    say_error(k->conn, j, "not-subscribed");
  else
    say_ok(k->conn, j, NULL, NULL);
  k->sub_count = n;
}

static uint64_t accept_pub(struct fake_hub *h, struct fake_topic *t, json_t *j) {
  const char *idem = string_of(j, "idem"), *data64 = string_of(j, "data64");
  json_t *data = json_object_get(j, "data");
  char bytes[2 * FAKE_TEXT];
  assert_non_null(idem);
  for (size_t i = 0; i < t->count; i++)
    if (!strcmp(t->held[i].idem, idem)) return t->held[i].offset;
  h->accepted++;
  assert_true(!data != !data64);
  if (data) return add(h, t, coho_text_n(json_string_value(data), json_string_length(data)), idem);
  ptrdiff_t n = data64 ? coho__base64_decode(bytes, data64, strlen(data64)) : -1;
  assert_true(n >= 0);
  return add(h, t, coho_binary(bytes, (size_t)n), idem);
}

static void do_pub(struct fake_hub *h, struct fake_conn *k, json_t *j) {
  char pos[40];
  check_fields(j, " op id topic data data64 key idem ");
  h->pubs++;
  if (h->refuse_pub > 0) {
    h->refuse_pub--;
    say_error(k->conn, j, h->pub_code);
    return;
  }
  uint64_t offset = accept_pub(h, topic_of(h, string_of(j, "topic")), j);
  if (h->drop_pub_answer > 0) {
    h->drop_pub_answer--;
    coho_abort(k->conn);
    return;
  }
  say_ok(k->conn, j, NULL, pos_text(h, offset, pos));
}

static void do_auth(struct fake_hub *h, struct fake_conn *k, json_t *j) {
  check_fields(j, " op id token ");
  h->auths++;
  k->authorized = !h->token || !strcmp(string_of(j, "token"), h->token);
  if (k->authorized)
    say_ok(k->conn, j, NULL, NULL);
  else
    (void)coho_close(k->conn, 4401, "token");
}

/* ---- connections ---------------------------------------------------------------------------- */

static struct fake_hub *hub_of(coho_conn *c) { return (struct fake_hub *)coho_conn_user(c); }

static struct fake_conn *conn_of(struct fake_hub *h, const coho_conn *c) {
  for (size_t i = 0; i < FAKE_CONNS; i++)
    if (h->conns[i].conn == c) return &h->conns[i];
  fail_msg("more than %d connections", FAKE_CONNS);
  return NULL;
}

static void on_upgrade(coho_request *r) {
  struct fake_hub *h = (struct fake_hub *)coho_request_user(r);
  char expect[64] = "";
  const char *first = coho_request_offer(r, 0);
  const char *offer = coho_request_offer(r, 1);
  h->handshakes++;
  if (!first) { /* out of memory */
    (void)coho_reply(r, 503, NULL, NULL, 0);
    return;
  }
  assert_string_equal(first, "coho.json.v1");
  snprintf(h->last_offer, sizeof h->last_offer, "%s", offer ? offer : "");
  if (h->token) snprintf(expect, sizeof expect, "bearer.%s", h->token);
  bool stranger = h->token && !h->token_by_message && strcmp(h->last_offer, expect) != 0;
  int status = stranger ? 401 : 0;
  if (h->refuse > 0) {
    h->refuse--;
    status = h->refuse_status;
    if (h->retry_after) (void)coho_reply_header(r, "Retry-After", h->retry_after);
  }
  if (!status && coho_request_choose(r, h->unwilling ? NULL : "coho.json.v1")) status = 503;
  if (status) (void)coho_reply(r, status, NULL, NULL, 0);
}

static void on_open(coho_conn *c) {
  struct fake_hub *h = hub_of(c);
  *conn_of(h, NULL) =
      (struct fake_conn){.conn = c, .authorized = !h->token || !h->token_by_message};
  h->opens++;
}

static void on_message(coho_conn *c, coho_msg m) {
  struct fake_hub *h = hub_of(c);
  struct fake_conn *k = conn_of(h, c);
  assert_int_equal(m.type, COHO_TEXT);
  json_t *j = json_loadb(m.data, m.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
  const char *op = json_is_object(j) ? string_of(j, "op") : NULL;
  if (!op) fail_msg("no request: %.*s", (int)m.len, m.data);
  if (!strcmp(op, "sub")) snprintf(h->last_sub, sizeof h->last_sub, "%.*s", (int)m.len, m.data);
  if (h->silent > 0)
    h->silent--;
  else if (!strcmp(op, "auth"))
    do_auth(h, k, j);
  else if (!k->authorized)
    (void)coho_close(c, 4401, "token");
  else if (!strcmp(op, "sub"))
    do_sub(h, k, j);
  else if (!strcmp(op, "unsub"))
    do_unsub(h, k, j);
  else if (!strcmp(op, "pub"))
    do_pub(h, k, j);
  else
    fail_msg("unknown op %s", op);
  json_decref(j);
}

static void on_close(coho_conn *c, const coho_ending *how) {
  struct fake_hub *h = hub_of(c);
  h->last_code = how->code;
  *conn_of(h, c) = (struct fake_conn){.conn = NULL};
}

void fake_hub_open_tls(struct fake_hub *h, coho_tls *tls) {
  static const char *const protocols[] = {"coho.json.v1", NULL};
  memset(h, 0, sizeof *h);
  snprintf(h->epoch, sizeof h->epoch, "k3f9");
  coho_options opt = {.on_upgrade = on_upgrade,
                      .on_open = on_open,
                      .on_message = on_message,
                      .on_close = on_close,
                      .user = h,
                      .protocols = protocols};
  h->world.loop = coho_loop_new();
  coho_server_options so = {.loop = h->world.loop, .tls = tls};
  h->world.server = coho_server_new(&so);
  assert_non_null(h->world.server);
  assert_int_equal(coho_route_ws(h->world.server, "/t/", &opt), 0);
  const char *url = tls ? "wss://127.0.0.1:0" : "ws://127.0.0.1:0";
  assert_int_equal(coho_server_listen(h->world.server, url), 0);
  assert_int_equal(coho_server_start(h->world.server), 0);
  snprintf(h->url, sizeof h->url, "%st/", coho_server_url(h->world.server, 0));
}

void fake_hub_open(struct fake_hub *h) { fake_hub_open_tls(h, NULL); }

void fake_hub_close(struct fake_hub *h) {
  world_close(&h->world);
  for (size_t i = 0; i < FAKE_TOPICS; i++)
    free(h->topics[i]);
}

void fake_hub_kill(struct fake_hub *h, int code) {
  for (size_t i = 0; i < FAKE_CONNS; i++) {
    coho_conn *c = h->conns[i].conn;
    if (!c) continue;
    h->conns[i].sub_count = 0;
    if (!code || coho_close(c, code, NULL)) coho_abort(c);
  }
}

void fake_hub_restart(struct fake_hub *h) {
  fake_hub_kill(h, 0);
  h->epoch[0] = (char)(h->epoch[0] == 'z' ? 'a' : h->epoch[0] + 1);
  for (size_t i = 0; i < FAKE_TOPICS && h->topics[i]; i++)
    h->topics[i]->last = h->topics[i]->count = 0;
}

void fake_hub_say(struct fake_hub *h, coho_msg frame) {
  for (size_t i = 0; i < FAKE_CONNS; i++)
    if (h->conns[i].conn) (void)coho_send(h->conns[i].conn, frame);
}

void fake_hub_say_text(struct fake_hub *h, const char *frame) {
  fake_hub_say(h, coho_text(text_json(frame)));
}

void fake_hub_refuse(struct fake_hub *h, int times, int status) {
  h->refuse = times;
  h->refuse_status = status;
}

void fake_hub_refuse_sub(struct fake_hub *h, int times, const char *code) {
  h->refuse_sub = times;
  h->sub_code = code;
}

void fake_hub_refuse_pub(struct fake_hub *h, int times, const char *code) {
  h->refuse_pub = times;
  h->pub_code = code;
}

unsigned fake_hub_connected(const struct fake_hub *h) {
  unsigned n = 0;
  for (size_t i = 0; i < FAKE_CONNS; i++)
    n += h->conns[i].conn != NULL;
  return n;
}
