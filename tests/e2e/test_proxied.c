/*
 * Behind proxies: who the peer is that a PROXY header or X-Forwarded-For tells of, when either is
 * believed, and what counts for the limits.
 */
#include "io/stream_tls.h"
#include "support/raw.h"
#include "support/tls_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 4 };

static struct world w;
static struct probe server;
static struct raw raws[PEERS];
static char peer[COHO_ADDR_MAX]; /* of the latest WebSocket connection */
static char lines[4096];         /* of the access log */

static const char *const loopback[] = {"127.0.0.0/8", NULL};
static const char *const elsewhere[] = {"10.0.0.0/8", "unix", NULL};

#define V1(address) "PROXY TCP4 " address " 127.0.0.1 4711 80\r\n"
/* 192.0.2.1:4711, with a field that nobody knows */
#define V2                                                                               \
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x01\x7f\0\0\x01\x12\x67\0\x50\xe0\0\x02" \
  "ab"
#define ASK "GET /peer HTTP/1.1\r\nHost: a\r\n"

static void on_line(void *ctx, const char *line) {
  (void)ctx;
  size_t len = strlen(lines);
  (void)snprintf(lines + len, sizeof lines - len, "%s\n", line);
}

static void tell_peer(coho_request *r, void *user) {
  char text[COHO_ADDR_MAX];
  (void)user;
  coho_request_peer(r, text, sizeof text);
  assert_int_equal(coho_reply(r, 200, "text/plain", text, strlen(text)), 0);
}

static void on_open(struct probe *p, coho_conn *c) {
  (void)p;
  coho_conn_peer(c, peer, sizeof peer);
}

/* The listener is ws:// or wss:// on a free port. */
static void start(coho_server_options so, const char *scheme) {
  char url[64];
  memset(&server, 0, sizeof server);
  memset(&w, 0, sizeof w);
  *peer = *lines = '\0';
  server.opened = on_open;
  coho_options opt = probe_options(&server);
  w.loop = coho_loop_new();
  assert_non_null(w.loop);
  so.loop = w.loop;
  so.access_log = on_line;
  w.server = coho_server_new(&so);
  assert_non_null(w.server);
  assert_int_equal(coho_route_ws(w.server, "/", &opt), 0);
  assert_int_equal(coho_route_http(w.server, "GET", "/peer", tell_peer, NULL), 0);
  (void)snprintf(url, sizeof url, "%s://127.0.0.1:0", scheme);
  assert_int_equal(coho_server_listen(w.server, url), 0);
  assert_int_equal(coho_server_start(w.server), 0);
  w.port = (uint16_t)strtoul(strrchr(coho_server_url(w.server, 0), ':') + 1, NULL, 10);
}

static void say(struct raw *r, const char *text) { raw_send(r, text, strlen(text)); }

