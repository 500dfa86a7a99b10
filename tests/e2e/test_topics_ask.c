/* History and presence on request, and who may ask, follow and poll, as docs/topics.md has it. */
#include "support/clock.h"
#include "support/text.h"
#include "support/web.h"

#include "base/clock.h"

#include <inttypes.h>
#include <string.h>

static struct web web;
static struct web_client a;

static const char NO_TOKEN[] = WEB_ERROR("unauthorized", "a token is required");
static const char FORBIDDEN[] = WEB_ERROR("forbidden", "no right to do this");

static void ask(const char *target, int status, const char *body) {
  web_ask(&a, target, status, body);
  web_check_json(&a);
}

static void ask_with(const char *claims, const char *target, int status, const char *body) {
  web_get(&a, web_token(claims), "%s", target);
  web_check(&a, status, body);
}

/* ---- history --------------------------------------------------------------------------------- */

static void test_history_is_the_last_messages(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  ask("/t/room/history", 200, "{'messages':[],'next':'E.0'}");
  publish_numbers(web.hub, "room", 1, 150);
  ask("/t/room/history?limit=2", 200,
      "{'messages':[{'pos':'E.149','data':'149'},{'pos':'E.150','data':'150'}],"
      "'next':'E.150'}");
  ask("/t/room/history", 200, NULL);
  web_begins(&a, "{'messages':[{'pos':'E.51',");
  ask("/t/room/history?limit=1000", 200, NULL);
  web_begins(&a, "{'messages':[{'pos':'E.1',");
  web_send(&a, "HEAD /t/room/history HTTP/1.1\r\nHost: h\r\n\r\n");
  assert_int_equal(web_begin(&a), 200);
}

static void test_a_limit_out_of_range(void **state) {
  (void)state;
  static const char body[] = WEB_ERROR("bad-request", "a field is missing or wrong");
  web_open(&web, NULL, NULL);
  ask("/t/room/history?limit=0", 400, body);
  ask("/t/room/history?limit=1001", 400, body);
  ask("/t/room/history?limit=-1", 400, body);
  ask("/t/room/history?limit=", 400, body);
  ask("/t/room/history?limit=x", 400, body);
  ask("/t/a//b/history", 404, NULL);
  ask("/t/history/history", 404, NULL);
  ask("/t/room/presence/history", 404, NULL);
}

/* ---- presence -------------------------------------------------------------------------------- */

static void test_presence_is_a_list_to_go_on_from(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  ask("/t/room/presence", 200, "{'members':[],'pos':'E.0'}");
  assert_int_equal(coho_presence_enter(web.hub, "room", "ann", text_json("{'color': 'red'}")), 0);
  assert_int_equal(coho_presence_enter(web.hub, "room", "b\"b", NULL), 0);
  web_ask(&a, "/t/room/presence", 200, NULL);
  web_has(&a, "{'id':'ann','info':{'color'");
  web_has(&a, "{'id':'b\\'b','info':null}],'pos':'E.2'}");
  web_ask(&a, "/t/room/presence?since=E.1", 200,
          "{'messages':[{'pos':'E.2','data':'{\\'event\\':\\'join\\',\\'id\\':\\'b\\\\\\'b\\'}'}],'"
          "next':'E.2'}");
}

/* ---- who may --------------------------------------------------------------------------------- */

static const char *const open_ones[] = {"open/#", NULL};

#define ROOM "{'exp':99999999999,'sub':'ann','coho':{'sub':['room']}}"

static void test_all_that_looks_needs_the_right_to_subscribe(void **state) {
  (void)state;
  static const char *const ends[] = {"",          "?wait=0",          "/history",
                                     "/presence", "/presence?wait=0", "?since=0"};
  web_open_guarded(&web, open_ones);
  web_publish(&web, "room", "x");
  web_publish(&web, "open/x", "x");
  for (size_t i = 0; i < 6; i++) {
    const char *target = text_of("/t/room%s", ends[i]);
    ask(target, 401, NO_TOKEN);
    web_check_field(&a, "WWW-Authenticate", "Bearer realm=\"topics\"");
    ask_with("{'exp':99999999999,'coho':{'sub':['tea'],'pub':['#']}}", target, 403, FORBIDDEN);
    web_check_field(&a, "WWW-Authenticate",
                    "Bearer realm=\"topics\", error=\"insufficient_scope\"");
    ask_with("{'exp':1}", target, 401, NULL);
    if (i == 0) continue; /* a stream */
    ask_with(ROOM, target, 200, NULL);
    ask(text_of("/t/open/x%s", ends[i]), 200, NULL);
  }
}

