/* Unix sockets, and sockets that somebody else opened: listening, connecting, dealing among loops. */
#define _GNU_SOURCE
#include "io/sock.h"
#include "support/raw.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOPS = 3, CLIENTS = 12 };

static struct world w;
static struct probe server, client;
static char folder[64], path[96], url[128];
static char peer[COHO_ADDR_MAX];
static _Atomic unsigned opened[LOOPS]; /* by loop */
static unsigned clients_open;

static int set_up(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof folder, "/tmp/coho-unix-XXXXXX");
  assert_non_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/a.sock", folder);
  (void)snprintf(url, sizeof url, "ws+unix:%s", path);
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  assert_non_null(w.loop);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  world_close(&w);
  (void)unlink(path);
  assert_int_equal(rmdir(folder), 0);
  return 0;
}

static void on_open(struct probe *p, coho_conn *c) {
  (void)p;
  coho_conn_peer(c, peer, sizeof peer);
}

static void make_server(coho_server_options so) {
  coho_options opt = probe_options(&server);
  server.opened = on_open;
  server.message = probe_echo;
  so.loop = w.loop;
  w.server = coho_server_new(&so);
  assert_non_null(w.server);
  assert_int_equal(coho_route_ws(w.server, "/chat", &opt), 0);
}

static void start(coho_server_options so) {
  make_server(so);
  assert_int_equal(coho_server_listen(w.server, url), 0);
  assert_int_equal(coho_server_start(w.server), 0);
}

static void greet(struct probe *p, coho_conn *c) {
  (void)p;
  assert_true(coho_send(c, coho_text("hello")) >= 0);
}

static void dial(const char *target) {
  char full[160];
  coho_options opt = probe_options(&client);
  client.opened = greet;
  (void)snprintf(full, sizeof full, "ws+unix:%s%s", path, target);
  assert_int_equal(coho_connect(w.loop, full, &opt, NULL), 0);
}

/* A socket bound there, listening or not. */
static int bind_there(bool listening) {
  struct coho__addr a;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_true(coho__addr_unix(&a, path));
  assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.len), 0);
  if (listening) assert_int_equal(listen(fd, 5), 0);
  return fd;
}

static bool is_there(void) { return access(path, F_OK) == 0; }

/* ---- files ----------------------------------------------------------------------------------- */

static void test_a_message_each_way(void **state) {
  (void)state;
  start((coho_server_options){.max_per_address = 1});
  assert_string_equal(coho_server_url(w.server, 0), url);
  dial(":/chat");
  UNTIL(&w, client.messages == 1);
  assert_string_equal(client.last, "hello");
  assert_string_equal(peer, "unix");
  /* Not limited by an address that all of them share. */
  dial(":/chat");
  UNTIL(&w, client.messages == 2);
}

static void test_a_route_that_is_not_there(void **state) {
  (void)state;
  start((coho_server_options){.threads = 0});
  dial("");
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_ESTATUS);
  assert_int_equal(client.ending.status, 404);
}

static void test_the_file_goes_with_the_server(void **state) {
  (void)state;
  start((coho_server_options){.threads = 0});
  assert_true(is_there());
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_false(is_there());
  dial(":/chat");
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, COHO_ENOENT);
  assert_non_null(strstr(client.ending.detail, path));
}

static void test_the_mode_of_the_file(void **state) {
  (void)state;
  struct stat file;
  mode_t before = umask(0077);
  start((coho_server_options){.unix_mode = 0622});
  assert_int_equal(stat(path, &file), 0);
  assert_true(S_ISSOCK(file.st_mode));
  assert_int_equal(file.st_mode & 07777, 0622);
  coho_server_free(w.server);
  start((coho_server_options){.threads = 0});
  assert_int_equal(stat(path, &file), 0);
  assert_int_equal(file.st_mode & 07777, 0660);
  umask(before);
}

static void test_what_is_left_of_one_that_is_gone_is_replaced(void **state) {
  (void)state;
  close(bind_there(true));
  assert_true(is_there());
  start((coho_server_options){.threads = 0});
  dial(":/chat");
  UNTIL(&w, client.messages == 1);
}

static void test_one_that_somebody_listens_on_is_not(void **state) {
  (void)state;
  int fd = bind_there(true);
  make_server((coho_server_options){.threads = 0});
  assert_int_equal(coho_server_listen(w.server, url), COHO_EADDRINUSE);
  assert_true(is_there());
  close(fd);
}

