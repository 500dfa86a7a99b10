#include "report_json.h"

#include "escape.h"
#include "hex.h"

#include <coho/version.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

enum { TEXT_MOST = 4096 };

/* Strings of JSON are UTF-8; what is not appears escaped. */
static json_t *string(const char *text) {
  char safe[TEXT_MOST];
  json_t *s = json_string(text);
  if (s) return s;
  return json_string(escape_line(safe, sizeof safe, (struct coho__view){text, strlen(text)}));
}

static json_t *amount(uint64_t n) { return json_integer((json_int_t)n); }

static json_t *date(uint64_t ms) {
  char text[32];
  struct tm tm;
  time_t seconds = (time_t)(ms / 1000);
  if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%FT%TZ", &tm)) return json_null();
  return json_string(text);
}

static json_t *digits(const struct tape *t) {
  char text[TAPE_BYTES * 2];
  struct coho__buf b = {.data = text, .cap = sizeof text, .max = sizeof text};
  /* There is room for all of it. */
  (void)hex_append(&b, (struct coho__view){(const char *)t->last, t->len});
  return json_stringn(b.data, b.len);
}

static bool put(json_t *object, const char *name, json_t *value) {
  return !json_object_set_new(object, name, value);
}

static bool put_bytes(json_t *object, const struct check_result *r) {
  bool shown = r->verdict != VERDICT_PASSED;
  return put(object, "sent", shown ? digits(&r->sent) : json_null()) &&
         put(object, "sent_bytes", amount(r->sent.total)) &&
         put(object, "received", shown ? digits(&r->received) : json_null()) &&
         put(object, "received_bytes", amount(r->received.total));
}

static bool put_case(json_t *cases, const struct check_result *r) {
  json_t *object = json_object();
  bool good = put(object, "id", string(r->c->id)) && put(object, "title", string(r->c->title)) &&
              put(object, "rule", string(r->c->rule)) &&
              put(object, "verdict", string(verdict_name(r->verdict))) &&
              put(object, "reason", string(r->reason ? r->reason : "")) &&
              put(object, "duration_ms", amount(r->ms)) && put_bytes(object, r);
  return !json_array_append_new(cases, object) && good;
}

static bool put_cases(json_t *document, const struct check_report *report) {
  json_t *cases = json_array();
  bool good = true;
  for (size_t i = 0; i < report->count && good; i++)
    good = put_case(cases, &report->results[i]);
  return put(document, "cases", cases) && good;
}

static bool put_summary(json_t *document, const struct check_report *report) {
  json_t *summary = json_object();
  bool good = true;
  for (int v = 0; v < VERDICTS && good; v++)
    good = put(summary, verdict_name((enum verdict)v), amount(report->counts[v]));
  return put(document, "summary", summary) && good;
}

bool report_json(const struct check_report *report, FILE *out) {
  json_t *document = json_object();
  bool server = report->side == SIDE_CLIENT;
  bool good = put(document, "coho", string(coho_version())) &&
              put(document, "role", string(server ? "server" : "client")) &&
              put(document, "agent", server ? json_null() : string(report->subject)) &&
              put(document, "url", server ? string(report->subject) : json_null()) &&
              put(document, "full", json_boolean(report->full)) &&
              put(document, "date", date(report->started_ms)) &&
              put(document, "duration_ms", amount(report->took_ms)) &&
              put_summary(document, report) && put_cases(document, report) &&
              !json_dumpf(document, out, JSON_INDENT(2)) && fputc('\n', out) != EOF;
  json_decref(document);
  return good;
}
