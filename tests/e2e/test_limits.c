/*
 * Limits of a server and of the process, from outside: connections and handshakes of one address, and
 * memory, which has to be shed before it runs out, and to come back.
 */
#include "base/alloc.h"
#include "io/loop.h"
#include "support/alloc_fail.h"
#include "support/hubs.h"
#include "support/raw.h"

#include <coho/hub.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PEERS = 40, MIB = 1024 * 1024 };

static struct world w;
static struct probe server;
static struct raw raws[PEERS];
static coho_hub *hub;
static void *ballast; /* so that a few KiB are a small part of what is in use */

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  hub = NULL;
  return 0;
}

/* About 15/16 of the limit are in use: a little more or less changes nothing. */
static void make_tight(void) {
  coho_set_memory_limit(UINT64_MAX);
  if (!ballast) ballast = coho__alloc(MIB);
  assert_non_null(ballast);
  coho_set_memory_limit(coho_memory_used() / 15 * 16);
}

static void relax(void) {
  coho_set_memory_limit(0);
  coho__free(ballast, MIB);
  ballast = NULL;
}

static int teardown(void **state) {
  (void)state;
  relax();
  return 0;
}

/* A server with these limits, on the world's loop unless it has threads. */
static void open_server(coho_server_options so, const coho_options *opt) {
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  assert_non_null(w.loop);
  if (!so.threads) so.loop = w.loop;
  w.server = coho_server_new(&so);
  assert_non_null(w.server);
  assert_int_equal(coho_route_ws(w.server, "/", opt), 0);
}

static void hello(coho_request *r, void *user) {
  (void)user;
  assert_int_equal(coho_reply(r, 200, "text/plain", "hello", 5), 0);
}

/* What a peer is answered that does not even ask. */
static int raw_refusal(struct raw *r, char *head, size_t cap) {
  raw_head(r, head, cap);
  return (int)strtol(head + 9, NULL, 10);
}

