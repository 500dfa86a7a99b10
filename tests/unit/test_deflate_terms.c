#include "proto/deflate_terms.h"

#include "base/budget.h"
#include "base/check.h"
#include "proto/deflater.h"
#include "proto/inflater.h"
#include "unit/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The server's answers have these in common. */
#define PMD                 "permessage-deflate"
#define SNCT                "; server_no_context_takeover"
#define CNCT                "; client_no_context_takeover"
#define SMWB(bits)          "; server_max_window_bits=" #bits
#define CMWB(bits)          "; client_max_window_bits=" #bits

#define SHARED              COHO_DEFLATE_SHARED
#define OWN                 COHO_DEFLATE_OWN
#define OFF                 COHO_DEFLATE_OFF
#define CONF(mode_, s_, r_) ((coho_deflate){.mode = (mode_), .window = (s_), .peer_window = (r_)})

static coho_deflate conf_of(coho_role role, coho_deflate set) {
  coho_deflate conf;
  assert_int_equal(coho__deflate_conf_read(role, &set, &conf), 0);
  return conf;
}

/* ---- the options ---------------------------------------------------------------------------- */

static void test_PD_08_defaults(void **state) {
  (void)state;
  coho_deflate c = conf_of(COHO_SERVER, CONF(0, 0, 0));
  assert_int_equal(c.mode, SHARED);
  assert_int_equal(c.window, 15);
  assert_int_equal(c.peer_window, 15);
  assert_int_equal(c.memory, 5);
  assert_int_equal(c.level, 6);
  assert_int_equal(c.min_size, 256);
  c = conf_of(COHO_SERVER, CONF(OWN, 0, 0));
  assert_int_equal(c.window, 12);
  assert_int_equal(c.peer_window, 12);
  c = conf_of(COHO_CLIENT, CONF(OWN, 0, 0));
  assert_int_equal(c.window, 12);
  assert_int_equal(c.peer_window, 15);
}

static void test_PD_03_options_out_of_range(void **state) {
  (void)state;
  static const coho_deflate wrong[] = {
      {.mode = 4},         {.mode = UINT32_MAX}, {.window = 8}, {.window = 16}, {.peer_window = 7},
      {.peer_window = 16}, {.memory = 10},       {.level = 10}, {.window = 1},  {.peer_window = 1},
  };
  static const coho_deflate right[] = {
      {.mode = 3, .window = 9, .peer_window = 8, .memory = 1, .level = 1, .min_size = 1},
      {.window = 15, .peer_window = 15, .memory = 9, .level = 9, .min_size = UINT32_MAX},
  };
  coho_deflate out;
  for (size_t i = 0; i < COHO_COUNT(wrong); i++)
    assert_int_equal(coho__deflate_conf_read(COHO_CLIENT, &wrong[i], &out), COHO_EOPTION);
  for (size_t i = 0; i < COHO_COUNT(right); i++) {
    assert_int_equal(coho__deflate_conf_read(COHO_CLIENT, &right[i], &out), 0);
    assert_int_equal(out.window, right[i].window);
    assert_int_equal(out.peer_window, right[i].peer_window);
    assert_int_equal(out.min_size, right[i].min_size);
  }
}

/* ---- offers and what a server answers ------------------------------------------------------- */

struct offer {
  const char *id;
  coho_deflate set;
  const char *offer;  /* of several lines when it has "\r\n" in it */
  const char *answer; /* NULL: malformed */
};

static void check_offer(struct coho_request *r, int result, void *ctx) {
  const struct offer *o = (const struct offer *)ctx;
  coho_deflate conf = conf_of(COHO_SERVER, o->set);
  struct coho__deflate_terms terms;
  char text[COHO_DEFLATE_TEXT];
  assert_int_equal(result, 0);
  int err = coho__deflate_accept(&r->head, &conf, &terms);
  const char *answer = coho__deflate_answer(&terms, text);
  if (err != (o->answer ? 0 : COHO_EEXTENSION) || strcmp(answer, o->answer ? o->answer : "") != 0)
    fail_msg("%s: \"%s\" is answered by %s \"%s\"", o->id, o->offer, coho_errname(err), answer);
  assert_int_equal(terms.agreed, *answer != '\0');
  coho__deflate_terms_drop(&terms);
  assert_int_equal(coho_contexts_used(), 0);
}

