/* Who may follow and publish: tokens by every way and of every wrong kind. */
#include "guarded.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* ---- bad tokens ------------------------------------------------------------------------------ */

enum { NINE_KIB = 9 * 1024 };

static const char *unsigned_token(void) {
  char token[TOKEN_MOST];
  const char *whole = token_make(&signer, "{\"alg\":\"none\"}", "{" FOR_EVER "," CHAT "," ANN "}");
  (void)snprintf(token, sizeof token, "%.*s", (int)(strrchr(whole, '.') + 1 - whole), whole);
  return secret(token);
}

/* Signed with the public key as if it were a secret (RFC 8725 2.1). */
static const char *confused_token(void) {
  const struct token_key forger = {NULL, rsa_pem};
  return secret(token_make(&forger, HS256, "{" FOR_EVER "," CHAT "," ANN "}"));
}

static const char *foreign_alg_token(void) {
  return secret(
      token_make(&signer, "{\"alg\":\"HS384\",\"typ\":\"JWT\"}", "{" FOR_EVER "," CHAT "}"));
}

/* Another payload behind a right header and before a right signature. */
static const char *exchanged_token(void) {
  char token[TOKEN_MOST], mine[TOKEN_MOST];
  (void)snprintf(mine, sizeof mine, "%s", good_token());
  const char *other = token_of("{" FOR_EVER "," CHAT ",\"sub\":\"root\"}");
  (void)snprintf(token, sizeof token, "%.*s%s", (int)(strrchr(other, '.') - other), other,
                 strrchr(mine, '.'));
  return secret(token);
}

static const char *truncated_token(void) {
  char token[TOKEN_MOST];
  const char *whole = good_token();
  (void)snprintf(token, sizeof token, "%.*s", (int)strlen(whole) - 1, whole);
  return secret(token);
}

static const char *long_token(void) {
  char payload[NINE_KIB], token[TOKEN_MOST];
  int n = snprintf(payload, sizeof payload, "{" FOR_EVER "," CHAT "," ANN ",\"x\":\"");
  memset(payload + n, 'x', sizeof payload - (size_t)n);
  (void)snprintf(payload + NINE_KIB / 4 * 3, 16, "\"}");
  (void)snprintf(token, sizeof token, "%s", token_make(&signer, HS256, payload));
  assert_true(strlen(token) > NINE_KIB);
  return secret(token);
}

static const char *late_token(void) { return token_of("{\"exp\":1700000000," CHAT "," ANN "}"); }
static const char *early_token(void) {
  return token_of("{" FOR_EVER ",\"nbf\":4102444000," CHAT "," ANN "}");
}
static const char *issuer_token(void) {
  return token_of("{" FOR_EVER ",\"iss\":\"https://evil.example\",\"aud\":\"chat\"," ANN "}");
}
static const char *no_issuer_token(void) { return token_of("{" FOR_EVER ",\"aud\":\"chat\"}"); }
static const char *audience_token(void) {
  return token_of("{" FOR_EVER ",\"iss\":\"https://id.example\",\"aud\":[\"mail\"]," ANN "}");
}
static const char *no_audience_token(void) {
  return token_of("{" FOR_EVER ",\"iss\":\"https://id.example\"}");
}
static const char *endless_token(void) { return token_of("{" CHAT "," ANN "}"); }
static const char *empty_token(void) { return ""; }
static const char *garbage_token(void) { return secret("this.is.none-whatever-it-looks-like"); }

/* Each, and what the log says of it. */
static const struct kind {
  const char *(*make)(void);
  const char *logged;
} kinds[] = {
    {unsigned_token, "COHO_ETOKENALG"},    {foreign_alg_token, "COHO_ETOKENALG"},
    {confused_token, "COHO_ESIGNATURE"},   {forged_token, "COHO_ESIGNATURE"},
    {exchanged_token, "COHO_ESIGNATURE"},  {truncated_token, "COHO_E"},
    {long_token, "COHO_ETOKEN:"},          {empty_token, "COHO_ETOKEN:"},
    {garbage_token, "COHO_ETOKEN:"},       {late_token, "COHO_EEXPIRED"},
    {early_token, "COHO_ENOTYET"},         {issuer_token, "COHO_EISSUER"},
    {no_issuer_token, "COHO_EISSUER"},     {audience_token, "COHO_EAUDIENCE"},
    {no_audience_token, "COHO_EAUDIENCE"}, {endless_token, "COHO_ECLAIMS"},
};

/* ---- each way to bring one ------------------------------------------------------------------- */

