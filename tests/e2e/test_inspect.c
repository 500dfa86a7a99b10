/* What a server tells about its connections while they live. */
#include "support/clock.h"
#include "support/raw.h"

#include <coho/inspect.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 12 };

static struct world w;
static struct probe server, client, others[MANY];

/* The answer, with copies of what is looked at. */
static struct {
  unsigned calls;
  size_t count, matched, total;
  int err;
  coho_conn_info conns[MANY];
  char peer[COHO_ADDR_MAX], route[64], target[64], protocol[64], extensions[160], tls[128];
} got;

static int setup(void **state) {
  (void)state;
  clock_go();
  memset(&w, 0, sizeof w);
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  memset(others, 0, sizeof others);
  memset(&got, 0, sizeof got);
  return 0;
}

static void done(void *ctx, const coho_conn_list *list) {
  assert_ptr_equal(ctx, &got);
  got.calls++;
  got.count = list->count;
  got.matched = list->matched;
  got.total = list->total;
  got.err = list->err;
  assert_null(coho_conn_list_at(list, list->count));
  for (size_t i = 0; i < list->count && i < MANY; i++)
    got.conns[i] = *coho_conn_list_at(list, i);
  if (!list->count) return;
  const coho_conn_info *c = coho_conn_list_at(list, 0);
  snprintf(got.peer, sizeof got.peer, "%s", c->peer);
  snprintf(got.route, sizeof got.route, "%s", c->route);
  snprintf(got.target, sizeof got.target, "%s", c->target);
  snprintf(got.protocol, sizeof got.protocol, "%s", c->protocol);
  snprintf(got.extensions, sizeof got.extensions, "%s", c->extensions);
  snprintf(got.tls, sizeof got.tls, "%s", c->tls);
}

static void ask(const coho_conn_filter *f) {
  unsigned calls = got.calls;
  assert_int_equal(coho_server_connections(w.server, f, done, &got), 0);
  UNTIL(&w, got.calls > calls);
  assert_int_equal(got.err, 0);
}

static void open_world(uint64_t flags, coho_options so) {
  coho_server_options o = {.flags = flags};
  world_open(&w, "/", NULL);
  coho_server_free(w.server);
  o.loop = w.loop;
  w.server = coho_server_new(&o);
  assert_non_null(w.server);
  assert_int_equal(coho_route_ws(w.server, "/room/:name", &so), 0);
  world_start(&w);
}

/* Options whose connections are told apart by the path they ask for. */
static coho_options serving(void) {
  coho_options so = probe_options(&server);
  server.message = probe_echo;
  so.deflate.mode = COHO_DEFLATE_OFF;
  return so;
}

static void connect_one(struct probe *p, const char *path) {
  coho_options co = probe_options(p);
  unsigned before = server.opens;
  world_connect(&w, path, &co);
  UNTIL(&w, p->opens == 1 && server.opens == before + 1);
}

static void close_world(void) { world_close(&w); }