static void expect_offers(const struct offer *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char head[2000];
    struct offer row = rows[i];
    int n = snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\n%s%s\r\n\r\n",
                     *row.offer ? "Sec-WebSocket-Extensions: " : "X: y", row.offer);
    pieces_request((struct coho__view){head, (size_t)n}, check_offer, &row);
  }
}

#define EXPECT_OFFERS(...)                      \
  do {                                          \
    const struct offer rows_[] = {__VA_ARGS__}; \
    expect_offers(rows_, COHO_COUNT(rows_));    \
  } while (0)

#define BOTH PMD SNCT CNCT

static void test_PM_03_PD_07_O1_to_O7_without_context(void **state) {
  (void)state;
  EXPECT_OFFERS(
      {"O1", CONF(0, 0, 0), PMD, BOTH}, {"O2", CONF(0, 0, 0), PMD "; client_max_window_bits", BOTH},
      {"O2", CONF(0, 0, 11), PMD "; client_max_window_bits", BOTH CMWB(11)},
      {"O2", CONF(0, 0, 8), PMD "; client_max_window_bits", BOTH CMWB(8)},
      {"O1", CONF(0, 0, 11), PMD, BOTH}, {"O1", CONF(0, 11, 0), PMD, BOTH SMWB(11)},
      {"O3", CONF(0, 0, 0), PMD CMWB(10), BOTH CMWB(10)},
      {"O3", CONF(0, 0, 9), PMD CMWB(10), BOTH CMWB(9)}, {"O3", CONF(0, 0, 0), PMD CMWB(15), BOTH},
      {"O3", CONF(0, 0, 0), PMD CMWB(8), BOTH CMWB(8)},
      {"O4", CONF(0, 0, 0), PMD SMWB(10), BOTH SMWB(10)},
      {"O4", CONF(0, 9, 0), PMD SMWB(10), BOTH SMWB(9)},
      {"O4", CONF(0, 0, 0), PMD SMWB(15), BOTH SMWB(15)},
      {"O5", CONF(0, 0, 0), PMD SMWB(8), BOTH SMWB(8)},
      {"O5", CONF(0, 9, 0), PMD SMWB(8), BOTH SMWB(8)}, {"O6", CONF(0, 0, 0), PMD SNCT, BOTH},
      {"O7", CONF(0, 0, 0), PMD CNCT, BOTH},
      {"O6", CONF(0, 0, 0), PMD CNCT SNCT CMWB(12) SMWB(12), BOTH SMWB(12) CMWB(12)});
}

static void test_PM_03_PD_07_O1_to_O7_with_context(void **state) {
  (void)state;
  EXPECT_OFFERS({"O1", CONF(OWN, 0, 0), PMD, PMD SMWB(12)}, {"O1", CONF(OWN, 15, 15), PMD, PMD},
                {"O2", CONF(OWN, 0, 0), PMD "; client_max_window_bits", PMD SMWB(12) CMWB(12)},
                {"O2", CONF(OWN, 15, 15), PMD "; client_max_window_bits", PMD},
                {"O3", CONF(OWN, 0, 0), PMD CMWB(10), PMD SMWB(12) CMWB(10)},
                {"O3", CONF(OWN, 15, 15), PMD CMWB(10), PMD CMWB(10)},
                {"O3", CONF(OWN, 15, 9), PMD CMWB(10), PMD CMWB(9)},
                {"O4", CONF(OWN, 0, 0), PMD SMWB(10), PMD SMWB(10)},
                {"O4", CONF(OWN, 0, 0), PMD SMWB(14), PMD SMWB(12)},
                {"O4", CONF(OWN, 15, 0), PMD SMWB(15), PMD SMWB(15)},
                {"O5", CONF(OWN, 0, 0), PMD SMWB(8), PMD SMWB(8)},
                {"O6", CONF(OWN, 0, 0), PMD SNCT, PMD SNCT SMWB(12)},
                {"O7", CONF(OWN, 0, 0), PMD CNCT, PMD CNCT SMWB(12)},
                {"O7", CONF(OWN, 0, 0), PMD CNCT SNCT, BOTH SMWB(12)});
}

