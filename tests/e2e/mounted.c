#include "mounted.h"
#include "support/hubs.h"

#include <stdio.h>
#include <string.h>

struct mounted mounted;

void mounted_open(const coho_topics_options *opt, const coho_topic_options *topic) {
  mounted.hub = hub_with(NULL, topic);
  assert_non_null(mounted.hub);
  world_open(&mounted.w, NULL, NULL);
  assert_int_equal(coho_route_topics(mounted.w.server, "/t/", mounted.hub, opt), 0);
  coho_hub_free(mounted.hub); /* the server has it */
  world_start(&mounted.w);
  raw_connect(&mounted.a, &mounted.w);
}

void mounted_finish(void) {
  raw_close(&mounted.a);
  world_close(&mounted.w);
}

void mounted_publish(const char *topic, const char *text) {
  assert_int_equal(coho_publish(mounted.hub, topic, coho_text(text)), 0);
}

/* The next frame is text that says this. */
void mounted_expect(struct raw *r, const char *text) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  char got[4096];
  assert_true(f.len < sizeof got);
  memcpy(got, f.data, f.len);
  got[f.len] = '\0';
  assert_string_equal(got, text);
}

void mounted_expect_close(struct raw *r, unsigned code) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), code);
}

/* The next frame as an object. */
json_t *mounted_next(struct raw *r) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  json_t *j = json_loadb(f.data, f.len, JSON_REJECT_DUPLICATES, NULL);
  assert_true(json_is_object(j));
  return j;
}

const char *mounted_text(const json_t *j, const char *name) {
  const char *text = json_string_value(json_object_get(j, name));
  return text ? text : "";
}

void mounted_say(struct raw *r, const char *text) { raw_frame(r, 1, true, text, strlen(text)); }

/* Asks, and the answer is of this op; its `code`, too, when it is an error. */
json_t *mounted_ask(struct raw *r, const char *request, const char *op, const char *code) {
  mounted_say(r, request);
  json_t *j = mounted_next(r);
  assert_string_equal(mounted_text(j, "op"), op);
  if (code) assert_string_equal(mounted_text(j, "code"), code);
  return j;
}

void mounted_check(struct raw *r, const char *request, const char *op, const char *code) {
  json_decref(mounted_ask(r, request, op, code));
}

static char head[4096];

/* The answer to a handshake. */
const char *mounted_upgrade(struct raw *r, const char *target, const char *fields) {
  char request[8192];
  int n = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "%s\r\n",
                   target, fields);
  assert_true(n > 0 && (size_t)n < sizeof request);
  raw_send(r, request, (size_t)n);
  return raw_head(r, head, sizeof head);
}

/* The value of a field of head. */
const char *mounted_field(const char *name) {
  static char value[256];
  const char *at = strstr(head, name);
  if (!at) return NULL;
  at += strlen(name);
  size_t len = strcspn(at, "\r\n");
  assert_true(len < sizeof value);
  memcpy(value, at, len);
  value[len] = '\0';
  return value;
}

void mounted_open_json(const coho_topics_options *opt, const coho_topic_options *topic) {
  mounted_open(opt, topic);
  assert_non_null(strstr(mounted_upgrade(&mounted.a, "/t/", JSON), " 101 "));
  assert_string_equal(mounted_field("Sec-WebSocket-Protocol: "), "coho.json.v1");
}

const coho_topic_options mounted_blocking = {.slow = COHO_SLOW_BLOCK, .history_bytes = 64 * 1024};

/* A subscriber that does not read, until the topic takes nothing more. */
void mounted_hold_up(struct raw *slow) {
  static char block[20000];
  memset(block, 'b', sizeof block);
  raw_connect_narrow(slow, &mounted.w);
  assert_non_null(strstr(mounted_upgrade(slow, "/t/r", ""), " 101 "));
  while (coho_publish(mounted.hub, "r", coho_text_n(block, sizeof block)) == 0)
    (void)coho_loop_turn(mounted.w.loop, 0);
}

void mounted_read_on(struct raw *r) {
  struct raw_frame f;
  while (raw_next(r, &f) && f.len == 20000) {}
  assert_int_equal(f.len, 5); /* "after" */
}
