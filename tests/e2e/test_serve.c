#include "support/alloc_fail.h"
#include "support/raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world w;
static struct probe server, client;
static struct raw raw;

static int setup(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  return 0;
}

/* ---- a server on a loop of the program ------------------------------------------------------- */

static void open_with(coho_options so) {
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
}

static void test_stop_says_1001_and_waits(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  coho_server_stop(w.server);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1001);
  for (int i = 0; i < 10; i++)
    world_turn(&w);
  assert_false(coho_server_stopped(w.server));
  raw_frame(&raw, 8, true, "\x03\xe9", 2);
  assert_true(raw_eof(&raw));
  assert_int_equal(coho_loop_run(w.loop), 0); /* returns: nothing is left */
  assert_true(coho_server_stopped(w.server));
  assert_int_equal(server.ending.err, 0);
  raw_close(&raw);
  world_close(&w);
}

static void test_stop_closes_the_listeners(void **state) {
  (void)state;
  open_with(probe_options(&server));
  coho_server_stop(w.server);
  for (int i = 0; i < 5; i++)
    world_turn(&w);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(w.port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), -1);
  close(fd);
  raw_close(&raw);
  UNTIL(&w, coho_server_stopped(w.server));
  world_close(&w);
}

static void test_drain_deadline_cuts(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  w.loop = coho_loop_new();
  w.server = coho_server_new(&(coho_server_options){.loop = w.loop, .drain_timeout_ms = 30});
  assert_int_equal(coho_route_ws(w.server, "/", &so), 0);
  world_start(&w);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_int_equal(server.closes, 1);
  assert_int_equal(server.ending.err, COHO_ESTOPPED);
  raw_close(&raw);
  world_close(&w);
}

static void test_free_cuts(void **state) {
  (void)state;
  open_with(probe_options(&server));
  coho_server_free(w.server);
  w.server = NULL;
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_ESTOPPED);
  assert_false(raw_eof(&raw));
  assert_int_equal(coho_loop_run(w.loop), 0);
  raw_close(&raw);
  world_close(&w);
}

static void test_the_loop_may_go_first(void **state) {
  (void)state;
  open_with(probe_options(&server));
  coho_loop_free(w.loop);
  assert_int_equal(server.closes, 1);
  assert_int_equal(server.ending.err, COHO_ESTOPPED);
  assert_true(coho_server_stopped(w.server));
  coho_server_free(w.server);
  raw_close(&raw);
}

static void test_free_of_a_server_that_never_ran(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  world_open(&w, "/", NULL);
  assert_int_equal(coho_route_ws(w.server, "/", &so), 0);
  assert_int_equal(coho_server_listen(w.server, "ws://127.0.0.1:0"), 0);
  assert_false(coho_server_stopped(w.server));
  world_close(&w);
  coho_server *s = coho_server_new(NULL);
  assert_int_equal(coho_server_listen(s, "ws://127.0.0.1:0"), 0);
  coho_server_free(s);
  coho_server_free(NULL);
}

