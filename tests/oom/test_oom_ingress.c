/* Every allocation of a server behind proxies fails once, with PROXY headers, X-Forwarded-For, limits by
   address, a unix socket and one that is dealt among loops: a request is answered, or the connection
   ends; nothing crashes or leaks, and no place is lost. */
#include "io/sock.h"
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 2000 };

static char folder[64], url[128], path[96];
static const char *const proxies[] = {"127.0.0.0/8", "unix", NULL};
static bool by_unix, answered;

static void hello(coho_request *r, void *user) {
  (void)user;
  (void)coho_reply(r, 200, "text/plain", "hello", 5);
}

static int prepare(struct world *w, uint32_t threads) {
  coho_server_options so = {.loop = threads ? NULL : w->loop,
                            .threads = threads,
                            .proxy_protocol = proxies,
                            .trusted_proxies = proxies,
                            .max_per_address = 1};
  w->server = coho_server_new(&so);
  int err = w->server ? coho_route_http(w->server, "GET", "/", hello, NULL) : COHO_ENOMEM;
  if (!err) err = coho_server_listen(w->server, by_unix ? url : "ws://127.0.0.1:0");
  if (!err) err = coho_server_start(w->server);
  if (err || by_unix) return err;
  const char *text = coho_server_url(w->server, 0);
  w->port = (uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10);
  return 0;
}

static void dial(struct raw *r, struct world *w) {
  struct coho__addr a;
  if (!by_unix) {
    raw_connect(r, w);
    return;
  }
  assert_true(coho__addr_unix(&a, path));
  *r = (struct raw){.w = w, .fd = socket(AF_UNIX, SOCK_STREAM, 0)};
  assert_int_equal(connect(r->fd, (struct sockaddr *)&a.sa, a.len), 0);
}

/* An answer, or the end. */
static void ask(struct world *w) {
  static struct raw raw;
  static const char request[] = "PROXY TCP4 127.0.0.1 127.0.0.1 4711 80\r\nGET / HTTP/1.1\r\n"
                                "Host: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
  char byte[13];
  dial(&raw, w);
  (void)send(raw.fd, request, sizeof request - 1, MSG_NOSIGNAL);
  ssize_t n;
  while ((n = recv(raw.fd, byte, sizeof byte, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
    world_turn(w);
  answered = n == (ssize_t)sizeof byte && memcmp(byte, "HTTP/1.1 200 ", sizeof byte) == 0;
  raw_close(&raw);
}

static void attempt(uint32_t threads) {
  struct world w = {0};
  answered = false;
  w.loop = coho_loop_new();
  if (!w.loop) return;
  int err = prepare(&w, threads);
  if (!err) ask(&w);
  if (!err) ask(&w); /* after a failure there is memory again */
  assert_true(answered || alloc_failed());
  assert_true(err == 0 || alloc_failed());
  if (w.server) coho_server_free(w.server);
  coho_loop_free(w.loop);
  assert_int_not_equal(access(path, F_OK), 0);
}

static void run(bool by_file, uint32_t threads) {
  by_unix = by_file;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    attempt(threads);
    alloc_assert_none_live();
    if (!alloc_failed()) break;
    assert_true(i < MOST);
  }
  assert_true(answered);
}

static void test_by_TCP(void **state) {
  (void)state;
  run(false, 0);
}

static void test_by_a_unix_socket(void **state) {
  (void)state;
  run(true, 0);
}

static void test_dealt_among_loops(void **state) {
  (void)state;
  run(true, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_TCP),
      cmocka_unit_test(test_by_a_unix_socket),
      cmocka_unit_test(test_dealt_among_loops),
  };
  alloc_fail_at(0);
  (void)snprintf(folder, sizeof folder, "/tmp/coho-oom-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  (void)snprintf(path, sizeof path, "%s/a.sock", folder);
  (void)snprintf(url, sizeof url, "ws+unix:%s", path);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  (void)rmdir(folder);
  return failed;
}