static void test_a_file_that_is_no_socket_is_not(void **state) {
  (void)state;
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fclose(file), 0);
  make_server((coho_server_options){.threads = 0});
  assert_int_equal(coho_server_listen(w.server, url), COHO_EADDRINUSE);
  assert_true(is_there());
}

/* Who started after us has the path now. */
static void test_the_file_of_another_stays(void **state) {
  (void)state;
  start((coho_server_options){.threads = 0});
  assert_int_equal(unlink(path), 0);
  int fd = bind_there(true);
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_true(is_there());
  close(fd);
}

static void test_folders_that_cannot_be_used(void **state) {
  (void)state;
  make_server((coho_server_options){.threads = 0});
  assert_int_equal(coho_server_listen(w.server, "ws+unix:/nowhere/at/all"), COHO_ENOENT);
  assert_int_equal(coho_server_listen(w.server, "wss+unix:/tmp/x"), COHO_ENOTLS);
  assert_int_equal(coho_server_listen(w.server, "ws+unix:tmp"), COHO_EURL);
  assert_null(coho_server_url(w.server, 0));
}

/* ---- what comes by them ---------------------------------------------------------------------- */

static void raw_to(struct raw *r) {
  struct coho__addr a;
  assert_true(coho__addr_unix(&a, path));
  *r = (struct raw){.w = &w, .fd = socket(AF_UNIX, SOCK_STREAM, 0)};
  assert_int_equal(connect(r->fd, (struct sockaddr *)&a.sa, a.len), 0);
}

static void test_A12_pages_of_the_host_that_a_proxy_passes_on(void **state) {
  (void)state;
  static struct raw r;
  start((coho_server_options){.threads = 0});
  w.port = 443; /* in the Host field */
  raw_to(&r);
  assert_int_equal(raw_upgrade(&r, "/chat", "Origin: https://127.0.0.1\r\n"), 101);
  raw_close(&r);
  raw_to(&r);
  assert_int_equal(raw_upgrade(&r, "/chat", "Origin: https://evil.example\r\n"), 403);
  raw_close(&r);
}

static void test_A16_a_trusted_proxy_by_a_unix_socket(void **state) {
  (void)state;
  static struct raw r;
  static const char *const local[] = {"unix", NULL}, *const other[] = {"10.0.0.0/8", NULL};
  start((coho_server_options){.trusted_proxies = local});
  raw_to(&r);
  assert_int_equal(raw_upgrade(&r, "/chat", "X-Forwarded-For: 192.0.2.1\r\n"), 101);
  assert_string_equal(peer, "192.0.2.1");
  raw_close(&r);
  coho_server_free(w.server);
  start((coho_server_options){.trusted_proxies = other});
  raw_to(&r);
  assert_int_equal(raw_upgrade(&r, "/chat", "X-Forwarded-For: 192.0.2.1\r\n"), 101);
  assert_string_equal(peer, "unix");
  raw_close(&r);
}

static void test_A15_headers_by_a_unix_socket_where_the_list_says_so(void **state) {
  (void)state;
  static struct raw r;
  static const char header[] = "PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n";
  static const char *const local[] = {"unix", NULL}, *const other[] = {"10.0.0.0/8", NULL};
  start((coho_server_options){.proxy_protocol = local});
  raw_to(&r);
  raw_send(&r, header, sizeof header - 1);
  assert_int_equal(raw_upgrade(&r, "/chat", ""), 101);
  assert_string_equal(peer, "192.0.2.1:4711");
  raw_close(&r);
  coho_server_free(w.server);
  start((coho_server_options){.proxy_protocol = other});
  raw_to(&r);
  assert_int_equal(raw_upgrade(&r, "/chat", ""), 101);
  assert_string_equal(peer, "unix");
  raw_close(&r);
}

/* ---- several loops --------------------------------------------------------------------------- */

static void on_thread_open(coho_conn *c) {
  for (int i = 0; i < LOOPS; i++)
    if (coho_server_loop(w.server, (size_t)i) == coho_conn_loop(c)) opened[i]++;
}

static void on_client_open(coho_conn *c) {
  (void)c;
  clients_open++;
}

static void start_threads(void) {
  coho_server_options so = {.threads = LOOPS};
  coho_options opt = {.on_open = on_thread_open};
  clients_open = 0;
  for (int i = 0; i < LOOPS; i++)
    opened[i] = 0;
  w.server = coho_server_new(&so);
  assert_non_null(w.server);
  assert_int_equal(coho_route_ws(w.server, "/", &opt), 0);
}

