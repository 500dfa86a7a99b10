#include "support/alloc_fail.h"
#include "support/raw.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct world w;
static struct probe server;
static struct raw raw;
static char seen[1024]; /* what a handler saw of the request */

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  seen[0] = '\0';
  return 0;
}

static void close_world(void) {
  raw_close(&raw);
  UNTIL(&w, server.closes == server.opens);
  world_close(&w);
}

/* The status for a handshake with these further fields. */
static int status_with(const coho_options *so, const char *target, const char *fields) {
  world_open(&w, "/chat/:room", so);
  raw_connect(&raw, &w);
  int status = raw_upgrade(&raw, target, fields);
  close_world();
  return status;
}

/* ---- Origin --------------------------------------------------------------------------------- */

static void test_A12_origin(void **state) {
  static const char *const two[] = {"https://a.example", "null", NULL};
  static const char *const any[] = {"*", NULL};
  static const struct {
    const char *const *list;
    uint32_t flags;
    const char *field;
    int status;
  } rows[] = {
      {NULL, 0, "", 101},
      {NULL, COHO_ORIGIN_REQUIRED, "", 403},
      {NULL, 0, "Origin: http://evil.example\r\n", 403},
      {NULL, 0, "Origin: null\r\n", 403},
      {two, 0, "Origin: https://a.example\r\n", 101},
      {two, 0, "Origin: HTTPS://A.EXAMPLE\r\n", 101},
      {two, 0, "Origin: https://a.example.evil.com\r\n", 403},
      {two, 0, "Origin: http://a.example\r\n", 403},
      {two, 0, "Origin: null\r\n", 101},
      {any, 0, "Origin: http://evil.example\r\n", 101},
      {two, 0, "Origin: https://a.example\r\nOrigin: https://a.example\r\n", 400},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    coho_options so = probe_options(&server);
    so.origins = rows[i].list;
    so.flags = rows[i].flags;
    server.opens = server.closes = 0;
    int status = status_with(&so, "/chat/tea", rows[i].field);
    if (status != rows[i].status) fail_msg("row %zu: %d", i, status);
    assert_int_equal(server.opens, status == 101);
  }
}

static void test_HA_03_own_origin(void **state) {
  (void)state;
  char field[64];
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  snprintf(field, sizeof field, "Origin: http://127.0.0.1:%u\r\n", w.port);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", field), 101);
  close_world();
}

/* ---- subprotocols --------------------------------------------------------------------------- */

static void test_HA_06_subprotocol(void **state) {
  static const char *const ours[] = {"v2.chat", "v1.chat", NULL};
  static const struct {
    uint32_t flags;
    const char *field;
    const char *chosen; /* NULL: no such field */
    int status;
  } rows[] = {
      {0, "", NULL, 101},
      {0, "Sec-WebSocket-Protocol: v1.chat, v2.chat\r\n", "v2.chat", 101}, /* our order */
      {0, "Sec-WebSocket-Protocol: v1.chat\r\n", "v1.chat", 101},
      {0, "Sec-WebSocket-Protocol: V1.CHAT\r\n", NULL, 101},
      {0, "Sec-WebSocket-Protocol: other\r\n", NULL, 101},
      {COHO_PROTOCOL_REQUIRED, "Sec-WebSocket-Protocol: other\r\n", NULL, 400},
      {COHO_PROTOCOL_REQUIRED, "", NULL, 400},
      {COHO_PROTOCOL_REQUIRED, "Sec-WebSocket-Protocol: v1.chat\r\n", "v1.chat", 101},
      {0, "Sec-WebSocket-Protocol: a b\r\n", NULL, 400},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[1024];
    const char *field;
    coho_options so = probe_options(&server);
    setup(NULL);
    so.protocols = ours;
    so.flags = rows[i].flags;
    world_open(&w, "/", &so);
    raw_connect(&raw, &w);
    snprintf(text, sizeof text,
             "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
             rows[i].field);
    raw_send(&raw, text, strlen(text));
    raw_head(&raw, text, sizeof text);
    if (strncmp(text + 9, rows[i].status == 101 ? "101" : "400", 3) != 0)
      fail_msg("row %zu: %s", i, text);
    field = strstr(text, "Sec-WebSocket-Protocol: ");
    if (rows[i].chosen) {
      assert_non_null(field);
      assert_memory_equal(field + 24, rows[i].chosen, strlen(rows[i].chosen));
      assert_string_equal(coho_conn_protocol(server.conn), rows[i].chosen);
    } else {
      assert_null(field);
    }
    close_world();
  }
}

