#include "report_text.h"

#include "catalog.h"

#include "base/check.h"

#include <string.h>

/* ---- cases ---------------------------------------------------------------------------------- */

static const char *colour_of(enum verdict v) {
  switch (v) {
  case VERDICT_PASSED: return "\x1b[32m";
  case VERDICT_FAILED: return "\x1b[31m";
  case VERDICT_INFORMATIONAL:
  case VERDICT_UNIMPLEMENTED: break;
  }
  return "\x1b[33m";
}

/* So that the titles stand below each other. */
static int id_width(const struct check_report *report, bool all) {
  size_t width = 0;
  for (size_t i = 0; i < report->count; i++)
    if (all || report->results[i].verdict == VERDICT_FAILED)
      width = COHO_MAX(width, strlen(report->results[i].c->id));
  return (int)width;
}

static void print_bytes(const struct check_result *result, FILE *out) {
  char text[TAPE_TEXT];
  tape_print(&result->sent, text);
  fprintf(out, "    sent     %s\n", *text ? text : "nothing");
  tape_print(&result->received, text);
  fprintf(out, "    received %s\n", *text ? text : "nothing");
}

static void print_case(const struct check_result *result, const struct report_text_conf *conf,
                       int width, FILE *out) {
  fprintf(out, "%s%-13s%s  %-*s  %s: %s (%s)\n", conf->colour ? colour_of(result->verdict) : "",
          verdict_name(result->verdict), conf->colour ? "\x1b[0m" : "", width, result->c->id,
          result->c->title, result->reason, result->c->rule);
  if (conf->all && result->verdict == VERDICT_FAILED) print_bytes(result, out);
}

/* ---- sections ------------------------------------------------------------------------------- */

/* Counts the results of the section that begins at first; the index behind it. */
static size_t count_section(const struct check_report *report, size_t first, size_t *counts) {
  const char *id = report->results[first].c->id;
  size_t len = section_length(id);
  size_t i = first;
  for (; i < report->count; i++) {
    const struct check_result *result = &report->results[i];
    if (section_length(result->c->id) != len || memcmp(result->c->id, id, len) != 0) break;
    counts[result->verdict]++;
  }
  return i;
}

static void print_sections(const struct check_report *report, FILE *out) {
  size_t next;
  for (size_t i = 0; i < report->count; i = next) {
    size_t n[VERDICTS] = {0};
    const char *id = report->results[i].c->id;
    next = count_section(report, i, n);
    fprintf(out, "%-9.*s  %-40s  %3zu passed  %3zu failed  %3zu informational",
            (int)section_length(id), id, section_title(id), n[VERDICT_PASSED], n[VERDICT_FAILED],
            n[VERDICT_INFORMATIONAL] + n[VERDICT_UNIMPLEMENTED]);
    if (n[VERDICT_UNIMPLEMENTED]) fprintf(out, " (%zu unimplemented)", n[VERDICT_UNIMPLEMENTED]);
    fputc('\n', out);
  }
}

void report_text(const struct check_report *report, const struct report_text_conf *conf,
                 FILE *out) {
  char totals[100];
  int width = id_width(report, conf->all);
  bool any = false;
  for (size_t i = 0; i < report->count; i++) {
    if (!conf->all && report->results[i].verdict != VERDICT_FAILED) continue;
    print_case(&report->results[i], conf, width, out);
    any = true;
  }
  if (any) fputc('\n', out);
  print_sections(report, out);
  report_totals(report, totals, sizeof totals);
  fprintf(out, "\n%s\n", totals);
}

/* ---- the list ------------------------------------------------------------------------------- */

void report_list(const struct check_case *const *cases, size_t count, FILE *out) {
  int width = 0;
  for (size_t i = 0; i < count; i++)
    width = COHO_MAX(width, (int)strlen(cases[i]->id));
  for (size_t i = 0; i < count; i++)
    fprintf(out, "%-*s  %s (%s)\n", width, cases[i]->id, cases[i]->title, cases[i]->rule);
}
