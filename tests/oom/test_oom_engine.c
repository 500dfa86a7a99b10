/* Every allocation of an engine of core.h fails once: what it writes stays whole HTTP and whole
   frames, and what it tells its program agrees with that. */
#include "support/alloc_fail.h"

#include <coho/core.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LONG = 3000, PIECE = 100 };

struct side {
  coho_ws *ws;
  bool opened, closed;
  int err; /* of COHO_ERROR */
  size_t messages;
  size_t written; /* bytes told by coho_ws_output() */
  char head[1024];
};

static struct side server, client;
static char text[LONG];
static const char *const protocols[] = {"chat", NULL};

static void on_event(struct side *s, const coho_event *ev) {
  assert_false(s->closed);
  if (ev->type == COHO_REQUEST) {
    (void)coho_ws_reply_header(s->ws, "X-Field", "value");
    (void)coho_ws_accept(s->ws, "chat");
  }
  if (ev->type == COHO_OPEN) s->opened = true;
  if (ev->type == COHO_ERROR) s->err = ev->err;
  if (ev->type == COHO_CLOSE) s->closed = true;
  if (ev->type == COHO_MESSAGE) {
    assert_memory_equal(ev->msg.data, text, ev->msg.len);
    s->messages++;
  }
}

static void drain(struct side *s) {
  for (const coho_event *ev; (ev = coho_ws_next(s->ws));)
    on_event(s, ev);
}

/* Carries what one side has to say to the other, in pieces. */
static bool carry(struct side *from, struct side *to) {
  coho_bytes out = coho_ws_output(from->ws);
  size_t n = out.len < PIECE ? out.len : PIECE;
  char bytes[PIECE];
  if (n == 0) return false;
  memcpy(bytes, out.data, n);
  for (size_t i = 0; i < n && from->written + i < sizeof from->head - 1; i++)
    from->head[from->written + i] = bytes[i];
  from->written += n;
  coho_ws_sent(from->ws, n);
  assert_int_equal(coho_ws_input(to->ws, bytes, n), 0);
  drain(to);
  (void)coho_ws_tick(to->ws, 1);
  drain(to);
  return true;
}

static void talk(void) {
  bool more;
  do {
    more = carry(&client, &server);
    more = carry(&server, &client) || more;
  } while (more);
}

static bool say(struct side *s) {
  coho_msg part = coho_text_n(text, LONG);
  part.flags = COHO_MORE;
  bool fine = coho_ws_send(s->ws, coho_text_n(text, 10)) == 0;
  fine = fine && coho_ws_ping(s->ws, "?", 1) == 0 && coho_ws_send(s->ws, part) == 0;
  part.flags = 0;
  part.len = 0;
  return fine && coho_ws_send(s->ws, part) == 0;
}

/* A whole answer: 101, or an error with its length. */
static void check_answer(void) {
  const char *end = strstr(server.head, "\r\n\r\n"), *length;
  if (!server.written) return;
  assert_non_null(end);
  assert_memory_equal(server.head, "HTTP/1.1 ", 9);
  long status = strtol(server.head + 9, NULL, 10);
  assert_int_equal(status == 101, server.opened);
  if (status == 101) return;
  assert_int_equal(status, 500);
  assert_int_equal(server.err, COHO_ENOMEM);
  length = strstr(server.head, "Content-Length: ");
  assert_non_null(length);
  assert_int_equal(server.written,
                   (size_t)(end + 4 - server.head) + strtoul(length + 16, NULL, 10));
}

static bool run(void) {
  coho_ws_options o = {.protocols = protocols, .url = "ws://a/x"};
  server = client = (struct side){0};
  server.ws = coho_ws_new(COHO_SERVER, &o);
  client.ws = coho_ws_new(COHO_CLIENT, &o);
  if (!server.ws || !client.ws) return false;
  talk();
  check_answer();
  if (client.opened) assert_string_equal(coho_ws_protocol(client.ws), "chat");
  if (!server.opened || !client.opened) return false;
  bool fine = say(&client) && say(&server);
  talk();
  fine = fine && coho_ws_close(client.ws, 1000, "bye") == 0;
  talk();
  /* The only violations are those that memory was short for. */
  if (server.err) assert_true(server.err == COHO_ENOMEM || server.err == COHO_EABNORMAL);
  if (client.err) assert_true(client.err == COHO_ENOMEM || client.err == COHO_EABNORMAL);
  return fine && server.closed && client.closed && server.messages == 2 && client.messages == 2;
}

static void test_engine(void **state) {
  (void)state;
  memset(text, 't', sizeof text);
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    bool fine = run();
    bool failed = alloc_failed();
    assert_true(fine || failed);
    coho_ws_free(server.ws);
    coho_ws_free(client.ws);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 1000);
  }
  alloc_fail_at(0);
}

/* A refusal is written whole or not at all. */
static void test_refusal(void **state) {
  (void)state;
  static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (long i = 1;; i++) {
    char bytes[sizeof request];
    memcpy(bytes, request, sizeof request);
    server = (struct side){0};
    alloc_fail_at(i);
    server.ws = coho_ws_new(COHO_SERVER, NULL);
    bool failed = alloc_failed();
    if (server.ws) {
      assert_int_equal(coho_ws_input(server.ws, bytes, sizeof request - 1), 0);
      drain(&server);
      coho_bytes out = coho_ws_output(server.ws);
      failed = alloc_failed();
      assert_true(server.closed);
      if (!failed) assert_int_equal(server.err, COHO_ENOUPGRADE);
      const char *end = server.err == COHO_ENOMEM ? "Internal Server Error\n" : "WebSocket only\n";
      size_t n = strlen(end);
      if (out.len) assert_true(out.len > n);
      if (out.len) assert_memory_equal(out.data + out.len - n, end, n);
    }
    coho_ws_free(server.ws);
    alloc_assert_none_live();
    if (!failed) break;
    assert_true(i < 1000);
  }
  alloc_fail_at(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_engine), cmocka_unit_test(test_refusal)};
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
