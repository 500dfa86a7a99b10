#include "proto/sse.h"

#include "base/check.h"
#include "unit/pieces.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

enum { MOST = 256 };

/* "TYPE[ID]DATA|" for each event. */
static void note(struct coho__buf *seen, const struct coho__sse_message *m) {
  coho__buf_append(seen, m->type.data, m->type.len);
  coho__buf_append_str(seen, "[");
  coho__buf_append(seen, m->id.data, m->id.len);
  coho__buf_append_str(seen, "]");
  coho__buf_append(seen, m->data.data, m->data.len);
  coho__buf_append_str(seen, "|");
}

static int read_all(struct coho__sse_reader *r, struct coho__view bytes, struct coho__buf *seen) {
  struct coho__sse_message m;
  size_t used = 0;
  int result = 0;
  while (bytes.len && (result = coho__sse_read(r, bytes.data, bytes.len, &used, &m)) >= 0) {
    assert_true(used > 0 && used <= bytes.len);
    assert_true(result == 1 || used == bytes.len);
    if (result == 1) note(seen, &m);
    bytes.data += used;
    bytes.len -= used;
  }
  return result < 0 ? result : 0;
}

struct case_ {
  struct coho__view bytes;
  struct coho__view seen;
  int result;
};

#define STREAM(text, events) \
  { {text, sizeof(text) - 1}, {events, sizeof(events) - 1}, 0 }
#define BAD(text, events, err) \
  { {text, sizeof(text) - 1}, {events, sizeof(events) - 1}, err }

static void run_case(struct pieces *p, void *ctx) {
  const struct case_ *c = (const struct case_ *)ctx;
  struct coho__sse_reader r;
  struct coho__buf seen = COHO_BUF(1 << 16);
  struct coho__view piece;
  int result = 0;
  coho__sse_reader_init(&r, MOST);
  while (result == 0 && pieces_next(p, &piece))
    result = read_all(&r, piece, &seen);
  if (result != c->result || !coho__view_eq((struct coho__view){seen.data, seen.len}, c->seen))
    fail_msg("'%s': %s, '%.*s'", c->bytes.data, coho_errname(result), (int)seen.len,
             seen.data ? seen.data : "");
  coho__buf_release(&seen);
  coho__sse_reader_free(&r);
}

static void run_cases(const struct case_ *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct case_ c = cases[i];
    pieces_each(c.bytes, run_case, &c);
  }
}

/* ---- reading -------------------------------------------------------------------------------- */

