/* Looking into a server with several threads while connections come and go. */
#include "support/world.h"

#include <coho/inspect.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 3, CLIENTS = 24, QUESTIONS = 30 };

static coho_server *server;
static struct world w; /* of the clients */
static struct probe clients[CLIENTS];
static _Atomic unsigned opens, closes;

static struct {
  unsigned calls, taps, ends;
  size_t count, total, frames;
  coho_id ids[CLIENTS];
} got;

static void on_open(coho_conn *c) {
  (void)c;
  atomic_fetch_add(&opens, 1);
}

static void on_message(coho_conn *c, coho_msg m) { (void)coho_send(c, m); }

static void on_close(coho_conn *c, const coho_ending *how) {
  (void)c;
  (void)how;
  atomic_fetch_add(&closes, 1);
}

static int setup(void **state) {
  (void)state;
  coho_options so = {.on_open = on_open, .on_message = on_message, .on_close = on_close};
  coho_server_options o = {.threads = THREADS};
  memset(&w, 0, sizeof w);
  memset(&got, 0, sizeof got);
  memset(clients, 0, sizeof clients);
  atomic_store(&opens, 0);
  atomic_store(&closes, 0);
  w.loop = coho_loop_new();
  server = coho_server_new(&o);
  assert_int_equal(coho_route_ws(server, "/", &so), 0);
  assert_int_equal(coho_server_listen(server, "ws://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(server), 0);
  const char *url = coho_server_url(server, 0);
  snprintf(w.url, sizeof w.url, "%.*s", (int)strlen(url) - 1, url);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho_server_stop(server);
  coho_server_free(server);
  coho_loop_free(w.loop);
  return 0;
}

static void connect_all(void) {
  unsigned before = atomic_load(&opens);
  for (int i = 0; i < CLIENTS; i++) {
    coho_options co = probe_options(&clients[i]);
    world_connect(&w, "/", &co);
  }
  UNTIL(&w, atomic_load(&opens) == before + CLIENTS);
}

static void on_frames(void *ctx, const coho_tapped *frames, size_t count) {
  (void)ctx;
  (void)frames;
  got.frames += count;
}

static void on_end(void *ctx, uint64_t lost) {
  (void)ctx;
  (void)lost;
  got.ends++;
}

static void done(void *ctx, const coho_conn_list *list) {
  (void)ctx;
  got.calls++;
  got.count = list->count;
  got.total = list->total;
  for (size_t i = 0; i < list->count && i < CLIENTS; i++)
    got.ids[i] = coho_conn_list_at(list, i)->id;
}

static void ask(void) {
  coho_conn_filter f = {.loop = w.loop, .order = COHO_BY_BYTES_IN, .flags = COHO_ASK_PING};
  unsigned calls = got.calls;
  assert_int_equal(coho_server_connections(server, &f, done, NULL), 0);
  UNTIL(&w, got.calls > calls);
}

static void test_all_loops_answer(void **state) {
  (void)state;
  connect_all();
  ask();
  assert_int_equal(got.total, CLIENTS);
  assert_int_equal(got.count, CLIENTS);
  for (int i = 0; i < CLIENTS; i++)
    for (int k = 0; k < i; k++)
      assert_true(got.ids[i] != got.ids[k]);
}

static void talk(void) {
  for (int i = 0; i < CLIENTS; i++)
    if (clients[i].conn) (void)coho_send(clients[i].conn, coho_text("hello"));
}

static void tap_all(void) {
  coho_tap_options opt = {.loop = w.loop, .on_frames = on_frames, .on_end = on_end};
  for (size_t i = 0; i < got.count; i++) {
    coho_tap *tap;
    if (coho_tap_start(got.ids[i], &opt, &tap)) continue;
    if (i % 3 == 0)
      coho_tap_stop(tap);
    else
      got.taps++;
  }
}

static void test_while_they_come_and_go(void **state) {
  (void)state;
  connect_all();
  for (int i = 0; i < QUESTIONS; i++) {
    talk();
    ask();
    tap_all();
    for (int k = 0; k < 3; k++)
      world_turn(&w);
    coho_conn *c = clients[i % CLIENTS].conn;
    if (c) coho_close(c, 1000, NULL);
    if (i == QUESTIONS / 2) (void)coho_close_id(got.ids[0], 4000, "closed by name");
  }
  for (int i = 0; i < CLIENTS; i++)
    if (clients[i].conn) coho_close(clients[i].conn, 1000, NULL);
  UNTIL(&w, atomic_load(&closes) == CLIENTS);
  UNTIL(&w, got.ends == got.taps);
  assert_true(got.frames > 0);
  ask();
  assert_int_equal(got.total, 0);
}

static void test_a_question_while_the_server_goes(void **state) {
  (void)state;
  coho_conn_filter f = {.loop = w.loop};
  connect_all();
  for (int i = 0; i < 10; i++)
    assert_int_equal(coho_server_connections(server, &f, done, NULL), 0);
  coho_server_stop(server);
  UNTIL(&w, coho_server_stopped(server));
  assert_int_equal(coho_server_connections(server, &f, done, NULL), 0);
  /* Its loops do not run any more: the last one is answered when they are freed. */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_all_loops_answer, setup, teardown),
      cmocka_unit_test_setup_teardown(test_while_they_come_and_go, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_question_while_the_server_goes, setup, teardown),
  };
  return cmocka_run_group_tests_name("inspect_threads", tests, NULL, NULL);
}
