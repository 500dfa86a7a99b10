#include "support/alloc_fail.h"
#include "ws/options.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

enum { MIB = 1024 * 1024 };

static struct coho__options *made;

static int make(const coho_options *opt, size_t size) {
  made = NULL;
  return coho__options_new(COHO_SERVER, opt, size, &made);
}

static void test_defaults(void **state) {
  (void)state;
  assert_int_equal(make(NULL, sizeof(coho_options)), 0);
  assert_int_equal(made->set.max_message, MIB);
  assert_int_equal(made->set.max_frame, MIB);
  assert_int_equal(made->set.max_queue, 4 * MIB);
  assert_int_equal(made->set.low_mark, MIB);
  assert_int_equal(made->set.threads, 1);
  assert_int_equal(made->set.connect_timeout_ms, 15000);
  assert_int_equal(made->set.write_timeout_ms, 30000);
  assert_int_equal(made->engine.max_message, MIB);
  assert_int_equal(made->engine.max_frame, MIB);
  assert_int_equal(made->engine.message_timeout_ms, 120000);
  assert_int_equal(made->engine.ping_interval_ms, 20000);
  assert_int_equal(made->engine.pong_timeout_ms, 10000);
  assert_int_equal(made->engine.close_timeout_ms, 5000);
  assert_int_equal(made->engine.role, COHO_SERVER);
  assert_false(made->engine.stream);
  coho__options_unref(made);
}

static void test_what_depends_on_max_message(void **state) {
  (void)state;
  coho_options opt = {.max_message = 1000};
  assert_int_equal(make(&opt, sizeof opt), 0);
  assert_int_equal(made->set.max_frame, 1000);
  assert_int_equal(made->set.max_queue,
                   1 << 20); /* what goes out may be larger than what comes in */
  assert_int_equal(made->set.low_mark, 1 << 18);
  coho__options_unref(made);
  opt.max_message = 1 << 20;
  assert_int_equal(make(&opt, sizeof opt), 0);
  assert_int_equal(made->set.max_queue, 4 << 20);
  coho__options_unref(made);
  opt.max_message = UINT64_MAX;
  assert_int_equal(make(&opt, sizeof opt), 0);
  assert_int_equal(made->set.max_queue, UINT64_MAX);
  coho__options_unref(made);
}

static void test_never(void **state) {
  (void)state;
  coho_options opt = {.ping_interval_ms = UINT32_MAX, .flags = COHO_STREAM};
  assert_int_equal(make(&opt, sizeof opt), 0);
  assert_int_equal(made->engine.ping_interval_ms, UINT32_MAX);
  assert_true(made->engine.stream);
  coho__options_unref(made);
}