static void test_PM_01_PM_02_O8_O20_first_offer_that_can_be_met(void **state) {
  (void)state;
  EXPECT_OFFERS(
      {"O8", CONF(0, 0, 0), PMD "; client_max_window_bits" SMWB(10) ", " PMD, BOTH SMWB(10)},
      {"O8", CONF(0, 0, 0), PMD ", " PMD SMWB(10), BOTH},
      {"O20", CONF(0, 0, 0), PMD SMWB(9) "\r\nSec-WebSocket-Extensions: " PMD, BOTH SMWB(9)},
      {"O20", CONF(0, 0, 0), "x\r\nX: y\r\nsec-websocket-extensions: " PMD SMWB(9), BOTH SMWB(9)},
      {"O19", CONF(0, 0, 0), PMD "; foo, " PMD, BOTH},
      {"O19", CONF(0, 0, 0), PMD "; foo, " PMD SMWB(7) "," PMD SMWB(11) "," PMD, BOTH SMWB(11)},
      {"O18", CONF(0, 0, 0), "foo, " PMD, BOTH},
      {"O18", CONF(0, 0, 0), "foo; a=b; a=b, x-webkit-deflate-frame, " PMD ", bar", BOTH});
}

static void test_PM_05_O18_O21_declined_without_a_word(void **state) {
  (void)state;
  EXPECT_OFFERS({"none", CONF(0, 0, 0), "", ""},
                {"O18", CONF(0, 0, 0), "x-webkit-deflate-frame", ""},
                {"O18", CONF(0, 0, 0), "permessage-deflate2, permessage", ""},
                {"O21", CONF(0, 0, 0), "Permessage-Deflate", ""},
                {"O21", CONF(0, 0, 0), PMD "; Server_no_context_takeover", ""},
                {"off", CONF(OFF, 0, 0), PMD, ""}, {"off", CONF(OFF, 0, 0), PMD SMWB(10), ""});
}

static void test_PD_01_O9_to_O14_declined(void **state) {
  (void)state;
  static const char *const offers[] = {
      "server_max_window_bits",
      "server_max_window_bits=7",
      "server_max_window_bits=16",
      "server_max_window_bits=0",
      "server_max_window_bits=08",
      "server_max_window_bits=010",
      "server_max_window_bits=+9",
      "server_max_window_bits=9.0",
      "server_max_window_bits=0x9",
      "server_max_window_bits=1",
      "server_max_window_bits=100",
      "server_max_window_bits=-9",
      "server_max_window_bits=1a",
      "server_max_window_bits=20",
      "server_max_window_bits=a",
      "server_max_window_bits=12345678901234567890",
      "client_max_window_bits=7",
      "client_max_window_bits=16",
      "client_max_window_bits=08",
      "client_max_window_bits=\"16\"",
      "server_no_context_takeover=1",
      "server_no_context_takeover=true",
      "client_no_context_takeover=0",
      "client_no_context_takeover=\"a\"",
      "server_max_window_bits=10; server_max_window_bits=10",
      "server_no_context_takeover; server_no_context_takeover",
      "client_no_context_takeover; client_no_context_takeover",
      "client_max_window_bits; client_max_window_bits",
      "client_max_window_bits; client_max_window_bits=10",
      "client_max_window_bits=10; client_max_window_bits",
      "foo",
      "foo=1",
      "server_max_window_bits=10; foo",
      "__proto__",
      "server_max_window_bits2=10",
  };
  for (size_t i = 0; i < COHO_COUNT(offers); i++) {
    char offer[200], both[300];
    (void)snprintf(offer, sizeof offer, PMD "; %s", offers[i]);
    (void)snprintf(both, sizeof both, "%s, " PMD SMWB(9), offer);
    EXPECT_OFFERS({offers[i], CONF(0, 0, 0), offer, ""}, {offers[i], CONF(OWN, 0, 0), offer, ""},
                  {offers[i], CONF(0, 0, 0), both, BOTH SMWB(9)});
  }
}