static void choose_offered(coho_request *r) {
  assert_int_equal(coho_request_choose(r, "zzz"), COHO_ENOPROTOCOL);
  assert_int_equal(coho_request_choose(r, "two"), 0);
  assert_int_equal(coho_request_choose(r, NULL), 0);
  assert_string_equal(coho_request_protocol(r), "");
  assert_string_equal(coho_request_offer(r, 1), "two");
  assert_null(coho_request_offer(r, 2));
  assert_int_equal(coho_request_choose(r, coho_request_offer(r, 1)), 0);
}

static void test_the_program_chooses_the_subprotocol(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.on_upgrade = choose_offered;
  so.flags = COHO_PROTOCOL_REQUIRED;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", "Sec-WebSocket-Protocol: one, two\r\n"), 101);
  UNTIL(&w, server.opens == 1);
  /* It outlives the request. */
  assert_string_equal(coho_conn_protocol(server.conn), "two");
  close_world();
}

static void choose_none(coho_request *r) { (void)coho_request_choose(r, NULL); }

static void test_required_holds_for_the_programs_choice_too(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.on_upgrade = choose_none;
  so.flags = COHO_PROTOCOL_REQUIRED;
  assert_int_equal(status_with(&so, "/chat/tea", "Sec-WebSocket-Protocol: one\r\n"), 400);
  assert_int_equal(server.opens, 0);
}

/* ---- on_upgrade ----------------------------------------------------------------------------- */

static void refuse(coho_request *r) {
  assert_int_equal(coho_reply_header(r, "WWW-Authenticate", "Basic realm=\"x\""), 0);
  assert_int_equal(coho_reply(r, 401, "text/plain", "who?", 4), 0);
}

static void test_on_upgrade_refuses(void **state) {
  (void)state;
  char head[1024];
  coho_options so = probe_options(&server);
  so.on_upgrade = refuse;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      "\x81\x81\0\0\0\0a";
  raw_send(&raw, request, sizeof request - 1);
  raw_head(&raw, head, sizeof head);
  assert_non_null(strstr(head, "HTTP/1.1 401 "));
  assert_non_null(strstr(head, "WWW-Authenticate: Basic realm=\"x\"\r\n"));
  assert_non_null(strstr(head, "Connection: close\r\n")); /* A08 */
  assert_true(raw_eof(&raw));
  close_world();
  assert_int_equal(server.opens + server.closes, 0);
}

static int context;

static void look(coho_request *r) {
  char peer[COHO_ADDR_MAX];
  snprintf(seen, sizeof seen, "%s|%s|%s|%s|%s|%s", coho_request_method(r), coho_request_path(r),
           coho_request_param(r, "room"), coho_request_query(r, "name"),
           coho_request_cookie(r, "sid"), coho_request_header(r, "x-more"));
  assert_ptr_equal(coho_request_user(r), &server);
  assert_true(strncmp(coho_request_peer(r, peer, sizeof peer), "127.0.0.1:", 10) == 0);
  assert_int_equal(coho_reply_header(r, "X-Answer", "42"), 0);
  coho_request_set_user(r, &context);
}

static void *user_at_open;
static char path_at_open[64];

static void look_again(coho_conn *c) {
  coho_request *r = coho_conn_request(c);
  user_at_open = coho_conn_user(c);
  assert_non_null(r);
  snprintf(path_at_open, sizeof path_at_open, "%s", coho_request_path(r));
  coho_conn_set_user(c, &server);
  server.conn = c;
  server.opens++;
}

static void no_request(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  assert_null(coho_conn_request(c));
}

static void test_the_request_is_there_to_read(void **state) {
  (void)state;
  char text[1024], peer[COHO_ADDR_MAX];
  coho_options so = probe_options(&server);
  so.on_upgrade = look;
  so.on_open = look_again;
  server.message = no_request;
  world_open(&w, "/chat/:room", &so);
  raw_connect(&raw, &w);
  static const char request[] =
      "GET /chat/t%65a?name=J%C3%B6rg+M HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nCookie: a=1; sid=s3\r\nX-More: yes\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  raw_send(&raw, request, sizeof request - 1);
  raw_head(&raw, text, sizeof text);
  assert_non_null(strstr(text, "X-Answer: 42\r\n"));
  assert_string_equal(seen, "GET|/chat/tea|tea|J\xc3\xb6rg M|s3|yes");
  assert_ptr_equal(user_at_open, &context);
  assert_string_equal(path_at_open, "/chat/tea");
  assert_true(strncmp(coho_conn_peer(server.conn, peer, sizeof peer), "127.0.0.1:", 10) == 0);
  raw_frame(&raw, 1, true, "x", 1);
  UNTIL(&w, server.messages == 1);
  close_world();
}