/* Reading pauses early enough that one more message always fits into the queue. */
static void test_pause_mark(void **state) {
  static const struct {
    uint64_t max_message, max_queue, low_mark, pause;
  } rows[] = {
      {1000, 4000, 0, 1000}, {1000, 4000, 3900, 2986}, {1000, 1100, 500, 86},
      {1000, 1014, 500, 0},  {1000, 500, 100, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    coho_options opt = {.max_message = rows[i].max_message,
                        .max_queue = rows[i].max_queue,
                        .low_mark = rows[i].low_mark};
    assert_int_equal(make(&opt, sizeof opt), 0);
    assert_int_equal(made->pause_mark, rows[i].pause);
    assert_true(made->cork_mark <= made->pause_mark);
    coho__options_unref(made);
  }
}

static void test_an_older_program_has_a_smaller_structure(void **state) {
  (void)state;
  coho_options opt = {.max_message = 7, .write_timeout_ms = 5};
  assert_int_equal(make(&opt, offsetof(coho_options, flags)), 0);
  assert_int_equal(made->set.max_message, 7);
  assert_int_equal(made->set.write_timeout_ms, 30000);
  coho__options_unref(made);
}

static void test_a_newer_program_may_not_set_what_is_unknown(void **state) {
  (void)state;
  struct {
    coho_options known;
    uint64_t later;
  } opt = {.known = {.max_message = 7}};
  assert_int_equal(make(&opt.known, sizeof opt), 0);
  coho__options_unref(made);
  opt.later = 1;
  assert_int_equal(make(&opt.known, sizeof opt), COHO_EOPTION);
  assert_null(made);
}

static void test_what_is_out_of_range(void **state) {
  static const char *const twice[] = {"a", "b", "a", NULL};
  static const char *const spaced[] = {"a b", NULL};
  static const char *const empty[] = {"", NULL};
  static const char *const injected[] = {"X: y\r\nZ: w", NULL};
  static const coho_options wrong[] = {
      {.flags = 1U << 30},   {.threads = 257},      {.max_queue = 100, .low_mark = 100},
      {.protocols = twice},  {.protocols = spaced}, {.protocols = empty},
      {.headers = injected}, {.origins = injected}, {.origin = "a\nb"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (make(&wrong[i], sizeof *wrong) != COHO_EOPTION) fail_msg("row %zu was taken", i);
}

static void test_strings_and_lists_are_copied(void **state) {
  (void)state;
  char protocol[] = "chat", origin[] = "https://a.example", field[] = "X: y", own[] = "https://b";
  const char *protocols[] = {protocol, NULL};
  const char *origins[] = {origin, NULL};
  const char *headers[] = {field, NULL};
  coho_options opt = {
      .protocols = protocols, .origins = origins, .headers = headers, .origin = own};
  assert_int_equal(make(&opt, sizeof opt), 0);
  memset(protocol, 'x', sizeof protocol);
  memset(origin, 'x', sizeof origin);
  memset(field, 'x', sizeof field);
  memset(own, 'x', sizeof own);
  memset(protocols, 0, sizeof protocols);
  memset(origins, 0, sizeof origins);
  memset(headers, 0, sizeof headers);
  assert_string_equal(made->set.protocols[0], "chat");
  assert_string_equal(made->set.origins[0], "https://a.example");
  assert_string_equal(made->set.headers[0], "X: y");
  assert_string_equal(made->set.origin, "https://b");
  assert_null(made->set.protocols[1]);
  coho__options_unref(made);
}

static void test_the_last_reference_frees(void **state) {
  (void)state;
  assert_int_equal(make(NULL, sizeof(coho_options)), 0);
  struct coho__options *second = coho__options_ref(made);
  coho__options_unref(made);
  assert_int_equal(second->set.max_message, MIB);
  coho__options_unref(second);
  coho__options_unref(NULL);
}

static void test_out_of_memory(void **state) {
  static const char *const list[] = {"a", "b", NULL};
  (void)state;
  for (long i = 1;; i++) {
    coho_options opt = {.protocols = list, .origins = list, .headers = list, .origin = "https://b"};
    alloc_fail_at(i);
    int err = make(&opt, sizeof opt);
    assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
    if (!err) coho__options_unref(made);
    alloc_assert_none_live();
    if (!err) break;
  }
  alloc_fail_at(0);
}

static void test_server_options(void **state) {
  (void)state;
  coho_server_options set;
  assert_int_equal(coho__server_options_read(&set, NULL, sizeof set), 0);
  assert_int_equal(set.threads, 1);
  assert_int_equal(set.max_head, 16384);
  assert_int_equal(set.max_fields, 64);
  assert_int_equal(set.max_body, 65536);
  assert_int_equal(set.head_timeout_ms, 10000);
  assert_int_equal(set.body_timeout_ms, 30000);
  assert_int_equal(set.keepalive_timeout_ms, 15000);
  assert_int_equal(set.write_timeout_ms, 10000);
  assert_int_equal(set.drain_timeout_ms, 5000);
  assert_int_equal(set.backlog, 4096);
  static const coho_server_options wrong[] = {
      {.threads = 257}, {.max_head = 65536}, {.max_fields = 257}, {.backlog = UINT32_MAX}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(coho__server_options_read(&set, &wrong[i], sizeof set), COHO_EOPTION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_what_depends_on_max_message),
      cmocka_unit_test(test_never),
      cmocka_unit_test(test_pause_mark),
      cmocka_unit_test(test_an_older_program_has_a_smaller_structure),
      cmocka_unit_test(test_a_newer_program_may_not_set_what_is_unknown),
      cmocka_unit_test(test_what_is_out_of_range),
      cmocka_unit_test(test_strings_and_lists_are_copied),
      cmocka_unit_test(test_the_last_reference_frees),
      cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_server_options),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
