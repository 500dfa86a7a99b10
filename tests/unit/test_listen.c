#define _GNU_SOURCE
#include "io/listen.h"

#include "base/check.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static coho_loop *loop;
static struct coho__listen *listener;
static struct coho__stream *accepted[600];
static size_t n_accepted;
static bool closes_listener;

static void on_event(struct coho__stream *s, unsigned events) {
  (void)s;
  (void)events;
}

static void on_accept(void *owner, struct coho__stream *s) {
  assert_ptr_equal(owner, &loop);
  s->on_event = on_event;
  accepted[n_accepted++] = s;
  if (closes_listener) coho__listen_close(listener);
}

static const struct coho__listen_options options = {
    .backlog = 512, .on_accept = on_accept, .owner = &loop};

static int setup(void **state) {
  (void)state;
  loop = coho_loop_new();
  listener = NULL;
  n_accepted = 0;
  closes_listener = false;
  return loop ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  while (n_accepted > 0)
    coho__stream_close(accepted[--n_accepted], true);
  coho__listen_close(listener);
  coho_loop_free(loop);
  return 0;
}

static void open_on(const char *host) {
  assert_int_equal(coho__listen_open(loop, host, 0, &options, &listener), 0);
  assert_true(coho__listen_port(listener) > 0);
}

/* A blocking client; connected as soon as the kernel has it in the queue. -1: refused. */
static int client(const char *host, uint16_t port) {
  struct coho__addr a;
  assert_true(coho__addr_parse(&a, host, port));
  int fd = socket(a.sa.ss_family, SOCK_STREAM, 0);
  assert_true(fd >= 0);
  if (connect(fd, (struct sockaddr *)&a.sa, a.len) == 0) return fd;
  close(fd);
  return -1;
}

/* The descriptor of an accepted stream: the one with its peer. */
static int fd_of(const struct coho__stream *s) {
  char wanted[COHO_ADDR_MAX], text[COHO_ADDR_MAX];
  coho__stream_peer(s, wanted, sizeof wanted);
  for (int fd = 3; fd < 256; fd++) {
    struct coho__addr a = {.len = sizeof a.sa};
    if (getpeername(fd, (struct sockaddr *)&a.sa, &a.len) == 0 &&
        strcmp(coho__addr_format(&a, text, sizeof text), wanted) == 0)
      return fd;
  }
  return -1;
}

static void wait_for(size_t n) {
  while (n_accepted < n)
    coho_loop_turn(loop, -1);
}

static void test_accepts_only_after_start(void **state) {
  (void)state;
  open_on("127.0.0.1");
  int fd = client("127.0.0.1", coho__listen_port(listener));
  coho_loop_turn(loop, 0);
  coho_loop_turn(loop, 0);
  assert_int_equal(n_accepted, 0);
  coho__listen_start(listener);
  wait_for(1);
  close(fd);
}

