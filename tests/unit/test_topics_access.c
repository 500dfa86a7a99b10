/* Who may: where tokens are looked for, and what they allow. */
#include "topics/access.h"

#include "base/check.h"
#include "base/clock.h"
#include "proto/request.h"
#include "support/alloc_fail.h"
#include "support/tokens.h"
#include "topics/bearer.h"
#include "topics/throttle.h"
#include "topics/tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static const struct token_key signer = {NULL, SECRET};
static const char *const none[] = {NULL};

/* ---- where tokens are looked for ------------------------------------------------------------- */

/* A request with these lines. */
static void parse(coho_request *r, const char *query, const char *lines) {
  char text[16000];
  size_t used;
  int n = snprintf(text, sizeof text, "GET /t/%s HTTP/1.1\r\nHost: h\r\n%s\r\n", query, lines);
  coho__request_init(r, NULL);
  assert_int_equal(coho__http1_input(&r->head, text, (size_t)n, &used), 1);
  assert_int_equal(coho__request_parse(r), 0);
}

struct place {
  const char *query, *lines;
  const char *text; /* NULL: there is none */
  bool ticket;
  int err;
};

static void expect_place(const struct place *p) {
  coho_request r;
  struct coho__bearer b;
  parse(&r, p->query, p->lines);
  int err = coho__bearer_find(&r, "coho_token", &b);
  if (err != p->err) fail_msg("%s %s: %s", p->query, p->lines, coho_errname(err));
  enum coho__bearer_kind kind = !p->text    ? COHO_BEARER_NONE
                                : p->ticket ? COHO_BEARER_TICKET
                                            : COHO_BEARER_TOKEN;
  if (!err) {
    if (b.kind != kind) fail_msg("%s %s: kind %d", p->query, p->lines, b.kind);
    if (kind && !coho__view_eq(b.text, coho__view_of(p->text)))
      fail_msg("%s %s: %.*s", p->query, p->lines, (int)b.text.len, b.text.data);
  }
  coho__request_free(&r);
}

#define AUTH(value)   "Authorization: " value "\r\n"
#define OFFER(value)  "Sec-WebSocket-Protocol: " value "\r\n"
#define COOKIE(value) "Cookie: " value "\r\n"

