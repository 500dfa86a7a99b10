/* Tokens in the course of time: their end, their successors, too many bad ones, tickets for one use. */
#include "guarded.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* ---- the end of a token ---------------------------------------------------------------------- */

static void test_B23_the_end_of_a_token(void **state) {
  (void)state;
  open_all();
  clock_stop();
  assert_int_equal(upgrade_json("Authorization: Bearer ", short_token(300)), 101);
  expect("{\"op\":\"expiring\",\"in\":1}");
  clock_move(TOKEN_ENDS_MS);
  expect_close(4401, "the token is not valid");
  assert_int_equal(upgrade("/t/room/tea", fields_of("Authorization: Bearer ", short_token(300))),
                   101);
  clock_move(TOKEN_ENDS_MS);
  expect_close(4401, "the token is not valid");
  finish();
}

static void test_B23_another_token_in_time(void **state) {
  (void)state;
  open_all();
  clock_stop();
  assert_int_equal(upgrade_json("Authorization: Bearer ", short_token(300)), 101);
  expect("{\"op\":\"expiring\",\"in\":1}");
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"room/tea\"}");
  expect("\"op\":\"ok\"");
  say_token(good_token());
  expect("{\"op\":\"ok\",\"id\":\"a\",\"expires\":4102444800}");
  clock_move(TOKEN_ENDS_MS);
  publish("room/tea", "still here");
  expect("\"data\":\"still here\"");
  raw_close(&a);
  finish();
}

/* The time of the new one counts, also when it ends earlier. */
static void test_B23_another_token_that_is_shorter(void **state) {
  (void)state;
  open_all();
  clock_stop();
  assert_int_equal(upgrade_json("Authorization: Bearer ", good_token()), 101);
  say_token(short_token(300));
  expect("{\"op\":\"ok\",\"id\":\"a\"");
  expect("{\"op\":\"expiring\",\"in\":1}");
  clock_move(TOKEN_ENDS_MS);
  expect_close(4401, "the token is not valid");
  finish();
}

/* What the new one does not allow ends. */
static void test_B22_rights_that_a_new_token_lacks(void **state) {
  (void)state;
  open_all();
  assert_int_equal(upgrade_json("Authorization: Bearer ", good_token()), 101);
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"room/tea\"}");
  expect("\"op\":\"ok\"");
  say("{\"op\":\"sub\",\"id\":2,\"pattern\":\"room/+\"}");
  expect("\"op\":\"ok\"");
  say("{\"op\":\"sub\",\"id\":3,\"topic\":\"room/coffee\"}");
  expect("\"op\":\"ok\"");
  say_token(
      token_of("{" FOR_EVER "," CHAT ",\"sub\":\"ann\",\"coho\":{\"sub\":[\"room/coffee\"]}}"));
  expect("{\"op\":\"ok\",\"id\":\"a\"");
  expect("\"code\":\"forbidden\"");
  expect("\"code\":\"forbidden\"");
  publish("room/tea", "not for ann");
  publish("room/coffee", "for ann");
  expect("{\"topic\":\"room/coffee\",\"pos\":");
  say("{\"op\":\"ping\",\"id\":4}");
  expect("{\"op\":\"pong\",\"id\":4}");
  raw_close(&a);
  finish();
}

/* Who is present stays who it is. */
static void test_another_subject_is_refused(void **state) {
  (void)state;
  open_all();
  assert_int_equal(upgrade_json("Authorization: Bearer ", good_token()), 101);
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"room/tea\",\"as\":{\"id\":\"bob\"}}");
  expect("\"code\":\"forbidden\"");
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"room/tea\",\"as\":{\"id\":\"ann\"}}");
  expect("\"op\":\"ok\"");
  say_token(token_of("{" FOR_EVER "," CHAT ",\"sub\":\"bob\",\"coho\":{\"sub\":[\"#\"]}}"));
  expect_close(4403, "no right to do this");
  finish();
}

/* ---- origins --------------------------------------------------------------------------------- */

#define EVIL "Origin: https://evil.example\r\n"