static void test_O15_O16_quotes_and_spaces(void **state) {
  (void)state;
  EXPECT_OFFERS({"O15", CONF(0, 0, 0), PMD "; server_max_window_bits=\"10\"", BOTH SMWB(10)},
                {"O15", CONF(0, 0, 0), PMD "; server_max_window_bits=\"1\\0\"", BOTH SMWB(10)},
                {"O15", CONF(0, 0, 0), PMD "; server_max_window_bits=\"\\9\"", BOTH SMWB(9)},
                {"O16", CONF(0, 0, 0), PMD " ;\tclient_max_window_bits = 12 ", BOTH CMWB(12)});
}

static void test_O10_O12_O17_malformed(void **state) {
  (void)state;
  EXPECT_OFFERS({"O17", CONF(0, 0, 0), PMD ";", NULL},
                {"O17", CONF(0, 0, 0), "; client_max_window_bits", NULL},
                {"O17", CONF(0, 0, 0), PMD " client_max_window_bits", NULL},
                {"O17", CONF(0, 0, 0), "foo, =5", NULL},
                {"O10", CONF(0, 0, 0), PMD "; server_max_window_bits=", NULL},
                {"O12", CONF(0, 0, 0), PMD "; server_no_context_takeover=\"\"", NULL});
}

/* ---- the client's offer --------------------------------------------------------------------- */

static void expect_offer(coho_deflate set, const char *expected) {
  char text[COHO_DEFLATE_TEXT];
  coho_deflate conf = conf_of(COHO_CLIENT, set);
  assert_string_equal(coho__deflate_offer(&conf, text), expected);
}

static void test_PM_01_offers_of_a_client(void **state) {
  (void)state;
  expect_offer(CONF(OFF, 0, 0), "");
  expect_offer(CONF(0, 0, 0), BOTH "; client_max_window_bits");
  expect_offer(CONF(0, 9, 8), BOTH SMWB(8) CMWB(9));
  expect_offer(CONF(0, 0, 10), BOTH SMWB(10) "; client_max_window_bits");
  expect_offer(CONF(OWN, 0, 0), PMD CMWB(12));
  expect_offer(CONF(OWN, 15, 0), PMD "; client_max_window_bits");
  expect_offer(CONF(OWN, 10, 10), PMD SMWB(10) CMWB(10));
}

/* ---- answers and what a client makes of them ------------------------------------------------ */

struct answer {
  const char *id;
  coho_deflate set;
  const char *answer;
  int result;
};

static void check_answer(struct coho__http1 *h, int result, size_t used, void *ctx) {
  const struct answer *a = (const struct answer *)ctx;
  coho_deflate conf = conf_of(COHO_CLIENT, a->set);
  struct coho__deflate_terms terms;
  char text[COHO_DEFLATE_TEXT];
  (void)used;
  assert_int_equal(result, 1);
  int err = coho__deflate_check_answer(h, &conf, &terms);
  if (err != a->result)
    fail_msg("%s: \"%s\" is taken with %s, not %s", a->id, a->answer, coho_errname(err),
             coho_errname(a->result));
  /* The text for people is the answer itself, when it is in the order that a server of ours has. */
  if (strcmp(coho__deflate_answer(&terms, text), err ? "" : a->answer) != 0)
    fail_msg("%s: \"%s\" is shown as \"%s\"", a->id, a->answer, text);
  coho__deflate_terms_drop(&terms);
  assert_int_equal(coho_contexts_used(), 0);
}

static void expect_answers(const struct answer *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char head[2000];
    struct answer row = rows[i];
    struct head_case c = {.kind = COHO_HTTP1_RESPONSE, .check = check_answer, .ctx = &row};
    int n = snprintf(head, sizeof head, "HTTP/1.1 101 X\r\n%s%s\r\n\r\n",
                     *row.answer ? "Sec-WebSocket-Extensions: " : "X: y", row.answer);
    pieces_head((struct coho__view){head, (size_t)n}, &c);
  }
}