static void test_http_by_header_and_cookie(void **state) {
  (void)state;
  open_all();
  assert_int_equal(ask("GET", HISTORY, good_token()), 200);
  assert_int_equal(request("GET", HISTORY, fields_of("Cookie: coho_token=", good_token())), 200);
  assert_int_equal(request("GET", HISTORY, ""), 401);
  expect_error("unauthorized");
  expect_head("\r\nWWW-Authenticate: Bearer realm=\"topics\"\r\n");
  finish();
}

/* The name of the cookie is an option. */
static void test_another_cookie(void **state) {
  (void)state;
  open_with((coho_topics_options){.cookie = "__Host-session"});
  assert_int_equal(request("GET", HISTORY, fields_of("Cookie: __Host-session=", good_token())),
                   200);
  assert_int_equal(request("GET", HISTORY, fields_of("Cookie: coho_token=", good_token())), 401);
  finish();
}

static void test_websocket_by_each_way(void **state) {
  (void)state;
  static const char *const ways[] = {"Authorization: Bearer ",
                                     "Cookie: coho_token=", "Sec-WebSocket-Protocol: bearer."};
  open_all();
  for (size_t i = 0; i < COHO_COUNT(ways); i++) {
    assert_int_equal(upgrade_json(ways[i], good_token()), 101);
    say("{\"op\":\"sub\",\"id\":1,\"topic\":\"room/tea\"}");
    expect("{\"op\":\"ok\",\"id\":1,\"topic\":\"room/tea\"");
    raw_close(&a);
    assert_int_equal(upgrade("/t/room/tea", fields_of(ways[i], good_token())), 101);
    raw_close(&a);
  }
  finish();
}

/* A token is no subprotocol: neither chosen nor sent back. */
static void test_a_token_is_never_echoed(void **state) {
  (void)state;
  open_all();
  assert_int_equal(upgrade_json("Sec-WebSocket-Protocol: bearer.", good_token()), 101);
  expect_head("Sec-WebSocket-Protocol: coho.json.v1\r\n");
  assert_null(strstr(head, "eyJ"));
  raw_close(&a);
  assert_int_equal(
      upgrade("/t/room/tea", fields_of("Sec-WebSocket-Protocol: bearer.", good_token())), 101);
  assert_null(strstr(head, "Sec-WebSocket-Protocol"));
  raw_close(&a);
  assert_int_equal(
      upgrade("/t/room/tea", fields_of("Sec-WebSocket-Protocol: bearer.", forged_token())), 401);
  assert_null(strstr(head, "eyJ"));
  raw_close(&a);
  finish();
}

/* ---- bad ones -------------------------------------------------------------------------------- */

static void test_bad_tokens_by_http(void **state) {
  (void)state;
  open_all();
  for (size_t i = 0; i < COHO_COUNT(kinds); i++) {
    log_len = 0;
    int status = ask("GET", HISTORY, kinds[i].make());
    if (status != 401 || !logged(kinds[i].logged))
      fail_msg("%zu: %d, %s not in %s", i, status, kinds[i].logged, log_text);
    expect_error("unauthorized");
    expect_head("WWW-Authenticate: Bearer realm=\"topics\", error=\"invalid_token\"\r\n");
  }
  finish();
}

static void test_bad_tokens_by_handshake(void **state) {
  (void)state;
  open_all();
  for (size_t i = 0; i < COHO_COUNT(kinds); i++) {
    const char *token = kinds[i].make();
    int json = upgrade_json("Authorization: Bearer ", token);
    raw_close(&a);
    int raw = upgrade("/t/room/tea", fields_of("Authorization: Bearer ", token));
    raw_close(&a);
    if (json != 401 || raw != 401) fail_msg("%zu: %d, %d", i, json, raw);
  }
  finish();
}

static void test_bad_tokens_by_first_message(void **state) {
  (void)state;
  open_all();
  for (size_t i = 0; i < COHO_COUNT(kinds); i++) {
    assert_int_equal(upgrade("/t/", fields_of(JSON "X: ", "y")), 101);
    say_token(kinds[i].make());
    expect_close(4401, "the token is not valid");
  }
  finish();
}

