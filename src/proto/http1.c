#include "proto/http1.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/chars.h"

#include <coho/error.h>
#include <string.h>

enum state {
  METHOD, /* or empty lines before it */
  BLANK_LF,
  TARGET,
  VERSION,
  STATUS,
  REASON,
  LINE_CR,
  LINE_LF,
  NAME, /* or the empty line that ends the head */
  SPACE,
  VALUE,
  VALUE_LF,
  HEAD_LF,
  COMPLETE,
  FAILED
};

enum {
  MAX_METHOD = 32, /* no registered method is longer than 17 bytes */
  MAX_BLANK = 8,   /* RFC 9112 2.2 wants one; some old clients send a few after a body */
#ifdef COHO_HARD
  FIRST_FIELDS = 1
#else
  FIRST_FIELDS = 16 /* a browser's handshake has 12 to 16 */
#endif
};

static uint16_t limit_or(uint16_t limit, uint16_t fallback) { return limit ? limit : fallback; }

void coho__http1_init(struct coho__http1 *h, enum coho__http1_kind kind,
                      const struct coho__http1_limits *limits) {
  struct coho__http1_limits wanted = {0};
  if (limits) wanted = *limits;
  *h = (struct coho__http1){.kind = (uint8_t)kind};
  h->limits.line = limit_or(wanted.line, 8192);
  h->limits.head = limit_or(wanted.head, 16384);
  h->limits.name = limit_or(wanted.name, 256);
  h->limits.value = limit_or(wanted.value, 8192);
  h->limits.fields = limit_or(wanted.fields, 64);
  coho__buf_init(&h->head, h->limits.head);
  coho__http1_reset(h);
}

static void free_fields(struct coho__http1 *h) {
  coho__free(h->fields, h->fields_cap * sizeof *h->fields);
  h->fields = NULL;
  h->fields_cap = 0;
}

void coho__http1_free(struct coho__http1 *h) {
  coho__buf_release(&h->head);
  free_fields(h);
  coho__http1_reset(h);
}

void coho__http1_forget(struct coho__http1 *h) {
  COHO_ASSERT(h->complete && h->kind == COHO_HTTP1_REQUEST);
  struct coho__buf line = COHO_BUF(h->head.max);
  if (coho__buf_append(&line, h->head.data, (size_t)h->target + h->target_len + 1)) return;
  coho__buf_release(&h->head);
  h->head = line;
  free_fields(h);
  h->field_count = 0;
}

void coho__http1_reset(struct coho__http1 *h) {
  h->head.len = 0;
  h->field_count = 0;
  h->method_len = 0;
  h->target = h->target_len = 0;
  h->status = 0;
  h->start = 0;
  h->err = 0;
  h->minor = 0;
  h->state = h->kind == COHO_HTTP1_REQUEST ? METHOD : VERSION;
  h->blank = 0;
  h->complete = false;
}

/* ---- keeping bytes -------------------------------------------------------------------------- */

/* Bytes of the present part so far. */
static size_t part_len(const struct coho__http1 *h) { return h->head.len - h->start; }

static int keep(struct coho__http1 *h, const char *data, size_t n) {
  if (n > h->limits.head - h->head.len)
    return h->state <= LINE_LF ? COHO_ETARGETLONG : COHO_EFIELDLONG;
  return coho__buf_append(&h->head, data, n);
}

static int keep_as(struct coho__http1 *h, char c, enum state next) {
  int err = keep(h, &c, 1);
  if (!err) h->state = (uint8_t)next;
  return err;
}

/* Keeps a delimiter as the terminator of the part before it; the next part begins behind. */
static int terminate(struct coho__http1 *h, enum state next) {
  int err = keep_as(h, '\0', next);
  h->start = (uint16_t)h->head.len;
  return err;
}

static int add_field(struct coho__http1 *h) {
  if (h->field_count == h->limits.fields) return COHO_EFIELDCOUNT;
  if (h->field_count == h->fields_cap) {
    size_t cap = h->fields_cap ? (size_t)h->fields_cap * 2 : FIRST_FIELDS;
    cap = COHO_MIN(cap, h->limits.fields);
    void *grown =
        coho__realloc(h->fields, h->fields_cap * sizeof *h->fields, cap * sizeof *h->fields);
    if (!grown) return COHO_ENOMEM;
    h->fields = (struct coho__field *)grown;
    h->fields_cap = (uint16_t)cap;
  }
  h->fields[h->field_count++] =
      (struct coho__field){.name = h->start, .name_len = (uint16_t)part_len(h)};
  return 0;
}

