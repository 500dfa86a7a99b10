/* Every allocation of a client that asks, and follows a pattern, fails once, and those of its hub: each
   question ends once, and nothing crashes or leaks. */
#include "support/alloc_fail.h"
#include "support/world.h"

#include <coho/client.h>
#include <coho/topics.h>
#include <stdio.h>
#include <string.h>

static struct world w;
static coho_hub *hub;
static unsigned ends, answers, starts;

static void on_message(void *ctx, coho_pos pos, coho_msg m) {
  (void)ctx;
  assert_int_equal(m.len, pos.offset); /* "\xff" and "ab" */
}

static void on_member(void *ctx, const char *id, const char *info) {
  (void)ctx;
  assert_string_equal(id, "ann");
  assert_string_equal(info, "[1]");
}

static void on_end(void *ctx, int err, coho_pos pos) {
  (void)ctx;
  ends++;
  answers += err == 0;
  assert_int_equal(err == 0, pos.epoch != 0);
}

static void on_start(coho_follow *f) {
  (void)f;
  starts++;
}

static void open_hub(void) {
  alloc_fail_at(0);
  hub = coho_hub_new(NULL);
  assert_non_null(hub);
  world_open(&w, NULL, NULL);
  assert_int_equal(coho_route_topics(w.server, "/t/", hub, NULL), 0);
  coho_hub_free(hub); /* the server has it */
  world_start(&w);
  assert_int_equal(coho_publish(hub, "r", coho_binary("\xff", 1)), 0);
  assert_int_equal(coho_publish(hub, "r", coho_text("ab")), 0);
  assert_int_equal(coho_presence_enter(hub, "r", "ann", "[1]"), 0);
  ends = answers = starts = 0;
}

/* A hub without memory may refuse for good. */
static bool is_closed(const coho_client *c) { return coho_client_status(c) == COHO_CLIENT_CLOSED; }

static coho_client *talk(void) {
  coho_client_options opt = {.retry = {.first_ms = 1, .most_ms = 1}};
  coho_client_history_options past = {.on_message = on_message, .done = on_end};
  coho_client_presence_options who = {.on_member = on_member, .done = on_end};
  coho_pattern_options match = {.on_start = on_start};
  coho_client *c;
  char url[80];
  (void)snprintf(url, sizeof url, "%s/t/", w.url);
  if (coho_client_new(w.loop, url, &opt, &c)) return NULL;
  bool follows = coho_client_follow_pattern(c, "r/#", &match, NULL) == 0;
  unsigned asked = coho_client_history(c, "r", &past) == 0;
  asked += coho_client_presence(c, "r", &who) == 0;
  UNTIL(&w, ends == asked && (starts || !follows || is_closed(c)));
  return c;
}

static void test_client_that_asks(void **state) {
  bool failed = true;
  (void)state;
  for (long i = 1; failed; i++) {
    open_hub();
    alloc_fail_at(i);
    coho_client *c = talk();
    failed = alloc_failed();
    alloc_fail_at(0);
    if (!failed) assert_int_equal(answers, 2);
    coho_client_free(c);
    world_close(&w);
    alloc_assert_none_live();
    assert_true(i < 2000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_client_that_asks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
