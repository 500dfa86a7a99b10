#include "support/web.h"

#include "support/clock.h"
#include "support/epoch.h"
#include "support/hubs.h"
#include "support/text.h"
#include "support/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the server ------------------------------------------------------------------------------ */

static struct web *opened;

void web_open_hub(struct web *web, coho_hub *hub, const coho_topics_options *mount,
                  const coho_server_options *so) {
  coho_server_options set = {.drain_timeout_ms = 10000};
  if (so) set = *so;
  memset(web, 0, sizeof *web);
  opened = web;
  web->hub = hub;
  assert_non_null(web->hub);
  web->w.loop = coho_loop_new();
  if (!set.threads) set.loop = web->w.loop;
  web->w.server = coho_server_new(&set);
  assert_non_null(web->w.server);
  assert_int_equal(coho_route_topics(web->w.server, "/t/", web->hub, mount), 0);
  world_start(&web->w);
  web->epoch = epoch_of(web->hub);
}

void web_open_with(struct web *web, const coho_topics_options *mount,
                   const coho_topic_options *topic, const coho_server_options *so) {
  web_open_hub(web, hub_with(NULL, topic), mount, so);
}

void web_open(struct web *web, const coho_topics_options *mount, const coho_topic_options *topic) {
  web_open_with(web, mount, topic, NULL);
}

static const char SECRET[] = "a secret that is long enough to be one";

void web_open_guarded(struct web *web, const char *const *open_subscribe) {
  coho_keys *keys;
  coho_key_source source = {.kind = COHO_KEY_SECRET, .data = SECRET, .len = sizeof SECRET - 1};
  assert_int_equal(coho_keys_new(&(coho_keys_options){.leeway_ms = COHO_KEYS_EXACT}, &keys), 0);
  assert_int_equal(coho_keys_add(keys, &source, NULL, 0), 0);
  coho_topics_options mount = {.keys = keys, .open_subscribe = open_subscribe};
  web_open(web, &mount, NULL);
  coho_keys_free(keys); /* the server has them */
}

void web_close(struct web *web) {
  opened = NULL;
  while (web->clients)
    web_part(web->clients);
  coho_server_stop(web->w.server);
  UNTIL(&web->w, (clock_move(100), coho_server_stopped(web->w.server)));
  coho_server_free(web->w.server);
  coho_loop_free(web->w.loop);
  coho_hub_free(web->hub);
}

void web_until_stopped(struct web *web) {
  clock_stop();
  for (int ms = 0; !coho_server_stopped(web->w.server); ms += 100) {
    assert_in_range(ms, 0, 20000);
    clock_move(100);
    world_turn(&web->w);
  }
}

int web_teardown(void **state) {
  (void)state;
  if (opened) web_close(opened);
  clock_go();
  return 0;
}

void web_publish(struct web *web, const char *topic, const char *text) {
  assert_int_equal(coho_publish(web->hub, topic, coho_text(text)), 0);
}

size_t web_subscribers(const struct web *web, const char *topic) {
  return coho_hub_subscribers(web->hub, topic);
}

size_t web_members(const struct web *web, const char *topic) {
  return coho_presence_list(web->hub, topic, NULL, NULL, NULL);
}

const char *web_pos(const struct web *web, unsigned offset) {
  static char texts[8][COHO_POS_MAX];
  static unsigned turn;
  char *text = texts[turn++ % 8];
  coho_pos_text((coho_pos){web->epoch, offset}, text, COHO_POS_MAX);
  return text;
}

