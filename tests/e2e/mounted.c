#include "mounted.h"

#include "support/epoch.h"
#include "support/hubs.h"
#include "support/text.h"

#include <stdio.h>
#include <string.h>

struct mounted mounted;

void mounted_open(const coho_topics_options *opt, const coho_topic_options *topic) {
  memset(&mounted, 0, sizeof mounted);
  mounted.hub = hub_with(NULL, topic);
  assert_non_null(mounted.hub);
  world_open(&mounted.w, NULL, NULL);
  assert_int_equal(coho_route_topics(mounted.w.server, "/t/", mounted.hub, opt), 0);
  coho_hub_free(mounted.hub); /* the server has it */
  world_start(&mounted.w);
  mounted.epoch = epoch_of(mounted.hub);
}

void mounted_open_json(const coho_topics_options *opt, const coho_topic_options *topic) {
  mounted_open(opt, topic);
  mounted_join(&mounted.a, "/t/", JSON);
  assert_string_equal(mounted_field("Sec-WebSocket-Protocol: "), "coho.json.v1");
}

void mounted_finish(void) {
  raw_close(&mounted.a);
  raw_close(&mounted.b);
  world_close(&mounted.w);
  mounted.hub = NULL;
}

int mounted_teardown(void **state) {
  (void)state;
  if (mounted.hub) mounted_finish();
  return 0;
}

/* ---- handshakes ------------------------------------------------------------------------------ */

static char head[4096];

const char *mounted_upgrade(struct raw *r, const char *target, const char *fields) {
  char request[8192];
  int n = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "%s\r\n",
                   target, fields);
  assert_true(n > 0 && (size_t)n < sizeof request);
  raw_close(r);
  raw_connect(r, &mounted.w);
  raw_send(r, request, epoch_put(mounted.epoch, request, sizeof request));
  (void)raw_head(r, head, sizeof head);
  (void)epoch_hide(mounted.epoch, head);
  return head;
}

const char *mounted_field(const char *name) {
  const char *at = strstr(head, name);
  if (!at) return NULL;
  at += strlen(name);
  return text_of("%.*s", (int)strcspn(at, "\r\n"), at);
}

void mounted_join(struct raw *r, const char *target, const char *fields) {
  assert_non_null(strstr(mounted_upgrade(r, target, fields), " 101 "));
}

/* ---- frames ---------------------------------------------------------------------------------- */

void mounted_publish(const char *topic, const char *text) {
  assert_int_equal(coho_publish(mounted.hub, topic, coho_text(text)), 0);
}

void mounted_say(struct raw *r, const char *text) {
  static char frame[1 << 16];
  text_put(frame, text_json(text));
  raw_frame(r, 1, true, frame, epoch_put(mounted.epoch, frame, sizeof frame));
}

/* The next frame, which is text. */
static const char *next_text(struct raw *r) {
  static char text[1 << 16];
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  assert_true(f.len < sizeof text);
  memcpy(text, f.data, f.len);
  text[f.len] = '\0';
  (void)epoch_hide(mounted.epoch, text);
  return text;
}

void mounted_expect(struct raw *r, const char *text) {
  assert_string_equal(next_text(r), text_json(text));
}

void mounted_expect_begin(struct raw *r, const char *text) {
  const char *got = next_text(r);
  if (strncmp(got, text_json(text), strlen(text)) != 0) fail_msg("%s, not %s", got, text);
}

void mounted_expect_close(struct raw *r, unsigned code) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), code);
}

void mounted_ask(struct raw *r, const char *request, const char *answer) {
  mounted_say(r, request);
  mounted_expect(r, answer);
}

void mounted_refused(struct raw *r, const char *request, const char *code) {
  mounted_say(r, request);
  const char *answer = next_text(r);
  if (!strstr(answer, "\"op\":\"error\"") || !strstr(answer, text_of("\"code\":\"%s\"", code)))
    fail_msg("%s: %s", request, answer);
}

/* ---- a topic that blocks --------------------------------------------------------------------- */

enum { BLOCK = 20000 };

void mounted_open_blocked(struct raw *slow) {
  static const coho_topic_options blocking = {.slow = COHO_SLOW_BLOCK, .history_bytes = 64 * 1024};
  static char block[BLOCK];
  mounted_open(NULL, &blocking);
  memset(block, 'b', sizeof block);
  raw_connect_narrow(slow, &mounted.w);
  assert_int_equal(raw_upgrade(slow, "/t/r", ""), 101);
  while (coho_publish(mounted.hub, "r", coho_text_n(block, sizeof block)) == 0)
    (void)coho_loop_turn(mounted.w.loop, 0);
}

void mounted_read_on(struct raw *r) {
  struct raw_frame f;
  while (raw_next(r, &f) && f.len == BLOCK) {}
  assert_int_equal(f.len, 5); /* "after" */
}
