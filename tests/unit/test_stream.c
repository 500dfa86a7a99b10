#include "io/stream.h"

#include "io/connect.h"
#include "io/listen.h"
#include "support/stream_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What both kinds of stream promise is tested on both: each test runs with a pair of ends. */

static coho_loop *loop;
static struct coho__stream *ends[2];

/* The side of a test at one end: reads as the edge rule says, writes what it was given. */
struct side {
  struct coho__stream *s;
  char *in;
  size_t in_len;
  const char *out;
  size_t out_len, out_done;
  ssize_t last; /* what the last read returned */
  unsigned calls;
  bool hold;   /* do not read */
  bool closes; /* itself, at its next event */
  bool inside; /* handling an event */
  bool shut;   /* at the end of out */
  size_t asks; /* bytes per read */
};

static struct side a, b;
enum { TOTAL = 300 * 1000 };

static void side_read(struct side *x, unsigned events) {
  for (;;) {
    size_t asked = COHO_MIN(x->asks, TOTAL - x->in_len + 1);
    x->last = coho__stream_read(x->s, x->in + x->in_len, asked);
    if (x->last <= 0) return;
    x->in_len += (size_t)x->last;
    if ((size_t)x->last < asked && !(events & COHO_IO_HANGUP)) return;
  }
}

static void side_write(struct side *x) {
  while (x->out_done < x->out_len) {
    size_t left = x->out_len - x->out_done;
    union {
      const char *in;
      char *out;
    } at = {.in = x->out + x->out_done};
    struct iovec iov[2] = {{at.out, left / 2}, {at.out + left / 2, left - left / 2}};
    ssize_t n =
        left > 1 ? coho__stream_writev(x->s, iov, 2) : coho__stream_writev(x->s, iov + 1, 1);
    if (n < 0) {
      assert_int_equal(n, COHO_STREAM_AGAIN);
      return;
    }
    x->out_done += (size_t)n;
    if ((size_t)n < left) return; /* an event will come */
  }
  if (x->shut) coho__stream_shutdown(x->s);
  x->shut = false;
}

static void on_event(struct coho__stream *s, unsigned events) {
  struct side *x = (struct side *)s->owner;
  assert_ptr_equal(x->s, s);
  assert_false(a.inside || b.inside);
  x->inside = true;
  x->calls++;
  if (x->closes) {
    coho__stream_close(s, false);
    x->s = NULL;
  } else {
    if (events & COHO_IO_READ && !x->hold) side_read(x, events);
    if (events & COHO_IO_WRITE) side_write(x);
  }
  x->inside = false;
}

static void adopt(struct side *x, struct coho__stream *s) {
  *x = (struct side){.s = s, .last = -1, .asks = 7000};
  x->in = (char *)malloc(TOTAL + 1);
  s->owner = x;
  s->on_event = on_event;
}

static void on_accept(void *owner, struct coho__stream *s) {
  (void)owner;
  ends[1] = s;
  s->on_event = NULL;
  adopt(&b, s);
}

static void on_done(void *owner, struct coho__stream *s, int err, const char *detail) {
  (void)owner;
  assert_int_equal(err, 0);
  assert_string_equal(detail, "");
  ends[0] = s;
  adopt(&a, s);
}

static int setup_tcp(void **state) {
  (void)state;
  loop = coho_loop_new();
  ends[0] = ends[1] = NULL;
  struct coho__listen *l;
  const struct coho__listen_options opt = {.backlog = 1, .on_accept = on_accept};
  if (coho__listen_open(loop, "127.0.0.1", 0, &opt, &l)) return -1;
  coho__listen_start(l);
  struct coho__addr addr;
  coho__addr_parse(&addr, "127.0.0.1", coho__listen_port(l));
  struct coho__connect *c = coho__connect_addrs(loop, &addr, 1, on_done, NULL);
  if (!c) return -1;
  while (!ends[0] || !ends[1])
    coho_loop_turn(loop, -1);
  coho__listen_close(l);
  return 0;
}