/* ---- states --------------------------------------------------------------------------------- */

/* A part whose bytes all belong to one class, and how long it may be. */
struct run {
  enum coho__char_class cls;
  size_t max; /* what is kept of the part and before it, or of the part alone */
  int too_long;
};

/* The run of the present state; false when the state takes single bytes. */
static bool find_run(const struct coho__http1 *h, struct run *run) {
  static const size_t version_len = sizeof " HTTP/1.1" - 1;
  size_t line = h->limits.line;
  switch ((enum state)h->state) {
  case METHOD: *run = (struct run){COHO_CHAR_TOKEN, MAX_METHOD, COHO_EMETHOD}; return true;
  case TARGET:
    line = line > version_len ? line - version_len : 0;
    *run = (struct run){COHO_CHAR_TARGET, line, COHO_ETARGETLONG};
    return true;
  case REASON: *run = (struct run){COHO_CHAR_VALUE, line, COHO_ETARGETLONG}; return true;
  case NAME:
    *run = (struct run){COHO_CHAR_TOKEN, (size_t)h->start + h->limits.name, COHO_EFIELDLONG};
    return true;
  case VALUE:
    *run = (struct run){COHO_CHAR_VALUE, (size_t)h->start + h->limits.value, COHO_EFIELDLONG};
    return true;
  case BLANK_LF:
  case VERSION:
  case STATUS:
  case LINE_CR:
  case LINE_LF:
  case SPACE:
  case VALUE_LF:
  case HEAD_LF:
  case COMPLETE:
  case FAILED: break;
  }
  return false;
}

/* Takes as much as belongs to the present run: how much, or an error. */
static ptrdiff_t take_run(struct coho__http1 *h, const char *data, size_t len) {
  struct run run;
  if (!find_run(h, &run)) return 0;
  size_t n = coho__chars_run(run.cls, data, len);
  if (n == 0) return 0;
  if (h->head.len + n > run.max) return run.too_long;
  int err = keep(h, data, n);
  return err ? err : (ptrdiff_t)n;
}

/* "HTTP/1." DIGIT, byte by byte; where it stands says which byte is due. */
static int take_version(struct coho__http1 *h, char c) {
  static const char pattern[] = "HTTP/1.d";
  size_t at = part_len(h);
  bool digit = coho__is_digit(c);
  if (at == 5 && digit) {
    h->minor = (uint8_t)(c - '0'); /* the major one for now */
    return keep(h, &c, 1);
  }
  /* One digit is another version; more are none. */
  if (at == 6 && !digit && h->minor != 1) return COHO_EHTTPVERSION;
  if (at < sizeof pattern - 2 && c != pattern[at]) return COHO_EHTTP;
  if (at < sizeof pattern - 2) return keep(h, &c, 1);
  if (!digit) return COHO_EHTTP;
  h->minor = (uint8_t)(c - '0');
  enum state next = h->kind == COHO_HTTP1_REQUEST ? LINE_CR : STATUS;
  int err = keep_as(h, c, next);
  h->start = (uint16_t)h->head.len;
  return err;
}

/* SP 3DIGIT SP (RFC 9112 4); the status counts once all of it is there. */
static int take_status(struct coho__http1 *h, char c) {
  size_t at = part_len(h);
  const char *part = h->head.data + h->start;
  if (at == 0) return c == ' ' ? keep(h, &c, 1) : COHO_EHTTP;
  if (at < 4) return coho__is_digit(c) ? keep(h, &c, 1) : COHO_EHTTP;
  int status = (part[1] - '0') * 100 + (part[2] - '0') * 10 + (part[3] - '0');
  if (c != ' ' || status < 100) return COHO_EHTTP;
  h->status = (uint16_t)status;
  return terminate(h, REASON);
}