/* An answer tells whether a token is wrong, but not what is wrong with it. */
static void test_B25_refusals_are_alike(void **state) {
  (void)state;
  char first[sizeof body];
  open_all();
  assert_int_equal(ask("GET", HISTORY, forged_token()), 401);
  memcpy(first, body, sizeof first);
  for (size_t i = 0; i < COHO_COUNT(kinds); i++) {
    assert_int_equal(ask("GET", HISTORY, kinds[i].make()), 401);
    assert_string_equal(body, first);
  }
  finish();
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void test_B22_each_action_is_authorised(void **state) {
  (void)state;
  open_all();
  assert_int_equal(ask("GET", "/t/secret/history", good_token()), 403);
  expect_error("forbidden");
  expect_head("error=\"insufficient_scope\"");
  assert_int_equal(ask("GET", "/t/secret/presence", good_token()), 403);
  assert_int_equal(upgrade("/t/secret", fields_of("Authorization: Bearer ", good_token())), 403);
  raw_close(&a);
  assert_int_equal(upgrade_json("Authorization: Bearer ", good_token()), 101);
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"secret\"}");
  expect("\"id\":1,\"topic\":\"secret\",\"code\":\"forbidden\"");
  say("{\"op\":\"sub\",\"id\":2,\"pattern\":\"#\"}");
  expect("\"code\":\"forbidden\"");
  say("{\"op\":\"sub\",\"id\":3,\"topic\":\"secret/presence\"}");
  expect("\"code\":\"forbidden\"");
  say("{\"op\":\"pub\",\"id\":4,\"topic\":\"room/coffee\",\"data\":\"x\"}");
  expect("\"code\":\"forbidden\"");
  say("{\"op\":\"history\",\"id\":5,\"topic\":\"secret\"}");
  expect("\"code\":\"forbidden\"");
  say("{\"op\":\"presence\",\"id\":6,\"topic\":\"secret\"}");
  expect("\"code\":\"forbidden\"");
  say("{\"op\":\"sub\",\"id\":7,\"pattern\":\"room/+\"}");
  expect("{\"op\":\"ok\",\"id\":7,\"pattern\":\"room/+\"");
  say("{\"op\":\"pub\",\"id\":8,\"topic\":\"room/tea\",\"data\":\"x\"}");
  expect("\"room/tea\"");
  raw_close(&a);
  finish();
}

/* By HTTP, too; where nothing happens nothing is published either. */
static void test_B22_publishing_by_post(void **state) {
  (void)state;
  coho_pos pos;
  open_all();
  assert_int_equal(post("/t/room/tea", good_token()), 200);
  assert_int_equal(post("/t/room/coffee", good_token()), 403);
  assert_int_equal(post("/t/secret", good_token()), 403);
  assert_int_equal(post("/t/room/tea", forged_token()), 401);
  assert_int_equal(request("POST", "/t/room/tea", "Content-Length: 0\r\n"), 401);
  assert_int_equal(coho_hub_position(hub, "room/tea", &pos), 0);
  assert_true(pos.offset == 1);
  assert_int_equal(coho_hub_position(hub, "room/coffee", &pos), COHO_ENOTFOUND);
  assert_int_equal(coho_hub_position(hub, "secret", &pos), COHO_ENOTFOUND);
  finish();
}

/* Events and long polls, of one topic and of several. */
static void test_B22_following_by_http(void **state) {
  (void)state;
  open_all();
  publish("room/tea", "hello");
  assert_int_equal(ask("GET", "/t/room/tea?since=0", good_token()), 200);
  assert_non_null(strstr(body, "hello"));
  assert_int_equal(ask("GET", "/t/room/tea/presence?since=0&wait=0", good_token()), 200);
  assert_int_equal(ask("GET", "/t/secret?since=0", good_token()), 403);
  assert_int_equal(ask("GET", "/t/secret/presence?since=0&wait=0", good_token()), 403);
  assert_int_equal(ask("GET", "/t/room/tea?since=0&as=bob", good_token()), 403);
  assert_int_equal(ask("GET", "/t/room/tea?since=0", forged_token()), 401);
  assert_int_equal(request("GET", "/t/room/tea?since=0", ""), 401);
  assert_int_equal(ask("GET", "/t/?sub=room/tea@0&sub=secret&wait=0", good_token()), 200);
  assert_non_null(strstr(body, "\"topic\":\"room/tea\""));
  assert_non_null(strstr(body, "\"topic\":\"secret\",\"code\":\"forbidden\""));
  assert_int_equal(ask("GET", "/t/secret", good_token()), 403);
  assert_int_equal(
      request("GET", "/t/room/tea", fields_of("Accept: text/event-stream\r\nX: ", "y")), 401);
  finish();
}