static int setup_memory(size_t cap, size_t piece) {
  loop = coho_loop_new();
  if (stream_memory(loop, cap, piece, ends)) return -1;
  adopt(&a, ends[0]);
  adopt(&b, ends[1]);
  return 0;
}

static int setup_wide(void **state) {
  (void)state;
  return setup_memory(64 * 1024, 0);
}

static int setup_pieces(void **state) {
  (void)state;
  return setup_memory(1000, 100);
}

static int setup_bytes(void **state) {
  (void)state;
  return setup_memory(3, 1);
}

static int teardown(void **state) {
  (void)state;
  if (a.s) coho__stream_close(a.s, false);
  if (b.s) coho__stream_close(b.s, false);
  coho_loop_free(loop);
  free(a.in);
  free(b.in);
  return 0;
}

static char pattern[TOTAL];

static void fill_pattern(void) {
  for (size_t i = 0; i < TOTAL; i++)
    pattern[i] = (char)(i * 31 + i / 251);
}

static void test_all_bytes_arrive_both_ways(void **state) {
  (void)state;
  struct coho__addr addr;
  bool memory = !coho__stream_addr(a.s, &addr);
  size_t total = memory ? 20000 : TOTAL;
  fill_pattern();
  a.out = b.out = pattern;
  a.out_len = b.out_len = total;
  coho__stream_again(a.s, COHO_IO_WRITE);
  coho__stream_again(b.s, COHO_IO_WRITE);
  while (a.in_len < total || b.in_len < total)
    coho_loop_turn(loop, -1);
  assert_memory_equal(a.in, pattern, total);
  assert_memory_equal(b.in, pattern, total);
}

static void test_end_comes_after_all_bytes(void **state) {
  (void)state;
  fill_pattern();
  a.out = pattern;
  a.out_len = 5000;
  a.shut = true;
  coho__stream_again(a.s, COHO_IO_WRITE);
  while (b.last != 0)
    coho_loop_turn(loop, -1);
  assert_int_equal(b.in_len, 5000);
  b.out = pattern; /* the other direction is still open */
  b.out_len = 100;
  coho__stream_again(b.s, COHO_IO_WRITE);
  while (a.in_len < 100)
    coho_loop_turn(loop, -1);
}

static void test_close_lets_the_peer_read_the_rest(void **state) {
  (void)state;
  struct iovec iov = {pattern, 3};
  b.hold = true;
  assert_int_equal(coho__stream_writev(a.s, &iov, 1), 3);
  coho__stream_close(a.s, false);
  a.s = NULL;
  unsigned before = b.calls;
  while (b.calls == before)
    coho_loop_turn(loop, -1);
  b.hold = false; /* the hangup came already and is not forgotten */
  coho__stream_again(b.s, COHO_IO_READ);
  while (b.last != 0)
    coho_loop_turn(loop, -1);
  assert_int_equal(b.in_len, 3);
}

static void test_reset_gives_an_error(void **state) {
  (void)state;
  coho__stream_close(a.s, true);
  a.s = NULL;
  while (b.last == -1 || b.last == COHO_STREAM_AGAIN)
    coho_loop_turn(loop, -1);
  assert_int_equal(b.last, COHO_ECONNRESET);
  struct iovec iov = {pattern, 1};
  assert_int_equal(coho__stream_writev(b.s, &iov, 1), COHO_ECONNRESET);
}

static void test_close_with_bytes_unread_resets(void **state) {
  (void)state;
  struct iovec iov = {pattern, 2};
  a.hold = true;
  assert_int_equal(coho__stream_writev(b.s, &iov, 1), 2);
  unsigned before = a.calls;
  while (a.calls == before)
    coho_loop_turn(loop, -1);
  coho__stream_close(a.s, false);
  a.s = NULL;
  while (b.last == -1 || b.last == COHO_STREAM_AGAIN)
    coho_loop_turn(loop, -1);
  assert_int_equal(b.last, COHO_ECONNRESET);
}

