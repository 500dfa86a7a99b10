#include "support/alloc_fail.h"
#include "support/raw.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct world w;
static struct probe client, second;
static struct raw raw, raw2;
static char head[4096];
static int listener;

/* The "server" is a socket of the test. */
static int setup(void **state) {
  (void)state;
  memset(&client, 0, sizeof client);
  memset(&second, 0, sizeof second);
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  listener = raw_listen(&w);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  close(listener);
  coho_loop_free(w.loop);
  return 0;
}

static void begin(const coho_options *co) {
  world_connect(&w, "/", co);
  raw_accept(&raw, &w, listener);
  raw_head(&raw, head, sizeof head);
}

/* An answer, and how the connection ended. */
static int fails_with(const char *answer) {
  coho_options co = probe_options(&client);
  begin(&co);
  raw_send(&raw, answer, strlen(answer));
  UNTIL(&w, client.closes == 1);
  raw_close(&raw);
  assert_int_equal(client.opens, 0);
  assert_int_equal(client.errors, 1);
  assert_int_equal(client.error, client.ending.err);
  assert_int_equal(client.ending.code, 1006);
  return client.ending.err;
}

/* ---- what cannot begin ---------------------------------------------------------------------- */

static void test_errors_at_once_run_no_handler(void **state) {
  static const char *const bad_field[] = {"X-Y: a\r\nEvil: b", NULL};
  static const char *const ours[] = {"Sec-WebSocket-Key: x", NULL};
  static const char *const twice[] = {"a", "a", NULL};
  (void)state;
  coho_conn *c = NULL;
  coho_options co = probe_options(&client);
  assert_int_equal(coho_connect(w.loop, "http://h/", &co, &c), COHO_EURL);
  assert_int_equal(coho_connect(w.loop, "ws://u:p@h/", &co, &c), COHO_EURL);
  assert_int_equal(coho_connect(w.loop, "ws://h/#f", &co, &c), COHO_EURL);
  assert_int_equal(coho_connect(w.loop, NULL, &co, &c), COHO_EURL);
  co.headers = bad_field;
  assert_int_equal(coho_connect(w.loop, w.url, &co, &c), COHO_EOPTION);
  co.headers = ours;
  assert_int_equal(coho_connect(w.loop, w.url, &co, &c), COHO_EOPTION);
  co.headers = NULL;
  co.protocols = twice;
  assert_int_equal(coho_connect(w.loop, w.url, &co, &c), COHO_EOPTION);
  assert_null(c);
  assert_int_equal(coho_loop_run(w.loop), 0); /* nothing is left */
  assert_string_equal(client.order, "");
}

static void test_CO_05_refused(void **state) {
  (void)state;
  char where[32];
  coho_options co = probe_options(&client);
  close(listener);
  world_connect(&w, "/", &co);
  assert_int_equal(coho_loop_run(w.loop), 0);
  assert_string_equal(client.order, "ec");
  assert_int_equal(client.ending.err, COHO_ECONNREFUSED);
  assert_int_equal(client.ending.code, 1006);
  snprintf(where, sizeof where, "127.0.0.1:%u", w.port);
  assert_non_null(strstr(client.detail, where));
  listener = raw_listen(&w);
}

/* ---- the request ---------------------------------------------------------------------------- */

static void test_HC_request(void **state) {
  static const char *const protocols[] = {"a", "b", NULL};
  static const char *const fields[] = {"X-One: 1", "Cookie: c=d", NULL};
  (void)state;
  char expect[64];
  coho_options co = probe_options(&client);
  co.protocols = protocols;
  co.headers = fields;
  co.origin = "https://a.example";
  coho_conn *c = world_connect(&w, "/p?q=1", &co);
  assert_int_equal(coho_send(c, coho_text("too early")), COHO_ECLOSED);
  raw_accept(&raw, &w, listener);
  raw_head(&raw, head, sizeof head);
  assert_true(strncmp(head, "GET /p?q=1 HTTP/1.1\r\n", 21) == 0);
  snprintf(expect, sizeof expect, "\r\nHost: 127.0.0.1:%u\r\n", w.port);
  assert_non_null(strstr(head, expect));
  assert_non_null(strstr(head, "\r\nOrigin: https://a.example\r\n"));
  assert_non_null(strstr(head, "\r\nSec-WebSocket-Protocol: a, b\r\n"));
  assert_non_null(strstr(head, "\r\nX-One: 1\r\n"));
  assert_non_null(strstr(head, "\r\nCookie: c=d\r\n"));
  assert_int_equal(raw.len, 0); /* HC_12 */
  raw_answer(&raw, head, "Sec-WebSocket-Protocol: b\r\n");
  UNTIL(&w, client.opens == 1);
  assert_string_equal(coho_conn_protocol(client.conn), "b");
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
}