static void expect_dealt(const char *where) {
  const coho_options opt = {.on_open = on_client_open, .flags = COHO_CONNECT_TOGETHER};
  for (int i = 0; i < CLIENTS; i++)
    assert_int_equal(coho_connect(w.loop, where, &opt, NULL), 0);
  UNTIL(&w, clients_open == CLIENTS);
  UNTIL(&w, opened[0] + opened[1] + opened[2] == CLIENTS);
  for (int i = 0; i < LOOPS; i++)
    assert_int_equal(opened[i], CLIENTS / LOOPS);
}

static void test_each_loop_its_turn(void **state) {
  (void)state;
  start_threads();
  assert_int_equal(coho_server_listen(w.server, url), 0);
  assert_int_equal(coho_server_start(w.server), 0);
  expect_dealt(url);
}

static void test_a_listener_opened_while_it_runs(void **state) {
  (void)state;
  start_threads();
  assert_int_equal(coho_server_start(w.server), 0);
  assert_int_equal(coho_server_listen(w.server, url), 0);
  expect_dealt(url);
}

/* ---- sockets of others ----------------------------------------------------------------------- */

static int listening_tcp(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(listen(fd, 20), 0);
  return fd;
}

static void test_a_TCP_socket_of_somebody_else(void **state) {
  (void)state;
  start_threads();
  assert_int_equal(coho_server_listen_fd(w.server, listening_tcp(), "ws"), 0);
  assert_int_equal(coho_server_start(w.server), 0);
  const char *where = coho_server_url(w.server, 0);
  assert_int_equal(strncmp(where, "ws://127.0.0.1:", 15), 0);
  expect_dealt(where);
}

static void test_a_unix_socket_of_somebody_else_keeps_its_file(void **state) {
  (void)state;
  make_server((coho_server_options){.threads = 0});
  assert_int_equal(coho_server_listen_fd(w.server, bind_there(true), "ws"), 0);
  assert_int_equal(coho_server_start(w.server), 0);
  assert_string_equal(coho_server_url(w.server, 0), url);
  dial(":/chat");
  UNTIL(&w, client.messages == 1);
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  assert_true(is_there());
}

static void test_descriptors_that_do_not_listen(void **state) {
  (void)state;
  int pair[2], datagram = socket(AF_INET, SOCK_DGRAM, 0), idle = socket(AF_INET, SOCK_STREAM, 0);
  int good = listening_tcp(), pipes[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  assert_int_equal(pipe(pipes), 0);
  const int bad[] = {-1, 1000000, pair[0], datagram, idle, pipes[0]};
  make_server((coho_server_options){.threads = 0});
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_int_equal(coho_server_listen_fd(w.server, bad[i], "ws"), COHO_EINVAL);
  assert_int_equal(coho_server_listen_fd(w.server, good, "http"), COHO_EURL);
  assert_int_equal(coho_server_listen_fd(w.server, good, NULL), COHO_EURL);
  assert_int_equal(coho_server_listen_fd(w.server, good, "wss"), COHO_ENOTLS);
  /* It stays the caller's. */
  const int ours[] = {pair[0], pair[1], datagram, idle, pipes[0], pipes[1], good};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    assert_int_equal(close(ours[i]), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_message_each_way),
      TEST(test_a_route_that_is_not_there),
      TEST(test_the_file_goes_with_the_server),
      TEST(test_the_mode_of_the_file),
      TEST(test_what_is_left_of_one_that_is_gone_is_replaced),
      TEST(test_one_that_somebody_listens_on_is_not),
      TEST(test_a_file_that_is_no_socket_is_not),
      TEST(test_the_file_of_another_stays),
      TEST(test_folders_that_cannot_be_used),
      TEST(test_A12_pages_of_the_host_that_a_proxy_passes_on),
      TEST(test_A16_a_trusted_proxy_by_a_unix_socket),
      TEST(test_A15_headers_by_a_unix_socket_where_the_list_says_so),
      TEST(test_each_loop_its_turn),
      TEST(test_a_listener_opened_while_it_runs),
      TEST(test_a_TCP_socket_of_somebody_else),
      TEST(test_a_unix_socket_of_somebody_else_keeps_its_file),
      TEST(test_descriptors_that_do_not_listen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
