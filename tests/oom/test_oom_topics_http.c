/* Every allocation of streams, polls, POSTs and questions fails once: each is answered, or its connection
   ends, who comes back is served, nothing crashes or leaks. */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include "hub/sink.h"

#include <coho/topics.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { CLIENTS = 8, TURNS = 40, MOST = 5000 };

static struct world w;
static coho_hub *hub;
static struct raw clients[CLIENTS];

static const char *const requests[CLIENTS] = {
    "GET /t/room?since=0&as=ann HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n",
    "GET /t/?sub=room@0&sub=tea&sub=a//b&as=bob HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\n"
    "Accept: text/event-stream\r\n\r\n",
    "GET /t/room?since=zz.1&wait=0 HTTP/1.1\r\nHost: h\r\n\r\n"
    "GET /t/tea?since=0&as=ann HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /t/?sub=tea@0&sub=cup@0&as=eve&wait=60 HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /t/tea HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nIdempotency-Key: k\r\n\r\nhi",
    "POST /t/held HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
    "GET /t/room/history HTTP/1.1\r\nHost: h\r\n\r\n"
    "GET /t/room/presence HTTP/1.1\r\nHost: h\r\n\r\n"
    "OPTIONS /t/ HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\n\r\n"
    "PUT /t/ HTTP/1.1\r\nHost: h\r\n\r\nGET /t/room?since=x HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /t/room HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n",
};

/* ---- who holds a topic up -------------------------------------------------------------------- */

static bool holds;

static int on_message(struct coho__sink *s, const struct coho__delivery *d) {
  (void)s;
  (void)d;
  return holds ? COHO_EFULL : 0;
}

static int on_gap(struct coho__sink *s, const char *topic, const char *pattern, uint64_t lost,
                  coho_pos pos) {
  (void)s;
  (void)topic;
  (void)pattern;
  (void)lost;
  (void)pos;
  return 0;
}

static void on_close(struct coho__sink *s, int err) {
  (void)s;
  (void)err;
}

static const struct coho__sink_ops ops = {.message = on_message, .gap = on_gap, .close = on_close};
static struct coho__sink holder;

static void hold(void) {
  coho_start start;
  holds = true;
  coho__sink_init(&holder, &ops, w.loop);
  assert_int_equal(coho__sink_subscribe(hub, &holder, VIEW("held"), NULL, &start), 0);
  assert_int_equal(coho_publish(hub, "held", coho_text("1")), 0);
  for (int i = 0; i < 3; i++)
    coho_loop_turn(w.loop, 0);
  assert_int_equal(coho_publish(hub, "held", coho_text("2")), COHO_EFULL);
}

/* ---- an attempt ------------------------------------------------------------------------------ */

static void turn(void) {
  for (int i = 0; i < TURNS; i++)
    assert_true(coho_loop_turn(w.loop, 0) >= 0);
}

static void open_server(void) {
  coho_topic_options held = {.slow = COHO_SLOW_BLOCK, .history_count = 1};
  hub = coho_hub_new(NULL);
  assert_non_null(hub);
  assert_int_equal(coho_hub_configure(hub, "held", &held), 0);
  world_open(&w, NULL, NULL);
  assert_int_equal(coho_route_topics(w.server, "/t/", hub, NULL), 0);
  world_start(&w);
  assert_int_equal(coho_publish(hub, "room", coho_text("first")), 0);
  hold();
}

static void talk(void) {
  for (size_t i = 0; i < CLIENTS; i++) {
    raw_connect(&clients[i], &w);
    (void)send(clients[i].fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
    turn();
  }
  (void)coho_publish(hub, "room", coho_text("live"));
  (void)coho_publish(hub, "room", coho_binary("\xff", 1));
  (void)coho_publish(hub, "cup", coho_text("live"));
  turn();
  holds = false;
  coho__sink_ready(&holder);
  turn();
}

/* Whoever comes now is served. */
static void check_recovery(void) {
  static struct raw r;
  char head[4096];
  static const char request[] = "POST /t/new HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
  raw_connect(&r, &w);
  raw_send(&r, request, sizeof request - 1);
  assert_memory_equal(raw_head(&r, head, sizeof head), "HTTP/1.1 200", 12);
  raw_close(&r);
}

static uint64_t sockets(void) {
  coho_stats s;
  coho_server_stats(w.server, &s);
  return s.sockets;
}

/* Whether the allocation was reached. */
static bool attempt(long i) {
  open_server();
  alloc_fail_at(i);
  talk();
  bool failed = alloc_failed();
  alloc_fail_at(0);
  check_recovery();
  for (size_t k = 0; k < CLIENTS; k++)
    raw_close(&clients[k]);
  UNTIL(&w, sockets() == 0);
  assert_int_equal(coho_hub_subscribers(hub, "room"), 0);
  assert_int_equal(coho_hub_subscribers(hub, "tea"), 0);
  coho__sink_end(&holder);
  world_close(&w);
  coho_hub_free(hub);
  alloc_assert_none_live();
  assert_true(failed || i > 300);
  return failed;
}

static void test_topics_over_http(void **state) {
  (void)state;
  for (long i = 1; attempt(i); i++)
    assert_true(i < MOST);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_topics_over_http)};
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
