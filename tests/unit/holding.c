#include "unit/holding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct httpd server;

void holding_hello(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply(r, 200, "text/plain", "hello", 5), 0);
}

void holding_post(void (*fn)(void *r), coho_request *r) {
  assert_int_equal(coho_loop_post(coho_request_loop(r), fn, r), 0);
}

void holding_open(struct client *c) {
  client_open(c, &server, 4096, 0);
  client_say(c, GET("/hold"));
}

int holding_set_up(void **state) {
  (void)state;
  held_reset();
  httpd_start(&server);
  httpd_route(&server, "GET", "/", holding_hello);
  httpd_route(&server, "*", "/hold", held_serve);
  return 0;
}

int holding_tear_down(void **state) {
  (void)state;
  assert_null(held.r);
  httpd_stop(&server);
  return 0;
}