static void test_listeners(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  char url[64];
  world_open(&w, "/", &so);
  assert_null(coho_server_url(w.server, 1));
  assert_int_equal(coho_server_listen(w.server, "ws://[::1]:0"), 0); /* after the start */
  assert_true(strncmp(coho_server_url(w.server, 1), "ws://[::1]:", 11) == 0);
  assert_int_equal(coho_server_listen(w.server, "http://x"), COHO_EURL);
  assert_int_equal(coho_server_listen(w.server, "wss://127.0.0.1:0"), COHO_ENOTLS);
  assert_int_equal(coho_server_listen(w.server, "ws://192.0.2.1:0"), COHO_EADDRNOTAVAIL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%u", w.port);
  assert_int_equal(coho_server_listen(w.server, url), COHO_EADDRINUSE);
  assert_null(coho_server_url(w.server, 2));
  coho_options co = probe_options(&client);
  assert_int_equal(coho_connect(w.loop, coho_server_url(w.server, 1), &co, NULL), 0);
  UNTIL(&w, client.opens == 1);
  coho_close(client.conn, 1000, NULL);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
}

static void test_wrong_options(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  coho_server *s;
  assert_null(coho_server_new(&(coho_server_options){.threads = 257}));
  assert_null(coho_server_new(&(coho_server_options){.max_head = 1 << 16}));
  s = coho_server_new(NULL);
  so.flags = 1U << 31;
  assert_int_equal(coho_route_ws(s, "/", &so), COHO_EOPTION);
  so.flags = 0;
  assert_int_equal(coho_route_ws(s, "no slash", &so), COHO_EINVAL);
  assert_int_equal(coho_route_ws(s, "/a", &so), 0);
  assert_int_equal(coho_route_ws(s, "/a", &so), COHO_EEXISTS);
  assert_int_equal(coho_route_static(s, "/", "/does/not/exist"), COHO_ENOENT);
  coho_server_free(s);
}

static void say_connected(coho_request *r, void *user) {
  (void)user;
  assert_int_equal(coho_reply(r, 200, "text/plain", "I am connected!", 15), 0);
}

static void test_http_and_websocket_on_one_port(void **state) {
  (void)state;
  char head[1024];
  coho_options so = probe_options(&server);
  world_open(&w, "/", NULL);
  assert_int_equal(coho_route_ws(w.server, "/", &so), 0);
  assert_int_equal(coho_route_http(w.server, "GET", "/", say_connected, NULL), 0);
  world_start(&w);
  raw_connect(&raw, &w);
  static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  raw_send(&raw, get, sizeof get - 1);
  raw_head(&raw, head, sizeof head);
  assert_true(strncmp(head, "HTTP/1.1 200 ", 13) == 0);
  assert_memory_equal(raw_bytes(&raw, 15), "I am connected!", 15);
  /* The same connection may still upgrade. */
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

/* ---- coho_serve and coho_dial ---------------------------------------------------------------- */

struct thread {
  pthread_t id;
  char url[64];
  coho_options opt;
  _Atomic int result; /* 1: runs */
};

static void *run_serve(void *arg) {
  struct thread *t = (struct thread *)arg;
  t->result = coho_serve(t->url, &t->opt);
  return NULL;
}

/* A port that was free a moment ago. */
static uint16_t free_port(void) {
  struct world other;
  int fd = raw_listen(&other);
  close(fd);
  return other.port;
}

static void start_serving(struct thread *t, const char *path) {
  snprintf(t->url, sizeof t->url, "ws://127.0.0.1:%u%s", free_port(), path);
  t->result = 1;
  assert_int_equal(pthread_create(&t->id, NULL, run_serve, t), 0);
}

/* Dials until somebody listens. */
static int dial_when_ready(const char *url, const coho_options *opt) {
  int err;
  do
    err = coho_dial(url, opt);
  while (err == COHO_ECONNREFUSED);
  return err;
}

static void hello(struct probe *p, coho_conn *c) {
  (void)p;
  assert_int_equal(coho_send(c, coho_text("hello")), COHO_SENT);
}

static void close_now(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  assert_int_equal(coho_close(c, 1000, NULL), 0);
}

static void join(struct thread *t, int expected) {
  pthread_join(t->id, NULL);
  assert_int_equal(t->result, expected);
}

static void test_threads_serve_dial_and_stop(void **state) {
  (void)state;
  static struct thread t;
  t.opt = probe_options(&server);
  t.opt.flags = COHO_NO_SIGNALS;
  server.message = probe_echo;
  client.opened = hello;
  client.message = close_now;
  start_serving(&t, "");
  coho_options co = probe_options(&client);
  co.flags = COHO_NO_SIGNALS;
  assert_int_equal(dial_when_ready(t.url, &co), 0);
  assert_string_equal(client.last, "hello");
  coho_stop();
  join(&t, 0);
  assert_int_equal(server.closes, 1);
}

static void test_threads_serve_only_the_path_of_the_url(void **state) {
  (void)state;
  static struct thread t;
  char other[80];
  t.opt = probe_options(&server);
  t.opt.flags = COHO_NO_SIGNALS;
  client.opened = hello;
  start_serving(&t, "/chat");
  coho_options co = probe_options(&client);
  co.flags = COHO_NO_SIGNALS;
  server.message = close_now;
  assert_int_equal(dial_when_ready(t.url, &co), 0);
  snprintf(other, sizeof other, "%s/deeper", t.url);
  assert_int_equal(coho_dial(other, &co), COHO_ESTATUS);
  assert_non_null(strstr(client.detail, "404"));
  coho_stop();
  join(&t, 0);
}

static void stop_all(struct probe *p, coho_conn *c) {
  (void)p;
  (void)c;
  coho_stop();
}

static void test_threads_coho_stop_ends_all_gently(void **state) {
  (void)state;
  static struct thread t;
  t.opt = probe_options(&server);
  t.opt.flags = COHO_NO_SIGNALS;
  t.opt.threads = 2;
  start_serving(&t, "");
  coho_options co = probe_options(&client);
  co.flags = COHO_NO_SIGNALS;
  client.opened = stop_all;
  assert_int_equal(dial_when_ready(t.url, &co), 0);
  join(&t, 0);
  assert_int_equal(server.closes, 1);
  assert_true(client.ending.code == 1001);
}

static void test_serve_says_why_it_cannot_start(void **state) {
  (void)state;
  char url[64];
  struct world other;
  int fd = raw_listen(&other);
  coho_options so = probe_options(&server);
  snprintf(url, sizeof url, "ws://127.0.0.1:%u", other.port);
  assert_int_equal(coho_serve(url, &so), COHO_EADDRINUSE);
  so.threads = 3;
  assert_int_equal(coho_serve(url, &so), COHO_EADDRINUSE);
  assert_int_equal(coho_serve("ws:127.0.0.1:0", &so), COHO_EURL);
  assert_int_equal(coho_serve(NULL, &so), COHO_EURL);
  so.low_mark = 10;
  so.max_queue = 5;
  assert_int_equal(coho_serve("ws://127.0.0.1:0", &so), COHO_EOPTION);
  close(fd);
}

/* Two servers that share a port by SO_REUSEPORT would hide a mistake. */
static void test_threads_do_not_hide_a_port_in_use(void **state) {
  (void)state;
  coho_server *s = coho_server_new(&(coho_server_options){.threads = 2});
  coho_server *second = coho_server_new(&(coho_server_options){.threads = 2});
  assert_int_equal(coho_server_listen(s, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_listen(second, coho_server_url(s, 0)), COHO_EADDRINUSE);
  coho_server_free(s);
  coho_server_free(second);
}

static void test_stop_before_run_is_not_lost(void **state) {
  (void)state;
  coho_server *s = coho_server_new(NULL);
  assert_int_equal(coho_server_listen(s, "ws://127.0.0.1:0"), 0);
  coho_server_stop(s);
  assert_true(coho_server_stopped(s));
  assert_int_equal(coho_server_run(s), 0);
  coho_server_free(s);
}

/* ---- signals -------------------------------------------------------------------------------- */

static _Atomic int opened_count;

static void count_open(struct probe *p, coho_conn *c) {
  (void)p;
  (void)c;
  opened_count++;
}

/* A peer that never answers the Close: only the second signal ends the server at once. */
static void test_threads_second_signal_does_not_wait(void **state) {
  (void)state;
  static struct thread t;
  struct raw_frame f;
  t.opt = probe_options(&server);
  t.opt.close_timeout_ms = UINT32_MAX;
  server.opened = count_open;
  opened_count = 0;
  start_serving(&t, "");
  world_open(&w, "/", NULL); /* for the raw peer to turn */
  w.port = (uint16_t)strtoul(strrchr(t.url, ':') + 1, NULL, 10);
  while (!raw_try_connect(&raw, &w)) {}
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  while (opened_count == 0)
    world_turn(&w);
  raise(SIGINT);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1001);
  assert_int_equal(t.result, 1);
  uint64_t begun = world_clock_ms();
  raise(SIGINT);
  join(&t, 0);
  assert_true(world_clock_ms() - begun < 4000); /* not the drain deadline of 5 s */
  assert_int_equal(server.ending.err, COHO_ESTOPPED);
  raw_close(&raw);
  world_close(&w);
}

static void raise_term(struct probe *p, coho_conn *c) {
  (void)p;
  (void)c;
  raise(SIGTERM);
}

static void test_threads_signal_ends_a_dial(void **state) {
  (void)state;
  static struct thread t;
  t.opt = probe_options(&server);
  t.opt.flags = COHO_NO_SIGNALS;
  start_serving(&t, "");
  coho_options co = probe_options(&client);
  client.opened = raise_term;
  struct sigaction before, after;
  sigaction(SIGTERM, NULL, &before);
  assert_int_equal(dial_when_ready(t.url, &co), 0);
  sigaction(SIGTERM, NULL, &after);
  assert_true(before.sa_handler == after.sa_handler); /* given back */
  join(&t, 0);                                        /* one signal ends all of the process */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_stop_says_1001_and_waits, setup),
      cmocka_unit_test_setup(test_stop_closes_the_listeners, setup),
      cmocka_unit_test_setup(test_drain_deadline_cuts, setup),
      cmocka_unit_test_setup(test_free_cuts, setup),
      cmocka_unit_test_setup(test_the_loop_may_go_first, setup),
      cmocka_unit_test_setup(test_free_of_a_server_that_never_ran, setup),
      cmocka_unit_test_setup(test_listeners, setup),
      cmocka_unit_test_setup(test_wrong_options, setup),
      cmocka_unit_test_setup(test_http_and_websocket_on_one_port, setup),
      cmocka_unit_test_setup(test_threads_serve_dial_and_stop, setup),
      cmocka_unit_test_setup(test_threads_serve_only_the_path_of_the_url, setup),
      cmocka_unit_test_setup(test_threads_coho_stop_ends_all_gently, setup),
      cmocka_unit_test_setup(test_serve_says_why_it_cannot_start, setup),
      cmocka_unit_test_setup(test_threads_do_not_hide_a_port_in_use, setup),
      cmocka_unit_test_setup(test_stop_before_run_is_not_lost, setup),
      cmocka_unit_test_setup(test_threads_second_signal_does_not_wait, setup),
      cmocka_unit_test_setup(test_threads_signal_ends_a_dial, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
