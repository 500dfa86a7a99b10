/* Runs cases, several side by side, and keeps their results in the order of the cases. */
#ifndef COHO_CMD_CHECK_RUNNER_H
#define COHO_CMD_CHECK_RUNNER_H

#include "case.h"
#include "link.h"

struct check_report;

struct runner_conf {
  struct link *link;
  uint64_t timeout_ms; /* for one reaction of the other side */
  uint64_t budget_ms;  /* for all */
  bool full;
  unsigned at_once; /* connections side by side */
  /* After each case, in any order, one call at a time; NULL: none. */
  void (*done)(const struct check_result *result, void *arg);
  void *arg;
};

struct check_report {
  const char *subject; /* the URL, or what the client calls itself */
  enum side side;      /* ours: SIDE_CLIENT tests a server */
  bool full;
  uint64_t started_ms; /* since 1970 */
  uint64_t took_ms;
  struct check_result *results; /* in the order of the catalog */
  size_t count;
  size_t counts[VERDICTS];
};

/* Runs the count cases; report->results holds one for each, pointing to them. */
void runner_run(const struct runner_conf *conf, const struct check_case *const *cases, size_t count,
                struct check_report *report);
void report_free(struct check_report *report);
const char *verdict_name(enum verdict v); /* "passed", ... */
/* "N passed, M failed, K informational": what was not implemented is informational. */
void report_totals(const struct check_report *report, char *text, size_t cap);

#endif
