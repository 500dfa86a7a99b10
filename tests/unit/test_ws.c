/* What the wire tests cannot say: output that is sent in part, and a request beside coho.h. */
#include <coho/coho.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_OUTPUT = 64 * 1024 };

static const char request[] =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static char zeros[MAX_OUTPUT];

static uint32_t feed(coho_ws *ws, const void *data, size_t len) {
  char bytes[512];
  uint32_t last = 0;
  memcpy(bytes, data, len);
  assert_int_equal(coho_ws_input(ws, bytes, len), 0);
  for (const coho_event *ev; (ev = coho_ws_next(ws));)
    last = ev->type;
  return last;
}

static coho_ws *open_server(void) {
  coho_ws *ws = coho_ws_new(COHO_SERVER, &(coho_ws_options){.max_output = MAX_OUTPUT});
  assert_int_equal(feed(ws, request, sizeof request - 1), COHO_OPEN);
  coho_ws_sent(ws, coho_ws_output(ws).len);
  return ws;
}

static size_t waits(const coho_ws *ws) { return coho_ws_output(ws).len; }

/* Fills the output behind bytes that are sent but not half of all, so that they stay in front. */
static coho_ws *open_full(size_t last) {
  coho_ws *ws = open_server();
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, 60000)), 0);
  coho_ws_sent(ws, 29000);
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, 5000)), 0);
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, last)), 0);
  return ws;
}

static const size_t lasts[] = {400, 521, 522, 600, 665};

static void test_CL_07_close_is_answered_behind_sent_bytes(void **state) {
  (void)state;
  char frame[8 + 100] = {'\x88', '\xe6', 0, 0, 0, 0, 3, '\xe8'};
  memset(frame + 8, 'x', 100);
  for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++) {
    coho_ws *ws = open_full(lasts[i]);
    size_t before = waits(ws);
    assert_int_equal(feed(ws, frame, sizeof frame), COHO_CLOSE);
    assert_int_equal(waits(ws) - before, 104);
    assert_memory_equal(coho_ws_output(ws).data + before, "\x88\x66\x03\xe8", 4);
    coho_ws_free(ws);
  }
}

static void test_a_violation_is_told_behind_sent_bytes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof lasts / sizeof lasts[0]; i++) {
    coho_ws *ws = open_full(lasts[i]);
    size_t before = waits(ws);
    assert_int_equal(feed(ws, "\xff\x80\0\0\0\0", 6), COHO_CLOSE);
    assert_int_equal(waits(ws) - before, 4);
    coho_ws_free(ws);
  }
}

/* Pongs and the Close together, behind as much that is sent as may stay there. */
static void test_CT_09_pongs_leave_room_for_the_close(void **state) {
  (void)state;
  char ping[6 + 125] = {'\x89', '\xfd'};
  coho_ws *ws = open_server();
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, MAX_OUTPUT - 4)), 0);
  coho_ws_sent(ws, MAX_OUTPUT / 2);
  for (int i = 0; i < 5; i++)
    assert_int_equal(feed(ws, ping, sizeof ping), COHO_PING);
  size_t before = waits(ws);
  assert_true(before > MAX_OUTPUT / 2);
  char frame[8 + 100] = {'\x88', '\xe6', 0, 0, 0, 0, 3, '\xe8'};
  memset(frame + 8, 'x', 100);
  assert_int_equal(feed(ws, frame, sizeof frame), COHO_CLOSE);
  assert_int_equal(waits(ws) - before, 104);
  coho_ws_free(ws);
}

/* The limit counts what waits, not what is sent. */
static void test_output_is_filled_to_the_limit(void **state) {
  (void)state;
  coho_ws *ws = open_full(600);
  size_t room = MAX_OUTPUT - waits(ws);
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, room - 4 + 1)), COHO_EFULL);
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, room - 4)), 0);
  assert_int_equal(waits(ws), MAX_OUTPUT);
  assert_int_equal(coho_ws_close(ws, 1000, NULL), 0);
  coho_ws_free(ws);
}

/* A peer that talks but does not read is pinged again and again. */
static void test_CT_06_pings_leave_room_for_the_close(void **state) {
  (void)state;
  coho_ws *ws = open_server();
  assert_int_equal(coho_ws_send(ws, coho_binary(zeros, MAX_OUTPUT - 4)), 0);
  uint64_t now = 0;
  for (int i = 0; i < 200; i++) {
    assert_int_equal(feed(ws, "\x8a\x80\0\0\0\0", 6), COHO_PONG);
    coho_ws_tick(ws, now);
    coho_ws_tick(ws, now += 20000);
  }
  size_t before = waits(ws);
  assert_int_equal(feed(ws, "\x88\x82\0\0\0\0\x03\xe8", 8), COHO_CLOSE);
  assert_int_equal(waits(ws) - before, 4);
  coho_ws_free(ws);
}

static void test_unknown_flags_of_a_message(void **state) {
  (void)state;
  coho_ws *ws = open_server();
  coho_msg m = coho_text("x");
  m.flags = 0x80;
  assert_int_equal(coho_ws_send(ws, m), COHO_EINVAL);
  m.flags = COHO_MORE | 4;
  assert_int_equal(coho_ws_send(ws, m), COHO_EINVAL);
  assert_int_equal(waits(ws), 0);
  coho_ws_free(ws);
}

/* The functions of coho.h find no connection behind an engine's request. */
static void test_request_of_an_engine(void **state) {
  (void)state;
  char bytes[sizeof request], peer[COHO_ADDR_MAX] = "x";
  coho_ws *ws = coho_ws_new(COHO_SERVER, NULL);
  memcpy(bytes, request, sizeof request);
  assert_int_equal(coho_ws_input(ws, bytes, sizeof request - 1), 0);
  coho_request *r = coho_ws_next(ws)->request;
  coho_request_set_user(r, peer);
  assert_null(coho_request_user(r));
  assert_int_equal(coho_request_body(r).len, 0);
  assert_string_equal(coho_request_peer(r, peer, sizeof peer), "");
  assert_int_equal(coho_reply_header(r, "X-A", "b"), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 403, NULL, NULL, 0), COHO_EINVAL);
  assert_int_equal(coho_ws_next(ws)->type, COHO_OPEN);
  coho_ws_free(ws);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_CL_07_close_is_answered_behind_sent_bytes),
      cmocka_unit_test(test_a_violation_is_told_behind_sent_bytes),
      cmocka_unit_test(test_CT_09_pongs_leave_room_for_the_close),
      cmocka_unit_test(test_output_is_filled_to_the_limit),
      cmocka_unit_test(test_CT_06_pings_leave_room_for_the_close),
      cmocka_unit_test(test_unknown_flags_of_a_message),
      cmocka_unit_test(test_request_of_an_engine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
