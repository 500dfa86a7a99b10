/* Lists of who is here that are too long for one answer, as docs/topics.md has it. */
#include "mounted.h"
#include "support/alloc_fail.h"
#include "support/text.h"
#include "support/web.h"

#include "hub/members.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct web web;
static struct web_client a;

static void enter(coho_hub *hub, unsigned first, unsigned last, const char *info) {
  for (unsigned i = first; i <= last; i++)
    assert_int_equal(coho_presence_enter(hub, "room", text_of("m%u", i), info), 0);
}

/* What follows `"next":`, or 0. */
static unsigned long next_of(const char *body) {
  static const char name[] = "\"next\":";
  const char *at = strstr(body, name);
  return at ? strtoul(at + sizeof name - 1, NULL, 10) : 0;
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static void test_members_one_answer_after_the_other(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  enter(web.hub, 1, 5, NULL);
  web_ask(&a, "/t/room/presence?limit=2", 200,
          "{'members':[{'id':'m1','info':null},{'id':'m2','info':null}],'pos':'E.5','next':2}");
  web_ask(&a, "/t/room/presence?limit=2&after=2", 200,
          "{'members':[{'id':'m3','info':null},{'id':'m4','info':null}],'pos':'E.5','next':4}");
  web_ask(&a, "/t/room/presence?limit=2&after=4", 200,
          "{'members':[{'id':'m5','info':null}],'pos':'E.5'}");
  web_ask(&a, "/t/room/presence?after=5", 200, "{'members':[],'pos':'E.5'}");
  web_ask(&a, "/t/room/presence?limit=5", 200, NULL);
  web_ends(&a, "{'id':'m5','info':null}],'pos':'E.5'}");
  web_check_json(&a);
}

static void test_members_what_may_not_be_asked(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "limit=0", "limit=10001", "limit=",   "limit=x",
      "after=",  "after=-1",    "after=m1", "after=9223372036854775808"};
  web_open(&web, NULL, NULL);
  for (size_t i = 0; i < COHO_COUNT(wrong); i++)
    web_refused(&a, "", text_of("/t/room/presence?%s", wrong[i]), 400, "bad-request");
  web_ask(&a, "/t/room/presence?limit=10000&after=9223372036854775807", 200,
          "{'members':[],'pos':'E.0'}");
}

/* All that may be there, each with all that it may say. */
static void test_B21_members_in_answers_of_a_MiB(void **state) {
  (void)state;
  char info[1025];
  unsigned long next = 0;
  unsigned members = 0, answers = 0;
  memset(info, 'x', sizeof info);
  info[0] = info[1023] = '"';
  info[1024] = '\0';
  web_open(&web, NULL, NULL);
  enter(web.hub, 1, COHO_MEMBERS_MOST / 2, info);
  enter(web.hub, COHO_MEMBERS_MOST / 2 + 1, COHO_MEMBERS_MOST, NULL);
  do {
    web_ask(&a, text_of("/t/room/presence?after=%lu", next), 200, NULL);
    assert_true(a.len <= 1024 * 1024 + 64);
    json_t *body = json_loads(a.body, 0, NULL), *one;
    size_t i;
    json_array_foreach(json_object_get(body, "members"), i, one) assert_string_equal(
        json_string_value(json_object_get(one, "id")), text_of("m%u", ++members));
    json_decref(body);
    next = next_of(a.body);
    answers++;
  } while (next);
  assert_int_equal(members, COHO_MEMBERS_MOST);
  assert_in_range(answers, 5, 7);
}

/* ---- coho.json.v1 ---------------------------------------------------------------------------- */

static void test_json_members_one_answer_after_the_other(void **state) {
  (void)state;
  mounted_open_json(NULL, NULL);
  enter(mounted.hub, 1, 3, NULL);
  mounted_ask(&mounted.a, "{'op':'presence','id':1,'topic':'room','limit':2}",
              "{'op':'presence','id':1,'topic':'room','members':[{'id':'m1','info':null},"
              "{'id':'m2','info':null}],'pos':'E.3','next':2}");
  mounted_ask(&mounted.a, "{'op':'presence','topic':'room','after':2}",
              "{'op':'presence','topic':'room','members':[{'id':'m3','info':null}],'pos':'E.3'}");
  static const char *const wrong[] = {"'limit':0",  "'limit':10001", "'limit':'2'", "'limit':null",
                                      "'after':-1", "'after':'m1'",  "'after':1.5"};
  for (size_t i = 0; i < COHO_COUNT(wrong); i++)
    mounted_refused(&mounted.a, text_of("{'op':'presence','topic':'room',%s}", wrong[i]),
                    "bad-request");
}

/* As much as a connection's queue takes, whatever is asked for. */
static void test_json_B16_members_fit_into_the_queue(void **state) {
  (void)state;
  const coho_topics_options mo = {.max_queue = 8192};
  unsigned long next = 0;
  unsigned answers = 0;
  struct raw_frame f;
  mounted_open_json(&mo, NULL);
  enter(mounted.hub, 1, 500, NULL);
  do {
    mounted_say(&mounted.a, text_of("{'op':'presence','topic':'room','after':%lu}", next));
    assert_true(raw_next(&mounted.a, &f));
    assert_in_range(f.len, 1, 4096 + 128);
    char body[8192];
    memcpy(body, f.data, f.len);
    body[f.len] = '\0';
    next = next_of(body);
    answers++;
  } while (next);
  assert_in_range(answers, 3, 6);
}

#define WEB(f)     cmocka_unit_test_teardown(f, web_teardown)
#define JSON_V1(f) cmocka_unit_test_teardown(f, mounted_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WEB(test_members_one_answer_after_the_other),
      WEB(test_members_what_may_not_be_asked),
      WEB(test_B21_members_in_answers_of_a_MiB),
      JSON_V1(test_json_members_one_answer_after_the_other),
      JSON_V1(test_json_B16_members_fit_into_the_queue),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