static void test_HC_06_key_is_fresh(void **state) {
  char keys[3][25];
  (void)state;
  coho_options co = probe_options(&client);
  for (int i = 0; i < 3; i++) {
    begin(&co);
    memcpy(keys[i], strstr(head, "Sec-WebSocket-Key: ") + 19, 24);
    keys[i][24] = '\0';
    raw_close(&raw);
    UNTIL(&w, client.closes == (unsigned)i + 1);
  }
  assert_string_not_equal(keys[0], keys[1]);
  assert_string_not_equal(keys[1], keys[2]);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void test_HR_01_status(void **state) {
  (void)state;
  assert_int_equal(fails_with("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), COHO_ESTATUS);
  assert_non_null(strstr(client.detail, "404 Not Found"));
}

static void test_a_status_without_a_name(void **state) {
  (void)state;
  assert_int_equal(fails_with("HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n"), COHO_ESTATUS);
  assert_non_null(strstr(client.detail, " answered 599 instead of"));
}

static void test_HR_04_accept(void **state) {
  (void)state;
  assert_int_equal(fails_with("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
                   COHO_EACCEPT);
}

static void test_HR_garbage(void **state) {
  (void)state;
  assert_int_equal(fails_with("220 smtp.example ESMTP\r\n"), COHO_ERESPONSE);
}

static void test_end_during_the_handshake(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  begin(&co);
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_EABNORMAL);
  assert_string_equal(client.order, "ec");
}

static void test_HR_08_required_subprotocol(void **state) {
  static const char *const protocols[] = {"a", NULL};
  (void)state;
  coho_options co = probe_options(&client);
  co.protocols = protocols;
  co.flags = COHO_PROTOCOL_REQUIRED;
  begin(&co);
  raw_answer(&raw, head, "");
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_ENOPROTOCOL);
  raw_close(&raw);
}

static void test_HR_10_silent_server(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  co.connect_timeout_ms = 30;
  begin(&co);
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_EHANDSHAKETIMEOUT);
  assert_non_null(strstr(client.detail, "127.0.0.1"));
  raw_close(&raw);
}

static void test_HR_11_frames_behind_the_answer(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  begin(&co);
  raw_answer_with(&raw, head, "", "\x81\x03one\x81\x03two");
  UNTIL(&w, client.messages == 2);
  assert_string_equal(client.last, "two");
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
}

/* ---- frames --------------------------------------------------------------------------------- */

static void test_FR_11_each_frame_has_a_mask_of_its_own(void **state) {
  (void)state;
  struct raw_frame f;
  unsigned char first[4];
  coho_options co = probe_options(&client);
  begin(&co);
  raw_answer(&raw, head, "");
  UNTIL(&w, client.opens == 1);
  assert_int_equal(coho_send(client.conn, coho_text("same")), COHO_SENT);
  assert_int_equal(coho_send(client.conn, coho_text("same")), COHO_SENT);
  assert_true(raw_next(&raw, &f));
  assert_true(f.masked);
  memcpy(first, f.key, 4);
  assert_memory_equal(f.data, "same", 4);
  assert_true(raw_next(&raw, &f));
  assert_true(f.masked);
  assert_memory_equal(f.data, "same", 4);
  assert_memory_not_equal(first, f.key, 4);
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
}

static void test_FR_04_masked_frame_of_the_server(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options co = probe_options(&client);
  begin(&co);
  raw_answer(&raw, head, "");
  UNTIL(&w, client.opens == 1);
  raw_frame(&raw, 1, true, "x", 1);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1002);
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_EMASKED);
  assert_int_equal(client.messages, 0);
  raw_close(&raw);
}

/* ---- giving up ------------------------------------------------------------------------------ */

static void test_close_while_connecting(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  coho_conn *c = world_connect(&w, "/", &co);
  assert_int_equal(coho_close(c, 1000, NULL), 0);
  assert_string_equal(client.order, "");
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_ESTOPPED);
  assert_int_equal(coho_loop_run(w.loop), 0);
}

static void test_abort_during_the_handshake(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  begin(&co);
  raw_answer(&raw, head, "");
  coho_abort(world_connect(&w, "/", &co)); /* another one, which waits for the first */
  UNTIL(&w, client.closes == 1);
  UNTIL(&w, client.opens == 1);
  raw_close(&raw);
  UNTIL(&w, client.closes == 2);
}

static void test_free_of_the_loop_while_connecting(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  world_connect(&w, "/", &co);
  begin(&co);
  world_connect(&w, "/", &co);
  coho_loop_free(w.loop);
  assert_int_equal(client.closes, 3);
  assert_int_equal(client.ending.err, COHO_ESTOPPED);
  raw_close(&raw);
  w.loop = coho_loop_new();
}

/* ---- by id ---------------------------------------------------------------------------------- */

static void greet(struct probe *p, coho_conn *c) {
  (void)p;
  assert_int_equal(coho_send(c, coho_text("open")), COHO_SENT);
}

