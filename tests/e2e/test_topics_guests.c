/* B22: who is present without a token, where tokens count, has a name that is no token's, by every way. */
#include "guarded.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

static const char *const lobby[] = {"lobby", "room/+", NULL};

static void open_lobby(void) { open_with((coho_topics_options){.open_subscribe = lobby}); }

static void expect_members(const char *list) {
  assert_int_equal(request("GET", "/t/lobby/presence", ""), 200);
  char wanted[256];
  (void)snprintf(wanted, sizeof wanted, "{\"members\":[%s],", list);
  if (strncmp(body, wanted, strlen(wanted)) != 0) fail_msg("%s", body);
}

static void test_B22_by_json(void **state) {
  (void)state;
  open_lobby();
  assert_int_equal(upgrade("/t/", JSON), 101);
  say("{\"op\":\"sub\",\"id\":1,\"topic\":\"lobby\",\"as\":{\"id\":\"ann\"}}");
  expect("\"id\":1,\"topic\":\"lobby\",\"code\":\"forbidden\",\"text\":\"as: ");
  say("{\"op\":\"sub\",\"id\":2,\"topic\":\"lobby\",\"as\":{\"id\":\"~ann\"}}");
  expect("\"op\":\"ok\"");
  say("{\"op\":\"presence\",\"id\":3,\"topic\":\"lobby\"}");
  expect("\"members\":[{\"id\":\"~ann\",\"info\":null}]");
  raw_close(&a);
  finish();
}

static void test_B22_by_raw(void **state) {
  (void)state;
  open_lobby();
  assert_int_equal(upgrade("/t/lobby?as=ann", ""), 403);
  raw_close(&a);
  assert_int_equal(upgrade("/t/lobby?as=~ann", ""), 101);
  raw_close(&a);
  expect_members("{\"id\":\"~ann\",\"info\":null}");
  finish();
}

static void test_B22_by_events(void **state) {
  (void)state;
  open_lobby();
  assert_int_equal(request("GET", "/t/lobby?as=ann", "Accept: text/event-stream\r\n"), 403);
  expect_error("forbidden");
  assert_int_equal(request("GET", "/t/lobby?as=%7eann", "Accept: text/event-stream\r\n"), 200);
  expect_members("{\"id\":\"~ann\",\"info\":null}");
  finish();
}

static void test_B22_by_poll(void **state) {
  (void)state;
  open_lobby();
  assert_int_equal(request("GET", "/t/lobby?wait=0&as=ann", ""), 403);
  assert_int_equal(request("GET", "/t/?sub=lobby&wait=0&as=ann", ""), 200);
  assert_non_null(strstr(body, "\"topic\":\"lobby\",\"code\":\"forbidden\""));
  assert_int_equal(request("GET", "/t/lobby?wait=0&as=~ann", ""), 200);
  expect_members("{\"id\":\"~ann\",\"info\":null}");
  finish();
}

/* A token with a subject has that name, and one without is as good as none. */
static void test_B22_with_a_token(void **state) {
  (void)state;
  open_lobby();
  assert_int_equal(ask("GET", "/t/lobby?wait=0&as=ann", good_token()), 200);
  assert_int_equal(ask("GET", "/t/lobby?wait=0&as=~ann", good_token()), 403);
  const char *nameless = token_of("{" FOR_EVER "," CHAT "}");
  assert_int_equal(ask("GET", "/t/lobby?wait=0&as=ann", nameless), 403);
  assert_int_equal(ask("GET", "/t/lobby?wait=0&as=~guest", nameless), 200);
  const char *odd = token_of("{" FOR_EVER "," CHAT ",\"sub\":\"~ann\"}");
  assert_int_equal(ask("GET", "/t/lobby?wait=0&as=~ann", odd), 403);
  expect_members("{\"id\":\"ann\",\"info\":null},{\"id\":\"~guest\",\"info\":null}");
  finish();
}

/* A18: nobody takes all the tickets. */
static void test_A18_tickets_of_a_subject(void **state) {
  (void)state;
  enum { EACH_MOST = 16 };
  int given = 0;
  open_lobby();
  clock_stop();
  while (given <= EACH_MOST && ask("POST", "/t/", good_token()) == 200)
    given++;
  assert_in_range(given, 1, EACH_MOST);
  assert_int_equal(ask("POST", "/t/", good_token()), 429);
  expect_error("too-many");
  expect_head("Retry-After: ");
  const char *bob = token_of("{" FOR_EVER "," CHAT ",\"sub\":\"bob\"}");
  assert_int_equal(ask("POST", "/t/", bob), 200);
  clock_move(61 * 1000);
  assert_int_equal(ask("POST", "/t/", good_token()), 200);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_B22_by_json),      cmocka_unit_test(test_B22_by_raw),
      cmocka_unit_test(test_B22_by_events),    cmocka_unit_test(test_B22_by_poll),
      cmocka_unit_test(test_B22_with_a_token), cmocka_unit_test(test_A18_tickets_of_a_subject),
  };
  return cmocka_run_group_tests(tests, guarded_setup, guarded_teardown);
}