/* ---- around the 101 ------------------------------------------------------------------------- */

static void greet(struct probe *p, coho_conn *c) {
  (void)p;
  assert_int_equal(coho_send(c, coho_text("welcome")), COHO_SENT);
}

static void test_HA_11_greeting_comes_with_the_answer(void **state) {
  (void)state;
  struct raw_frame f;
  server.opened = greet;
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  assert_int_equal(raw.len, 9); /* one write for both */
  assert_true(raw_next(&raw, &f));
  assert_memory_equal(f.data, "welcome", 7);
  close_world();
}

static void test_bytes_behind_the_request_are_frames(void **state) {
  (void)state;
  char head[1024];
  struct raw_frame f;
  server.message = probe_echo;
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      "\x81\x83\0\0\0\0one\x81\x83\0\0";
  raw_send(&raw, request, sizeof request - 1);
  raw_head(&raw, head, sizeof head);
  assert_true(raw_next(&raw, &f));
  assert_memory_equal(f.data, "one", 3);
  raw_send(&raw, "\0\0two", 5);
  assert_true(raw_next(&raw, &f));
  assert_memory_equal(f.data, "two", 3);
  close_world();
}

static void test_a_client_that_is_gone_already(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  raw_send(&raw, request, sizeof request - 1);
  shutdown(raw.fd, SHUT_WR);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.opens, 1);
  assert_int_equal(server.ending.err, COHO_EABNORMAL);
  close_world();
}

/* ---- the access log ------------------------------------------------------------------------- */

static char lines[4][512];
static size_t line_count;

static void keep_line(void *ctx, const char *line) {
  (void)ctx;
  if (line_count < 4) snprintf(lines[line_count], sizeof lines[0], "%s", line);
  line_count++;
}

static void test_access_log_has_the_connection(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  memset(&w, 0, sizeof w);
  line_count = 0;
  w.loop = coho_loop_new();
  w.server = coho_server_new(&(coho_server_options){.loop = w.loop, .access_log = keep_line});
  assert_int_equal(coho_route_ws(w.server, "/chat", &so), 0);
  world_start(&w);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/chat?x=1", ""), 101);
  raw_frame(&raw, 8, true, "\x0f\xa0", 2);
  UNTIL(&w, server.closes == 1 && line_count == 2);
  assert_non_null(strstr(lines[0], "\"GET /chat?x=1\" 101 "));
  assert_non_null(strstr(lines[1], "\"GET /chat?x=1\" 4000 "));
  close_world();
}

static void test_stats_count(void **state) {
  (void)state;
  coho_stats st;
  struct raw_frame f;
  server.message = probe_echo;
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  raw_frame(&raw, 1, true, "12345", 5);
  assert_true(raw_next(&raw, &f));
  coho_server_stats(w.server, &st);
  assert_int_equal(st.connections, 1);
  assert_int_equal(st.sockets, 1);
  assert_int_equal(st.connections_total, 1);
  assert_int_equal(st.requests_total, 1);
  assert_int_equal(st.messages_in, 1);
  assert_int_equal(st.messages_out, 1);
  assert_int_equal(st.bytes_in, 5);
  assert_int_equal(st.bytes_out, 5);
  assert_true(coho_server_lag(w.server) > 0);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  coho_server_stats(w.server, &st);
  assert_int_equal(st.connections, 0);
  assert_int_equal(st.sockets, 0);
  assert_int_equal(st.connections_total, 1);
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_A12_origin, setup),
      cmocka_unit_test_setup(test_HA_03_own_origin, setup),
      cmocka_unit_test_setup(test_HA_06_subprotocol, setup),
      cmocka_unit_test_setup(test_the_program_chooses_the_subprotocol, setup),
      cmocka_unit_test_setup(test_required_holds_for_the_programs_choice_too, setup),
      cmocka_unit_test_setup(test_on_upgrade_refuses, setup),
      cmocka_unit_test_setup(test_the_request_is_there_to_read, setup),
      cmocka_unit_test_setup(test_HA_11_greeting_comes_with_the_answer, setup),
      cmocka_unit_test_setup(test_bytes_behind_the_request_are_frames, setup),
      cmocka_unit_test_setup(test_a_client_that_is_gone_already, setup),
      cmocka_unit_test_setup(test_access_log_has_the_connection, setup),
      cmocka_unit_test_setup(test_stats_count, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