static void test_of_several_topics_each_has_its_right(void **state) {
  (void)state;
  web_open_guarded(&web, open_ones);
  ask_with(ROOM, "/t/?sub=room&sub=tea&sub=open/x&wait=0", 200,
           "{'frames':[{'op':'ok','topic':'room','pos':'E.0'},"
           "{'op':'error','topic':'tea','code':'forbidden','text':'no right to do "
           "this'},{'op':'ok','topic':'open/x','pos':'E.0'}]}");
  ask("/t/?sub=room&sub=open/x&wait=0", 200,
      "{'frames':[{'op':'error','topic':'room','code':'unauthorized','text':'a "
      "token is required'},{'op':'ok','topic':'open/x','pos':'E.0'}]}");
}

static void test_without_a_token_nothing_is_open_at_the_root(void **state) {
  (void)state;
  web_open_guarded(&web, NULL);
  ask("/t/?sub=room&wait=0", 401, NO_TOKEN);
  web_get(&a, WEB_SSE, "/t/?sub=room");
  web_check(&a, 401, NO_TOKEN);
}

static void test_presence_is_under_the_name_of_the_token(void **state) {
  (void)state;
  web_open_guarded(&web, open_ones);
  ask_with(ROOM, "/t/room?wait=0&as=bob", 403, FORBIDDEN);
  ask_with(ROOM, "/t/room?as=bob", 403, FORBIDDEN);
  ask_with(
      ROOM, "/t/?sub=room&wait=0&as=bob", 200,
      "{'frames':[{'op':'error','topic':'room','code':'forbidden','text':'no right to do this'}]}");
  assert_int_equal(web_members(&web, "room"), 0);
  ask_with(ROOM, "/t/room?wait=0&as=ann", 200, NULL);
  assert_int_equal(web_members(&web, "room"), 1);
}

/* ---- tokens that end ------------------------------------------------------------------------- */

enum { TOKEN_MS = 1500 };

/* Asks with a token for room that ends after TOKEN_MS. */
static void ask_for_a_while(const char *target) {
  web_open_guarded(&web, open_ones);
  clock_stop();
  uint64_t end = coho__clock_wall_ms() + TOKEN_MS;
  const char *claims = text_of("{'exp':%" PRIu64 ".%03u,'coho':{'sub':['room']}}", end / 1000,
                               (unsigned)(end % 1000));
  web_get(&a, web_token(claims), "%s", target);
}

/* Nobody follows room any more, and that is no sooner than the token ends. */
static void until_it_ends(void) {
  assert_int_equal(web_subscribers(&web, "room"), 1);
  uint64_t begun = coho__clock_wall_ms();
  UNTIL(&web.w, (clock_move(100), web_subscribers(&web, "room") == 0));
  assert_in_range(coho__clock_wall_ms() - begun, TOKEN_MS, TOKEN_MS + 1200);
}

static void test_a_stream_ends_with_its_token(void **state) {
  (void)state;
  ask_for_a_while("/t/room");
  assert_int_equal(web_begin(&a), 200);
  web_expect_start(&a, "E.0");
  until_it_ends();
  assert_null(web_event(&a));
}

static void test_a_stream_of_several_topics_tells_before(void **state) {
  (void)state;
  ask_for_a_while("/t/?sub=room");
  assert_int_equal(web_begin(&a), 200);
  web_expect_start(&a, NULL);
  web_expect(&a, "data: {'op':'ok','topic':'room','pos':'E.0'}");
  const char *block = web_event(&a);
  assert_non_null(block);
  assert_memory_equal(block, text_json("data: {'op':'expiring','in':"), 28);
  until_it_ends();
  assert_null(web_event(&a));
}

static void test_a_poll_waits_no_longer_than_its_token(void **state) {
  (void)state;
  ask_for_a_while("/t/room?wait=60&since=E.0");
  UNTIL(&web.w, web_subscribers(&web, "room") == 1);
  until_it_ends();
  web_check(&a, 200, "{'messages':[],'next':'E.0'}");
}

#define TEST(f) cmocka_unit_test_teardown(f, web_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_history_is_the_last_messages),
      TEST(test_a_limit_out_of_range),
      TEST(test_presence_is_a_list_to_go_on_from),
      TEST(test_all_that_looks_needs_the_right_to_subscribe),
      TEST(test_of_several_topics_each_has_its_right),
      TEST(test_without_a_token_nothing_is_open_at_the_root),
      TEST(test_presence_is_under_the_name_of_the_token),
      TEST(test_a_stream_ends_with_its_token),
      TEST(test_a_stream_of_several_topics_tells_before),
      TEST(test_a_poll_waits_no_longer_than_its_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
