/* Every allocation between nothing and an open connection fails once: nothing crashes or leaks, and
   everybody is told the end. */
#include "support/alloc_fail.h"
#include "support/world.h"

#include <stdio.h>
#include <string.h>

static struct probe server, client;
static const char *const protocols[] = {"one", "two", NULL};
static const char *const fields[] = {"X-Field: value", NULL};

static void add_field(coho_request *r) {
  (void)coho_reply_header(r, "X-Answer", "42");
  (void)coho_request_query(r, "name");
  (void)coho_request_choose(r, "own");
}

/* Turns until both sides are open or have ended. */
static void settle(struct world *w) {
  UNTIL(w, client.closes || (client.opens && server.opens) ||
               (client.opens && server.closes == server.opens && server.closes));
  if (client.conn) (void)coho_close(client.conn, 1000, NULL);
  UNTIL(w, client.closes && server.closes == server.opens);
}

static int prepare(struct world *w, const coho_options *so) {
  w->server = coho_server_new(&(coho_server_options){.loop = w->loop});
  if (!w->server) return COHO_ENOMEM;
  int err = coho_route_ws(w->server, "/:room", so);
  if (!err) err = coho_server_listen(w->server, "ws://127.0.0.1:0");
  return err ? err : coho_server_start(w->server);
}

static void attempt(void) {
  struct world w = {0};
  char url[128];
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  coho_options so = probe_options(&server), co = probe_options(&client);
  so.protocols = co.protocols = protocols;
  co.headers = fields;
  so.on_upgrade = add_field;
  w.loop = coho_loop_new();
  if (!w.loop) return;
  int err = prepare(&w, &so);
  if (!err) {
    snprintf(url, sizeof url, "%sroom?name=%%41", coho_server_url(w.server, 0));
    err = coho_connect(w.loop, url, &co, NULL);
    if (!err) settle(&w);
  }
  assert_true(err == 0 || alloc_failed());
  assert_true(err == 0 || client.opens + client.closes == 0);
  world_close(&w);
  assert_int_equal(server.closes, server.opens);
  assert_true(client.closes <= 1);
}

static void test_handshake(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    attempt();
    alloc_assert_none_live();
    if (!alloc_failed()) break;
    assert_true(i < 1000);
  }
  assert_string_equal(server.order, "oc");
  assert_string_equal(client.order, "oc");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_handshake)};
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