/* The end, before a single byte: a reset is as good. */
static void expect_silent_end(struct raw *r) {
  char byte;
  ssize_t n;
  uint64_t begun = world_clock_ms();
  while ((n = recv(r->fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
    world_wait(&w, begun, "the end");
  if (n < 0) assert_int_equal(errno, ECONNRESET);
  assert_true(n <= 0);
  raw_close(r);
}

/* The body of the next answer on this connection. */
static void expect_peer(struct raw *r, const char *wanted) {
  char head[1024];
  raw_head(r, head, sizeof head);
  const char *length = strstr(head, "Content-Length: ");
  assert_non_null(length);
  size_t len = strtoul(length + 16, NULL, 10);
  const char *body = raw_bytes(r, len);
  if (len != strlen(wanted) || memcmp(body, wanted, len) != 0)
    fail_msg("%.*s instead of %s", (int)len, body, wanted);
}

/* ---- the PROXY protocol ---------------------------------------------------------------------- */

static void expect_from_header(const char *header, size_t len, size_t step, const char *wanted) {
  raw_connect(&raws[0], &w);
  for (size_t at = 0; at < len; at += step) {
    raw_send(&raws[0], header + at, at + step < len ? step : len - at);
    if (step < len) world_turn(&w);
  }
  expect_peer(&raws[0], wanted);
  raw_close(&raws[0]);
}

static void test_A15_the_peer_of_a_header(void **state) {
  (void)state;
  static const char v1[] = V1("192.0.2.1") ASK "\r\n", v2[] = V2 ASK "\r\n";
  static const char v6[] = "PROXY TCP6 2001:db8::1 ::1 4711 80\r\n" ASK "\r\n";
  start((coho_server_options){.proxy_protocol = loopback}, "ws");
  expect_from_header(v1, sizeof v1 - 1, sizeof v1, "192.0.2.1:4711");
  expect_from_header(v1, sizeof v1 - 1, 1, "192.0.2.1:4711");
  expect_from_header(v2, sizeof v2 - 1, sizeof v2, "192.0.2.1:4711");
  expect_from_header(v2, sizeof v2 - 1, 1, "192.0.2.1:4711");
  expect_from_header(v6, sizeof v6 - 1, sizeof v6, "[2001:db8::1]:4711");
  assert_non_null(strstr(lines, "192.0.2.1:4711 \"GET /peer\" 200"));
  world_close(&w);
}

static void test_A15_a_proxy_that_speaks_for_itself(void **state) {
  (void)state;
  char head[1024];
  start((coho_server_options){.proxy_protocol = loopback}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], "PROXY UNKNOWN\r\n" ASK "\r\n");
  raw_head(&raws[0], head, sizeof head);
  assert_memory_equal(raw_bytes(&raws[0], 10), "127.0.0.1:", 10);
  raw_close(&raws[0]);
  world_close(&w);
}

static void test_A15_a_websocket_has_the_peer_of_its_header(void **state) {
  (void)state;
  start((coho_server_options){.proxy_protocol = loopback}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], V1("192.0.2.1"));
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  assert_string_equal(peer, "192.0.2.1:4711");
  raw_close(&raws[0]);
  UNTIL(&w, server.closes == 1);
  assert_non_null(strstr(lines, "192.0.2.1:4711 \"GET /\" 1006"));
  world_close(&w);
}

static void test_A15_no_header_no_answer(void **state) {
  (void)state;
  static const char *const said[] = {ASK "\r\n",
                                     "PROXY",
                                     "\x16\x03\x01",
                                     "PROXY TCP4 192.0.2.1\r\n" ASK "\r\n",
                                     "\r\n\r\n" ASK "\r\n",
                                     "proxy TCP4 192.0.2.1 127.0.0.1 1 2\r\n"};
  start((coho_server_options){.proxy_protocol = loopback}, "ws");
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    raw_connect(&raws[0], &w);
    say(&raws[0], said[i]);
    shutdown(raws[0].fd, SHUT_WR);
    expect_silent_end(&raws[0]);
  }
  assert_string_equal(lines, "");
  world_close(&w);
}

static void test_A15_only_certain_proxies_may_come(void **state) {
  (void)state;
  start((coho_server_options){.proxy_protocol = elsewhere}, "ws");
  raw_connect(&raws[0], &w);
  static const char right[] = V1("192.0.2.1") ASK "\r\n";
  (void)send(raws[0].fd, right, sizeof right - 1, MSG_NOSIGNAL);
  expect_silent_end(&raws[0]);
  assert_string_equal(lines, "");
  world_close(&w);
}

static void test_A15_no_header_is_guessed(void **state) {
  (void)state;
  char head[1024];
  start((coho_server_options){.max_fields = 0}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], V1("192.0.2.1") ASK "\r\n");
  raw_head(&raws[0], head, sizeof head);
  assert_memory_equal(head, "HTTP/1.1 400 ", 13);
  raw_close(&raws[0]);
  world_close(&w);
}

static void test_A03_a_header_that_does_not_come(void **state) {
  (void)state;
  start((coho_server_options){.proxy_protocol = loopback, .proxy_timeout_ms = 20}, "ws");
  raw_connect(&raws[0], &w);
  raw_connect(&raws[1], &w);
  say(&raws[1], "PROXY TCP4 ");
  expect_silent_end(&raws[0]);
  expect_silent_end(&raws[1]);
  world_close(&w);
}

static void test_A01_who_waits_has_a_place(void **state) {
  (void)state;
  start((coho_server_options){.proxy_protocol = loopback, .max_connections = 1}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], "PROXY ");
  world_turn(&w);
  raw_connect(&raws[1], &w);
  expect_silent_end(&raws[1]);
  say(&raws[0], "TCP4 192.0.2.1 127.0.0.1 4711 80\r\n" ASK "\r\n");
  expect_peer(&raws[0], "192.0.2.1:4711");
  raw_close(&raws[0]);
  world_close(&w);
}

static void test_A01_addresses_of_headers_count(void **state) {
  (void)state;
  char head[1024];
  start((coho_server_options){.proxy_protocol = loopback, .max_per_address = 1}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], V1("192.0.2.1"));
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  raw_connect(&raws[1], &w);
  say(&raws[1], V1("192.0.2.1"));
  raw_head(&raws[1], head, sizeof head);
  assert_memory_equal(head, "HTTP/1.1 503 ", 13);
  raw_connect(&raws[2], &w);
  say(&raws[2], V1("192.0.2.2"));
  assert_int_equal(raw_upgrade(&raws[2], "/", ""), 101);
  for (int i = 0; i < 3; i++)
    raw_close(&raws[i]);
  UNTIL(&w, server.closes == 2);
  world_close(&w);
}

