/* Many requests that wait: parts that come from other threads, and what each one costs. */
#include "support/held.h"
#include "support/world.h"

#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint16_t port_of(const coho_server *s) {
  return (uint16_t)strtoul(strrchr(coho_server_url(s, 0), ':') + 1, NULL, 10);
}

/* A client that has sent this. */
static int ask(uint16_t port, const char *request) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
  return fd;
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { WAITERS = 8, PARTS = 20 };

static _Atomic(coho_request *) waiters[WAITERS];
static _Atomic size_t waiting, gone;

static void waiter_gone(coho_request *r, void *ctx) {
  (void)r;
  (void)ctx;
  atomic_fetch_add(&gone, 1);
}

static void wait_for_parts(coho_request *r, void *user) {
  static const coho_late late = {.on_gone = waiter_gone};
  (void)user;
  assert_int_equal(coho_request_defer(r, &late), 0);
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), 0);
  atomic_store(&waiters[atomic_fetch_add(&waiting, 1)], r);
}

struct part {
  coho_request *r;
  int number;
};

static void send_part(void *arg) {
  struct part *p = (struct part *)arg;
  char text[16];
  int n = snprintf(text, sizeof text, "%d ", p->number);
  assert_int_equal(coho_reply_part(p->r, text, (size_t)n), COHO_SENT);
  if (p->number == PARTS - 1) assert_int_equal(coho_reply_end(p->r), 0);
  free(p);
}

/* Parts come to the request's loop as letters, from any thread. */
static void test_parts_from_another_thread(void **state) {
  (void)state;
  coho_server *s = coho_server_new(&(coho_server_options){.threads = 2});
  int fds[WAITERS];
  atomic_store(&waiting, 0);
  assert_int_equal(coho_route_http(s, "GET", "/wait", wait_for_parts, NULL), 0);
  assert_int_equal(coho_server_listen(s, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(s), 0);
  uint16_t port = port_of(s);
  for (size_t i = 0; i < WAITERS; i++) {
    coho_request *r;
    fds[i] = ask(port, "GET /wait HTTP/1.0\r\n\r\n");
    while (!(r = atomic_load(&waiters[i])))
      sched_yield();
    for (int n = 0; n < PARTS; n++) {
      struct part *p = (struct part *)malloc(sizeof *p);
      *p = (struct part){r, n};
      while (coho_loop_post(coho_request_loop(r), send_part, p) == COHO_EFULL)
        sched_yield();
    }
  }
  for (size_t i = 0; i < WAITERS; i++) {
    char in[1024];
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fds[i], in + len, sizeof in - 1 - len, 0)) > 0)
      len += (size_t)n;
    assert_int_equal(n, 0);
    in[len] = '\0';
    assert_string_equal(strstr(in, "\r\n\r\n") + 4,
                        "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
    close(fds[i]);
  }
  coho_server_stop(s);
  coho_server_free(s);
  assert_int_equal(atomic_load(&gone), 0);
}

/* ---- memory ---------------------------------------------------------------------------------- */

enum { MANY = 200, WAITING_MOST = 1700, FORGOTTEN_MOST = 1100 };

static const char browser[] =
    "GET /hold?topic=news&since=17 HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive\r\n"
    "Accept: text/event-stream\r\nCache-Control: no-cache\r\nAccept-Encoding: gzip, deflate\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nReferer: https://example.com/news\r\n\r\n";

static void stream_one(struct world *w, bool forget) {
  held_answered();
  UNTIL(w, held.r);
  assert_int_equal(coho_reply_header(held.r, "Cache-Control", "no-store"), 0);
  held_begin();
  if (forget) coho_request_forget(held.r);
  UNTIL(w, coho_reply_queued(held.r) == 0);
}

/* Of one stream to which nothing is sent, its connection included. */
static uint64_t cost_of_waiting(bool forget) {
  struct world w;
  int fds[MANY];
  uint64_t before = 0;
  held_reset();
  world_open(&w, NULL, NULL);
  assert_int_equal(coho_route_http(w.server, "GET", "/hold", held_serve, NULL), 0);
  world_start(&w);
  for (size_t i = 0; i < MANY; i++) {
    if (i == MANY / 2) before = coho_memory_used();
    fds[i] = ask(w.port, browser);
    stream_one(&w, forget);
  }
  uint64_t each = (coho_memory_used() - before) / (MANY / 2);
  for (size_t i = 0; i < MANY; i++)
    close(fds[i]);
  world_close(&w);
  assert_int_equal(strspn(held.order, "g"), sizeof held.order - 1);
  printf("%llu bytes for a stream that waits, after a head of %zu%s\n", (unsigned long long)each,
         sizeof browser - 1, forget ? ", forgotten" : "");
  return each;
}

static void test_a_waiting_request_is_small(void **state) {
  (void)state;
  assert_true(cost_of_waiting(false) <= WAITING_MOST);
  assert_true(cost_of_waiting(true) <= FORGOTTEN_MOST);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts_from_another_thread),
      cmocka_unit_test(test_a_waiting_request_is_small),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