static int end_method(struct coho__http1 *h, char c) {
  size_t len = h->head.len;
  if (c == '\r' && len == 0 && h->blank < MAX_BLANK) {
    h->blank++;
    h->state = BLANK_LF;
    return 0;
  }
  if (c != ' ' || len == 0) return COHO_EHTTP;
  h->method_len = (uint16_t)len;
  return terminate(h, TARGET);
}

static int end_target(struct coho__http1 *h, char c) {
  if (c == '\r' || c == '\n' || part_len(h) == 0) return COHO_EHTTP;
  if (c != ' ') return COHO_ETARGET;
  h->target = h->start;
  h->target_len = (uint16_t)part_len(h);
  return terminate(h, VERSION);
}

static int end_reason(struct coho__http1 *h, char c) {
  if (c != '\r') return COHO_EHTTP;
  return terminate(h, LINE_LF);
}

static int end_name(struct coho__http1 *h, char c) {
  if (c == '\r' && part_len(h) == 0) return keep_as(h, c, HEAD_LF);
  if (c != ':' || part_len(h) == 0) return COHO_EFIELD;
  int err = add_field(h);
  return err ? err : terminate(h, SPACE);
}

static int end_value(struct coho__http1 *h, char c) {
  if (c != '\r') return COHO_EFIELD;
  size_t len = part_len(h);
  while (len > 0 &&
         (h->head.data[h->start + len - 1] == ' ' || h->head.data[h->start + len - 1] == '\t'))
    len--;
  struct coho__field *field = &h->fields[h->field_count - 1];
  field->value = h->start;
  field->value_len = (uint16_t)len;
  int err = terminate(h, VALUE_LF);
  if (!err) h->head.data[field->value + len] = '\0';
  return err;
}

static int take_lf(struct coho__http1 *h, char c) {
  if (c != '\n') return h->state == LINE_LF ? COHO_EHTTP : COHO_EFIELD;
  h->complete = h->state == HEAD_LF;
  return terminate(h, h->complete ? COMPLETE : NAME);
}

/* Takes the byte behind a run, or a byte of a state without run. */
static int take_byte(struct coho__http1 *h, char c) {
  COHO_ASSERT(h->state != SPACE && h->state < COMPLETE);
  switch ((enum state)h->state) {
  case METHOD: return end_method(h, c);
  case BLANK_LF: h->state = METHOD; return c == '\n' ? 0 : COHO_EHTTP;
  case TARGET: return end_target(h, c);
  case VERSION: return take_version(h, c);
  case STATUS: return take_status(h, c);
  case REASON: return end_reason(h, c);
  case LINE_CR: return c == '\r' ? keep_as(h, c, LINE_LF) : COHO_EHTTP;
  case LINE_LF:
  case VALUE_LF:
  case HEAD_LF: return take_lf(h, c);
  case NAME: return end_name(h, c);
  case VALUE: return end_value(h, c);
  case SPACE:
  case COMPLETE:
  case FAILED: break;
  }
  return COHO_EHTTP;
}

/* One step forward: bytes taken, perhaps 0 when only the state changed, or an error. */
static ptrdiff_t step(struct coho__http1 *h, const char *data, size_t len) {
  if (h->state == SPACE && (data[0] == ' ' || data[0] == '\t')) {
    int err = terminate(h, SPACE);
    return err ? err : 1;
  }
  if (h->state == SPACE) h->state = VALUE;
  ptrdiff_t n = take_run(h, data, len);
  if (n != 0) return n;
  int err = take_byte(h, data[0]);
  return err ? err : 1;
}

static int fail(struct coho__http1 *h, int err) {
  bool too_long = err == COHO_ETARGETLONG || err == COHO_EFIELDLONG || err == COHO_EFIELDCOUNT;
  if (h->kind == COHO_HTTP1_RESPONSE && err != COHO_ENOMEM)
    err = too_long ? COHO_ERESPONSELONG : COHO_ERESPONSE;
  h->state = FAILED;
  h->err = (int16_t)err;
  return err;
}

int coho__http1_input(struct coho__http1 *h, const char *data, size_t len, size_t *used) {
  *used = 0;
  if (h->state == FAILED) return h->err;
  while (*used < len && !h->complete) {
    ptrdiff_t n = step(h, data + *used, len - *used);
    if (n < 0) return fail(h, (int)n);
    *used += (size_t)n;
  }
  return h->complete;
}