#define EXPECT_ANSWERS(...)                      \
  do {                                           \
    const struct answer rows_[] = {__VA_ARGS__}; \
    expect_answers(rows_, COHO_COUNT(rows_));    \
  } while (0)

#define MISFIT COHO_EANSWERDEFLATE

static void test_PM_07_A1_A4_A7_A11_A12_good_answers(void **state) {
  (void)state;
  EXPECT_ANSWERS({"A1", CONF(OWN, 0, 0), PMD CMWB(15), 0}, {"A1", CONF(OWN, 0, 0), PMD CMWB(9), 0},
                 {"A1", CONF(0, 0, 0), BOTH CMWB(9), 0}, {"A4", CONF(OWN, 0, 0), PMD SMWB(10), 0},
                 {"A4", CONF(0, 0, 0), BOTH SMWB(8), 0}, {"A4", CONF(OWN, 0, 0), PMD SMWB(15), 0},
                 {"A7", CONF(OWN, 0, 0), BOTH, 0}, {"A11", CONF(0, 0, 0), "", 0},
                 {"A11", CONF(OFF, 0, 0), "", 0}, {"A12", CONF(OWN, 0, 0), PMD CMWB(8), 0},
                 {"plain", CONF(OWN, 0, 0), PMD, 0}, {"hint", CONF(0, 0, 0), PMD SNCT, 0},
                 {"A5", CONF(OWN, 0, 10), PMD SMWB(10), 0},
                 {"A5", CONF(OWN, 0, 10), PMD SMWB(9), 0}, {"A5", CONF(0, 0, 10), BOTH SMWB(8), 0});
}

/* An offer of ours always has client_max_window_bits, so that A3 cannot come about. */
static void test_PD_02_A2_A5_A6_A8_A9_answers_that_do_not_fit(void **state) {
  (void)state;
  EXPECT_ANSWERS(
      {"A2", CONF(OWN, 0, 0), PMD "; client_max_window_bits", MISFIT},
      {"A2", CONF(OWN, 0, 0), PMD CMWB(16), MISFIT}, {"A5", CONF(OWN, 0, 10), PMD, MISFIT},
      {"A5", CONF(OWN, 0, 10), PMD SMWB(11), MISFIT}, {"A5", CONF(OWN, 0, 8), PMD SMWB(9), MISFIT},
      {"A6", CONF(0, 0, 0), PMD, MISFIT}, {"A6", CONF(0, 0, 0), PMD CNCT, MISFIT},
      {"A8", CONF(OWN, 0, 0), PMD ", " PMD, MISFIT},
      {"A8", CONF(OWN, 0, 0), PMD "\r\nSec-WebSocket-Extensions: " PMD, MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD SMWB(10) SMWB(10), MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD SNCT SNCT, MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD CMWB(10) CMWB(10), MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD "; foo", MISFIT}, {"A9", CONF(OWN, 0, 0), PMD "; foo=1", MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD SMWB(7), MISFIT}, {"A9", CONF(OWN, 0, 0), PMD SMWB(08), MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD "; server_max_window_bits", MISFIT},
      {"A9", CONF(OWN, 0, 0), PMD "; server_no_context_takeover=1", MISFIT});
}

static void test_PM_06_A10_answers_that_were_not_offered(void **state) {
  (void)state;
  EXPECT_ANSWERS({"A10", CONF(OFF, 0, 0), PMD, COHO_EANSWEREXTENSION},
                 {"A10", CONF(OFF, 0, 0), "foo", COHO_EANSWEREXTENSION},
                 {"PM-06", CONF(0, 0, 0), "foo", COHO_EANSWEREXTENSION},
                 {"PM-06", CONF(0, 0, 0), "Permessage-deflate" SNCT, COHO_EANSWEREXTENSION},
                 {"PM-04", CONF(0, 0, 0), BOTH ", x-webkit-deflate-frame", COHO_EANSWEREXTENSION},
                 {"PM-06", CONF(0, 0, 0), "foo, " BOTH, COHO_EANSWEREXTENSION},
                 {"O17", CONF(0, 0, 0), BOTH ";", COHO_EEXTENSION},
                 {"O17", CONF(OFF, 0, 0), ",", COHO_EEXTENSION});
}