static void expect_text(const char *text) {
  struct raw_frame f;
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 1);
  assert_int_equal(f.len, strlen(text));
  assert_memory_equal(f.data, text, f.len);
}

static void test_what_is_sent_by_id_waits_until_it_is_open(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  client.opened = greet;
  coho_id id = coho_conn_id(world_connect(&w, "/", &co));
  assert_int_equal(coho_send_id(id, coho_text("before the socket")), COHO_QUEUED);
  world_turn(&w);
  raw_accept(&raw, &w, listener);
  raw_head(&raw, head, sizeof head);
  assert_int_equal(coho_send_id(id, coho_text("before the answer")), COHO_QUEUED);
  world_turn(&w);
  raw_answer(&raw, head, "");
  expect_text("open");
  expect_text("before the socket");
  expect_text("before the answer");
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
}

/* It goes with the connection, which leaks nothing. */
static void test_what_is_sent_by_id_to_nobody(void **state) {
  (void)state;
  coho_options co = probe_options(&client);
  coho_id id = coho_conn_id(world_connect(&w, "/", &co));
  raw_accept(&raw, &w, listener);
  assert_int_equal(coho_send_id(id, coho_text("lost")), COHO_QUEUED);
  world_turn(&w);
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
  assert_int_equal(coho_send_id(id, coho_text("late")), COHO_ESTALE);
}

/* ---- one at a time -------------------------------------------------------------------------- */

static bool someone_waits(void) {
  struct pollfd p = {.fd = listener, .events = POLLIN};
  for (int i = 0; i < 20; i++)
    world_turn(&w);
  return poll(&p, 1, 0) == 1;
}

static void test_CO_01_one_attempt_at_a_time(void **state) {
  (void)state;
  coho_options co = probe_options(&client), co2 = probe_options(&second);
  begin(&co);
  world_connect(&w, "/", &co2);
  assert_false(someone_waits());
  raw_answer(&raw, head, "");
  raw_accept(&raw2, &w, listener);
  raw_head(&raw2, head, sizeof head);
  assert_int_equal(client.opens, 1);
  raw_answer(&raw2, head, "");
  UNTIL(&w, second.opens == 1);
  raw_close(&raw);
  raw_close(&raw2);
  UNTIL(&w, client.closes == 1 && second.closes == 1);
}

static void test_CO_01_a_failure_lets_the_next_one_go(void **state) {
  (void)state;
  coho_options co = probe_options(&client), co2 = probe_options(&second);
  begin(&co);
  world_connect(&w, "/", &co2);
  raw_close(&raw);
  raw_accept(&raw2, &w, listener);
  raw_head(&raw2, head, sizeof head);
  raw_answer(&raw2, head, "");
  UNTIL(&w, second.opens == 1 && client.closes == 1);
  raw_close(&raw2);
  UNTIL(&w, second.closes == 1);
}

static void test_CO_01_load_generators_may_opt_out(void **state) {
  (void)state;
  coho_options co = probe_options(&client), co2 = probe_options(&second);
  co.flags = co2.flags = COHO_CONNECT_TOGETHER;
  begin(&co);
  world_connect(&w, "/", &co2);
  assert_true(someone_waits());
  raw_accept(&raw2, &w, listener);
  raw_close(&raw);
  raw_close(&raw2);
  UNTIL(&w, client.closes == 1 && second.closes == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_errors_at_once_run_no_handler, setup, teardown),
      cmocka_unit_test_setup_teardown(test_CO_05_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HC_request, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HC_06_key_is_fresh, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HR_01_status, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_status_without_a_name, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HR_04_accept, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HR_garbage, setup, teardown),
      cmocka_unit_test_setup_teardown(test_end_during_the_handshake, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HR_08_required_subprotocol, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HR_10_silent_server, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_is_sent_by_id_waits_until_it_is_open, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(test_what_is_sent_by_id_to_nobody, setup, teardown),
      cmocka_unit_test_setup_teardown(test_HR_11_frames_behind_the_answer, setup, teardown),
      cmocka_unit_test_setup_teardown(test_FR_11_each_frame_has_a_mask_of_its_own, setup, teardown),
      cmocka_unit_test_setup_teardown(test_FR_04_masked_frame_of_the_server, setup, teardown),
      cmocka_unit_test_setup_teardown(test_close_while_connecting, setup, teardown),
      cmocka_unit_test_setup_teardown(test_abort_during_the_handshake, setup, teardown),
      cmocka_unit_test_setup_teardown(test_free_of_the_loop_while_connecting, setup, teardown),
      cmocka_unit_test_setup_teardown(test_CO_01_one_attempt_at_a_time, setup, teardown),
      cmocka_unit_test_setup_teardown(test_CO_01_a_failure_lets_the_next_one_go, setup, teardown),
      cmocka_unit_test_setup_teardown(test_CO_01_load_generators_may_opt_out, setup, teardown),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
