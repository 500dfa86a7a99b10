#include "report_html.h"

#include "base/check.h"
#include "bytes.h"
#include "catalog.h"
#include "escape.h"
#include "report_style.h"
#include "report_tape.h"

#include <coho/version.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What strangers say is cut here. */
enum { TEXT_MOST = 8192 };

static const char *const labels[] = {[VERDICT_PASSED] = "passed",
                                     [VERDICT_FAILED] = "failed",
                                     [VERDICT_INFORMATIONAL] = "informational",
                                     [VERDICT_UNIMPLEMENTED] = "not implemented"};

/* ---- pieces -------------------------------------------------------------------------------- */

static void put_markup(struct bytes *b, const char *text) {
  for (; *text; text++) {
    switch (*text) {
    case '&': bytes_add_text(b, "&amp;"); break;
    case '<': bytes_add_text(b, "&lt;"); break;
    case '>': bytes_add_text(b, "&gt;"); break;
    case '"': bytes_add_text(b, "&quot;"); break;
    case '\'': bytes_add_text(b, "&#39;"); break;
    default: bytes_add_byte(b, (unsigned char)*text); break;
    }
  }
}

/* Text of whomever: first made harmless as text, then as markup. */
static void put_text(struct bytes *b, const char *text) {
  char safe[TEXT_MOST];
  put_markup(b, escape_line(safe, sizeof safe, (struct coho__view){text, strlen(text)}));
}

static void put_link(struct bytes *b, unsigned long rfc, struct coho__view section,
                     struct coho__view text) {
  bytes_printf(b, "<a href=\"https://www.rfc-editor.org/rfc/rfc%lu#section-%.*s\">%.*s</a>", rfc,
               (int)section.len, section.data, (int)text.len, text.data);
}

/* The next element of "RFC 6455 5.5, 7.4, RFC 7692 7": each section leads to its text; the number of
   the document holds until another one comes. */
static const char *put_section(struct bytes *b, const char *element, unsigned long *rfc) {
  const char *section = element;
  if (!strncmp(element, "RFC ", 4)) {
    char *end;
    *rfc = strtoul(element + 4, &end, 10);
    section = end + strspn(end, " ");
  }
  size_t digits = strspn(section, "0123456789.");
  put_link(b, *rfc, (struct coho__view){section, digits},
           (struct coho__view){element, (size_t)(section - element) + digits});
  return section + digits;
}

static void put_rule(struct bytes *b, const char *rule) {
  unsigned long rfc = 0;
  while (*rule) {
    rule = put_section(b, rule, &rfc);
    size_t len = strspn(rule, ", ");
    if (len) bytes_add_text(b, ", ");
    if (!len) break;
    rule += len;
  }
  put_markup(b, rule);
}

static void put_count(struct bytes *b, const char *tag, size_t n, enum verdict v) {
  const char *look = !n ? " class=\"none\"" : v == VERDICT_FAILED ? " class=\"some\"" : "";
  bytes_printf(b, "<%s%s>%zu</%s>", tag, look, n, tag);
}

/* ---- head ---------------------------------------------------------------------------------- */

