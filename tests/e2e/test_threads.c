/* The functions marked "any thread", called from all sides; the thread sanitizer looks. */
#include "support/alloc_fail.h"
#include "support/world.h"

#include <coho/hub.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, CLIENTS = 6, ROUNDS = 200 };

/* ---- a server with several loops ------------------------------------------------------------- */

static coho_server *server;
static coho_hub *hub;
static _Atomic uint64_t ids[CLIENTS];
static _Atomic unsigned opened, closed, heard, ended;

static void on_open(coho_conn *c) {
  unsigned i = atomic_fetch_add(&opened, 1);
  if (i < CLIENTS) ids[i] = coho_conn_id(c);
  assert_int_equal(coho_subscribe(hub, c, "all"), 0);
}

static void on_message(coho_conn *c, coho_msg m) {
  assert_true(coho_send(c, m) >= 0);
  assert_int_equal(coho_publish(hub, "all", m), 0);
}

static void on_close(coho_conn *c, const coho_ending *how) {
  (void)c;
  (void)how;
  closed++;
}

/* Who falls behind under the flood is told so, not closed. */
static void on_gap(coho_conn *c, const char *topic, uint64_t lost, coho_pos pos) {
  (void)c;
  (void)topic;
  assert_true(lost > 0 && lost < pos.offset + 1);
}

static void start_server(void) {
  coho_options so = {.on_open = on_open, .on_message = on_message, .on_close = on_close};
  so.max_queue = 64 << 20;
  opened = closed = heard = ended = 0;
  hub = coho_hub_new(&(coho_hub_options){.on_gap = on_gap});
  server = coho_server_new(&(coho_server_options){.threads = THREADS, .drain_timeout_ms = 10000});
  assert_non_null(server);
  assert_int_equal(coho_route_ws(server, "/", &so), 0);
  assert_int_equal(coho_server_listen(server, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(server), 0);
}

static void end_server(void) {
  coho_server_stop(server);
  coho_server_free(server);
  assert_int_equal(coho_hub_subscribers(hub, "all"), 0);
  coho_hub_free(hub);
}

/* ---- clients on a loop of the test ----------------------------------------------------------- */

static struct world w;

static void client_message(coho_conn *c, coho_msg m) {
  (void)c;
  (void)m;
  heard++;
}

static void client_close(coho_conn *c, const coho_ending *how) {
  (void)c;
  (void)how;
  ended++;
}

static void connect_clients(unsigned n) {
  coho_options co = {.on_message = client_message, .on_close = client_close};
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  for (unsigned i = 0; i < n; i++)
    assert_int_equal(coho_connect(w.loop, coho_server_url(server, 0), &co, NULL), 0);
  UNTIL(&w, opened == n);
}

static void run_threads(void *(*fn)(void *), pthread_t threads[THREADS]) {
  static int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    assert_int_equal(pthread_create(&threads[i], NULL, fn, &numbers[i]), 0);
  }
}

static void join_threads(pthread_t threads[THREADS]) {
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

/* ---- send by id ------------------------------------------------------------------------------ */

static void *send_to_all(void *arg) {
  (void)arg;
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < CLIENTS; i++)
      if (coho_send_id(ids[i], coho_text("by id")) != COHO_QUEUED) return arg;
  return NULL;
}

static void test_threads_send_by_id(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  start_server();
  connect_clients(CLIENTS);
  run_threads(send_to_all, threads);
  UNTIL(&w, heard == THREADS * CLIENTS * ROUNDS);
  join_threads(threads);
  end_server();
  UNTIL(&w, ended == CLIENTS);
  coho_loop_free(w.loop);
}

static void *close_some(void *arg) {
  for (int i = *(const int *)arg; i < CLIENTS; i += THREADS) {
    (void)coho_send_id(ids[i], coho_text("good bye"));
    (void)coho_close_id(ids[i], 4000, "by id");
    (void)coho_close_id(ids[i], 4000, "again");
    (void)coho_send_id(ids[i], coho_text("too late"));
  }
  return NULL;
}