/* A12: before anything else, so that a page learns nothing, and uses up nothing. */
static void test_A12_foreign_pages_are_refused_first(void **state) {
  (void)state;
  char fields[REQUEST_MOST];
  open_all();
  const char *token = good_token();
  (void)snprintf(fields, sizeof fields, EVIL "Cookie: coho_token=%s\r\n", token);
  assert_int_equal(request("GET", HISTORY, fields), 403);
  assert_int_equal(request("POST", "/t/", fields), 403);
  assert_int_equal(request("POST", "/t/room/tea", fields), 403);
  assert_int_equal(upgrade("/t/room/tea", fields), 403);
  raw_close(&a);
  (void)snprintf(fields, sizeof fields, JSON EVIL "Cookie: coho_token=%s\r\n", token);
  assert_int_equal(upgrade("/t/", fields), 403);
  raw_close(&a);
  for (int i = 0; i < 20; i++) {
    assert_int_equal(request("GET", HISTORY, EVIL "Cookie: coho_token=forged\r\n"), 403);
    assert_int_equal(upgrade("/t/room/tea", EVIL "Cookie: coho_token=forged\r\n"), 403);
    raw_close(&a);
  }
  (void)snprintf(fields, sizeof fields, "Origin: http://h.example\r\nCookie: coho_token=%s\r\n",
                 token);
  assert_int_equal(request("GET", HISTORY, fields), 200);
  finish();
}

static void page(char fields[REQUEST_MOST], const char *origin, const char *before) {
  (void)snprintf(fields, REQUEST_MOST, "%s%s%s\r\n", origin, before, good_token());
}

/* A12: where any page is let in, only those that are named act as their visitors. */
static void test_A12_cookies_count_for_named_pages_only(void **state) {
  (void)state;
  static const char *const others[] = {EVIL, "Origin: null\r\n"};
  static const char *const own[] = {"", "Origin: http://h.example\r\n",
                                    "Origin: https://good.example\r\n"};
  static const char *const origins[] = {"*", "null", "https://good.example", NULL};
  char fields[REQUEST_MOST];
  open_with((coho_topics_options){.origins = origins});
  for (size_t i = 0; i < COHO_COUNT(others); i++) {
    page(fields, others[i], "Cookie: coho_token=");
    assert_int_equal(request("GET", HISTORY, fields), 401);
    assert_int_equal(request("POST", "/t/", fields), 401);
    assert_int_equal(request("POST", "/t/room/tea", fields), 401);
    assert_int_equal(upgrade("/t/room/tea", fields), 401);
    raw_close(&a);
    page(fields, others[i], "Authorization: Bearer ");
    assert_int_equal(request("GET", HISTORY, fields), 200);
    page(fields, others[i], "Sec-WebSocket-Protocol: coho.raw.v1, bearer.");
    assert_int_equal(upgrade("/t/room/tea", fields), 101);
    raw_close(&a);
  }
  for (size_t i = 0; i < COHO_COUNT(own); i++) {
    page(fields, own[i], "Cookie: coho_token=");
    assert_int_equal(request("GET", HISTORY, fields), 200);
    assert_int_equal(request("POST", "/t/", fields), 200);
    assert_int_equal(upgrade("/t/room/tea", fields), 101);
    raw_close(&a);
  }
  finish();
}

/* ---- too many -------------------------------------------------------------------------------- */

/* A17: from one address; another one is not concerned. */
static void test_A17_too_many_bad_tokens(void **state) {
  (void)state;
  char fields[REQUEST_MOST];
  open_all();
  for (int i = 0; i < 10; i++)
    assert_int_equal(request("GET", HISTORY, "Authorization: Bearer forged\r\n"), 401);
  assert_int_equal(request("GET", HISTORY, "Authorization: Bearer forged\r\n"), 429);
  expect_error("too-many");
  expect_head("Retry-After: ");
  (void)snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n", good_token());
  assert_int_equal(request("GET", HISTORY, fields), 429);
  assert_int_equal(upgrade("/t/room/tea", fields), 429);
  raw_close(&a);
  assert_int_equal(upgrade("/t/", JSON), 101);
  say_token(good_token());
  expect_close(4429, "too many bad tokens; come back later");
  assert_int_equal(request("GET", HISTORY, ""), 401);
  assert_int_equal(ask("GET", HISTORY, good_token()), 200);
  assert_true(logged("COHO_ETOKENRATE"));
  finish();
}