static void test_stopping_does_not_wait_for_headers(void **state) {
  (void)state;
  start((coho_server_options){.proxy_protocol = loopback, .proxy_timeout_ms = UINT32_MAX}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], "PROXY ");
  world_turn(&w);
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  expect_silent_end(&raws[0]);
  world_close(&w);
}

/* ---- below TLS ------------------------------------------------------------------------------- */

struct secure {
  char text[1024];
  size_t len;
  bool asked;
};

static void on_secure(struct coho__stream *s, unsigned events) {
  struct secure *k = (struct secure *)s->owner;
  static char ask[] = ASK "Connection: close\r\n\r\n";
  const struct iovec iov = {.iov_base = ask, .iov_len = sizeof ask - 1};
  (void)events;
  if (!k->asked && coho__stream_writev(s, &iov, 1) == (ssize_t)iov.iov_len) k->asked = true;
  ssize_t n = coho__stream_read(s, k->text + k->len, sizeof k->text - 1 - k->len);
  if (n > 0) k->len += (size_t)n;
}

static void test_A15_the_header_comes_before_TLS(void **state) {
  (void)state;
  struct secure k = {.len = 0};
  int err;
  coho_tls_options self = {.flags = COHO_TLS_SELF_SIGNED};
  coho_tls_options trusting = {.flags = COHO_TLS_INSECURE};
  coho_tls *own = tls_of(&self), *client = tls_of(&trusting);
  start((coho_server_options){.proxy_protocol = loopback, .tls = own}, "wss");
  raw_connect(&raws[0], &w);
  say(&raws[0], V1("192.0.2.1"));
  assert_int_equal(fcntl(raws[0].fd, F_SETFL, O_NONBLOCK), 0);
  struct coho__stream *s = coho__stream_tcp(w.loop, raws[0].fd, &err);
  assert_non_null(s);
  s = coho__stream_tls_client(s, client, "127.0.0.1", w.port, &err);
  assert_non_null(s);
  s->owner = &k;
  s->on_event = on_secure;
  UNTIL(&w, strstr(k.text, "192.0.2.1:4711"));
  coho__stream_close(s, false);
  world_close(&w);
  coho_tls_free(own);
  coho_tls_free(client);
}

/* ---- X-Forwarded-For ------------------------------------------------------------------------- */

static void test_A16_the_client_of_a_trusted_proxy(void **state) {
  (void)state;
  start((coho_server_options){.trusted_proxies = loopback}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], ASK "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n\r\n");
  expect_peer(&raws[0], "192.0.2.1");
  /* Another client by the same connection. */
  say(&raws[0], ASK "X-Forwarded-For: 2001:db8::7\r\n\r\n");
  expect_peer(&raws[0], "[2001:db8::7]");
  assert_int_equal(raw_upgrade(&raws[0], "/", "X-Forwarded-For: 192.0.2.3:99\r\n"), 101);
  assert_string_equal(peer, "192.0.2.3:99");
  raw_close(&raws[0]);
  UNTIL(&w, server.closes == 1);
  assert_non_null(strstr(lines, "192.0.2.1 \"GET /peer\" 200"));
  assert_non_null(strstr(lines, "[2001:db8::7] \"GET /peer\" 200"));
  assert_non_null(strstr(lines, "192.0.2.3:99 \"GET /\" 101"));
  assert_non_null(strstr(lines, "192.0.2.3:99 \"GET /\" 1006"));
  world_close(&w);
}

