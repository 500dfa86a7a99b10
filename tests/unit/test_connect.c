#include "io/connect.h"

#include "io/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static coho_loop *loop;

/* A port that answers, one that refuses (bound, so that nobody else gets it), and one that drops
   what comes, because its queue is full. */
static int open_fd, closed_fd, full_fd, fill_fds[2];
static struct coho__addr open_addr, closed_addr, full_addr;

static int bound(struct coho__addr *a) {
  coho__addr_parse(a, "127.0.0.1", 0);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&a->sa, a->len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&a->sa, &a->len), 0);
  return fd;
}

static int setup(void **state) {
  (void)state;
  loop = coho_loop_new();
  open_fd = bound(&open_addr);
  closed_fd = bound(&closed_addr);
  full_fd = bound(&full_addr);
  listen(open_fd, 8);
  listen(full_fd, 0);
  for (size_t i = 0; i < COHO_COUNT(fill_fds); i++) {
    fill_fds[i] = coho__sock_open(AF_INET);
    (void)!connect(fill_fds[i], (struct sockaddr *)&full_addr.sa, full_addr.len);
  }
  return loop ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  coho_loop_free(loop);
  close(open_fd);
  close(closed_fd);
  close(full_fd);
  close(fill_fds[0]);
  close(fill_fds[1]);
  return 0;
}

struct result {
  struct coho__connect *connect;
  unsigned calls;
  bool connected;
  int err;
  char peer[COHO_ADDR_MAX];
  char detail[200];
  bool cancels; /* inside on_done */
};

static void on_event(struct coho__stream *s, unsigned events) {
  (void)events;
  coho__stream_close(s, true);
}

static void on_done(void *owner, struct coho__stream *s, int err, const char *detail) {
  struct result *r = (struct result *)owner;
  r->calls++;
  r->connected = s != NULL;
  r->err = err;
  snprintf(r->detail, sizeof r->detail, "%s", detail);
  if (r->cancels) coho__connect_cancel(r->connect);
  if (!s) return;
  coho__stream_peer(s, r->peer, sizeof r->peer);
  s->on_event = on_event;
}

static const char *text(const struct coho__addr *a) {
  static char buf[COHO_ADDR_MAX];
  return coho__addr_format(a, buf, sizeof buf);
}

static void run_addrs(struct result *r, const struct coho__addr *addrs, size_t n) {
  r->connect = coho__connect_addrs(loop, addrs, n, on_done, r);
  assert_non_null(r->connect);
  assert_int_equal(r->calls, 0); /* later, never inside */
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(r->calls, 1);
  assert_int_equal(loop->active, 0);
}

static void test_connects_to_an_address(void **state) {
  (void)state;
  struct result r = {.cancels = true};
  run_addrs(&r, &open_addr, 1);
  assert_true(r.connected);
  assert_int_equal(r.err, 0);
  assert_string_equal(r.peer, text(&open_addr));
}

static void test_refusal_is_told_with_the_address(void **state) {
  (void)state;
  struct result r = {.cancels = true};
  char expected[100];
  snprintf(expected, sizeof expected, "connection refused by %s", text(&closed_addr));
  run_addrs(&r, &closed_addr, 1);
  assert_false(r.connected);
  assert_int_equal(r.err, COHO_ECONNREFUSED);
  assert_string_equal(r.detail, expected);
}

static void test_all_refuse_and_the_last_is_told(void **state) {
  (void)state;
  struct result r = {0};
  struct coho__addr addrs[3] = {closed_addr, closed_addr, closed_addr};
  char expected[100];
  coho__addr_parse(&addrs[0], "127.0.0.2", coho__addr_port(&closed_addr));
  snprintf(expected, sizeof expected, "connection refused by %s, the last of 3 addresses",
           text(&closed_addr));
  run_addrs(&r, addrs, 3);
  assert_int_equal(r.err, COHO_ECONNREFUSED);
  assert_string_equal(r.detail, expected);
}

static void test_refused_attempt_makes_room_for_the_next(void **state) {
  (void)state;
  struct result r = {0};
  const struct coho__addr addrs[2] = {closed_addr, open_addr};
  run_addrs(&r, addrs, 2);
  assert_true(r.connected);
  assert_string_equal(r.peer, text(&open_addr));
}

static void test_silent_attempt_is_overtaken(void **state) {
  (void)state;
  struct result r = {0};
  const struct coho__addr addrs[3] = {full_addr, closed_addr, open_addr};
  run_addrs(&r, addrs, 3);
  assert_true(r.connected);
  assert_string_equal(r.peer, text(&open_addr));
}

static void test_address_that_cannot_be_used_is_skipped(void **state) {
  (void)state;
  struct result r = {0};
  struct coho__addr addrs[2] = {open_addr, open_addr};
  coho__addr_parse(&addrs[0], "255.255.255.255", 9); /* connect(2) refuses it at once */
  run_addrs(&r, addrs, 2);
  assert_true(r.connected);
  addrs[1] = addrs[0];
  r = (struct result){0};
  run_addrs(&r, addrs, 2);
  assert_false(r.connected);
  assert_true(r.err < 0);
  assert_non_null(strstr(r.detail, "255.255.255.255:9"));
}

static void test_cancelled_at_any_time_it_is_silent(void **state) {
  (void)state;
  for (int turns = 0; turns < 4; turns++) {
    struct result r = {0};
    const struct coho__addr addrs[2] = {full_addr, full_addr};
    struct coho__connect *c = coho__connect_addrs(loop, addrs, 2, on_done, &r);
    for (int i = 0; i < turns; i++)
      coho_loop_turn(loop, 0);
    coho__connect_cancel(c);
    assert_int_equal(coho_loop_run(loop), 0);
    assert_int_equal(r.calls, 0);
    assert_int_equal(loop->active, 0);
  }
}

#define CONNECT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CONNECT_TEST(test_connects_to_an_address),
      CONNECT_TEST(test_refusal_is_told_with_the_address),
      CONNECT_TEST(test_all_refuse_and_the_last_is_told),
      CONNECT_TEST(test_refused_attempt_makes_room_for_the_next),
      CONNECT_TEST(test_silent_attempt_is_overtaken),
      CONNECT_TEST(test_address_that_cannot_be_used_is_skipped),
      CONNECT_TEST(test_cancelled_at_any_time_it_is_silent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