static void test_places(void **state) {
  (void)state;
  static const struct place rows[] = {
      {"", "", NULL, false, 0},
      {"", AUTH("Bearer a.b.c"), "a.b.c", false, 0},
      {"", AUTH("bearer   a.b.c"), "a.b.c", false, 0},
      {"", AUTH("BEARER a.b.c "), "a.b.c", false, 0},
      {"", AUTH("Bearer a b"), "a b", false, 0},
      {"", AUTH("Bearer"), "", false, 0},
      {"", AUTH("Bearer "), "", false, 0},
      {"", AUTH("Bearer\ta"), NULL, false, 0},
      {"", AUTH("Bearera.b.c"), NULL, false, 0},
      {"", AUTH("Basic YTpi"), NULL, false, 0},
      {"", AUTH(""), NULL, false, 0},
      {"", OFFER("coho.json.v1, bearer.a.b.c"), "a.b.c", false, 0},
      {"", OFFER("coho.json.v1") OFFER("bearer.a.b.c"), "a.b.c", false, 0},
      {"", OFFER("bearer.first, bearer.second"), "first", false, 0},
      {"", OFFER("bearer."), "", false, 0},
      {"", OFFER("bearer, Bearer.a, bearera, xbearer.a"), NULL, false, 0},
      {"?ticket=abc", "", "abc", true, 0},
      {"?x=1&ticket=a%62c&y", "", "abc", true, 0},
      {"?t%69cket=abc", "", "abc", true, 0},
      {"?ticket=", "", "", true, 0},
      {"?ticket", "", "", true, 0},
      {"?ticket=a&ticket=b", "", "a", true, 0},
      {"?tickets=a&token=b&access_token=c", "", NULL, false, 0},
      {"", COOKIE("coho_token=a.b.c"), "a.b.c", false, 0},
      {"", COOKIE("x=1; coho_token=a.b.c; y=2"), "a.b.c", false, 0},
      {"", COOKIE("x=1") COOKIE("coho_token=a.b.c"), "a.b.c", false, 0},
      {"", COOKIE("Coho_token=a; coho_token2=b; coho=c"), NULL, false, 0},
      {"", COOKIE("coho_token=%61"), "%61", false, 0},
      {"", COOKIE("coho_token=\"a\""), "\"a\"", false, 0},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect_place(&rows[i]);
}

/* A good one further down does not save a bad one further up. */
static void test_the_first_place_counts(void **state) {
  (void)state;
  static const struct place rows[] = {
      {"?ticket=t", AUTH("Bearer a") OFFER("bearer.p") COOKIE("coho_token=c"), "a", false, 0},
      {"?ticket=t", OFFER("bearer.p") COOKIE("coho_token=c"), "p", false, 0},
      {"?ticket=t", COOKIE("coho_token=c"), "t", true, 0},
      {"?ticket=t", AUTH("Basic a") COOKIE("coho_token=c"), "t", true, 0},
      {"", AUTH("Bearer") COOKIE("coho_token=c"), "", false, 0},
      {"?ticket=", COOKIE("coho_token=c"), "", true, 0},
      {"", AUTH("Basic a") COOKIE("coho_token=c"), "c", false, 0},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect_place(&rows[i]);
}

/* RFC 6265 8.6: a neighbouring host may have set one of them. */
static void test_what_means_two_things_is_none(void **state) {
  (void)state;
  static const struct place rows[] = {
      {"", AUTH("Bearer a") AUTH("Bearer a"), NULL, false, COHO_ETOKEN},
      {"", AUTH("Basic a") AUTH("Bearer a"), NULL, false, COHO_ETOKEN},
      {"", COOKIE("coho_token=a; coho_token=b"), NULL, false, COHO_ETOKEN},
      {"", COOKIE("coho_token=a") COOKIE("coho_token=b"), NULL, false, COHO_ETOKEN},
      {"", COOKIE("coho_token=a; coho_token=a"), "a", false, 0},
      {"", COOKIE("coho_token=; coho_token=a"), "a", false, 0},
      {"", COOKIE("coho_token="), NULL, false, 0},
      {"?ticket=%zz", COOKIE("coho_token=a"), NULL, false, COHO_ETOKEN},
      {"?ticket=a%00b", "", NULL, false, COHO_ETOKEN},
      {"?ticket=%4", "", NULL, false, COHO_ETOKEN},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect_place(&rows[i]);
}

/* ---- a mount --------------------------------------------------------------------------------- */

static char log_lines[64 * 1024];
static unsigned lines;

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  size_t len = strlen(log_lines);
  (void)snprintf(log_lines + len, sizeof log_lines - len, "%s\n", line);
  lines++;
}

static struct coho__mount mount;
static char cookie[] = "coho_token";

static void open_mount(const char *const *subscribe, const char *const *publish) {
  coho_key_source source = {.kind = COHO_KEY_SECRET, .data = SECRET, .len = strlen(SECRET)};
  mount = (struct coho__mount){.cookie = cookie};
  assert_int_equal(coho_keys_new(NULL, &mount.opt.keys), 0);
  assert_int_equal(coho_keys_add(mount.opt.keys, &source, NULL, 0), 0);
  mount.opt.open_subscribe = subscribe;
  mount.opt.open_publish = publish;
  mount.tickets = coho__tickets_new();
  mount.guesses = coho__throttle_new(
      (struct coho__bucket_rate){COHO_GUESSES_MOST, COHO_GUESSES_MOST}, COHO_GUESSES_S);
  log_lines[0] = '\0';
  lines = 0;
  coho_set_log(on_log, NULL, COHO_LOG_INFO);
}

static void close_mount(void) {
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  coho_keys_free(mount.opt.keys);
  coho__tickets_free(mount.tickets);
  coho__throttle_free(mount.guesses);
}

#define FOR_EVER "\"exp\":4102444800"
#define TOKEN(rest) \
  token_make(&signer, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{" FOR_EVER rest "}")
#define ANN ",\"sub\":\"ann\",\"coho\":{\"sub\":[\"room/+\",\"news/#\"],\"pub\":[\"room/tea\"]}"

static int becomes(struct coho__who *who, const char *token, const char *peer) {
  return coho__who_becomes(&mount, who, coho__view_of(token), peer);
}

static void become(struct coho__who *who, const char *token) {
  int err = becomes(who, token, "192.0.2.1:1");
  if (err) fail_msg("%s", coho_errname(err));
}

static int may(const struct coho__who *who, enum coho__action action, const char *name) {
  return coho__who_may(&mount, who, action, coho__view_of(name));
}

static int may_pattern(const struct coho__who *who, const char *pattern) {
  return coho__who_may_pattern(&mount, who, coho__view_of(pattern));
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void test_B22_without_token(void **state) {
  (void)state;
  static const char *const subscribe[] = {"public/#", "lobby", "hall/+", NULL}, *const publish[] = {
                                                                                    "lobby", NULL};
  struct coho__who who = {NULL};
  open_mount(subscribe, publish);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "lobby"), 0);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "public/a/b"), 0);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room/tea"), COHO_ENOTOKEN);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "lobby"), 0);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "public/a"), COHO_ENOTOKEN);
  assert_int_equal(may_pattern(&who, "public/+"), 0);
  assert_int_equal(may_pattern(&who, "public/#"), 0);
  assert_int_equal(may_pattern(&who, "hall/+"), 0);
  assert_int_equal(may_pattern(&who, "hall/#"), COHO_ENOTOKEN);
  assert_int_equal(may_pattern(&who, "#"), COHO_ENOTOKEN);
  assert_int_equal(may_pattern(&who, "+"), COHO_ENOTOKEN);
  assert_int_equal(may_pattern(&who, "+/a"), COHO_ENOTOKEN);
  assert_false(coho__who_needs_token(&mount, &who));
  close_mount();
}