static void test_blocked_writer_gets_an_event_when_there_is_room(void **state) {
  (void)state;
  fill_pattern();
  struct iovec iov = {pattern, TOTAL};
  b.hold = true;
  ssize_t n;
  while ((n = coho__stream_writev(a.s, &iov, 1)) > 0)
    coho_loop_turn(loop, 0);
  assert_int_equal(n, COHO_STREAM_AGAIN);
  unsigned before = a.calls;
  b.hold = false;
  b.asks = 500;
  coho__stream_again(b.s, COHO_IO_READ);
  while (a.calls == before) {
    b.in_len = 0;
    coho_loop_turn(loop, -1);
  }
}

static void test_closed_inside_its_own_event(void **state) {
  (void)state;
  a.closes = true;
  coho__stream_again(a.s, COHO_IO_READ);
  coho__stream_again(a.s, COHO_IO_WRITE);
  while (a.s)
    coho_loop_turn(loop, -1);
  unsigned calls = a.calls;
  coho_loop_turn(loop, 0);
  assert_int_equal(a.calls, calls);
}

static void test_nothing_to_read_is_again(void **state) {
  (void)state;
  char byte;
  assert_int_equal(coho__stream_read(a.s, &byte, 1), COHO_STREAM_AGAIN);
}

static void test_memory_reset_takes_what_is_under_way(void **state) {
  (void)state;
  struct iovec iov = {pattern, 3};
  assert_int_equal(coho__stream_writev(a.s, &iov, 1), 3);
  coho__stream_close(a.s, true);
  a.s = NULL;
  coho_loop_turn(loop, -1);
  assert_int_equal(b.in_len, 0);
  assert_int_equal(b.last, COHO_ECONNRESET);
}

/* Also when it was reset: what is counted for an address, and what the log says, depends on it. */
static void test_A01_tcp_names_its_peer_to_the_end(void **state) {
  (void)state;
  char before[COHO_ADDR_MAX], buf[COHO_ADDR_MAX];
  assert_memory_equal(coho__stream_peer(a.s, before, sizeof before), "127.0.0.1:", 10);
  coho__stream_close(b.s, true);
  b.s = NULL;
  while (a.last == -1 || a.last == COHO_STREAM_AGAIN)
    coho_loop_turn(loop, -1);
  assert_string_equal(coho__stream_peer(a.s, buf, sizeof buf), before);
}

static void test_a_stream_without_address(void **state) {
  (void)state;
  char buf[COHO_ADDR_MAX];
  assert_string_equal(coho__stream_peer(a.s, buf, sizeof buf), "unknown");
  assert_int_equal(coho_loop_run(loop), 0); /* idle, it keeps no loop running */
}

#define ON_MEMORY(fn)                                              \
  cmocka_unit_test_setup_teardown(fn, setup_wide, teardown),       \
      cmocka_unit_test_setup_teardown(fn, setup_pieces, teardown), \
      cmocka_unit_test_setup_teardown(fn, setup_bytes, teardown)
#define ON_ALL(fn) cmocka_unit_test_setup_teardown(fn, setup_tcp, teardown), ON_MEMORY(fn)

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_ALL(test_all_bytes_arrive_both_ways),
      ON_ALL(test_end_comes_after_all_bytes),
      ON_ALL(test_close_lets_the_peer_read_the_rest),
      ON_ALL(test_reset_gives_an_error),
      ON_ALL(test_close_with_bytes_unread_resets),
      ON_ALL(test_blocked_writer_gets_an_event_when_there_is_room),
      ON_ALL(test_closed_inside_its_own_event),
      ON_ALL(test_nothing_to_read_is_again),
      cmocka_unit_test_setup_teardown(test_A01_tcp_names_its_peer_to_the_end, setup_tcp, teardown),
      ON_MEMORY(test_memory_reset_takes_what_is_under_way),
      ON_MEMORY(test_a_stream_without_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
