/* Options of a server that runs: who comes takes the new ones, who is there goes on with the old ones. */
#include "support/clock.h"
#include "support/web.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD "Origin: https://good.example\r\n"

static const char *const good[] = {"https://good.example", NULL};

/* ---- WebSocket routes ------------------------------------------------------------------------ */

static struct world w;
static struct raw a, b;
static struct probe server;

static void finish(void) {
  raw_close(&a);
  raw_close(&b);
  world_close(&w);
}

static coho_options echo(const char *const *origins, uint64_t max_message) {
  coho_options o = probe_options(&server);
  o.origins = origins;
  o.max_message = max_message;
  return o;
}

static void open_echo(const char *const *origins, uint64_t max_message) {
  memset(&server, 0, sizeof server);
  server.message = probe_echo;
  coho_options o = echo(origins, max_message);
  world_open(&w, "/echo", &o);
}

static void update_echo(const char *const *origins, uint64_t max_message) {
  coho_options o = echo(origins, max_message);
  assert_int_equal(coho_route_ws_update(w.server, "/echo", &o), 0);
}

static void test_origins_of_a_route(void **state) {
  (void)state;
  open_echo(NULL, 0);
  raw_connect(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/echo", GOOD), 403);
  update_echo(good, 0);
  raw_connect(&b, &w);
  assert_int_equal(raw_upgrade(&b, "/echo", GOOD), 101);
  finish();
}

static void check_echo(struct raw *r, const char *text) {
  struct raw_frame f;
  raw_frame(r, 1, true, text, strlen(text));
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  assert_int_equal(f.len, strlen(text));
}

static void test_limits_of_a_route(void **state) {
  (void)state;
  struct raw_frame f;
  open_echo(NULL, 8);
  raw_connect(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/echo", ""), 101);
  check_echo(&a, "12345678");
  update_echo(NULL, 4);
  check_echo(&a, "12345678");
  raw_connect(&b, &w);
  assert_int_equal(raw_upgrade(&b, "/echo", ""), 101);
  check_echo(&b, "1234");
  raw_frame(&b, 1, true, "12345", 5);
  assert_true(raw_next(&b, &f));
  assert_int_equal(raw_code(&f), 1009);
  finish();
}

static void test_what_is_no_route(void **state) {
  (void)state;
  const coho_options wrong = {.low_mark = UINT64_MAX};
  open_echo(NULL, 0);
  assert_int_equal(coho_route_http(w.server, "GET", "/plain", NULL, NULL), COHO_EINVAL);
  assert_int_equal(coho_route_ws_update(w.server, "/other", NULL), COHO_ENOTFOUND);
  assert_int_equal(coho_route_ws_update(w.server, NULL, NULL), COHO_EINVAL);
  assert_int_equal(coho_route_ws_update(w.server, "/echo", &wrong), COHO_EOPTION);
  raw_connect(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/echo", ""), 101);
  finish();
}

/* ---- the server ------------------------------------------------------------------------------ */

static void body_of(coho_request *r, void *user) {
  (void)user;
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), 0);
}

static int post(struct raw *r, const char *body) {
  char text[256], head[2048];
  int len =
      snprintf(text, sizeof text, "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
               strlen(body), body);
  raw_send(r, text, (size_t)len);
  const char *line = raw_head(r, head, sizeof head);
  assert_memory_equal(line, "HTTP/1.1 ", 9);
  return (int)strtol(line + 9, NULL, 10);
}

static void update_server(const coho_server_options *so) {
  assert_int_equal(coho_server_update(w.server, so), 0);
  /* The bell is heard in the next turn. */
  world_turn(&w);
}

static void test_limits_of_a_server(void **state) {
  (void)state;
  world_open(&w, NULL, NULL);
  assert_int_equal(coho_route_http(w.server, "POST", "/in", body_of, NULL), 0);
  world_start(&w);
  raw_connect(&a, &w);
  assert_int_equal(post(&a, "12345678"), 200);
  update_server(&(coho_server_options){.max_body = 4, .max_connections = 1});
  raw_connect(&b, &w); /* a is still there */
  assert_int_equal(post(&b, ""), 503);
  raw_close(&b);
  assert_int_equal(post(&a, "1234"), 200);
  assert_int_equal(post(&a, "12345"), 413);
  finish();
}

static void test_addresses_are_counted_from_then_on(void **state) {
  (void)state;
  world_open(&w, NULL, NULL);
  assert_int_equal(coho_route_http(w.server, "POST", "/in", body_of, NULL), 0);
  world_start(&w);
  raw_connect(&a, &w);
  assert_int_equal(post(&a, ""), 200);
  update_server(&(coho_server_options){.max_per_address = 1});
  raw_connect(&b, &w);
  assert_int_equal(post(&b, ""), 200);
  raw_close(&a);
  raw_connect(&a, &w);
  assert_int_equal(post(&a, ""), 503);
  raw_close(&a);
  update_server(NULL);
  raw_connect(&a, &w);
  assert_int_equal(post(&a, ""), 200);
  finish();
}

static void test_wrong_options_change_nothing(void **state) {
  (void)state;
  open_echo(NULL, 0);
  assert_int_equal(coho_server_update(w.server, &(coho_server_options){.max_fields = 1 << 20}),
                   COHO_EOPTION);
  assert_int_equal(coho_server_update(w.server, &(coho_server_options){.drain_code = 1005}),
                   COHO_EOPTION);
  finish();
}

/* ---- topics ---------------------------------------------------------------------------------- */

static struct web web;
static struct web_client one, two;

static void update_topics(const coho_topics_options *o) {
  assert_int_equal(coho_route_topics_update(web.w.server, "/t/", o), 0);
}

static void test_origins_and_limits_of_topics(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_connect(&one, &web);
  web_get(&one, GOOD, "/t/room/history");
  assert_int_equal(web_answer(&one), 403);
  web_post(&one, "/t/room", "", "12345678", 8);
  web_check(&one, 200, NULL);
  update_topics(&(coho_topics_options){.origins = good, .max_message = 4});
  web_get(&one, GOOD, "/t/room/history");
  assert_int_equal(web_answer(&one), 200);
  web_check_field(&one, "Access-Control-Allow-Origin", "https://good.example");
  web_post(&one, "/t/room", "", "1234", 4);
  web_check(&one, 200, NULL);
  web_connect(&two, &web);
  web_post(&two, "/t/room", "", "12345", 5);
  web_check(&two, 413, NULL);
  web_close(&web);
}

static void test_who_follows_goes_on(void **state) {
  (void)state;
  static const char *const nothing[] = {NULL};
  web_open(&web, NULL, NULL);
  web_stream(&one, "/t/room", "E.0");
  update_topics(&(coho_topics_options){.open_subscribe = nothing});
  web_connect(&two, &web);
  web_refused(&two, WEB_SSE, "/t/room", 403, "forbidden");
  web_publish(&web, "room", "still there");
  web_expect(&one, "id: E.1\ndata: still there");
  update_topics(NULL);
  web_ask(&two, "/t/room/history", 200, NULL);
  web_close(&web);
}

/* Keys where there were none: tokens count, and tickets come. */
static void test_keys_of_topics(void **state) {
  (void)state;
  static const char secret[] = "0123456789abcdef0123456789abcdef";
  coho_keys *keys;
  const coho_key_source source = {
      .kind = COHO_KEY_SECRET, .data = secret, .len = sizeof secret - 1};
  web_open(&web, NULL, NULL);
  web_connect(&one, &web);
  web_ask(&one, "/t/room/history", 200, NULL);
  assert_int_equal(coho_keys_new(NULL, &keys), 0);
  assert_int_equal(coho_keys_add(keys, &source, NULL, 0), 0);
  update_topics(&(coho_topics_options){.keys = keys});
  coho_keys_free(keys);
  web_refused(&one, "", "/t/room/history", 401, "unauthorized");
  web_refused(&one, "Authorization: Bearer no.token.this\r\n", "/t/room/history", 401,
              "unauthorized");
  update_topics(NULL);
  web_ask(&one, "/t/room/history", 200, NULL);
  web_close(&web);
}

static void test_what_is_no_mount(void **state) {
  (void)state;
  static const char *const wrong[] = {"a//b", NULL};
  const coho_topics_options o = {.open_publish = wrong};
  web_open(&web, NULL, NULL);
  assert_int_equal(coho_route_topics_update(web.w.server, "/x/", NULL), COHO_ENOTFOUND);
  assert_int_equal(coho_route_topics_update(web.w.server, "t", NULL), COHO_EINVAL);
  assert_int_equal(coho_route_topics_update(web.w.server, "/t/", &o), COHO_EOPTION);
  web_post(&one, "/t/room", "", "x", 1);
  web_check(&one, 200, NULL);
  web_close(&web);
}

/* Of what is wrong nothing is taken over, not even what does not wait for the next connection. */
static void test_a_wrong_mount_changes_no_rate(void **state) {
  (void)state;
  const coho_options wrong = {.flags = 1U << 31};
  const coho_topics_options before = {.http_rate = {.per_second = 1, .burst = 1}};
  const coho_topics_options o = {.conn = &wrong, .http_rate = {.per_second = 1000, .burst = 1000}};
  clock_stop();
  web_open(&web, &before, NULL);
  web_ask(&one, "/t/room/history", 200, NULL);
  assert_int_equal(coho_route_topics_update(web.w.server, "/t/", &o), COHO_EOPTION);
  clock_move(1000);
  web_ask(&one, "/t/room/history", 200, NULL);
  web_get(&one, "", "/t/room/history");
  assert_int_equal(web_answer(&one), 429);
  clock_go();
  web_close(&web);
}

/* ---- under load ------------------------------------------------------------------------------ */

enum { LOOPS = 3, CLIENTS = 8, ROUNDS = 25 };

static _Atomic bool over;

static void *update_all(void *arg) {
  coho_server *s = (coho_server *)arg;
  for (uint32_t i = 1; !over; i++) {
    const coho_topics_options mount = {.origins = i % 2 ? good : NULL, .max_message = 1000 + i % 7};
    const coho_server_options so = {.max_body = 1000 + i % 7, .max_per_address = 1000 + i % 3};
    if (coho_route_topics_update(s, "/t/", &mount)) return arg;
    if (coho_server_update(s, &so)) return arg;
  }
  return NULL;
}

/* All come and go, follow and publish while everything changes: nobody is refused or cut. */
static void test_changes_under_load(void **state) {
  (void)state;
  static struct web_client clients[CLIENTS];
  pthread_t thread;
  void *failed;
  over = false;
  web_open_with(&web, NULL, NULL, &(coho_server_options){.threads = LOOPS});
  web_stream(&one, "/t/room", "E.0");
  assert_int_equal(pthread_create(&thread, NULL, update_all, web.w.server), 0);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < CLIENTS; i++) {
      web_connect(&clients[i], &web);
      web_post(&clients[i], "/t/room", "", "hello", 5);
    }
    for (int i = 0; i < CLIENTS; i++) {
      web_check(&clients[i], 200, NULL);
      assert_non_null(web_event(&one));
      web_part(&clients[i]);
    }
  }
  over = true;
  assert_int_equal(pthread_join(thread, &failed), 0);
  assert_null(failed);
  web_close(&web);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_origins_of_a_route),
      cmocka_unit_test(test_limits_of_a_route),
      cmocka_unit_test(test_what_is_no_route),
      cmocka_unit_test(test_limits_of_a_server),
      cmocka_unit_test(test_addresses_are_counted_from_then_on),
      cmocka_unit_test(test_wrong_options_change_nothing),
      cmocka_unit_test_teardown(test_origins_and_limits_of_topics, web_teardown),
      cmocka_unit_test_teardown(test_who_follows_goes_on, web_teardown),
      cmocka_unit_test_teardown(test_keys_of_topics, web_teardown),
      cmocka_unit_test_teardown(test_what_is_no_mount, web_teardown),
      cmocka_unit_test_teardown(test_a_wrong_mount_changes_no_rate, web_teardown),
      cmocka_unit_test_teardown(test_changes_under_load, web_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