static void test_B22_with_token(void **state) {
  (void)state;
  static const char *const subscribe[] = {"lobby", NULL};
  struct coho__who who = {NULL};
  open_mount(subscribe, none);
  become(&who, TOKEN(ANN));
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "lobby"), 0);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room/tea"), 0);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "news"), 0);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room"), COHO_EFORBIDDEN);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room/tea/x"), COHO_EFORBIDDEN);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "room/tea"), 0);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "room/coffee"), COHO_EFORBIDDEN);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "lobby"), COHO_EFORBIDDEN);
  assert_int_equal(may_pattern(&who, "room/+"), 0);
  assert_int_equal(may_pattern(&who, "news/+/x"), 0);
  assert_int_equal(may_pattern(&who, "lobby"), 0);
  assert_int_equal(may_pattern(&who, "room/#"), COHO_EFORBIDDEN);
  assert_int_equal(may_pattern(&who, "#"), COHO_EFORBIDDEN);
  assert_int_equal(may_pattern(&who, "+/tea"), COHO_EFORBIDDEN);
  assert_int_equal(may_pattern(&who, "a/#/b"), COHO_EFORBIDDEN);
  coho__who_free(&who);
  close_mount();
}

/* A companion is no name: callers ask for the topic it belongs to. */
static void test_B22_what_is_no_name(void **state) {
  (void)state;
  static const char *const all[] = {"#", NULL};
  static const char *const names[] = {"room/presence", "room/history", "", "/",
                                      "a//b",          "a/..",         "+"};
  struct coho__who who = {NULL};
  open_mount(all, all);
  become(&who, TOKEN(",\"coho\":{\"sub\":[\"#\"],\"pub\":[\"#\"]}"));
  for (size_t i = 0; i < COHO_COUNT(names); i++) {
    assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, names[i]), COHO_EFORBIDDEN);
    assert_int_equal(may(&who, COHO_MAY_PUBLISH, names[i]), COHO_EFORBIDDEN);
  }
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room"), 0);
  coho__who_free(&who);
  close_mount();
}

/* No token helps where none is looked at. */
static void test_B22_without_keys(void **state) {
  (void)state;
  static const char *const open[] = {"lobby", NULL};
  struct coho__who who = {NULL};
  mount = (struct coho__mount){.opt = {.open_subscribe = open, .open_publish = none}};
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "lobby"), 0);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room"), COHO_EFORBIDDEN);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "lobby"), COHO_EFORBIDDEN);
  assert_int_equal(may_pattern(&who, "#"), COHO_EFORBIDDEN);
  assert_int_equal(becomes(&who, "whatever", ""), 0);
  assert_null(who.claims);
  assert_false(coho__who_needs_token(&mount, &who));
}