/* B23: a stream ends with the token that it began with. */
static void test_B23_the_end_of_a_stream(void **state) {
  (void)state;
  open_all();
  raw_connect(&a, &w);
  clock_stop();
  send_request("GET", "/t/room/tea",
               fields_of("Connection: close\r\nAuthorization: Bearer ", short_token(300)));
  raw_head(&a, head, sizeof head);
  expect_head(" 200 ");
  expect_head("Content-Type: text/event-stream");
  clock_move(TOKEN_ENDS_MS);
  assert_true(raw_eof(&a));
  raw_close(&a);
  finish();
}

/* A raw connection of who may only follow. */
static void test_B22_publishing_without_right_closes(void **state) {
  (void)state;
  open_all();
  assert_int_equal(upgrade("/t/room/coffee", fields_of("Authorization: Bearer ", good_token())),
                   101);
  say("hello");
  expect_close(4403, "no right to do this");
  finish();
}

/* Without a token some is open; what is not is 401 rather than 403, since a token may help. */
static void test_open_topics(void **state) {
  (void)state;
  static const char *const open[] = {"lobby", "news/#", NULL}, *const write[] = {"lobby", NULL};
  open_with((coho_topics_options){.open_subscribe = open, .open_publish = write});
  assert_int_equal(request("GET", "/t/lobby/history", ""), 200);
  assert_int_equal(request("GET", "/t/secret/history", ""), 401);
  assert_int_equal(ask("GET", "/t/lobby/history", forged_token()), 401);
  assert_int_equal(upgrade("/t/", JSON), 101);
  say("{\"op\":\"sub\",\"id\":1,\"pattern\":\"news/#\"}");
  expect("\"op\":\"ok\"");
  say("{\"op\":\"pub\",\"id\":2,\"topic\":\"news/a\",\"data\":\"x\"}");
  expect("\"code\":\"unauthorized\"");
  say("{\"op\":\"sub\",\"id\":3,\"topic\":\"room/tea\"}");
  expect("\"code\":\"unauthorized\"");
  say_token(good_token());
  expect("{\"op\":\"ok\",\"id\":\"a\",\"expires\":4102444800}");
  say("{\"op\":\"sub\",\"id\":4,\"topic\":\"room/tea\"}");
  expect("{\"op\":\"ok\",\"id\":4");
  raw_close(&a);
  finish();
}

/* ---- the first message ----------------------------------------------------------------------- */

static void test_token_in_the_first_message(void **state) {
  (void)state;
  open_all();
  assert_int_equal(upgrade("/t/", JSON), 101);
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"room/tea\"}");
  expect("\"code\":\"unauthorized\"");
  say_token(good_token());
  expect("{\"op\":\"ok\",\"id\":\"a\",\"expires\":4102444800}");
  say("{\"op\":\"sub\",\"id\":2,\"topic\":\"room/tea\"}");
  expect("{\"op\":\"ok\",\"id\":2");
  publish("room/tea", "hello");
  expect("\"data\":\"hello\"");
  raw_close(&a);
  finish();
}

/* On a raw connection nothing but the handshake can bring one. */
static void test_raw_without_token(void **state) {
  (void)state;
  open_all();
  assert_int_equal(upgrade("/t/room/tea", ""), 401);
  raw_close(&a);
  finish();
}

static void test_the_first_message_has_a_deadline(void **state) {
  (void)state;
  open_with((coho_topics_options){.auth_timeout_ms = 1});
  assert_int_equal(upgrade("/t/", JSON), 101);
  expect_close(4401, "a token is required");
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_http_by_header_and_cookie),
      cmocka_unit_test(test_another_cookie),
      cmocka_unit_test(test_websocket_by_each_way),
      cmocka_unit_test(test_a_token_is_never_echoed),
      cmocka_unit_test(test_bad_tokens_by_http),
      cmocka_unit_test(test_bad_tokens_by_handshake),
      cmocka_unit_test(test_bad_tokens_by_first_message),
      cmocka_unit_test(test_B25_refusals_are_alike),
      cmocka_unit_test(test_B22_each_action_is_authorised),
      cmocka_unit_test(test_B22_publishing_by_post),
      cmocka_unit_test(test_B22_following_by_http),
      cmocka_unit_test(test_B23_the_end_of_a_stream),
      cmocka_unit_test(test_B22_publishing_without_right_closes),
      cmocka_unit_test(test_open_topics),
      cmocka_unit_test(test_token_in_the_first_message),
      cmocka_unit_test(test_raw_without_token),
      cmocka_unit_test(test_the_first_message_has_a_deadline),
  };
  return cmocka_run_group_tests(tests, guarded_setup, guarded_teardown);
}