/* ---- tickets --------------------------------------------------------------------------------- */

static const char *new_ticket(const char *path) {
  char ticket[64];
  assert_int_equal(ask("POST", path, good_token()), 200);
  assert_int_equal(sscanf(body, "{\"ticket\":\"%63[A-Za-z0-9_-]\",\"expires_in\":60}", ticket), 1);
  assert_int_equal(strlen(ticket), 43);
  expect_head("Cache-Control: no-store\r\n");
  return secret(ticket);
}

static const char *with_ticket(const char *target, const char *ticket) {
  static char text[256];
  (void)snprintf(text, sizeof text, "%s?ticket=%s", target, ticket);
  return text;
}

static void test_A18_a_ticket_is_for_one_use(void **state) {
  (void)state;
  open_all();
  const char *ticket = new_ticket("/t/");
  assert_int_equal(upgrade(with_ticket("/t/room/tea", ticket), ""), 101);
  raw_close(&a);
  assert_int_equal(upgrade(with_ticket("/t/room/tea", ticket), ""), 401);
  raw_close(&a);
  UNTIL(&w, logged("COHO_ETICKET"));
  assert_int_equal(request("GET", with_ticket(HISTORY, ticket), ""), 401);
  assert_int_equal(request("GET", with_ticket(HISTORY, new_ticket("/t/")), ""), 200);
  assert_int_equal(request("GET", with_ticket("/t/secret/history", new_ticket("/t/")), ""), 403);
  UNTIL(&w, logged("GET /t/room/tea?ticket=*"));
  finish();
}

static void test_A18_a_ticket_of_another_mount(void **state) {
  (void)state;
  open_all();
  assert_int_equal(request("GET", with_ticket(HISTORY, new_ticket("/other/")), ""), 401);
  assert_int_equal(
      request("GET", with_ticket("/other/room/tea/history", new_ticket("/other/")), ""), 200);
  finish();
}

static void test_A18_who_gets_a_ticket(void **state) {
  (void)state;
  open_all();
  assert_int_equal(request("POST", "/t/", ""), 401);
  assert_int_equal(ask("POST", "/t/", forged_token()), 401);
  assert_int_equal(request("POST", "/t/", fields_of("Cookie: coho_token=", good_token())), 200);
  /* Nobody has one for ever by getting the next one for it, and it is not used up by that. */
  const char *ticket = new_ticket("/t/");
  assert_int_equal(request("POST", with_ticket("/t/", ticket), ""), 400);
  assert_int_equal(request("GET", with_ticket(HISTORY, ticket), ""), 200);
  finish();
}

static void test_A18_no_tickets_without_keys(void **state) {
  (void)state;
  open_all();
  coho_server_free(w.server);
  coho_loop_free(w.loop);
  make_server();
  assert_int_equal(coho_route_topics(w.server, "/t/", hub, NULL), 0);
  world_start(&w);
  assert_int_equal(request("POST", "/t/", ""), 404);
  assert_int_equal(ask("GET", HISTORY, forged_token()), 200);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_B23_the_end_of_a_token),
      cmocka_unit_test(test_B23_another_token_in_time),
      cmocka_unit_test(test_B23_another_token_that_is_shorter),
      cmocka_unit_test(test_B22_rights_that_a_new_token_lacks),
      cmocka_unit_test(test_another_subject_is_refused),
      cmocka_unit_test(test_A12_foreign_pages_are_refused_first),
      cmocka_unit_test(test_A12_cookies_count_for_named_pages_only),
      cmocka_unit_test(test_A17_too_many_bad_tokens),
      cmocka_unit_test(test_A18_a_ticket_is_for_one_use),
      cmocka_unit_test(test_A18_a_ticket_of_another_mount),
      cmocka_unit_test(test_A18_who_gets_a_ticket),
      cmocka_unit_test(test_A18_no_tickets_without_keys),
  };
  return cmocka_run_group_tests(tests, guarded_setup, guarded_teardown);
}