/* ---- what was read -------------------------------------------------------------------------- */

static struct coho__view view_at(const struct coho__http1 *h, size_t offset, size_t len) {
  COHO_ASSERT(h->complete);
  return (struct coho__view){h->head.data + offset, len};
}

struct coho__view coho__http1_method(const struct coho__http1 *h) {
  return view_at(h, 0, h->method_len);
}

struct coho__view coho__http1_target(const struct coho__http1 *h) {
  return view_at(h, h->target, h->target_len);
}

struct coho__view coho__http1_name(const struct coho__http1 *h, size_t i) {
  COHO_ASSERT(i < h->field_count);
  return view_at(h, h->fields[i].name, h->fields[i].name_len);
}

struct coho__view coho__http1_value(const struct coho__http1 *h, size_t i) {
  COHO_ASSERT(i < h->field_count);
  return view_at(h, h->fields[i].value, h->fields[i].value_len);
}

size_t coho__http1_find(const struct coho__http1 *h, const char *name, size_t from) {
  struct coho__view wanted = coho__view_of(name);
  for (size_t i = from; i < h->field_count; i++)
    if (coho__view_eq_nocase(coho__http1_name(h, i), wanted)) return i;
  return SIZE_MAX;
}

bool coho__http1_only(const struct coho__http1 *h, const char *name, struct coho__view *value) {
  size_t i = coho__http1_find(h, name, 0);
  if (i == SIZE_MAX || coho__http1_find(h, name, i + 1) != SIZE_MAX) return false;
  *value = coho__http1_value(h, i);
  return true;
}

/* Cuts a list at its first comma that is not inside a quoted string. */
static struct coho__view cut_element(struct coho__view *rest) {
  bool quoted = false;
  for (size_t i = 0; i < rest->len; i++) {
    char c = rest->data[i];
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted) i++;
    if (c != ',' || quoted) continue;
    struct coho__view element = {rest->data, i};
    *rest = (struct coho__view){rest->data + i + 1, rest->len - i - 1};
    return element;
  }
  struct coho__view element = *rest;
  *rest = (struct coho__view){NULL, 0};
  return element;
}

bool coho__http1_list_next(const struct coho__http1 *h, const char *name,
                           struct coho__http1_list *it, struct coho__view *element) {
  for (;;) {
    while (it->rest.data) {
      *element = coho__view_trim(cut_element(&it->rest));
      if (element->len == 0) continue;
      it->count++;
      return true;
    }
    size_t i = coho__http1_find(h, name, it->field);
    if (i == SIZE_MAX) return false;
    it->field = i + 1;
    it->rest = coho__http1_value(h, i);
  }
}

bool coho__http1_has_token(const struct coho__http1 *h, const char *name, const char *token) {
  struct coho__http1_list it = {0};
  struct coho__view element, wanted = coho__view_of(token);
  while (coho__http1_list_next(h, name, &it, &element))
    if (coho__view_eq_nocase(element, wanted)) return true;
  return false;
}

bool coho__http1_is_token(struct coho__view v) {
  return v.len > 0 && coho__chars_all(COHO_CHAR_TOKEN, v);
}

bool coho__http1_is_field_value(struct coho__view v) { return coho__chars_all(COHO_CHAR_VALUE, v); }

const char *coho__http1_reason(int status) {
  /* clang-format off */
  static const struct { int status; const char *reason; } reasons[] = {
    {100, "Continue"}, {101, "Switching Protocols"}, {103, "Early Hints"},
    {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {205, "Reset Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
    {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
    {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
    {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {407, "Proxy Authentication Required"},
    {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"},
    {412, "Precondition Failed"}, {413, "Content Too Large"}, {414, "URI Too Long"},
    {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"}, {417, "Expectation Failed"},
    {421, "Misdirected Request"}, {422, "Unprocessable Content"}, {426, "Upgrade Required"},
    {428, "Precondition Required"}, {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"}, {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
    {503, "Service Unavailable"}, {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
  };
  /* clang-format on */
  for (size_t i = 0; i < COHO_COUNT(reasons); i++)
    if (reasons[i].status == status) return reasons[i].reason;
  return "";
}