/* ---- both sides ------------------------------------------------------------------------------ */

static void read_head(struct coho__http1 *h, enum coho__http1_kind kind, const char *extensions) {
  char head[400];
  size_t used;
  int n = snprintf(head, sizeof head, "%sSec-WebSocket-Extensions: %s\r\n\r\n",
                   kind == COHO_HTTP1_REQUEST ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 X\r\n",
                   extensions);
  coho__http1_init(h, kind, NULL);
  assert_int_equal(coho__http1_input(h, head, (size_t)n, &used), 1);
}

/* The terms of both sides after offer and answer went over the wire. */
static void agree(const coho_deflate *client_conf, const coho_deflate *server_conf,
                  struct coho__deflate_terms *client, struct coho__deflate_terms *server) {
  char text[COHO_DEFLATE_TEXT];
  struct coho__http1 h;
  read_head(&h, COHO_HTTP1_REQUEST, coho__deflate_offer(client_conf, text));
  assert_int_equal(coho__deflate_accept(&h, server_conf, server), 0);
  coho__http1_free(&h);
  read_head(&h, COHO_HTTP1_RESPONSE, coho__deflate_answer(server, text));
  assert_int_equal(coho__deflate_check_answer(&h, client_conf, client), 0);
  coho__http1_free(&h);
}

/* Whatever the options, the two understand each other and nobody is held to more than they allow. */
static void check_pair(coho_deflate client_set, coho_deflate server_set) {
  coho_deflate cc = conf_of(COHO_CLIENT, client_set), sc = conf_of(COHO_SERVER, server_set);
  struct coho__deflate_terms c, s;
  agree(&cc, &sc, &c, &s);
  assert_true(c.agreed && s.agreed);
  assert_int_equal(c.server_no_context, s.server_no_context);
  assert_int_equal(c.client_no_context, s.client_no_context);
  assert_int_equal(c.server_window, s.server_window);
  assert_int_equal(c.client_window, s.client_window);
  assert_true(c.server_window <= sc.window && c.server_window <= cc.peer_window);
  assert_int_equal(c.client_window, COHO_MIN(cc.window, sc.peer_window));
  /* What one side keeps between messages the other does not forget. */
  assert_true(!c.own_sends || s.own_receives);
  assert_true(!s.own_sends || c.own_receives);
  assert_int_equal(coho_contexts_used(), c.own + s.own);
  coho__deflate_terms_drop(&c);
  coho__deflate_terms_drop(&s);
}

static void test_PM_03_PD_06_both_sides_agree(void **state) {
  (void)state;
  for (uint32_t modes = 0; modes < 4; modes++)
    for (uint32_t window = 9; window <= 15; window += 2)
      for (uint32_t peer = 8; peer <= 15; peer++)
        for (uint32_t other = 9; other <= 15; other += 3)
          check_pair(CONF(modes & 1 ? OWN : SHARED, window, peer),
                     CONF(modes & 2 ? OWN : SHARED, other, 23 - peer));
}

/* ---- the budget ------------------------------------------------------------------------------ */

static void test_budget_counts_what_the_contexts_take(void **state) {
  (void)state;
  coho_deflate cc = conf_of(COHO_CLIENT, CONF(OWN, 11, 10)),
               sc = conf_of(COHO_SERVER, CONF(OWN, 13, 9));
  struct coho__deflate_terms c, s;
  agree(&cc, &sc, &c, &s);
  assert_int_equal(s.own, coho__deflater_size(10, 5) + coho__inflater_size(9));
  assert_int_equal(c.own, coho__deflater_size(9, 5) + coho__inflater_size(10));
  coho__deflate_terms_drop(&c);
  assert_int_equal(coho_contexts_used(), s.own);
  coho__deflate_terms_drop(&s);
  assert_int_equal(coho_contexts_used(), 0);
  coho__deflate_terms_drop(&s); /* nothing is left to give back */
  assert_int_equal(coho_contexts_used(), 0);
}