static void test_threads_close_by_id(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  start_server();
  connect_clients(CLIENTS);
  run_threads(close_some, threads);
  UNTIL(&w, ended == CLIENTS && closed == CLIENTS);
  join_threads(threads);
  assert_int_equal(heard, CLIENTS);
  for (int i = 0; i < CLIENTS; i++) {
    assert_int_equal(coho_send_id(ids[i], coho_text("stale")), COHO_ESTALE);
    assert_int_equal(coho_close_id(ids[i], 1000, NULL), COHO_ESTALE);
  }
  end_server();
  coho_loop_free(w.loop);
}

static void test_ids_that_never_were(void **state) {
  (void)state;
  char *huge = (char *)calloc(1, 65 << 20); /* more than max_queue */
  start_server();
  connect_clients(1);
  assert_int_equal(coho_send_id(0, coho_text("x")), COHO_ESTALE);
  assert_int_equal(coho_send_id(UINT64_MAX, coho_text("x")), COHO_ESTALE);
  assert_int_equal(coho_send_id(ids[0] + 1, coho_text("x")), COHO_ESTALE);
  assert_int_equal(coho_send_id(ids[0] ^ ((uint64_t)1 << 33), coho_text("x")), COHO_ESTALE);
  assert_int_equal(coho_close_id(ids[0], 1005, NULL), COHO_EINVAL);
  assert_int_equal(coho_close_id(ids[0], 1000, "\xff"), COHO_EINVAL);
  coho_msg part = coho_text("p");
  part.flags = COHO_MORE;
  assert_int_equal(coho_send_id(ids[0], part), COHO_EINVAL);
  assert_int_equal(coho_send_id(ids[0], (coho_msg){.data = huge, .len = 65 << 20}), COHO_ETOOBIG);
  free(huge);
  end_server();
  UNTIL(&w, ended == 1);
  coho_loop_free(w.loop);
}

/* ---- publishing ------------------------------------------------------------------------------ */

static void *publish_many(void *arg) {
  char text[32];
  for (int round = 0; round < ROUNDS; round++) {
    snprintf(text, sizeof text, "%d %d", *(const int *)arg, round);
    if (coho_publish(hub, "all", coho_text(text)) != 0) return arg;
    (void)coho_hub_subscribers(hub, "all");
  }
  return NULL;
}

/* Of each publisher the messages come in its order; and all clients see one order. */
struct order {
  int last[THREADS];
  unsigned count;
  uint32_t hash;
};

static struct order orders[CLIENTS];

static void note_order(coho_conn *c, coho_msg m) {
  struct order *o = (struct order *)coho_conn_user(c);
  int who = m.data[0] - '0';
  char number[16];
  snprintf(number, sizeof number, "%.*s", (int)m.len - 2, m.data + 2);
  int round = (int)strtol(number, NULL, 10);
  assert_int_equal(round, o->last[who] + 1);
  o->last[who] = round;
  o->count++;
  o->hash = o->hash * 31 + (uint32_t)(who * ROUNDS + round);
  heard++;
}

static void test_threads_publish_is_in_one_order(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  coho_options co = {.on_message = note_order, .on_close = client_close};
  start_server();
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  for (int i = 0; i < CLIENTS; i++) {
    orders[i] = (struct order){{-1, -1, -1}, 0, 0};
    co.user = &orders[i];
    assert_int_equal(coho_connect(w.loop, coho_server_url(server, 0), &co, NULL), 0);
  }
  UNTIL(&w, opened == CLIENTS);
  run_threads(publish_many, threads);
  UNTIL(&w, heard == THREADS * CLIENTS * ROUNDS);
  join_threads(threads);
  for (int i = 1; i < CLIENTS; i++)
    assert_int_equal(orders[i].hash, orders[0].hash);
  end_server();
  UNTIL(&w, ended == CLIENTS);
  coho_loop_free(w.loop);
}

/* ---- everything at once ---------------------------------------------------------------------- */

static _Atomic bool over;
static _Atomic unsigned called;

static void count_call(void *arg) {
  (void)arg;
  called++;
}

