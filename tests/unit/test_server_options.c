#include "base/check.h"
#include "support/alloc_fail.h"

#include <coho/coho.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* What the options of a server do to the answers of its HTTP side, asked over a socket. */

static coho_loop *loop;
static coho_server *server;

static int setup(void **state) {
  (void)state;
  loop = coho_loop_new();
  return loop ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  coho_server_free(server);
  server = NULL;
  coho_loop_free(loop);
  return 0;
}

static const coho_asset page = {"/a", "text/plain", "\"e\"", (const unsigned char *)"a",
                                1,    NULL,         0};

/* A server with one asset. */
static void start(const coho_server_options *opt) {
  server = coho_server_new(opt);
  assert_non_null(server);
  assert_int_equal(coho_route_assets(server, "/", &page, 1), 0);
  assert_int_equal(coho_server_listen(server, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(server), 0);
}

static int dial(void) {
  struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const char *port = strrchr(coho_server_url(server, 0), ':');
  sin.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
  return fd;
}

/* The head of the answer to a request with this target and this Cookie. */
static const char *ask(const char *target, const char *cookie) {
  static char request[140000], answer[4096];
  int len = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: a\r\nCookie: %s\r\nConnection: close\r\n\r\n",
                     target, cookie);
  size_t got = 0;
  int fd = dial();
  assert_int_equal(send(fd, request, (size_t)len, 0), len);
  memset(answer, 0, sizeof answer);
  while (!strstr(answer, "\r\n\r\n")) {
    assert_true(coho_loop_turn(loop, 0) >= 0);
    ssize_t n = recv(fd, answer + got, sizeof answer - 1 - got, MSG_DONTWAIT);
    if (n > 0) got += (size_t)n;
  }
  close(fd);
  return answer;
}

static const char *a_times(size_t n) {
  static char text[70000];
  memset(text, 'a', n);
  text[0] = '/';
  text[n] = 0;
  return text;
}

/* Who raises it has one long cookie or one long target. */
static void test_max_head_is_also_that_of_one_value_and_of_the_target(void **state) {
  (void)state;
  start(&(coho_server_options){.loop = loop, .max_head = 60000});
  assert_memory_equal(ask("/a", a_times(59000)), "HTTP/1.1 200 ", 13);
  assert_memory_equal(ask("/a", a_times(60001)), "HTTP/1.1 431 ", 13);
  assert_memory_equal(ask(a_times(59000), ""), "HTTP/1.1 404 ", 13);
  assert_memory_equal(ask(a_times(60001), ""), "HTTP/1.1 414 ", 13);
}

static void test_headers_go_with_every_file(void **state) {
  (void)state;
  char policy[] = "Content-Security-Policy: default-src 'none'";
  const char *const headers[] = {policy, "X-Frame-Options: DENY", NULL};
  start(&(coho_server_options){.loop = loop, .headers = headers});
  memset(policy, 'x', sizeof policy - 1); /* it was copied */
  const char *answer = ask("/a", "");
  assert_non_null(strstr(answer, "\r\nContent-Security-Policy: default-src 'none'\r\n"));
  assert_non_null(strstr(answer, "\r\nX-Frame-Options: DENY\r\n"));
  coho_server_free(server);
  start(&(coho_server_options){.loop = loop});
  assert_null(strstr(ask("/a", ""), "Content-Security-Policy"));
}

static void test_headers_are_checked(void **state) {
  (void)state;
  static const char *const wrong[] = {"X", "X: a\r\nY: b", "Content-Length: 0", "ETag: \"a\""};
  for (size_t i = 0; i < COHO_COUNT(wrong); i++) {
    const char *const headers[] = {"X-Good: a", wrong[i], NULL};
    assert_null(coho_server_new(&(coho_server_options){.loop = loop, .headers = headers}));
    assert_null(coho_server_new(&(coho_server_options){.headers = headers}));
  }
}

static void test_out_of_memory(void **state) {
  (void)state;
  const char *const headers[] = {"X-Good: a", NULL};
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    server = coho_server_new(&(coho_server_options){.threads = 2, .headers = headers});
    bool failed = alloc_failed();
    alloc_fail_at(0);
    assert_true(failed ? server == NULL : server != NULL);
    if (!failed) break;
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      TEST(test_max_head_is_also_that_of_one_value_and_of_the_target),
      TEST(test_headers_go_with_every_file),
      TEST(test_headers_are_checked),
      TEST(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