static void test_accepted_sockets_are_tuned_like_the_listener(void **state) {
  (void)state;
  open_on("127.0.0.1");
  coho__listen_start(listener);
  int fd = client("127.0.0.1", coho__listen_port(listener));
  wait_for(1);
  int nodelay = 0;
  unsigned timeout_ms = 0;
  socklen_t len = sizeof nodelay;
  getsockopt(fd_of(accepted[0]), IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
  len = sizeof timeout_ms;
  getsockopt(fd_of(accepted[0]), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &len);
  assert_int_not_equal(nodelay, 0);
  assert_int_equal(timeout_ms, 30000);
  close(fd);
}

static void test_empty_host_is_every_address_of_both_families(void **state) {
  (void)state;
  open_on("");
  coho__listen_start(listener);
  uint16_t port = coho__listen_port(listener);
  int v4 = client("127.0.0.1", port);
  assert_true(v4 >= 0);
  wait_for(1);
  char buf[COHO_ADDR_MAX];
  assert_memory_equal(coho__stream_peer(accepted[0], buf, sizeof buf), "127.0.0.1:", 10);
  int v6 = client("::1", port);
  if (v6 >= 0) { /* a machine without IPv6 refuses */
    wait_for(2);
    close(v6);
  }
  close(v4);
}

static void test_one_address_is_only_that(void **state) {
  (void)state;
  open_on("127.0.0.1");
  assert_int_equal(client("127.0.0.2", coho__listen_port(listener)), -1);
}

static void test_name_is_bound(void **state) {
  (void)state;
  open_on("localhost");
  coho__listen_start(listener);
  int fd = client("127.0.0.1", coho__listen_port(listener));
  assert_true(fd >= 0);
  wait_for(1);
  close(fd);
}

static void test_more_connections_than_one_turn_accepts(void **state) {
  (void)state;
  enum { MORE = COHO_ACCEPT_BUDGET + 20 };
  static int fds[MORE];
  open_on("127.0.0.1");
  for (size_t i = 0; i < MORE; i++)
    fds[i] = client("127.0.0.1", coho__listen_port(listener));
  coho__listen_start(listener);
  coho_loop_turn(loop, -1);
  assert_in_range(n_accepted, 1, COHO_ACCEPT_BUDGET);
  wait_for(MORE);
  for (size_t i = 0; i < MORE; i++)
    close(fds[i]);
}

static void test_errors_tell_why(void **state) {
  (void)state;
  struct coho__listen *other = NULL;
  open_on("127.0.0.1");
  uint16_t port = coho__listen_port(listener);
  assert_int_equal(coho__listen_open(loop, "127.0.0.1", port, &options, &other), COHO_EADDRINUSE);
  assert_int_equal(coho__listen_open(loop, "", port, &options, &other), COHO_EADDRINUSE);
  assert_int_equal(coho__listen_open(loop, "192.0.2.1", 0, &options, &other), COHO_EADDRNOTAVAIL);
  assert_int_equal(coho__listen_open(loop, "a..b", 0, &options, &other), COHO_ERESOLVE);
  assert_null(other);
}

static void test_port_shared_by_several_loops(void **state) {
  (void)state;
  struct coho__listen_options opt = options;
  struct coho__listen *other;
  opt.reuse_port = true;
  assert_int_equal(coho__listen_open(loop, "127.0.0.1", 0, &opt, &listener), 0);
  uint16_t port = coho__listen_port(listener);
  assert_int_equal(coho__listen_open(loop, "127.0.0.1", port, &opt, &other), 0);
  assert_int_equal(coho__listen_port(other), port);
  coho__listen_close(other);
}

static void test_may_be_closed_inside_on_accept(void **state) {
  (void)state;
  open_on("127.0.0.1");
  uint16_t port = coho__listen_port(listener);
  int first = client("127.0.0.1", port), second = client("127.0.0.1", port);
  closes_listener = true;
  coho__listen_start(listener);
  wait_for(1);
  listener = NULL;
  coho__stream_close(accepted[--n_accepted], false);
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(n_accepted, 0);
  close(first);
  close(second);
}

static void test_closed_it_keeps_no_loop_running(void **state) {
  (void)state;
  open_on("127.0.0.1");
  coho__listen_start(listener);
  coho__listen_close(listener);
  coho__listen_close(NULL);
  listener = NULL;
  assert_int_equal(coho_loop_run(loop), 0);
}

/* Takes all descriptors there are; returns how many. */
static int take_all(int *fds, int max) {
  int n = 0;
  while (n < max && (fds[n] = dup(0)) >= 0)
    n++;
  return n;
}

static void test_out_of_descriptors_it_ends_one_and_goes_on_later(void **state) {
  (void)state;
  static int taken[512];
  struct rlimit before, few;
  getrlimit(RLIMIT_NOFILE, &before);
  few = (struct rlimit){256, before.rlim_max};
  open_on("127.0.0.1");
  coho__listen_start(listener);
  coho_set_log(NULL, NULL, 0); /* the complaint is no failure of the test */
  int first = client("127.0.0.1", coho__listen_port(listener));
  wait_for(1);
  int second = client("127.0.0.1", coho__listen_port(listener));
  int third = client("127.0.0.1", coho__listen_port(listener));
  setrlimit(RLIMIT_NOFILE, &few);
  int n = take_all(taken, 512);

  struct pollfd p = {.fd = second, .events = POLLIN};
  while (poll(&p, 1, 0) == 0) /* it is told at once: the end of the connection */
    coho_loop_turn(loop, 0);
  char byte;
  assert_true(read(second, &byte, 1) <= 0);
  assert_int_equal(n_accepted, 1);
  assert_true(coho_loop_timeout(loop) != 0); /* pausing, not spinning */

  while (n > 0)
    close(taken[--n]);
  wait_for(2);
  setrlimit(RLIMIT_NOFILE, &before);
  close(first);
  close(second);
  close(third);
}

static char logged[200];
static int log_lines;

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  log_lines++;
  (void)snprintf(logged, sizeof logged, "%s", line);
}

/* The listening socket of this process; -1. */
static int listening_fd(void) {
  for (int fd = 3; fd < 256; fd++) {
    int listens = 0;
    socklen_t len = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens) return fd;
  }
  return -1;
}

/* No shortage, so nothing gets better by itself soon. */
static void test_error_of_accept_is_told_by_name_and_not_repeated_at_once(void **state) {
  (void)state;
  open_on("127.0.0.1");
  coho__listen_start(listener);
  coho_loop_turn(loop, 0);
  coho_set_log(on_log, NULL, COHO_LOG_WARN);
  log_lines = 0;
  assert_int_equal(shutdown(listening_fd(), SHUT_RD), 0); /* accept(2) gives EINVAL from now on */
  while (log_lines == 0)
    coho_loop_turn(loop, -1);
  assert_string_equal(logged, "cannot accept connections: Invalid argument");
  assert_true(coho_loop_timeout(loop) > COHO_ACCEPT_PAUSE_MS);
  coho_loop_turn(loop, 0);
  assert_int_equal(log_lines, 1);
  coho_set_log(NULL, NULL, 0);
}

#define LISTEN_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      LISTEN_TEST(test_accepts_only_after_start),
      LISTEN_TEST(test_accepted_sockets_are_tuned_like_the_listener),
      LISTEN_TEST(test_empty_host_is_every_address_of_both_families),
      LISTEN_TEST(test_one_address_is_only_that),
      LISTEN_TEST(test_name_is_bound),
      LISTEN_TEST(test_more_connections_than_one_turn_accepts),
      LISTEN_TEST(test_errors_tell_why),
      LISTEN_TEST(test_port_shared_by_several_loops),
      LISTEN_TEST(test_may_be_closed_inside_on_accept),
      LISTEN_TEST(test_closed_it_keeps_no_loop_running),
      LISTEN_TEST(test_out_of_descriptors_it_ends_one_and_goes_on_later),
      LISTEN_TEST(test_error_of_accept_is_told_by_name_and_not_repeated_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