static void test_a_connection_is_described(void **state) {
  (void)state;
  coho_options so = serving(), co = probe_options(&client);
  char peer[COHO_ADDR_MAX];
  static const char *const protocols[] = {"chat", NULL};
  so.protocols = co.protocols = protocols;
  open_world(COHO_KEEP_TARGETS, so);
  world_connect(&w, "/room/a?token=1", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
  ask(NULL);
  assert_int_equal(got.count, 1);
  assert_int_equal(got.matched, 1);
  assert_int_equal(got.total, 1);
  assert_int_equal(got.conns[0].id, server.id);
  assert_string_equal(got.peer, coho_conn_peer(server.conn, peer, sizeof peer));
  assert_string_equal(got.route, "/room/:name");
  assert_string_equal(got.target, "/room/a?token=*"); /* A18 */
  assert_string_equal(got.protocol, "chat");
  assert_string_equal(got.extensions, "");
  assert_string_equal(got.tls, "");
  assert_true(isnan(got.conns[0].rtt_ms) && isnan(got.conns[0].rtt_smooth_ms));
  assert_int_equal(got.conns[0].messages_in + got.conns[0].messages_out, 0);
  assert_int_equal(got.conns[0].flags, 0);
  close_world();
}

static void test_targets_are_kept_only_when_asked(void **state) {
  (void)state;
  open_world(0, serving());
  connect_one(&client, "/room/a");
  ask(NULL);
  assert_string_equal(got.target, "");
  assert_string_equal(got.route, "/room/:name");
  close_world();
}

static void test_messages_are_counted_on_both_layers(void **state) {
  (void)state;
  char big[200];
  memset(big, 'x', sizeof big);
  open_world(0, serving());
  connect_one(&client, "/room/a");
  coho_send(client.conn, coho_text("hello"));
  coho_send(client.conn, coho_text_n(big, sizeof big));
  UNTIL(&w, client.messages == 2);
  ask(NULL);
  const coho_conn_info *c = &got.conns[0];
  assert_int_equal(c->messages_in, 2);
  assert_int_equal(c->messages_out, 2);
  assert_int_equal(c->bytes_in, 205);
  assert_int_equal(c->bytes_out, 205);
  assert_int_equal(c->wire_in, (2 + 4 + 5) + (4 + 4 + 200)); /* a client masks */
  assert_int_equal(c->wire_out, (2 + 5) + (4 + 200));
  assert_int_equal(c->drops, 0);
  close_world();
}

static void test_compression_shows_in_the_bytes_on_the_wire(void **state) {
  (void)state;
  char big[4096];
  memset(big, 'x', sizeof big);
  coho_options so = serving();
  so.deflate.mode = COHO_DEFLATE_SHARED;
  open_world(0, so);
  connect_one(&client, "/room/a");
  coho_send(client.conn, coho_text_n(big, sizeof big));
  UNTIL(&w, client.messages == 1);
  ask(NULL);
  const coho_conn_info *c = &got.conns[0];
  assert_true(strstr(got.extensions, "permessage-deflate"));
  assert_int_equal(c->bytes_in, 4096);
  assert_int_equal(c->bytes_out, 4096);
  assert_in_range(c->wire_in, 1, 400);
  assert_in_range(c->wire_out, 1, 400);
  close_world();
}

static uint64_t wire_bytes_of_a_large_message(uint32_t flags) {
  static char big[100000];
  memset(big, 'x', sizeof big);
  coho_options so = serving();
  server.message = NULL;
  so.flags = flags;
  so.deflate.mode = COHO_DEFLATE_SHARED;
  open_world(0, so);
  connect_one(&client, "/room/a");
  coho_send(client.conn, coho_text_n(big, sizeof big));
  UNTIL(&w, server.bytes == sizeof big);
  ask(NULL);
  assert_int_equal(got.conns[0].messages_in, 1);
  assert_int_equal(got.conns[0].bytes_in, sizeof big);
  close_world();
  return got.conns[0].wire_in;
}

/* Delivered in parts, input is looked at several times: it counts once. */
static void test_a_stream_of_parts_counts_each_byte_once(void **state) {
  uint64_t whole = wire_bytes_of_a_large_message(0);
  (void)setup(state);
  assert_int_equal(wire_bytes_of_a_large_message(COHO_STREAM), whole);
}

static void test_the_keepalive_measures_round_trips(void **state) {
  (void)state;
  coho_options so = serving();
  so.ping_interval_ms = 10;
  open_world(0, so);
  connect_one(&client, "/room/a");
  clock_stop();
  for (int ms = 0; server.pongs < 2; ms += 100) {
    assert_in_range(ms, 0, 20000);
    clock_move(100);
    world_turn(&w);
  }
  assert_string_equal(server.last, ""); /* its stamp is not the program's business */
  ask(NULL);
  assert_true(got.conns[0].rtt_ms > 0 && got.conns[0].rtt_smooth_ms > 0);
  assert_true(got.conns[0].rtt_ms < 60000);
  clock_go();
  close_world();
}

static void test_pongs_of_the_program_are_its_own(void **state) {
  (void)state;
  open_world(0, serving());
  connect_one(&client, "/room/a");
  assert_int_equal(coho_ping(server.conn, "12345678", 8), 0);
  UNTIL(&w, server.pongs == 1);
  assert_string_equal(server.last, "12345678");
  ask(NULL);
  assert_true(isnan(got.conns[0].rtt_ms));
  close_world();
}

static void test_asking_may_ping(void **state) {
  (void)state;
  const coho_conn_filter f = {.flags = COHO_ASK_PING};
  open_world(0, serving());
  connect_one(&client, "/room/a");
  ask(&f);
  assert_true(isnan(got.conns[0].rtt_ms));
  UNTIL(&w, server.pongs == 1);
  assert_int_equal(client.pings, 1);
  ask(NULL);
  assert_true(got.conns[0].rtt_ms > 0);
  close_world();
}

static void test_states(void **state) {
  (void)state;
  coho_conn_filter paused = {.with = COHO_CONN_PAUSED};
  open_world(0, serving());
  connect_one(&client, "/room/a");
  ask(&paused);
  assert_int_equal(got.count, 0);
  assert_int_equal(got.total, 1);
  coho_pause(server.conn);
  ask(&paused);
  assert_int_equal(got.count, 1);
  assert_int_equal(got.conns[0].flags, COHO_CONN_PAUSED);
  coho_pause(client.conn);
  coho_close(server.conn, 1000, NULL);
  ask(NULL);
  assert_int_equal(got.conns[0].flags, COHO_CONN_CLOSING);
  coho_resume(client.conn);
  UNTIL(&w, server.closes == 1);
  ask(NULL);
  assert_int_equal(got.total, 0);
  close_world();
}

static void test_a_queue_that_waits_is_seen(void **state) {
  (void)state;
  static struct raw raw;
  static char big[1 << 20];
  open_world(0, serving());
  raw_connect_narrow(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/room/a", ""), 101);
  UNTIL(&w, server.opens == 1);
  coho_msg m = coho_binary(big, sizeof big);
  while (coho_send(server.conn, m) != COHO_QUEUED) {}
  ask(NULL);
  assert_int_equal(got.conns[0].queued, coho_conn_queued(server.conn));
  assert_true(got.conns[0].queued > 0);
  assert_true(got.conns[0].flags & COHO_CONN_BLOCKED);
  raw_close(&raw);
  close_world();
}

/* ---- many ----------------------------------------------------------------------------------- */

/* The i-th sends i messages. */
static void connect_many(void) {
  char path[32];
  for (int i = 0; i < MANY; i++) {
    snprintf(path, sizeof path, "/room/%c", 'a' + i % 3);
    connect_one(&others[i], path);
    for (int k = 0; k < i; k++)
      coho_send(others[i].conn, coho_text("x"));
    UNTIL(&w, others[i].messages == (unsigned)i);
  }
}

static void test_the_best_come_first_and_the_rest_is_counted(void **state) {
  (void)state;
  coho_conn_filter f = {.order = COHO_BY_MESSAGES_IN, .limit = 5};
  open_world(COHO_KEEP_TARGETS, serving());
  connect_many();
  ask(&f);
  assert_int_equal(got.count, 5);
  assert_int_equal(got.matched, MANY);
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(got.conns[i].messages_in, MANY - 1 - i);
  f.flags = COHO_ASK_ASCENDING;
  ask(&f);
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(got.conns[i].messages_in, i);
  close_world();
}

static void test_filters(void **state) {
  (void)state;
  coho_conn_filter f = {.match = "/room/b"};
  open_world(COHO_KEEP_TARGETS, serving());
  connect_many();
  ask(&f);
  assert_int_equal(got.count, MANY / 3);
  assert_int_equal(got.total, MANY);
  assert_string_equal(got.target, "/room/b");
  f = (coho_conn_filter){.match = "127.0.0.1:"};
  ask(&f);
  assert_int_equal(got.count, MANY);
  f = (coho_conn_filter){.match = "nowhere"};
  ask(&f);
  assert_int_equal(got.count, 0);
  f = (coho_conn_filter){.id = server.id};
  ask(&f);
  assert_int_equal(got.count, 1);
  assert_int_equal(got.conns[0].id, server.id);
  close_world();
}

static void test_unknown_round_trips_come_last(void **state) {
  (void)state;
  coho_conn_filter f = {.order = COHO_BY_RTT};
  coho_conn_filter one = {.flags = COHO_ASK_PING};
  open_world(0, serving());
  connect_one(&others[0], "/room/a");
  one.id = server.id;
  coho_id measured = server.id;
  connect_one(&others[1], "/room/a");
  ask(&one);
  UNTIL(&w, server.pongs == 1);
  ask(&f);
  assert_int_equal(got.conns[0].id, measured);
  f.flags = COHO_ASK_ASCENDING;
  ask(&f);
  assert_int_equal(got.conns[0].id, measured);
  close_world();
}

/* ---- endings -------------------------------------------------------------------------------- */

static void test_endings_are_counted(void **state) {
  (void)state;
  open_world(0, serving());
  connect_one(&others[0], "/room/a");
  coho_close(others[0].conn, 4401, NULL);
  UNTIL(&w, server.closes == 1);
  connect_one(&others[1], "/room/a");
  coho_close(others[1].conn, 4999, NULL);
  UNTIL(&w, server.closes == 2);
  connect_one(&others[2], "/room/a");
  coho_abort(server.conn);
  UNTIL(&w, server.closes == 3);
  assert_int_equal(coho_server_ended_with_code(w.server, 4401), 1);
  assert_int_equal(coho_server_ended_with_code(w.server, 4000), 1);
  assert_int_equal(coho_server_ended_with_code(w.server, 1006), 1);
  assert_int_equal(coho_server_ended_with_code(w.server, 1000), 0);
  assert_int_equal(coho_server_ended_with_error(w.server, 0), 2);
  assert_int_equal(coho_server_ended_with_error(w.server, COHO_ESTOPPED), 1);
  close_world();
}

/* ---- misuse --------------------------------------------------------------------------------- */

static void test_wrong_questions(void **state) {
  (void)state;
  coho_conn_filter f = {.order = COHO_BY_BYTES_OUT + 1};
  open_world(0, serving());
  assert_int_equal(coho_server_connections(w.server, NULL, NULL, NULL), COHO_EINVAL);
  assert_int_equal(coho_server_connections(w.server, &f, done, &got), COHO_EOPTION);
  f = (coho_conn_filter){.limit = 100001};
  assert_int_equal(coho_server_connections(w.server, &f, done, &got), COHO_EOPTION);
  f = (coho_conn_filter){.flags = 128};
  assert_int_equal(coho_server_connections(w.server, &f, done, &got), COHO_EOPTION);
  f = (coho_conn_filter){.with = 128};
  assert_int_equal(coho_server_connections(w.server, &f, done, &got), COHO_EOPTION);
  close_world();
  assert_int_equal(got.calls, 0);
}

static void test_an_answer_whose_loop_is_gone_is_dropped(void **state) {
  (void)state;
  coho_conn_filter f = {.loop = coho_loop_new()};
  open_world(0, serving());
  connect_one(&client, "/room/a");
  assert_int_equal(coho_server_connections(w.server, &f, done, &got), 0);
  coho_loop_free(f.loop);
  for (int i = 0; i < 10; i++)
    world_turn(&w);
  assert_int_equal(coho_server_connections(w.server, NULL, done, &got), 0);
  close_world(); /* before the question was looked at, or while it is */
  assert_true(got.calls <= 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_connection_is_described, setup),
      cmocka_unit_test_setup(test_targets_are_kept_only_when_asked, setup),
      cmocka_unit_test_setup(test_messages_are_counted_on_both_layers, setup),
      cmocka_unit_test_setup(test_compression_shows_in_the_bytes_on_the_wire, setup),
      cmocka_unit_test_setup(test_a_stream_of_parts_counts_each_byte_once, setup),
      cmocka_unit_test_setup(test_the_keepalive_measures_round_trips, setup),
      cmocka_unit_test_setup(test_pongs_of_the_program_are_its_own, setup),
      cmocka_unit_test_setup(test_asking_may_ping, setup),
      cmocka_unit_test_setup(test_states, setup),
      cmocka_unit_test_setup(test_a_queue_that_waits_is_seen, setup),
      cmocka_unit_test_setup(test_the_best_come_first_and_the_rest_is_counted, setup),
      cmocka_unit_test_setup(test_filters, setup),
      cmocka_unit_test_setup(test_unknown_round_trips_come_last, setup),
      cmocka_unit_test_setup(test_endings_are_counted, setup),
      cmocka_unit_test_setup(test_wrong_questions, setup),
      cmocka_unit_test_setup(test_an_answer_whose_loop_is_gone_is_dropped, setup),
  };
  return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