const char *web_token(const char *claims) {
  static char fields[4][2048];
  static unsigned turn;
  char *field = fields[turn++ % 4];
  struct token_key key = {.secret = SECRET};
  snprintf(field, sizeof fields[0], "Authorization: Bearer %s\r\n",
           token_make(&key, "{\"alg\":\"HS256\"}", text_json(claims)));
  return field;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void join(struct web_client *c, struct web *web) {
  c->web = web;
  c->next = web->clients;
  web->clients = c;
  c->len = c->at = c->in_len = c->in_at = 0;
}

void web_connect(struct web_client *c, struct web *web) {
  join(c, web);
  raw_connect(&c->raw, &web->w);
}

void web_connect_narrow(struct web_client *c, struct web *web) {
  join(c, web);
  raw_connect_narrow(&c->raw, &web->w);
}

void web_part(struct web_client *c) {
  struct web_client **at = &c->web->clients;
  while (*at != c)
    at = &(*at)->next;
  *at = c->next;
  c->web = NULL;
  raw_close(&c->raw);
}

void web_send(struct web_client *c, const char *format, ...) {
  static char text[1 << 17];
  if (!c->web) web_connect(c, opened);
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  assert_true(n > 0 && (size_t)n < sizeof text);
  raw_send(&c->raw, text, epoch_put(c->web->epoch, text, sizeof text));
}

void web_get(struct web_client *c, const char *fields, const char *format, ...) {
  static char target[1 << 16];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(target, sizeof target, format, args);
  va_end(args);
  assert_true(n > 0 && (size_t)n < sizeof target);
  web_send(c, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, fields);
}

void web_post(struct web_client *c, const char *target, const char *fields, const void *body,
              size_t len) {
  web_send(c, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n%s\r\n", target, len, fields);
  raw_send(&c->raw, body, len);
}

/* ---- being answered -------------------------------------------------------------------------- */

const char *web_field(const struct web_client *c, const char *name) {
  static char values[4][512];
  static unsigned turn;
  char *value = values[turn++ % 4];
  size_t len = strlen(name);
  for (const char *line = c->head; (line = strstr(line, "\r\n")) && line[2] != '\r';) {
    line += 2;
    if (strncmp(line, name, len) != 0 || line[len] != ':') continue;
    size_t n = strcspn(line + len + 2, "\r");
    assert_true(n < sizeof values[0]);
    memcpy(value, line + len + 2, n);
    value[n] = '\0';
    return value;
  }
  return NULL;
}

/* At least one byte to look at. */
static void fill(struct web_client *c) {
  ssize_t n = 0;
  if (c->in_at < c->in_len) return;
  UNTIL(&c->web->w, (n = recv(c->raw.fd, c->in, sizeof c->in, MSG_DONTWAIT)) >= 0);
  if (n == 0) fail_msg("the end of the connection");
  c->in_at = 0;
  c->in_len = (size_t)n;
}

/* Up to and with the end of its line; returns the length. */
static size_t take_line(struct web_client *c, char *dst, size_t cap) {
  size_t n = 0;
  do {
    fill(c);
    assert_true(n + 1 < cap);
    dst[n++] = c->in[c->in_at++];
  } while (dst[n - 1] != '\n');
  dst[n] = '\0';
  return n;
}

static void append(struct web_client *c, const char *data, size_t len) {
  assert_true(c->len + len < sizeof c->body);
  memcpy(c->body + c->len, data, len);
  c->len += len;
  c->body[c->len] = '\0';
}

int web_begin(struct web_client *c) {
  size_t n = 0, line;
  do
    n += line = take_line(c, c->head + n, sizeof c->head - n);
  while (line > 2);
  c->len = c->at = 0;
  c->body[0] = '\0';
  const char *coding = web_field(c, "Transfer-Encoding");
  c->chunked = coding && strcmp(coding, "chunked") == 0;
  c->bare = !c->chunked && !web_field(c, "Content-Length");
  c->last = false;
  return (int)strtol(c->head + 9, NULL, 10);
}

static void take(struct web_client *c, size_t len) {
  while (len) {
    fill(c);
    size_t n = c->in_len - c->in_at < len ? c->in_len - c->in_at : len;
    append(c, c->in + c->in_at, n);
    c->in_at += n;
    len -= n;
  }
}

static void take_chunk(struct web_client *c) {
  char line[32];
  take_line(c, line, sizeof line);
  size_t len = (size_t)strtoul(line, NULL, 16);
  take(c, len);
  assert_int_equal(take_line(c, line, sizeof line), 2);
  if (!len) c->last = true;
}

/* JSON is a line, whose end tests do not repeat. */
static void cut_line_end(struct web_client *c) {
  const char *type = web_field(c, "Content-Type");
  size_t len = strlen(c->body);
  if (!len || !type || strcmp(type, "application/json") != 0) return;
  assert_int_equal(c->body[len - 1], '\n');
  c->body[len - 1] = '\0';
}

int web_answer(struct web_client *c) {
  int status = web_begin(c);
  const char *length = web_field(c, "Content-Length");
  if (length) take(c, (size_t)strtoul(length, NULL, 10));
  while (c->chunked && !c->last)
    take_chunk(c);
  cut_line_end(c);
  c->len = epoch_hide(c->web->epoch, c->body);
  return status;
}

const char *web_event(struct web_client *c) {
  static char text[1 << 18];
  char *end;
  while (!(end = strstr(c->body + c->at, "\n\n"))) {
    if (c->last) return NULL;
    if (c->at == c->len) c->body[c->at = c->len = 0] = '\0';
    if (c->bare)
      take(c, 1);
    else
      take_chunk(c);
  }
  size_t len = (size_t)(end - (c->body + c->at));
  assert_true(len < sizeof text);
  memcpy(text, c->body + c->at, len);
  text[len] = '\0';
  c->at += len + 2;
  (void)epoch_hide(c->web->epoch, text);
  return text;
}

/* ---- what must be so ------------------------------------------------------------------------- */

void web_check(struct web_client *c, int status, const char *body) {
  assert_int_equal(web_answer(c), status);
  if (body) assert_string_equal(c->body, text_json(body));
}

void web_begins(const struct web_client *c, const char *text) {
  assert_true(c->len >= strlen(text));
  assert_memory_equal(c->body, text_json(text), strlen(text));
}

void web_ends(const struct web_client *c, const char *text) {
  assert_true(c->len >= strlen(text));
  assert_string_equal(c->body + c->len - strlen(text), text_json(text));
}

void web_has(const struct web_client *c, const char *text) {
  assert_non_null(strstr(c->body, text_json(text)));
}

void web_check_field(const struct web_client *c, const char *name, const char *value) {
  const char *got = web_field(c, name);
  if (!value) {
    assert_null(got);
    return;
  }
  assert_non_null(got);
  assert_string_equal(got, value);
}

void web_check_json(const struct web_client *c) {
  web_check_field(c, "Content-Type", "application/json");
  web_check_field(c, "Cache-Control", "no-store");
}

void web_ask(struct web_client *c, const char *target, int status, const char *body) {
  web_get(c, "", "%s", target);
  web_check(c, status, body);
}

void web_refused(struct web_client *c, const char *fields, const char *target, int status,
                 const char *code) {
  web_get(c, fields, "%s", target);
  web_check(c, status, NULL);
  web_check_json(c);
  web_begins(c, text_of("{'error':{'code':'%s','", code));
}

void web_expect(struct web_client *c, const char *block) {
  const char *got = web_event(c);
  assert_non_null(got);
  assert_string_equal(got, text_json(block));
}

void web_expect_start(struct web_client *c, const char *pos) {
  const char *got = web_event(c);
  char *end;
  assert_non_null(got);
  assert_memory_equal(got, "retry: ", 7);
  unsigned long ms = strtoul(got + 7, &end, 10);
  assert_in_range(ms, 1000, 3000);
  assert_string_equal(end, pos ? text_of("\nid: %s", pos) : "");
}

void web_stream(struct web_client *c, const char *target, const char *pos) {
  web_get(c, WEB_SSE, "%s", target);
  assert_int_equal(web_begin(c), 200);
  web_expect_start(c, pos);
}

void web_stream_from(struct web_client *c, const char *id, const char *target, const char *pos) {
  web_get(c, text_of(WEB_SSE "Last-Event-ID: %s\r\n", id), "%s", target);
  assert_int_equal(web_begin(c), 200);
  web_expect_start(c, pos);
}