static void test_B23_expiry_at_the_moment_of_the_action(void **state) {
  (void)state;
  static const char *const subscribe[] = {"lobby", NULL};
  struct coho__who who = {NULL};
  open_mount(subscribe, none);
  assert_true(coho__who_until(&who) == COHO_CLAIMS_NEVER);
  become(&who, TOKEN(ANN));
  assert_true(coho__who_until(&who) == 4102444830000);
  who.claims->until = coho__clock_wall_ms();
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room/tea"), COHO_EEXPIRED);
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "room/tea"), COHO_EEXPIRED);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "other"), COHO_EEXPIRED);
  assert_int_equal(may_pattern(&who, "room/+"), COHO_EEXPIRED);
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "lobby"), 0);
  become(&who, TOKEN(ANN));
  assert_int_equal(may(&who, COHO_MAY_SUBSCRIBE, "room/tea"), 0);
  coho__who_free(&who);
  close_mount();
}

static void test_when_a_token_is_needed(void **state) {
  (void)state;
  static const char *const open[] = {"lobby", NULL};
  struct coho__who who = {NULL};
  open_mount(none, none);
  assert_true(coho__who_needs_token(&mount, &who));
  become(&who, TOKEN(""));
  assert_false(coho__who_needs_token(&mount, &who));
  coho__who_free(&who);
  mount.opt.open_publish = open;
  assert_false(coho__who_needs_token(&mount, &who));
  close_mount();
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool id_of(const struct coho__who *who, const char *asked, const char *expected) {
  struct coho__view id, as = coho__view_of(asked);
  if (!asked) as = (struct coho__view){NULL, 0};
  if (!coho__who_id(&mount, who, as, &id)) return false;
  assert_true(coho__view_eq(id, coho__view_of(expected)));
  return true;
}

static void test_who_is_present(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  open_mount(none, none);
  become(&who, TOKEN(ANN));
  assert_true(id_of(&who, "ann", "ann"));
  assert_true(id_of(&who, NULL, "ann"));
  assert_false(id_of(&who, "bob", ""));
  assert_false(id_of(&who, "Ann", ""));
  assert_false(id_of(&who, "", ""));
  coho__who_free(&who);
  close_mount();
}

/* B22: who brings no name has one that no token can have, and the other way round. */
static void test_B22_guests_take_nobodys_name(void **state) {
  (void)state;
  static const char *const names[] = {"ann", "bob", "", " ~ann", "\xe2\x88\xbc-ann"};
  struct coho__who who = {NULL};
  open_mount(none, none);
  for (int nameless = 0; nameless < 2; nameless++) {
    for (size_t i = 0; i < COHO_COUNT(names); i++)
      assert_false(id_of(&who, names[i], ""));
    assert_true(id_of(&who, "~", "~"));
    assert_true(id_of(&who, "~ann", "~ann"));
    become(&who, TOKEN(""));
  }
  coho__who_free(&who);
  become(&who, TOKEN(",\"sub\":\"~ann\""));
  assert_false(id_of(&who, "~ann", ""));
  assert_false(id_of(&who, NULL, ""));
  coho__who_free(&who);
  close_mount();
}

/* Where no token counts a name is whoever says it. */
static void test_who_is_present_without_keys(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  mount = (struct coho__mount){.opt = {.open_subscribe = none, .open_publish = none}};
  assert_true(id_of(&who, "bob", "bob"));
  assert_true(id_of(&who, "~bob", "~bob"));
}

/* A connection stays somebody's, whatever token comes later. */
static void test_another_subject_is_refused(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  open_mount(none, none);
  become(&who, TOKEN(",\"sub\":\"ann\""));
  assert_int_equal(becomes(&who, TOKEN(",\"sub\":\"bob\""), "192.0.2.1:1"), COHO_EFORBIDDEN);
  assert_int_equal(becomes(&who, TOKEN(""), "192.0.2.1:1"), COHO_EFORBIDDEN);
  assert_true(id_of(&who, "ann", "ann"));
  become(&who, TOKEN(ANN));
  assert_int_equal(may(&who, COHO_MAY_PUBLISH, "room/tea"), 0);
  coho__who_free(&who);
  become(&who, TOKEN(""));
  assert_int_equal(becomes(&who, TOKEN(",\"sub\":\"bob\""), "192.0.2.1:1"), COHO_EFORBIDDEN);
  coho__who_free(&who);
  close_mount();
}

/* ---- bad tokens ------------------------------------------------------------------------------ */

static const char *bad_token(void) {
  static const struct token_key forger = {NULL, "fedcba9876543210fedcba9876543210"};
  return token_make(&forger, "{\"alg\":\"HS256\"}", "{" FOR_EVER ",\"sub\":\"mallory\"}");
}

/* Then not even a good one is looked at; it does not forgive the others either. */
static void test_A17_too_many_bad_tokens(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  open_mount(none, none);
  for (int i = 0; i < COHO_GUESSES_MOST - 1; i++)
    assert_int_equal(becomes(&who, bad_token(), "[2001:db8::1]:1"), COHO_ESIGNATURE);
  assert_int_equal(becomes(&who, TOKEN(""), "[2001:db8::2]:1"), 0);
  assert_int_equal(becomes(&who, bad_token(), "[2001:db8::3]:1"), COHO_ESIGNATURE);
  assert_int_equal(becomes(&who, bad_token(), "[2001:db8::1]:1"), COHO_ETOKENRATE);
  assert_int_equal(becomes(&who, TOKEN(""), "[2001:db8::4]:1"), COHO_ETOKENRATE);
  assert_int_equal(becomes(&who, TOKEN(""), "[2001:db8:0:1::1]:1"), 0);
  coho__who_free(&who);
  close_mount();
}

/* One that was signed with our key was not guessed: whoever sleeps too long shuts nobody out. */
static void test_A17_what_is_no_guess(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  open_mount(none, none);
  for (int i = 0; i < COHO_GUESSES_MOST * 2; i++) {
    const char *late = token_make(&signer, "{\"alg\":\"HS256\"}", "{\"exp\":1}");
    const char *early =
        token_make(&signer, "{\"alg\":\"HS256\"}", "{" FOR_EVER ",\"nbf\":4102444700}");
    assert_int_equal(becomes(&who, late, "192.0.2.1:1"), COHO_EEXPIRED);
    assert_int_equal(becomes(&who, early, "192.0.2.1:1"), COHO_ENOTYET);
    const char *endless = token_make(&signer, "{\"alg\":\"HS256\"}", "{\"sub\":\"ann\"}");
    assert_int_equal(becomes(&who, endless, "192.0.2.1:1"), COHO_ECLAIMS);
    assert_int_equal(becomes(&who, TOKEN(",\"sub\":7"), "192.0.2.1:1"), COHO_ECLAIMS);
    assert_int_equal(becomes(&who, TOKEN(",\"aud\":7"), "192.0.2.1:1"), COHO_ECLAIMS);
    assert_int_equal(becomes(&who, TOKEN(",\"coho\":[]"), "192.0.2.1:1"), COHO_ECLAIMS);
  }
  close_mount();
}

/* Every error and the peer, but nothing of the token; and not without end. */
static void test_B24_what_the_log_says(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  char token[TOKEN_MOST];
  open_mount(none, none);
  (void)snprintf(token, sizeof token, "%s", bad_token());
  assert_int_equal(becomes(&who, token, "192.0.2.7:4711"), COHO_ESIGNATURE);
  assert_string_equal(log_lines,
                      "192.0.2.7:4711 COHO_ESIGNATURE: the token's signature is wrong\n");
  for (int i = 0; i < 1000; i++)
    (void)becomes(&who, token, "192.0.2.7:4711");
  assert_in_range(lines, 2, 100);
  assert_non_null(strstr(log_lines, "COHO_ETOKENRATE"));
  token[8] = '\0';
  assert_null(strstr(log_lines, token));
  close_mount();
}

/* ---- requests -------------------------------------------------------------------------------- */

static int who_of(const char *query, const char *before, const char *token, struct coho__who *who) {
  char header[TOKEN_MOST + 64];
  coho_request r;
  (void)snprintf(header, sizeof header, "%s%s%s", before, token, *before ? "\r\n" : "");
  parse(&r, query, header);
  int err = coho__who_of(&mount, &r, who);
  coho__request_free(&r);
  return err;
}

static void expect_ann(const char *query, const char *before, const char *token) {
  struct coho__who who;
  assert_int_equal(who_of(query, before, token, &who), 0);
  assert_true(id_of(&who, NULL, "ann"));
  coho__who_free(&who);
}

static void test_of_requests(void **state) {
  (void)state;
  struct coho__who who;
  open_mount(none, none);
  assert_int_equal(who_of("", "", "", &who), 0);
  assert_null(who.claims);
  expect_ann("", "Authorization: Bearer ", TOKEN(ANN));
  expect_ann("", "Sec-WebSocket-Protocol: coho.json.v1, bearer.", TOKEN(ANN));
  expect_ann("", "Cookie: coho_token=", TOKEN(ANN));
  assert_int_equal(who_of("", "Authorization: Bearer ", bad_token(), &who), COHO_ESIGNATURE);
  assert_null(who.claims);
  assert_int_equal(who_of("", "Authorization: Bearer ", "", &who), COHO_ETOKEN);
  assert_int_equal(who_of("?ticket=x", "", "", &who), COHO_ETICKET);
  assert_int_equal(who_of("?ticket=%zz", "", "", &who), COHO_ETOKEN);
  close_mount();
}

/* What is nobody's business is not looked at either. */
static void test_of_requests_without_keys(void **state) {
  (void)state;
  struct coho__who who;
  mount = (struct coho__mount){.opt = {.open_subscribe = none, .open_publish = none}};
  assert_int_equal(who_of("?ticket=%zz", "Authorization: Bearer ", "x", &who), 0);
  assert_null(who.claims);
}

static void test_A18_tickets_of_requests(void **state) {
  (void)state;
  struct coho__who who = {NULL};
  char text[COHO_TICKET_TEXT], query[COHO_TICKET_TEXT + 16];
  open_mount(none, none);
  become(&who, TOKEN(ANN));
  assert_int_equal(coho__tickets_give(mount.tickets, who.claims, coho__clock_ms(), text), 0);
  (void)snprintf(query, sizeof query, "?ticket=%s", text);
  expect_ann(query, "", "");
  coho__who_free(&who);
  assert_int_equal(who_of(query, "", "", &who), COHO_ETICKET);
  close_mount();
}

/* A ticket ends with the token that it came of, too. */
static void test_A18_ticket_of_a_token_that_ended(void **state) {
  (void)state;
  struct coho__who who = {NULL}, other;
  char text[COHO_TICKET_TEXT], query[COHO_TICKET_TEXT + 16];
  open_mount(none, none);
  become(&who, TOKEN(ANN));
  assert_int_equal(coho__tickets_give(mount.tickets, who.claims, coho__clock_ms(), text), 0);
  (void)snprintf(query, sizeof query, "?ticket=%s", text);
  who.claims->until = coho__clock_wall_ms();
  assert_int_equal(who_of(query, "", "", &other), COHO_EEXPIRED);
  assert_null(other.claims);
  assert_int_equal(who_of(query, "", "", &other), COHO_ETICKET);
  coho__who_free(&who);
  close_mount();
}

/* Whoever cannot be looked at for lack of memory gets nothing by it. */
static void test_out_of_memory(void **state) {
  (void)state;
  char header[2 * TOKEN_MOST];
  struct coho__who who;
  coho_request r;
  open_mount(none, none);
  (void)snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", TOKEN(ANN));
  parse(&r, "", header);
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    int err = coho__who_of(&mount, &r, &who);
    bool failed = alloc_failed();
    alloc_fail_at(0);
    assert_int_equal(err, failed ? COHO_ENOMEM : 0);
    assert_true((who.claims != NULL) == !err);
    coho__who_free(&who);
    if (!failed) break;
  }
  coho__request_free(&r);
  close_mount();
  alloc_assert_none_live();
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_places),
      cmocka_unit_test(test_the_first_place_counts),
      cmocka_unit_test(test_what_means_two_things_is_none),
      cmocka_unit_test(test_B22_without_token),
      cmocka_unit_test(test_B22_with_token),
      cmocka_unit_test(test_B22_what_is_no_name),
      cmocka_unit_test(test_B22_without_keys),
      cmocka_unit_test(test_B23_expiry_at_the_moment_of_the_action),
      cmocka_unit_test(test_when_a_token_is_needed),
      cmocka_unit_test(test_who_is_present),
      cmocka_unit_test(test_B22_guests_take_nobodys_name),
      cmocka_unit_test(test_who_is_present_without_keys),
      cmocka_unit_test(test_another_subject_is_refused),
      cmocka_unit_test(test_A17_too_many_bad_tokens),
      cmocka_unit_test(test_A17_what_is_no_guess),
      cmocka_unit_test(test_B24_what_the_log_says),
      cmocka_unit_test(test_of_requests),
      cmocka_unit_test(test_of_requests_without_keys),
      cmocka_unit_test(test_A18_tickets_of_requests),
      cmocka_unit_test(test_A18_ticket_of_a_token_that_ended),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