static void put_head(struct bytes *b, const struct check_report *report) {
  bytes_add_text(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'\">\n<title>WebSocket conformance of ");
  put_text(b, report->subject);
  bytes_add_text(b, "</title>\n<style>\n");
  for (const char *const *line = report_style; *line; line++)
    bytes_printf(b, "%s\n", *line);
  bytes_add_text(b,
                 "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#cases\">To the cases</a>\n"
                 "<div class=\"page\">\n");
}

static void put_facts(struct bytes *b, const struct check_report *report) {
  char date[40] = "";
  struct tm tm;
  time_t seconds = (time_t)(report->started_ms / 1000);
  if (gmtime_r(&seconds, &tm)) strftime(date, sizeof date, "%F %R", &tm);
  bytes_add_text(b, "<header>\n<h1>WebSocket conformance</h1>\n<p class=\"subject\">");
  put_text(b, report->subject);
  bytes_printf(
      b, "</p>\n<p class=\"facts\">%s, tested %s UTC in %.1f s by coho %s, %zu cases%s</p>\n",
      report->side == SIDE_CLIENT ? "Server" : "Client", date, (double)report->took_ms / 1000,
      coho_version(), report->count, report->full ? ", the large ones included" : "");
}

/* A line for each, those that nothing got included. */
static void put_meanings(struct bytes *b) {
  static const char *const meanings[] = {
      [VERDICT_PASSED] = "the other side did what the rule demands",
      [VERDICT_FAILED] = "it broke the rule; the reason says what was expected and what came",
      [VERDICT_INFORMATIONAL] =
          "it departs from most, which no rule forbids; or a message was too big for it",
      [VERDICT_UNIMPLEMENTED] =
          "it needs what the other side does not have, or an option that was not given"};
  bytes_add_text(b, "<dl class=\"meanings\">\n");
  for (int v = 0; v < VERDICTS; v++)
    bytes_printf(b, "<div class=\"%s\"><dt class=\"verdict\">%s</dt><dd>%s</dd></div>\n",
                 verdict_name((enum verdict)v), labels[v], meanings[v]);
  bytes_add_text(b, "</dl>\n</header>\n");
}

static void put_totals(struct bytes *b, const struct check_report *report) {
  bytes_add_text(b, "<ul class=\"totals\">\n");
  for (int v = 0; v < VERDICTS; v++)
    if (report->counts[v] || v == VERDICT_PASSED || v == VERDICT_FAILED)
      bytes_printf(b, "<li class=\"%s%s\"><b>%zu</b> %s</li>\n", verdict_name((enum verdict)v),
                   report->counts[v] ? " some" : "", report->counts[v], labels[v]);
  bytes_add_text(b, "</ul>\n");
}

/* ---- sections ------------------------------------------------------------------------------ */

struct section {
  const struct check_result *first;
  size_t count;
  size_t counts[VERDICTS];
};

static bool same_section(const struct check_result *a, const struct check_result *b) {
  size_t len = section_length(a->c->id);
  return section_length(b->c->id) == len && !strncmp(a->c->id, b->c->id, len);
}

/* The section that begins at result i. */
static struct section section_at(const struct check_report *report, size_t i) {
  struct section s = {.first = &report->results[i]};
  for (; i < report->count && same_section(s.first, &report->results[i]); i++) {
    s.count++;
    s.counts[report->results[i].verdict]++;
  }
  return s;
}

static size_t notes(const struct section *s) {
  return s->counts[VERDICT_INFORMATIONAL] + s->counts[VERDICT_UNIMPLEMENTED];
}

static void put_section_name(struct bytes *b, const struct section *s) {
  const char *id = s->first->c->id;
  bytes_printf(b, "%.*s ", (int)section_length(id), id);
  put_text(b, section_title(id));
}

static void put_section_row(struct bytes *b, const struct section *s) {
  const char *id = s->first->c->id;
  bytes_printf(b, "<tr><th scope=\"row\"><a href=\"#section-%.*s\">", (int)section_length(id), id);
  put_section_name(b, s);
  bytes_add_text(b, "</a></th>");
  put_count(b, "td", s->counts[VERDICT_PASSED], VERDICT_PASSED);
  put_count(b, "td", s->counts[VERDICT_FAILED], VERDICT_FAILED);
  put_count(b, "td", notes(s), VERDICT_INFORMATIONAL);
  bytes_add_text(b, "</tr>\n");
}

static void put_sections(struct bytes *b, const struct check_report *report) {
  bytes_add_text(b, "<nav aria-label=\"Sections\">\n<table class=\"sections\">\n<thead><tr>"
                    "<th scope=\"col\">Section</th><th scope=\"col\">passed</th>"
                    "<th scope=\"col\">failed</th><th scope=\"col\">other</th></tr></thead>\n"
                    "<tbody>\n");
  struct section s;
  for (size_t i = 0; i < report->count; i += s.count) {
    s = section_at(report, i);
    put_section_row(b, &s);
  }
  bytes_add_text(b, "</tbody>\n</table>\n</nav>\n");
}

/* What failed is what there is to look at. */
static void put_filter(struct bytes *b, bool failed) {
  static const struct {
    const char *id, *text;
  } choices[] = {{"show-failed", "failed only"},
                 {"show-notes", "all that did not pass"},
                 {"show-all", "all cases"}};
  bytes_add_text(b, "<form class=\"filter\" aria-label=\"Cases to show\">\n<span>Show</span>\n");
  for (size_t i = 0; i < COHO_COUNT(choices); i++)
    bytes_printf(b,
                 "<label><input type=\"radio\" name=\"show\" autocomplete=\"off\" id=\"%s\"%s> "
                 "%s</label>\n",
                 choices[i].id, i == (failed ? 0 : COHO_COUNT(choices) - 1) ? " checked" : "",
                 choices[i].text);
  bytes_add_text(b, "</form>\n");
}

/* ---- cases --------------------------------------------------------------------------------- */

static bool is_about_heads(const struct check_result *r) {
  static const char *const about[] = {"handshake", "http", "protocol", "extension", "window"};
  bool whole;
  size_t len = section_length(r->c->id);
  for (size_t i = 0; i < COHO_COUNT(about); i++)
    if (strlen(about[i]) == len && !memcmp(r->c->id, about[i], len)) return true;
  /* Others when nothing came behind the handshake. */
  return r->verdict != VERDICT_PASSED && tape_head(&r->received, &whole) == r->received.total;
}

static void put_case(struct bytes *b, const struct check_result *r) {
  bytes_printf(b,
               "<details class=\"case %s\" id=\"case-%s\"%s>\n<summary><span class=\"verdict\">%s"
               "</span> <span class=\"id\">%s</span> <span class=\"title\">",
               verdict_name(r->verdict), r->c->id, r->verdict == VERDICT_FAILED ? " open" : "",
               labels[r->verdict], r->c->id);
  put_text(b, r->c->title);
  bytes_add_text(b, "</span></summary>\n<dl>\n");
  if (r->reason && *r->reason) {
    bytes_printf(b, "<dt>%s</dt><dd class=\"why\">",
                 r->verdict == VERDICT_PASSED ? "Seen" : "Reason");
    put_text(b, r->reason);
    bytes_add_text(b, "</dd>\n");
  }
  bytes_add_text(b, "<dt>Rule</dt><dd>");
  put_rule(b, r->c->rule);
  bytes_printf(b, "</dd>\n<dt>Time</dt><dd>%" PRIu64 " ms</dd>\n", r->ms);
  bool heads = is_about_heads(r);
  report_tape(b, &(struct report_tape){"sent", "Sent", heads}, &r->sent);
  report_tape(b, &(struct report_tape){"received", "Received", heads}, &r->received);
  bytes_add_text(b, "</dl>\n</details>\n");
}

static void put_section_cases(struct bytes *b, const struct section *s) {
  const char *id = s->first->c->id;
  int len = (int)section_length(id);
  const char *look = s->counts[VERDICT_FAILED] ? "failed" : notes(s) ? "informational" : "passed";
  bytes_printf(b, "<section id=\"section-%.*s\" class=\"%s\">\n<h2><a href=\"#section-%.*s\">", len,
               id, look, len, id);
  put_section_name(b, s);
  bytes_printf(b, "</a></h2>\n<p>%zu passed, %zu failed", s->counts[VERDICT_PASSED],
               s->counts[VERDICT_FAILED]);
  if (s->counts[VERDICT_INFORMATIONAL])
    bytes_printf(b, ", %zu informational", s->counts[VERDICT_INFORMATIONAL]);
  if (s->counts[VERDICT_UNIMPLEMENTED])
    bytes_printf(b, ", %zu not implemented", s->counts[VERDICT_UNIMPLEMENTED]);
  bytes_add_text(b, "</p>\n<div class=\"list\">\n");
  for (size_t i = 0; i < s->count; i++)
    put_case(b, &s->first[i]);
  bytes_add_text(b, "</div>\n</section>\n");
}

static void put_cases(struct bytes *b, const struct check_report *report) {
  bytes_add_text(b, "<main id=\"cases\" tabindex=\"-1\">\n");
  struct section s;
  for (size_t i = 0; i < report->count; i += s.count) {
    s = section_at(report, i);
    put_section_cases(b, &s);
  }
  bytes_add_text(b, "</main>\n");
}

bool report_html(const struct check_report *report, FILE *out) {
  struct bytes b = {NULL, 0, 0};
  put_head(&b, report);
  put_facts(&b, report);
  put_totals(&b, report);
  put_meanings(&b);
  put_filter(&b, report->counts[VERDICT_FAILED] > 0);
  put_sections(&b, report);
  put_cases(&b, report);
  bytes_add_text(&b, "</div>\n</body>\n</html>\n");
  bool good = fwrite(b.data, 1, b.len, out) == b.len;
  bytes_free(&b);
  return good;
}