static void test_streams_and_their_events(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      STREAM("data: a\ndata: b\n\n", "message[]a\nb|"),
      STREAM("data\n\n", "message[]|"),
      STREAM("data\ndata\n\n", "message[]\n|"),
      STREAM("data:\ndata:\ndata:\n\n", "message[]\n\n|"),
      STREAM("data:test\n\ndata: test\n\n", "message[]test|message[]test|"),
      STREAM("data:  x\n\n", "message[] x|"),
      STREAM("data:x: y\n\n", "message[]x: y|"),
      STREAM(": hi\n\n", ""),
      STREAM(":\n\n:\r\r: data: x\n\n", ""),
      STREAM("id: 1\ndata: x\n\ndata: y\n\nid\ndata: z\n\n", "message[1]x|message[1]y|message[]z|"),
      STREAM("event: add\ndata: 7\n\n", "add[]7|"),
      STREAM("event: add\n\ndata: 7\n\n", "message[]7|"),
      STREAM("event: a\nevent: b\ndata: 7\n\ndata: 8\n\n", "b[]7|message[]8|"),
      STREAM("event: a\nevent\ndata: 7\n\n", "message[]7|"),
      STREAM("data: x\r\rdata: y\r\n\r\n", "message[]x|message[]y|"),
      STREAM("data: x\n\r\ndata: y\r\n\n", "message[]x|message[]y|"),
      STREAM("data: x\n", ""),
      STREAM("data: x", ""),
      STREAM("\r\n\r\n\n\n\r\rdata:1\r\n\r", "message[]1|"),
      STREAM("Data: x\n\nDATA: y\n\n data: z\n\n", ""),
      STREAM("nothing: x\ndata: y\nnothing\n\n", "message[]y|"),
      STREAM("data: \xc3\xa4\xe2\x82\xac\n\n", "message[]\xc3\xa4\xe2\x82\xac|"),
      STREAM("data: a\0b\n\n", "message[]a\0b|"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_an_id_counts_without_an_event(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      STREAM("id: 5\n\ndata: x\n\n", "message[5]x|"),
      STREAM("id: 5\n\nid: 6\0\ndata: x\n\n", "message[5]x|"),
      STREAM("id: 5\nid: 6\ndata: x\n\n", "message[6]x|"),
      STREAM("id: 5\ndata: x\n\nid:\ndata: y\n\n", "message[5]x|message[]y|"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_a_mark_of_byte_order_is_dropped_once(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      STREAM("\xef\xbb\xbf"
             "data: x\n\n",
             "message[]x|"),
      STREAM("\xef\xbb\xbf"
             ":\ndata: x\n\n",
             "message[]x|"),
      STREAM("\xef\xbb\xbf\ndata: x\n\n", "message[]x|"),
      STREAM("\xef\xbb\xbf\xef\xbb\xbf"
             "data: x\n\n",
             ""),
      STREAM("\n\xef\xbb\xbf"
             "data: x\n\ndata: y\n\n",
             "message[]y|"),
      STREAM("d\ndata: x\n\n", "message[]x|"),
      STREAM("da\n\xef\xbb\xbf"
             "data: x\n\ndata: y\n\n",
             "message[]y|"),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_streams_that_are_refused(void **state) {
  (void)state;
  static const struct case_ cases[] = {
      BAD("data: x\n\ndata: \xff\n\n", "message[]x|", COHO_EUTF8),
      BAD("data: \xc3\n\xa4\n\n", "", COHO_EUTF8),
      BAD("\xff: y\ndata: x\n\n", "", COHO_EUTF8),
  };
  run_cases(cases, COHO_COUNT(cases));
}

static void test_what_one_event_may_take(void **state) {
  (void)state;
  struct coho__buf stream = COHO_BUF(1 << 16);
  struct case_ c = STREAM("", "");
  /* A line too long, an event too long in short lines; a comment of any length. */
  for (int i = 0; i < MOST; i++)
    coho__buf_append_str(&stream, "xx");
  c.bytes = (struct coho__view){stream.data, stream.len};
  c.result = COHO_ETOOBIG;
  pieces_each(c.bytes, run_case, &c);
  stream.len = 0;
  for (int i = 0; i < MOST / 8 + 1; i++)
    coho__buf_append_str(&stream, "data:12345678\n");
  c.bytes = (struct coho__view){stream.data, stream.len};
  pieces_each(c.bytes, run_case, &c);
  stream.len = 0;
  coho__buf_append_str(&stream, ":");
  for (int i = 0; i < MOST; i++)
    coho__buf_append_str(&stream, "xxxx");
  coho__buf_append_str(&stream, "\ndata:1\n\n");
  c = (struct case_){{stream.data, stream.len}, VIEW("message[]1|"), 0};
  pieces_each(c.bytes, run_case, &c);
  coho__buf_release(&stream);
}

static void test_when_to_come_back(void **state) {
  (void)state;
  struct coho__sse_reader r;
  struct coho__buf none = COHO_BUF(1);
  coho__sse_reader_init(&r, MOST);
  assert_int_equal(read_all(&r, VIEW("retry: 3x\n\nretry:\n\nretry: -1\n\n"), &none), 0);
  assert_false(r.has_retry);
  assert_int_equal(read_all(&r, VIEW("retry: 3000\n"), &none), 0);
  assert_true(r.has_retry);
  assert_int_equal(r.retry_ms, 3000);
  coho__sse_reader_free(&r);
}

static void test_the_id_to_come_back_with(void **state) {
  (void)state;
  struct coho__sse_reader r;
  struct coho__buf seen = COHO_BUF(MOST);
  coho__sse_reader_init(&r, MOST);
  assert_int_equal(read_all(&r, VIEW("id: 7\ndata: x\n\nid: 8\ndata: cut\n"), &seen), 0);
  assert_true(coho__view_eq((struct coho__view){r.last.data, r.last.len}, VIEW("7")));
  coho__buf_release(&seen);
  coho__sse_reader_free(&r);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void expect_written(struct coho__sse_event e, const char *text) {
  struct coho__buf b = COHO_BUF(1 << 12);
  assert_int_equal(coho__sse_event(&b, &e), 0);
  assert_int_equal(coho__buf_append(&b, "", 1), 0);
  assert_string_equal(b.data, text);
  coho__buf_release(&b);
}

static void test_blocks_as_they_are_written(void **state) {
  (void)state;
  expect_written((struct coho__sse_event){.data = VIEW("x")}, "data: x\n\n");
  expect_written((struct coho__sse_event){.data = VIEW("")}, "data: \n\n");
  expect_written((struct coho__sse_event){.data = VIEW("a\nb\rc\r\nd\n\re")},
                 "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n");
  expect_written((struct coho__sse_event){.data = VIEW("a\r\n")}, "data: a\ndata: \n\n");
  expect_written(
      (struct coho__sse_event){.data = VIEW(" x"), .id = VIEW("e.1"), .type = VIEW("gap")},
      "event: gap\nid: e.1\ndata:  x\n\n");
  expect_written((struct coho__sse_event){.comment = VIEW("ping")}, ": ping\n\n");
  expect_written((struct coho__sse_event){.comment = VIEW("a\nb"), .retry_ms = 4000},
                 ": a\n: b\nretry: 4000\n\n");
  expect_written((struct coho__sse_event){.id = VIEW("")}, "id: \n\n");
  expect_written((struct coho__sse_event){.retry_ms = UINT32_MAX}, "retry: 4294967295\n\n");
}

static void test_lines_cannot_be_smuggled_in(void **state) {
  (void)state;
  static const struct coho__sse_event bad[] = {
      {.id = {"1\ndata: x", 9}}, {.id = {"1\rdata: x", 9}}, {.id = {"1\0", 2}},
      {.type = {"a\n", 2}},      {.type = {"a\r", 2}},      {.type = {"\0", 1}},
  };
  for (size_t i = 0; i < COHO_COUNT(bad); i++) {
    struct coho__buf b = COHO_BUF(64);
    struct coho__sse_event e = bad[i];
    e.data = VIEW("x");
    assert_int_equal(coho__sse_event(&b, &e), COHO_EINVAL);
    assert_int_equal(b.len, 0);
    coho__buf_release(&b);
  }
  struct coho__buf b = COHO_BUF(64);
  struct coho__sse_event e = {.data = VIEW("\xff")};
  assert_int_equal(coho__sse_event(&b, &e), COHO_EUTF8);
  assert_int_equal(b.len, 0);
}

static void test_a_block_is_whole_or_not_at_all(void **state) {
  (void)state;
  struct coho__sse_event e = {.data = VIEW("a\nb"),
                              .id = VIEW("1"),
                              .type = VIEW("t"),
                              .comment = VIEW("c"),
                              .retry_ms = 1};
  const size_t whole = strlen(": c\nretry: 1\nevent: t\nid: 1\ndata: a\ndata: b\n\n");
  for (size_t max = 0; max < whole; max++) {
    struct coho__buf b = COHO_BUF(2 + max);
    assert_int_equal(coho__buf_append(&b, "ab", 2), 0);
    assert_int_equal(coho__sse_event(&b, &e), COHO_EFULL);
    assert_int_equal(b.len, 2);
    coho__buf_release(&b);
  }
}

/* ---- both ----------------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t draw(uint32_t below) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 16) % below;
}

static struct coho__view draw_text(char *buf, size_t most, const char *letters, size_t count) {
  size_t len = draw((uint32_t)most + 1);
  for (size_t i = 0; i < len; i++)
    buf[i] = letters[draw((uint32_t)count)];
  return (struct coho__view){buf, len};
}

/* As the receiver gets it. */
static size_t with_lf(struct coho__view in, char *out) {
  size_t n = 0;
  for (size_t i = 0; i < in.len; i++) {
    if (in.data[i] == '\n' && i && in.data[i - 1] == '\r') continue;
    out[n++] = in.data[i] == '\r' ? '\n' : in.data[i];
  }
  return n;
}

static void test_what_was_written_is_read_again(void **state) {
  (void)state;
  static const char letters[] = {'\n', '\r', ':', ' ', 'd', '\0', 'x', '\t'};
  struct coho__buf stream = COHO_BUF(1 << 16), expected = COHO_BUF(1 << 16);
  for (int round = 0; round < 200; round++) {
    char id[8] = "", last[8] = "";
    size_t last_len = 0;
    stream.len = expected.len = 0;
    for (int i = 0; i < 6; i++) {
      char data[20], type[8], comment[8], lf[20];
      struct coho__sse_event e = {.data = draw_text(data, sizeof data, letters, sizeof letters),
                                  .type = draw_text(type, sizeof type, "ab: ", 4),
                                  .comment = draw_text(comment, sizeof comment, letters, 5)};
      if (draw(2)) e.id = draw_text(id, sizeof id, "12.: ", 5);
      if (draw(4) == 0) e.data = (struct coho__view){NULL, 0};
      if (e.id.data) memcpy(last, id, last_len = e.id.len);
      assert_int_equal(coho__sse_event(&stream, &e), 0);
      if (!e.data.data) continue;
      struct coho__sse_message m = {.data = {lf, with_lf(e.data, lf)},
                                    .type = e.type.len ? e.type : VIEW("message"),
                                    .id = {last, last_len}};
      note(&expected, &m);
    }
    struct case_ c = {{stream.data, stream.len}, {expected.data, expected.len}, 0};
    run_case(&(struct pieces){.all = c.bytes, .cut = 1 + draw(9), .step = 1 + draw(9)}, &c);
    pieces_each(c.bytes, run_case, &c);
  }
  coho__buf_release(&stream);
  coho__buf_release(&expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_streams_and_their_events),
      cmocka_unit_test(test_an_id_counts_without_an_event),
      cmocka_unit_test(test_a_mark_of_byte_order_is_dropped_once),
      cmocka_unit_test(test_streams_that_are_refused),
      cmocka_unit_test(test_what_one_event_may_take),
      cmocka_unit_test(test_when_to_come_back),
      cmocka_unit_test(test_the_id_to_come_back_with),
      cmocka_unit_test(test_blocks_as_they_are_written),
      cmocka_unit_test(test_lines_cannot_be_smuggled_in),
      cmocka_unit_test(test_a_block_is_whole_or_not_at_all),
      cmocka_unit_test(test_what_was_written_is_read_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