static void test_A16_nobody_else_is_believed(void **state) {
  (void)state;
  static const char *const *const lists[] = {NULL, elsewhere};
  for (int i = 0; i < 2; i++) {
    char head[1024];
    start((coho_server_options){.trusted_proxies = lists[i]}, "ws");
    raw_connect(&raws[0], &w);
    say(&raws[0], ASK "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    raw_head(&raws[0], head, sizeof head);
    assert_memory_equal(raw_bytes(&raws[0], 10), "127.0.0.1:", 10);
    raw_close(&raws[0]);
    world_close(&w);
  }
}

/* The header tells that a trusted proxy is behind the one that sent it. */
static void test_A16_a_proxy_behind_a_proxy(void **state) {
  (void)state;
  start((coho_server_options){.trusted_proxies = elsewhere, .proxy_protocol = loopback}, "ws");
  raw_connect(&raws[0], &w);
  say(&raws[0], V1("10.1.1.1") ASK "X-Forwarded-For: 192.0.2.1\r\n\r\n");
  expect_peer(&raws[0], "192.0.2.1");
  raw_close(&raws[0]);
  raw_connect(&raws[0], &w);
  say(&raws[0], V1("11.1.1.1") ASK "X-Forwarded-For: 192.0.2.1\r\n\r\n");
  expect_peer(&raws[0], "11.1.1.1:4711");
  raw_close(&raws[0]);
  world_close(&w);
}

#define FROM(address) "X-Forwarded-For: " address "\r\n"

static void test_A16_limits_count_clients_not_the_proxy(void **state) {
  (void)state;
  char head[1024];
  start((coho_server_options){.trusted_proxies = loopback, .max_per_address = 1}, "ws");
  raw_connect(&raws[0], &w);
  raw_connect(&raws[1], &w); /* the proxy may have many */
  raw_connect(&raws[2], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", FROM("192.0.2.1")), 101);
  assert_int_equal(raw_upgrade(&raws[1], "/", FROM("192.0.2.2")), 101);
  say(&raws[2], ASK FROM("192.0.2.1") "\r\n");
  raw_head(&raws[2], head, sizeof head);
  assert_memory_equal(head, "HTTP/1.1 503 ", 13);
  raw_close(&raws[2]);
  raw_close(&raws[0]);
  UNTIL(&w, server.closes == 1);
  raw_connect(&raws[0], &w);
  for (int i = 0; i < 3; i++) { /* one after the other is one at a time */
    say(&raws[0], ASK FROM("192.0.2.1") "\r\n");
    expect_peer(&raws[0], "192.0.2.1");
  }
  assert_int_equal(raw_upgrade(&raws[0], "/", FROM("192.0.2.1")), 101);
  raw_close(&raws[0]);
  raw_close(&raws[1]);
  UNTIL(&w, server.closes == 3);
  world_close(&w);
}

static void test_A16_rates_count_clients_not_the_proxy(void **state) {
  (void)state;
  const coho_rate rate = {.per_second = 1, .burst = 1};
  start((coho_server_options){.trusted_proxies = loopback, .address_rate = rate}, "ws");
  static const char *const fields[] = {FROM("192.0.2.1"), FROM("192.0.2.2"), FROM("192.0.2.3")};
  for (int i = 0; i < 3; i++) {
    raw_connect(&raws[i], &w);
    assert_int_equal(raw_upgrade(&raws[i], "/", fields[i]), 101);
  }
  raw_connect(&raws[3], &w);
  assert_int_equal(raw_upgrade(&raws[3], "/", fields[2]), 429);
  for (int i = 0; i < PEERS; i++)
    raw_close(&raws[i]);
  UNTIL(&w, server.closes == 3);
  world_close(&w);
}

static void test_wrong_lists_make_no_server(void **state) {
  (void)state;
  static const char *const wrong[] = {"10.0.0.1/8", NULL};
  coho_server_options a = {.proxy_protocol = wrong}, b = {.trusted_proxies = wrong};
  coho_server_options mode = {.unix_mode = 01000};
  assert_null(coho_server_new(&a));
  assert_null(coho_server_new(&b));
  assert_null(coho_server_new(&mode));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A15_the_peer_of_a_header),
      cmocka_unit_test(test_A15_a_proxy_that_speaks_for_itself),
      cmocka_unit_test(test_A15_a_websocket_has_the_peer_of_its_header),
      cmocka_unit_test(test_A15_no_header_no_answer),
      cmocka_unit_test(test_A15_only_certain_proxies_may_come),
      cmocka_unit_test(test_A15_no_header_is_guessed),
      cmocka_unit_test(test_A03_a_header_that_does_not_come),
      cmocka_unit_test(test_A01_who_waits_has_a_place),
      cmocka_unit_test(test_A01_addresses_of_headers_count),
      cmocka_unit_test(test_stopping_does_not_wait_for_headers),
      cmocka_unit_test(test_A15_the_header_comes_before_TLS),
      cmocka_unit_test(test_A16_the_client_of_a_trusted_proxy),
      cmocka_unit_test(test_A16_nobody_else_is_believed),
      cmocka_unit_test(test_A16_a_proxy_behind_a_proxy),
      cmocka_unit_test(test_A16_limits_count_clients_not_the_proxy),
      cmocka_unit_test(test_A16_rates_count_clients_not_the_proxy),
      cmocka_unit_test(test_wrong_lists_make_no_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
