/* A hub with no room for one more topic: whoever needs one is refused, and told nothing that is not so. */
#include "support/alloc_fail.h"
#include "support/text.h"
#include "support/web.h"

#include <string.h>

static struct web web;
static struct web_client a, own[2];

/* As many topics as there may be, each followed. */
static void open_full(void) {
  const coho_hub_options opt = {.max_topics = 2};
  web_open_hub(&web, coho_hub_new(&opt), NULL, NULL);
  for (unsigned i = 0; i < 2; i++) {
    web_get(&own[i], "Accept: text/event-stream\r\n", "/t/own%u", i);
    assert_int_equal(web_begin(&own[i]), 200);
  }
}

/* An empty answer with a position would be the way to lose what is missing without a word. */
static void test_B21_polls_and_lists_without_room(void **state) {
  static const char *const targets[] = {
      "/t/room?since=k3f9.42&wait=0", "/t/room?since=0&wait=0", "/t/room?wait=0",
      "/t/room?since=k3f9.42&wait=1", "/t/room/history",        "/t/room/presence",
      "/t/room/presence?after=3",     "/t/own0/presence"};
  (void)state;
  open_full();
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
    web_refused(&a, "", targets[i], 503, "full");
  web_ask(&a, "/t/?sub=room@k3f9.42&wait=0", 200,
          "{'frames':[{'op':'error','topic':'room','code':'full','text':'no room now'}]}");
  web_ask(&a, "/t/own0?wait=0", 200, "{'messages':[],'next':'E.0'}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_B21_polls_and_lists_without_room, web_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
