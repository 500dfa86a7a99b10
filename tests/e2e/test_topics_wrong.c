/* coho.json.v1 tells which member of a request is wrong, and how. */
#include "e2e/mounted.h"

#include <stdio.h>

/* names: what the answer repeats of the request. */
static void expect(const char *request, const char *names, const char *text) {
  char answer[512];
  (void)snprintf(answer, sizeof answer, "{'op':'error',%s'code':'bad-request','text':'%s'}", names,
                 text);
  mounted_ask(&mounted.a, request, answer);
}

static void test_which_member_is_wrong(void **state) {
  (void)state;
  static const char *const rows[][3] = {
      {"{'op':'sub','id':{}}", "", "id: a whole number, or a string of at most 64 bytes"},
      {"{'op':'dance','id':1}", "'id':1,", "op: one that is known"},
      {"{'op':1}", "", "op: one that is known"},
      {"{'id':1}", "'id':1,", "op: one that is known"},
      {"{'op':'sub','id':1}", "'id':1,", "topic or pattern: one of them, a string"},
      {"{'op':'sub','topic':'a','pattern':'#'}", "'topic':'a','pattern':'#',",
       "topic or pattern: one of them, a string"},
      {"{'op':'sub','pattern':'#','since':'0'}", "'pattern':'#',", "since, as: not with a pattern"},
      {"{'op':'sub','topic':'a','as':{}}", "'topic':'a',",
       "as: an object with id, a string; not for presence itself"},
      {"{'op':'pub','data':'x'}", "", "topic: a string"},
      {"{'op':'pub','topic':'a'}", "'topic':'a',", "data or data64: one of them, a string"},
      {"{'op':'pub','topic':'a','data':1}", "'topic':'a',",
       "data or data64: one of them, a string"},
      {"{'op':'pub','topic':'a','data64':'?'}", "'topic':'a',", "data64: base64"},
      {"{'op':'pub','topic':'a','data':'x','key':1}", "'topic':'a',",
       "key: a string of at most 255 bytes"},
      {"{'op':'pub','topic':'a','data':'x','idem':''}", "'topic':'a',",
       "idem: a string of 1 to 255 bytes"},
      {"{'op':'history','topic':'a','limit':0}", "'topic':'a',",
       "limit: a whole number from 1 to 1000"},
      {"{'op':'presence','topic':'a','limit':0}", "'topic':'a',",
       "limit: a whole number, neither 0 nor too large"},
      {"{'op':'presence','topic':'a','after':-1}", "'topic':'a',", "after: a whole number"},
      {"{'op':'auth'}", "", "token: a string"},
  };
  mounted_open_json(NULL, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    expect(rows[i][0], rows[i][1], rows[i][2]);
  mounted_finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_which_member_is_wrong, mounted_teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