static void test_over_the_budget_a_server_keeps_no_context(void **state) {
  (void)state;
  coho_deflate cc = conf_of(COHO_CLIENT, CONF(OWN, 0, 0)),
               sc = conf_of(COHO_SERVER, CONF(OWN, 0, 0));
  struct coho__deflate_terms c, s;
  size_t need = coho__deflater_size(12, 5) + coho__inflater_size(12);
  coho_set_context_limit(need - 1);
  agree(&cc, &sc, &c, &s);
  assert_true(s.agreed && s.server_no_context && s.client_no_context);
  assert_int_equal(s.own + c.own, 0);
  assert_int_equal(s.server_window, 12);
  coho_set_context_limit(need);
  coho__deflate_terms_drop(&s);
  agree(&cc, &sc, &c, &s);
  assert_false(s.server_no_context || s.client_no_context);
  assert_int_equal(s.own, need);
  coho__deflate_terms_drop(&s);
  coho__deflate_terms_drop(&c);
  coho_set_context_limit(0);
}

/* It sends without context then, and takes what the server insists on. */
static void test_over_the_budget_a_client_sends_without_context(void **state) {
  (void)state;
  coho_deflate conf = conf_of(COHO_CLIENT, CONF(OWN, 0, 0));
  struct coho__deflate_terms t;
  struct coho__http1 h;
  read_head(&h, COHO_HTTP1_RESPONSE, PMD SMWB(10));
  coho_set_context_limit(coho__inflater_size(10));
  assert_int_equal(coho__deflate_check_answer(&h, &conf, &t), 0);
  assert_true(t.own_receives && !t.own_sends && !t.client_no_context);
  assert_int_equal(t.own, coho__inflater_size(10));
  coho__deflate_terms_drop(&t);
  coho_set_context_limit(1);
  assert_int_equal(coho__deflate_check_answer(&h, &conf, &t), 0);
  assert_true(t.own_receives && !t.own_sends);
  assert_int_equal(t.own, 0);
  coho__deflate_terms_drop(&t);
  coho_set_context_limit(0);
  coho__http1_free(&h);
}

/* A window that is smaller than agreed on is nobody's business but the sender's. */
static void test_PD_06_sender_uses_the_smaller_window(void **state) {
  (void)state;
  coho_deflate conf = conf_of(COHO_CLIENT, CONF(OWN, 11, 0));
  struct coho__deflate_terms t = {.agreed = true, .client_window = 15, .server_window = 9};
  assert_int_equal(coho__deflate_terms_window(&t, COHO_CLIENT, &conf), 11);
  assert_int_equal(coho__deflate_terms_window(&t, COHO_SERVER, &conf), 9);
  t.client_window = 8;
  assert_int_equal(coho__deflate_terms_window(&t, COHO_CLIENT, &conf), 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_PD_08_defaults),
      cmocka_unit_test(test_PD_03_options_out_of_range),
      cmocka_unit_test(test_PM_03_PD_07_O1_to_O7_without_context),
      cmocka_unit_test(test_PM_03_PD_07_O1_to_O7_with_context),
      cmocka_unit_test(test_PM_01_PM_02_O8_O20_first_offer_that_can_be_met),
      cmocka_unit_test(test_PM_05_O18_O21_declined_without_a_word),
      cmocka_unit_test(test_PD_01_O9_to_O14_declined),
      cmocka_unit_test(test_O15_O16_quotes_and_spaces),
      cmocka_unit_test(test_O10_O12_O17_malformed),
      cmocka_unit_test(test_PM_01_offers_of_a_client),
      cmocka_unit_test(test_PM_07_A1_A4_A7_A11_A12_good_answers),
      cmocka_unit_test(test_PD_02_A2_A5_A6_A8_A9_answers_that_do_not_fit),
      cmocka_unit_test(test_PM_06_A10_answers_that_were_not_offered),
      cmocka_unit_test(test_PM_03_PD_06_both_sides_agree),
      cmocka_unit_test(test_budget_counts_what_the_contexts_take),
      cmocka_unit_test(test_over_the_budget_a_server_keeps_no_context),
      cmocka_unit_test(test_over_the_budget_a_client_sends_without_context),
      cmocka_unit_test(test_PD_06_sender_uses_the_smaller_window),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
