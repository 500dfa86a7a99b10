#include "proto/sse.h"

#include "base/check.h"
#include "base/utf8.h"

#include <coho/error.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------------- */

/* Up to the first CR, LF or CRLF, which is dropped; *more: there was one. */
static struct coho__view take_line(struct coho__view *rest, bool *more) {
  size_t n = 0;
  while (n < rest->len && rest->data[n] != '\n' && rest->data[n] != '\r')
    n++;
  struct coho__view line = {rest->data, n};
  *more = n < rest->len;
  if (*more) n += rest->data[n] == '\r' && n + 1 < rest->len && rest->data[n + 1] == '\n' ? 2 : 1;
  rest->data += n;
  rest->len -= n;
  return line;
}

static bool is_one_line(struct coho__view v) {
  for (size_t i = 0; i < v.len; i++)
    if (v.data[i] == '\n' || v.data[i] == '\r' || v.data[i] == '\0') return false;
  return true;
}

/* Each line of the value as a line of the field. With a space, since one is taken away. */
static int append_field(struct coho__buf *b, const char *name, struct coho__view value) {
  bool more = value.data != NULL;
  int err = 0;
  while (more && !err) {
    struct coho__view line = take_line(&value, &more);
    err = coho__buf_append_str(b, name);
    if (!err) err = coho__buf_append(b, ": ", 2);
    if (!err) err = coho__buf_append(b, line.data, line.len);
    if (!err) err = coho__buf_append(b, "\n", 1);
  }
  return err;
}

static int check(const struct coho__sse_event *e) {
  const struct coho__view all[] = {e->data, e->id, e->type, e->comment};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (all[i].len && !coho__utf8_valid(all[i].data, all[i].len)) return COHO_EUTF8;
  return is_one_line(e->id) && is_one_line(e->type) ? 0 : COHO_EINVAL;
}

int coho__sse_event(struct coho__buf *b, const struct coho__sse_event *e) {
  size_t before = b->len;
  int err = check(e);
  if (!err) err = append_field(b, "", e->comment);
  if (!err && e->retry_ms) err = coho__buf_printf(b, "retry: %u\n", (unsigned)e->retry_ms);
  if (!err) err = append_field(b, "event", e->type);
  if (!err) err = append_field(b, "id", e->id);
  if (!err) err = append_field(b, "data", e->data);
  if (!err) err = coho__buf_append(b, "\n", 1);
  if (err) b->len = before;
  return err;
}

/* ---- reading -------------------------------------------------------------------------------- */

enum {
  EVENT = 1,
  KEEP = 4096 /* a buffer that grew above this for one event is given back after it */
};

static const char BOM[] = {'\xef', '\xbb', '\xbf'};

void coho__sse_reader_init(struct coho__sse_reader *r, size_t max) {
  *r = (struct coho__sse_reader){.line = COHO_BUF(max),
                                 .data = COHO_BUF(max),
                                 .type = COHO_BUF(max),
                                 .id = COHO_BUF(max),
                                 .last = COHO_BUF(max)};
}

void coho__sse_reader_free(struct coho__sse_reader *r) {
  struct coho__buf *all[] = {&r->line, &r->data, &r->type, &r->id, &r->last};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    coho__buf_release(all[i]);
}

static void clear(struct coho__buf *b) {
  if (b->cap > KEEP) coho__buf_release(b);
  b->len = 0;
}

static int append(struct coho__buf *b, const char *bytes, size_t n) {
  int err = coho__buf_append(b, bytes, n);
  return err == COHO_EFULL ? COHO_ETOOBIG : err;
}

static int set(struct coho__buf *b, struct coho__view value, bool *has) {
  b->len = 0;
  *has = true;
  return append(b, value.data, value.len);
}

static struct coho__view view(const struct coho__buf *b) {
  return (struct coho__view){b->data, b->len};
}

/* The id counts also when there is no event to fire. */
static int dispatch(struct coho__sse_reader *r, struct coho__sse_message *m) {
  bool has_id = r->has_id, has_data = r->has_data, has_type = r->has_type && r->type.len;
  int err = has_id ? set(&r->last, view(&r->id), &r->has_id) : 0;
  r->has_id = r->has_type = r->has_data = false;
  if (err || !has_data) return err;
  *m = (struct coho__sse_message){
      .data = view(&r->data), .type = has_type ? view(&r->type) : VIEW("message"), view(&r->last)};
  return EVENT;
}

static int add_data(struct coho__sse_reader *r, struct coho__view value) {
  if (!r->has_data) clear(&r->data);
  int err = r->has_data ? append(&r->data, "\n", 1) : 0;
  r->has_data = true;
  return err ? err : append(&r->data, value.data, value.len);
}

static int take_field(struct coho__sse_reader *r, struct coho__view name, struct coho__view value) {
  uint64_t number;
  if (coho__view_eq(name, VIEW("data"))) return add_data(r, value);
  if (coho__view_eq(name, VIEW("event"))) return set(&r->type, value, &r->has_type);
  if (coho__view_eq(name, VIEW("id")))
    return value.len && memchr(value.data, '\0', value.len) ? 0 : set(&r->id, value, &r->has_id);
  if (coho__view_eq(name, VIEW("retry")) && coho__view_number(value, UINT64_MAX, &number)) {
    r->retry_ms = number;
    r->has_retry = true;
  }
  return 0;
}

static int end_line(struct coho__sse_reader *r, struct coho__sse_message *m) {
  struct coho__view value = view(&r->line);
  bool comment = r->comment;
  r->begun = true;
  r->comment = false;
  r->line.len = 0; /* its bytes stay for now */
  if (comment) return 0;
  if (value.len == 0) return dispatch(r, m);
  if (!coho__utf8_valid(value.data, value.len)) return COHO_EUTF8;
  struct coho__view name = coho__view_split(&value, ':');
  if (value.len && value.data[0] == ' ') {
    value.data++;
    value.len--;
  }
  return take_field(r, name, value);
}

/* Bytes of a line. Where a BOM may be they come one by one. */
static int take_text(struct coho__sse_reader *r, const char *bytes, size_t n) {
  if (r->comment) return 0;
  if (r->line.len == 0 && bytes[0] == ':') {
    r->comment = true;
    return 0;
  }
  int err = append(&r->line, bytes, n);
  if (r->begun || r->line.len < sizeof BOM) return err;
  r->begun = true;
  if (!err && memcmp(r->line.data, BOM, sizeof BOM) == 0) r->line.len = 0;
  return err;
}

static size_t text_length(const struct coho__sse_reader *r, const char *bytes, size_t len) {
  size_t n = 0;
  size_t most = r->begun ? len : COHO_MIN(len, 1);
  while (n < most && bytes[n] != '\n' && bytes[n] != '\r')
    n++;
  return n;
}

/* One line end, or a run of text. */
static int take(struct coho__sse_reader *r, const char *bytes, size_t len, size_t *used,
                struct coho__sse_message *m) {
  bool after_cr = r->after_cr;
  size_t n = text_length(r, bytes, len);
  *used += n ? n : 1;
  r->after_cr = n == 0 && bytes[0] == '\r';
  if (n) return take_text(r, bytes, n);
  return after_cr && bytes[0] == '\n' ? 0 : end_line(r, m);
}

int coho__sse_read(struct coho__sse_reader *r, const char *bytes, size_t len, size_t *used,
                   struct coho__sse_message *message) {
  int result = 0;
  *used = 0;
  while (*used < len && result == 0)
    result = take(r, bytes + *used, len - *used, used, message);
  return result;
}
