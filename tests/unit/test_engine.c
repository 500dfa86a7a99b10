/* What the owner of an engine asks it and tells it; what the peer sends is in tests/wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "proto/engine.h"

#define INPUT(e, text)                             \
  do {                                             \
    static uint8_t lent[sizeof(text)];             \
    memcpy(lent, text, sizeof(text));              \
    coho__engine_input(e, lent, sizeof(text) - 1); \
  } while (0)

static const struct coho__engine_conf conf = {.max_message = 1000,
                                              .max_frame = 1000,
                                              .max_fragments = UINT32_MAX,
                                              .message_timeout_ms = UINT32_MAX,
                                              .ping_interval_ms = UINT32_MAX,
                                              .pong_timeout_ms = UINT32_MAX,
                                              .close_timeout_ms = UINT32_MAX,
                                              .role = COHO_SERVER};

struct state {
  struct coho__engine e;
  struct coho__buf out;
};

static int setup(void **state) {
  static struct state s;
  coho__engine_init(&s.e, &conf);
  s.out = COHO_BUF(1000);
  *state = &s;
  return 0;
}

static int teardown(void **state) {
  struct state *s = (struct state *)*state;
  coho__engine_free(&s->e);
  coho__buf_release(&s->out);
  return coho_memory_used() != 0;
}

static uint32_t next(struct state *s, coho_event *ev) {
  return coho__engine_next(&s->e, &s->out, ev) ? ev->type : 0;
}

static void test_owner_ends_the_connection_with_the_code_of_an_error(void **state) {
  struct state *s = (struct state *)*state;
  coho_event ev;
  INPUT(&s->e, "\x81\x80\0\0\0\0");
  coho__engine_fail(&s->e, &s->out, COHO_ETOOBIG);
  assert_int_equal(s->out.len, 4);
  assert_memory_equal(s->out.data, "\x88\x02\x03\xf1", 4);
  assert_int_equal(next(s, &ev), COHO_ERROR);
  assert_int_equal(ev.err, COHO_ETOOBIG);
  assert_int_equal(next(s, &ev), COHO_CLOSE);
  assert_int_equal(next(s, &ev), 0);
  assert_true(coho__engine_ended(&s->e));
  assert_false(coho__engine_clean(&s->e));
}

static void test_second_failure_changes_nothing(void **state) {
  struct state *s = (struct state *)*state;
  coho_event ev;
  coho__engine_fail(&s->e, &s->out, COHO_ETOOBIG);
  coho__engine_fail(&s->e, &s->out, COHO_EUTF8);
  assert_int_equal(s->out.len, 4);
  assert_int_equal(next(s, &ev), COHO_ERROR);
  assert_int_equal(ev.err, COHO_ETOOBIG);
}

static void test_idle_is_between_messages_only(void **state) {
  struct state *s = (struct state *)*state;
  coho_event ev;
  assert_true(coho__engine_idle(&s->e));
  INPUT(&s->e, "\x01\x81"); /* half a header */
  assert_int_equal(next(s, &ev), 0);
  assert_false(coho__engine_idle(&s->e));
  INPUT(&s->e, "\0\0\0\0a"); /* a first part */
  assert_int_equal(next(s, &ev), 0);
  assert_false(coho__engine_idle(&s->e));
  INPUT(&s->e, "\x80\x81\0\0\0\0b");
  assert_int_equal(next(s, &ev), COHO_MESSAGE);
  assert_int_equal(ev.msg.len, 2);
  assert_int_equal(next(s, &ev), 0);
  assert_true(coho__engine_idle(&s->e));
}

static void test_unread_is_what_next_did_not_look_at(void **state) {
  struct state *s = (struct state *)*state;
  coho_event ev;
  INPUT(&s->e, "\x81\x80\0\0\0\0\x89\x80\0\0\0\0");
  assert_int_equal(coho__engine_unread(&s->e), 12);
  assert_int_equal(next(s, &ev), COHO_MESSAGE);
  assert_int_equal(coho__engine_unread(&s->e), 6);
  assert_int_equal(next(s, &ev), COHO_PING);
  assert_int_equal(coho__engine_unread(&s->e), 0);
}

static void test_header_alone_is_that_of_the_whole_frame(void **state) {
  struct state *s = (struct state *)*state;
  char text[200] = "text";
  coho_msg m = {text, sizeof text, COHO_TEXT, 0};
  assert_int_equal(coho__engine_send_header(&s->e, &s->out, &m), 0);
  assert_int_equal(s->out.len, 4);
  assert_memory_equal(s->out.data, "\x81\x7e\x00\xc8", 4);
  assert_int_equal(coho__engine_send(&s->e, &s->out, m), 0);
  assert_int_equal(s->out.len, 4 + 4 + sizeof text);
  assert_memory_equal(s->out.data + 4, s->out.data, 4);
}

static void test_clean_is_a_close_both_ways(void **state) {
  struct state *s = (struct state *)*state;
  coho_event ev;
  INPUT(&s->e, "\x88\x82\0\0\0\0\x03\xe8");
  assert_false(coho__engine_clean(&s->e));
  assert_int_equal(next(s, &ev), COHO_CLOSE);
  assert_int_equal(ev.code, 1000);
  assert_true(coho__engine_clean(&s->e));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_owner_ends_the_connection_with_the_code_of_an_error,
                                      setup, teardown),
      cmocka_unit_test_setup_teardown(test_second_failure_changes_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(test_idle_is_between_messages_only, setup, teardown),
      cmocka_unit_test_setup_teardown(test_unread_is_what_next_did_not_look_at, setup, teardown),
      cmocka_unit_test_setup_teardown(test_header_alone_is_that_of_the_whole_frame, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(test_clean_is_a_close_both_ways, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