static uint64_t sockets(void) {
  coho_stats stats;
  coho_server_stats(w.server, &stats);
  return stats.sockets;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void test_A01_connections_of_an_address(void **state) {
  (void)state;
  char head[1024];
  coho_options opt = probe_options(&server);
  open_server((coho_server_options){.max_per_address = 2}, &opt);
  world_start(&w);
  raw_connect(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  raw_connect(&raws[1], &w); /* says nothing, and counts */
  UNTIL(&w, sockets() == 2);
  raw_connect(&raws[2], &w);
  assert_int_equal(raw_refusal(&raws[2], head, sizeof head), 503);
  assert_non_null(strstr(head, "\r\nRetry-After: 5\r\n"));
  assert_true(raw_eof(&raws[2]));
  raw_close(&raws[2]);
  raw_close(&raws[1]); /* before it was HTTP */
  UNTIL(&w, sockets() == 1);
  raw_connect(&raws[1], &w);
  assert_int_equal(raw_upgrade(&raws[1], "/", ""), 101);
  raw_close(&raws[0]); /* once it was WebSocket */
  UNTIL(&w, server.closes == 1);
  raw_connect(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  raw_close(&raws[0]);
  raw_close(&raws[1]);
  UNTIL(&w, server.closes == 3);
  world_close(&w);
}

/* The loops of a server share it. */
static void test_A01_connections_of_an_address_over_threads(void **state) {
  (void)state;
  const coho_options opt = {.ping_interval_ms = UINT32_MAX};
  unsigned in = 0;
  open_server((coho_server_options){.max_per_address = 5, .threads = 3}, &opt);
  world_start(&w);
  for (int i = 0; i < 20; i++) {
    char head[1024];
    raw_connect(&raws[i], &w);
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    (void)send(raws[i].fd, request, sizeof request - 1, MSG_NOSIGNAL); /* closed, perhaps */
    in += raw_refusal(&raws[i], head, sizeof head) == 101;
  }
  assert_int_equal(in, 5);
  for (int i = 0; i < 20; i++)
    raw_close(&raws[i]);
  coho_server_stop(w.server);
  UNTIL(&w, coho_server_stopped(w.server));
  world_close(&w);
}

/* Counted whether they succeed or not; other requests are not. */
static void test_A02_handshakes_of_an_address(void **state) {
  (void)state;
  char head[1024];
  unsigned passed = 0;
  int status = 0;
  const coho_options opt = {.origins = (const char *const[]){"https://friend.example", NULL}};
  open_server((coho_server_options){.address_rate = {.per_second = 1, .burst = 3}}, &opt);
  assert_int_equal(coho_route_http(w.server, "GET", "/hello", hello, NULL), 0);
  world_start(&w);
  struct raw *r = &raws[0];
  while (status != 429 && passed < 1000) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Origin: https://stranger.example\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    raw_connect(r, &w);
    raw_send(r, request, sizeof request - 1);
    status = raw_refusal(r, head, sizeof head);
    passed += status == 403;
    raw_close(r);
  }
  assert_int_equal(status, 429);
  assert_true(passed >= 3);
  assert_non_null(strstr(head, "\r\nRetry-After: 1\r\n"));
  assert_non_null(strstr(head, "\r\nConnection: close\r\n"));
  raw_connect(r, &w);
  raw_send(r, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 33);
  assert_int_equal(raw_refusal(r, head, sizeof head), 200);
  raw_close(r);
  UNTIL(&w, sockets() == 0);
  world_close(&w);
}

static void test_no_limits_of_an_address_by_default(void **state) {
  (void)state;
  coho_options opt = probe_options(&server);
  open_server((coho_server_options){0}, &opt);
  world_start(&w);
  for (int i = 0; i < PEERS; i++) {
    raw_connect(&raws[i], &w);
    assert_int_equal(raw_upgrade(&raws[i], "/", ""), 101);
  }
  for (int i = 0; i < PEERS; i++)
    raw_close(&raws[i]);
  UNTIL(&w, server.closes == PEERS);
  world_close(&w);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static unsigned out_of_memory; /* connections that ended so, which shedding should prevent */

static void on_failed(struct probe *p, coho_conn *c) {
  (void)c;
  if (p->error == COHO_ENOMEM) out_of_memory++;
}

static void open_echo(void) {
  coho_options opt = probe_options(&server);
  server.message = probe_echo;
  server.failed = on_failed;
  out_of_memory = 0;
  open_server((coho_server_options){0}, &opt);
  world_start(&w);
}

static void close_echo(void) {
  coho_set_memory_limit(0);
  UNTIL(&w, server.closes == server.opens && sockets() == 0);
  world_close(&w);
}

/* Every byte that the peer's connection costs is given back. */
static void fill_and_close(unsigned round) {
  struct raw *r = &raws[0];
  struct raw_frame f;
  static char data[300000];
  raw_connect(r, &w);
  assert_int_equal(raw_upgrade(r, "/", ""), 101);
  raw_frame(r, 2, false, data, sizeof data / 2);
  raw_frame(r, 9, true, "?", 1);
  raw_frame(r, 0, true, data, 1000);
  assert_true(raw_next(r, &f)); /* the pong */
  assert_true(raw_next(r, &f));
  assert_int_equal(f.len, sizeof data / 2 + 1000);
  raw_frame(r, 2, false, data, sizeof data / 2); /* half of one */
  raw_frame(r, 9, true, "?", 1);
  assert_true(raw_next(r, &f));
  raw_close(r);
  UNTIL(&w, server.closes == round);
  UNTIL(&w, sockets() == 0);
  world_turn(&w);
}

static void test_memory_is_given_back(void **state) {
  (void)state;
  open_echo();
  fill_and_close(1); /* the loop's own buffers have grown */
  uint64_t before = coho_memory_used();
  for (unsigned i = 2; i < 6; i++)
    fill_and_close(i);
  assert_int_equal(coho_memory_used(), before);
  close_echo();
}

#ifndef COHO_HARD /* which reads too little at a time to come near a limit */
/* The peer was told something. */
static bool was_answered(const struct raw *r) {
  char c;
  return recv(r->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* As much of it as the server takes before it says something. */
static void pour(struct raw *r, const char *data, size_t len) {
  while (len && !was_answered(r)) {
    ssize_t n = send(r->fd, data, len < 65536 ? len : 65536, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
    }
    world_turn(&w);
  }
}

static const char half[600 * 1024] = {0};

/* The beginning of a message of 1 MiB. */
static void begin_message(struct raw *r) { raw_send(r, "\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0", 14); }

/* Many peers that each send half a message. How many are told to come again. */
static unsigned besiege(uint64_t limit) {
  unsigned shed = 0;
  for (int i = 0; i < PEERS; i++) {
    raw_connect(&raws[i], &w);
    assert_int_equal(raw_upgrade(&raws[i], "/", ""), 101);
    begin_message(&raws[i]);
  }
  for (size_t at = 0; at < sizeof half; at += 100 * 1024) {
    for (int i = 0; i < PEERS; i++) {
      pour(&raws[i], half + at, 100 * 1024);
      assert_true(coho_memory_used() <= limit);
    }
  }
  for (int i = 0; i < PEERS; i++) {
    struct raw_frame f;
    if (!was_answered(&raws[i])) continue;
    assert_true(raw_next(&raws[i], &f));
    assert_int_equal(raw_code(&f), 1013);
    raw_close(&raws[i]);
    raws[i].fd = -1;
    shed++;
  }
  return shed;
}

/* Whether a further peer is let in: both ways of saying no are 503, before its handshake and after. */
static bool gets_in(struct raw *r) {
  char head[1024];
  raw_connect(r, &w);
  while (!was_answered(r) && sockets() < server.opens - server.closes + 1)
    world_turn(&w);
  int status = was_answered(r) ? raw_refusal(r, head, sizeof head) : raw_upgrade(r, "/", "");
  if (status == 101) return true;
  assert_int_equal(status, 503);
  assert_true(raw_eof(r));
  raw_close(r);
  r->fd = -1;
  return false;
}

/* Further peers do the same in the places of those that were shed: let in or not, nothing runs out. */
static void besiege_more(uint64_t limit) {
  for (int i = 0; i < PEERS; i++) {
    struct raw *r = &raws[i];
    if (r->fd >= 0 || !gets_in(r)) continue;
    begin_message(r);
    pour(r, half, sizeof half);
    assert_true(coho_memory_used() <= limit);
  }
}

/* As long as memory is tight, nobody new gets in. */
static void knock_in_vain(void) {
  static struct raw r;
  char head[1024];
  make_tight();
  raw_connect(&r, &w);
  assert_int_equal(raw_refusal(&r, head, sizeof head), 503);
  assert_non_null(strstr(head, "\r\nRetry-After: 5\r\n"));
  assert_true(raw_eof(&r));
  raw_close(&r);
  relax();
}

/* Those who were let live have their message answered; all others have gone. */
static unsigned relieve(void) {
  unsigned lived = 0;
  for (int i = 0; i < PEERS; i++) {
    if (raws[i].fd >= 0 && !was_answered(&raws[i])) lived++;
    if (raws[i].fd >= 0) raw_close(&raws[i]);
  }
  UNTIL(&w, server.closes == server.opens && sockets() == 0);
  world_turn(&w);
  return lived;
}

static void test_memory_is_shed_before_it_runs_out(void **state) {
  (void)state;
  open_echo();
  fill_and_close(1);
  uint64_t before = coho_memory_used(), limit = before + 16 * MIB;
  coho_set_memory_limit(limit);
  unsigned shed = besiege(limit);
  assert_true(shed > 0 && shed < PEERS);
  besiege_more(limit);
  knock_in_vain();
  coho_set_memory_limit(limit);
  assert_true(relieve() > 0);
  assert_int_equal(out_of_memory, 0);
  fill_and_close(server.closes + 1); /* all works again */
  /* The table of connections has grown for good. */
  assert_true(coho_memory_used() < before + 16 * 1024);
  close_echo();
}

#endif

/* Who stays small is served all the time. */
static void test_small_ones_live_while_memory_is_tight(void **state) {
  (void)state;
  struct raw_frame f;
  static const char data[4000] = {0};
  open_echo();
  raw_connect(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  make_tight();
  for (int i = 0; i < 3; i++) {
    raw_frame(&raws[0], 2, false, data, sizeof data / 2);
    raw_frame(&raws[0], 0, true, data, sizeof data / 2);
    assert_true(raw_next(&raws[0], &f));
    assert_int_equal(f.opcode, 2);
    assert_int_equal(f.len, sizeof data);
  }
  raw_frame(&raws[0], 2, false, data, sizeof data);
  raw_frame(&raws[0], 0, false, data, sizeof data);
  assert_true(raw_next(&raws[0], &f));
  assert_int_equal(raw_code(&f), 1013);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_EMEMORY);
  assert_true(raw_eof(&raws[0]));
  raw_close(&raws[0]);
  close_echo();
}

static void pause_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  coho_pause(c);
}

/* Of a binary frame of 1000 bytes, masked with zeros. */
static const unsigned char head_of_1000[8] = {0x82, 0xfe, 0x03, 0xe8};

/* Messages without end, most of which may not be delivered: no more is read than `most`. */
static void flood_and_measure(coho_options opt, size_t most) {
  static char burst[64 * 1008];
  unsigned idle = 0;
  for (size_t i = 0; i < sizeof burst; i += 1008)
    memcpy(burst + i, head_of_1000, sizeof head_of_1000);
  open_server((coho_server_options){0}, &opt);
  world_start(&w);
  raw_connect(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  uint64_t before = coho_memory_used();
  while (idle < 20) {
    /* The flood is whole frames as long as it is taken whole; what is behind is never looked at. */
    ssize_t n = send(raws[0].fd, burst, sizeof burst, MSG_DONTWAIT | MSG_NOSIGNAL);
    idle = n < 0 ? idle + 1 : 0;
    world_turn(&w);
    assert_true(coho_memory_used() <= before + most + 4096);
  }
  assert_true(server.messages > 0);
  coho_abort(server.conn);
  UNTIL(&w, server.closes == 1);
  raw_close(&raws[0]);
  world_close(&w);
}

static void test_a_paused_connection_keeps_one_read(void **state) {
  (void)state;
  server.message = pause_it;
  flood_and_measure(probe_options(&server), COHO_LOOP_RECV);
}

static void test_a_slowed_connection_keeps_a_small_read(void **state) {
  (void)state;
  coho_options opt = probe_options(&server);
  opt.rate_messages = (coho_rate){.per_second = 1, .burst = 1};
  flood_and_measure(opt, 16 * 1024);
}

#ifndef COHO_HARD /* which never keeps so much */
/* What waits behind a pause is kept only while there is room for it. */
static void test_kept_input_while_memory_is_tight(void **state) {
  (void)state;
  struct raw_frame f;
  static const char data[1000] = {0};
  open_echo();
  server.message = pause_it;
  raw_connect(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  make_tight();
  raw_frame(&raws[0], 2, true, data, sizeof data);
  raw_frame(&raws[0], 2, true, data, sizeof data);
  UNTIL(&w, server.messages == 1);
  coho_resume(server.conn); /* a few KiB are no matter */
  UNTIL(&w, server.messages == 2);
  static char burst[8 * 1008];
  for (size_t i = 0; i < 8; i++)
    memcpy(burst + i * 1008, head_of_1000, sizeof head_of_1000);
  coho_resume(server.conn);
  raw_send(&raws[0], burst, sizeof burst);
  assert_true(raw_next(&raws[0], &f));
  assert_int_equal(raw_code(&f), 1013);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.messages, 3);
  assert_int_equal(server.ending.err, COHO_EMEMORY);
  raw_close(&raws[0]);
  close_echo();
}
#endif

/* A connection whose peer does not read, and something in its queue that stays there: what the kernel
   takes grows for a while. */
static void open_slow(void) {
  static const char data[65536] = {0};
  coho_options opt = probe_options(&server);
  opt.max_queue = 8 * MIB;
  open_server((coho_server_options){0}, &opt);
  world_start(&w);
  raw_connect_narrow(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  while (coho_conn_queued(server.conn) < MIB) {
    assert_true(coho_send(server.conn, coho_binary(data, sizeof data)) >= 0);
    world_turn(&w);
  }
}

static void test_B16_queue_stays_small_while_memory_is_tight(void **state) {
  (void)state;
  static const char data[10000] = {0};
  struct raw_frame f;
  open_slow();
  coho_msg m = coho_binary(data, sizeof data);
  assert_int_equal(coho_send(server.conn, m), COHO_QUEUED);
  make_tight();
  assert_int_equal(coho_send(server.conn, m), COHO_EFULL);
  assert_int_equal(server.drains, 0);
  while (server.drains == 0)
    assert_true(raw_next(&raws[0], &f));
  while (coho_conn_queued(server.conn))
    assert_true(raw_next(&raws[0], &f));
  /* Whose peer reads gets all. */
  assert_int_equal(coho_send(server.conn, m), COHO_SENT);
  raw_close(&raws[0]);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

static void test_B16_slow_subscriber_is_closed_while_memory_is_tight(void **state) {
  (void)state;
  static const char data[10000] = {0};
  struct raw_frame f;
  hub = hub_with(NULL, &(coho_topic_options){.slow = COHO_SLOW_DISCONNECT});
  open_slow();
  assert_int_equal(coho_subscribe(hub, server.conn, "t"), 0);
  assert_int_equal(coho_publish(hub, "t", coho_binary(data, sizeof data)), 0);
  world_turn(&w);
  make_tight();
  assert_int_equal(coho_publish(hub, "t", coho_binary(data, sizeof data)), 0);
  world_turn(&w); /* which delivers it, and the peer has not read anything yet */
  do
    assert_true(raw_next(&raws[0], &f));
  while (f.opcode != 8);
  assert_int_equal(raw_code(&f), 1013);
  raw_close(&raws[0]);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
  coho_hub_free(hub);
}

#ifndef COHO_HARD /* whose chunks are mostly overhead */
/* However small the messages are that wait for it. */
static void test_B16_a_queue_takes_little_more_than_it_counts(void **state) {
  (void)state;
  enum { QUEUE = MIB / 4 };
  static const char large[QUEUE / 4] = {0};
  coho_options opt = probe_options(&server);
  opt.max_queue = QUEUE;
  hub = coho_hub_new(NULL);
  open_server((coho_server_options){0}, &opt);
  world_start(&w);
  raw_connect_narrow(&raws[0], &w);
  assert_int_equal(raw_upgrade(&raws[0], "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  assert_int_equal(coho_subscribe(hub, server.conn, "t"), 0);
  uint64_t before = coho_memory_used(), most = 0;
  while (!coho_conn_queued(server.conn)) { /* the kernel takes no more */
    assert_int_equal(coho_publish(hub, "t", coho_binary(large, sizeof large)), 0);
    (void)coho_loop_turn(w.loop, 0);
  }
  while (!server.closes && coho_conn_queued(server.conn) < QUEUE - 1000) {
    for (int i = 0; i < 1000; i++)
      assert_int_equal(coho_publish(hub, "t", coho_text("tick")), 0);
    (void)coho_loop_turn(w.loop, 0);
    if (coho_memory_used() > most) most = coho_memory_used();
  }
  assert_true(most - before < 2 * (uint64_t)QUEUE);
  raw_close(&raws[0]);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
  coho_hub_free(hub);
}

#endif

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_A01_connections_of_an_address),
      TEST(test_A01_connections_of_an_address_over_threads),
      TEST(test_A02_handshakes_of_an_address),
      TEST(test_no_limits_of_an_address_by_default),
      TEST(test_memory_is_given_back),
#ifndef COHO_HARD
      TEST(test_memory_is_shed_before_it_runs_out),
#endif
      TEST(test_small_ones_live_while_memory_is_tight),
      TEST(test_a_paused_connection_keeps_one_read),
      TEST(test_a_slowed_connection_keeps_a_small_read),
#ifndef COHO_HARD
      TEST(test_kept_input_while_memory_is_tight),
#endif
      TEST(test_B16_queue_stays_small_while_memory_is_tight),
      TEST(test_B16_slow_subscriber_is_closed_while_memory_is_tight),
#ifndef COHO_HARD
      TEST(test_B16_a_queue_takes_little_more_than_it_counts),
#endif
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
