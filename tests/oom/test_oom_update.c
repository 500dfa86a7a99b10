/* Every allocation of an update fails once: it says so, and what was there before still counts. */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <coho/topics.h>

enum { MOST = 500 };

#define PAGE "Origin: https://page.example\r\n"

static const char *const page[] = {"https://page.example", NULL};
static const char secret[] = "0123456789abcdef0123456789abcdef";

static struct world w;
static struct raw peer;
static coho_hub *hub;
static coho_keys *keys;

static void begin(void) {
  const coho_key_source source = {
      .kind = COHO_KEY_SECRET, .data = secret, .len = sizeof secret - 1};
  world_open(&w, NULL, NULL);
  hub = coho_hub_new(NULL);
  assert_non_null(hub);
  assert_int_equal(coho_keys_new(NULL, &keys), 0);
  assert_int_equal(coho_keys_add(keys, &source, NULL, 0), 0);
  assert_int_equal(coho_route_topics(w.server, "/t/", hub, NULL), 0);
  assert_int_equal(coho_route_ws(w.server, "/echo", NULL), 0);
  world_start(&w);
}

static void end(void) {
  world_close(&w);
  coho_keys_free(keys);
  coho_hub_free(hub);
}

/* Whether a page of elsewhere gets in. */
static bool lets_in(const char *path) {
  raw_connect(&peer, &w);
  int status = raw_upgrade(&peer, path, PAGE);
  raw_close(&peer);
  assert_true(status == 101 || status == 403);
  return status == 101;
}

static int update_route(void) {
  const coho_options o = {.origins = page};
  return coho_route_ws_update(w.server, "/echo", &o);
}

static int update_topics(void) {
  static const char *const open[] = {"room", NULL};
  const coho_topics_options o = {
      .origins = page, .keys = keys, .open_subscribe = open, .cookie = "c"};
  return coho_route_topics_update(w.server, "/t/", &o);
}

static int update_server(void) {
  const coho_server_options o = {.max_per_address = 3, .max_connections = 7};
  return coho_server_update(w.server, &o);
}

static bool try_update(long i, int (*update)(void), const char *path) {
  begin();
  alloc_fail_at(i);
  int err = update();
  bool failed = alloc_failed();
  alloc_fail_at(0);
  assert_int_equal(err, failed ? COHO_ENOMEM : 0);
  if (path) assert_int_equal(lets_in(path), !failed);
  end();
  return failed;
}

static bool try_route(long i) { return try_update(i, update_route, "/echo"); }
static bool try_topics(long i) { return try_update(i, update_topics, "/t/room"); }
static bool try_server(long i) { return try_update(i, update_server, NULL); }

static void test_route(void **state) {
  (void)state;
  alloc_fail_each(MOST, try_route);
}

static void test_topics(void **state) {
  (void)state;
  alloc_fail_each(MOST, try_topics);
}

static void test_server(void **state) {
  (void)state;
  alloc_fail_each(MOST, try_server);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_route), cmocka_unit_test(test_topics),
                                     cmocka_unit_test(test_server)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