static void *pester(void *arg) {
  coho_stats st;
  while (!over) {
    for (int i = 0; i < CLIENTS; i++)
      (void)coho_send_id(ids[i], coho_binary("x", 1));
    (void)coho_publish(hub, "all", coho_text("y"));
    coho_server_stats(server, &st);
    (void)coho_server_stopped(server);
    (void)coho_loop_post(coho_server_loop(server, (size_t) * (const int *)arg), count_call, NULL);
    (void)coho_hub_subscribers(hub, "all");
  }
  return NULL;
}

static void come_and_go(unsigned count) {
  coho_options co = {.on_message = client_message, .on_close = client_close};
  for (unsigned i = 0; i < count; i++) {
    coho_conn *c;
    assert_int_equal(coho_connect(w.loop, coho_server_url(server, 0), &co, &c), 0);
    UNTIL(&w, opened == CLIENTS + i + 1);
    coho_abort(c);
    UNTIL(&w, ended == i + 1);
  }
}

static void test_threads_while_connections_come_and_go(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  start_server();
  connect_clients(CLIENTS);
  over = false;
  run_threads(pester, threads);
  come_and_go(20);
  coho_server_stop(server);
  coho_server_stop(server);
  UNTIL(&w, coho_server_stopped(server));
  over = true;
  join_threads(threads);
  assert_true(called > 0);
  end_server();
  UNTIL(&w, ended == CLIENTS + 20);
  assert_int_equal(closed, opened);
  coho_loop_free(w.loop);
}

static void *stop_it(void *arg) {
  (void)arg;
  coho_server_stop(server);
  return NULL;
}

static void test_threads_stop_from_several_at_once(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  start_server();
  connect_clients(CLIENTS);
  run_threads(stop_it, threads);
  UNTIL(&w, coho_server_stopped(server) && ended == CLIENTS);
  join_threads(threads);
  end_server();
  coho_loop_free(w.loop);
}

/* ---- listening later, freeing inside --------------------------------------------------------- */

static void test_threads_listen_after_the_start(void **state) {
  (void)state;
  start_server();
  assert_int_equal(coho_server_listen(server, "ws://127.0.0.1:0"), 0);
  const char *url = coho_server_url(server, 1);
  assert_non_null(url);
  assert_int_equal(coho_server_listen(server, url), COHO_EADDRINUSE);
  coho_options co = {.on_message = client_message, .on_close = client_close};
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  assert_int_equal(coho_connect(w.loop, url, &co, NULL), 0);
  UNTIL(&w, opened == 1);
  end_server();
  UNTIL(&w, ended == 1);
  coho_loop_free(w.loop);
}

static void free_server(coho_conn *c, coho_msg m) {
  (void)c;
  (void)m;
  coho_server_free(server);
}

static void say_hello(coho_conn *c) { (void)coho_send(c, coho_text("hello")); }

/* A handler on one of its own threads frees the server, which then ends by itself. */
static void test_threads_free_inside_a_handler(void **state) {
  (void)state;
  coho_options so = {.on_message = free_server, .on_close = on_close};
  coho_options co = {.on_open = say_hello, .on_close = client_close};
  closed = ended = 0;
  server = coho_server_new(&(coho_server_options){.threads = THREADS});
  assert_int_equal(coho_route_ws(server, "/", &so), 0);
  assert_int_equal(coho_server_listen(server, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(server), 0);
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  assert_int_equal(coho_connect(w.loop, coho_server_url(server, 0), &co, NULL), 0);
  UNTIL(&w, ended == 1 && closed == 1);
  coho_loop_free(w.loop);
  while (alloc_live() > 0) /* its threads are detached */
    sched_yield();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threads_send_by_id),
      cmocka_unit_test(test_threads_close_by_id),
      cmocka_unit_test(test_ids_that_never_were),
      cmocka_unit_test(test_threads_publish_is_in_one_order),
      cmocka_unit_test(test_threads_while_connections_come_and_go),
      cmocka_unit_test(test_threads_stop_from_several_at_once),
      cmocka_unit_test(test_threads_listen_after_the_start),
      cmocka_unit_test(test_threads_free_inside_a_handler),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
