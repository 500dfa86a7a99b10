#include "check.h"

#include "bytes.h"
#include "report_html.h"
#include "report_json.h"
#include "report_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERVER_AT_ONCE = 8 };
/* A little less than a minute, for what ends behind it. */
static const uint64_t usual_budget_ms = 55 * 1000;
static const uint64_t full_budget_ms = UINT64_C(60) * 60 * 1000;

const struct check_case **check_choose(const struct check_conf *conf, const struct catalog *cat,
                                       enum side under_test, size_t *count) {
  const struct check_case **chosen =
      (const struct check_case **)memory_new(cat->count + 1, sizeof(void *));
  unsigned other = under_test == SIDE_SERVER ? CASE_CLIENT_ONLY : CASE_SERVER_ONLY;
  *count = 0;
  for (size_t i = 0; i < cat->count; i++) {
    const struct check_case *c = &cat->cases[i];
    if (c->flags & other || (c->flags & CASE_FULL && !conf->full)) continue;
    if (catalog_fits(c, conf->filter.items)) chosen[(*count)++] = c;
  }
  return chosen;
}

/* ---- progress ------------------------------------------------------------------------------- */

struct progress {
  size_t done, count;
  bool shown;
};

static void show_progress(const struct check_result *result, void *arg) {
  struct progress *p = (struct progress *)arg;
  (void)result;
  p->done++;
  if (p->shown) fprintf(stderr, "\r%zu of %zu", p->done, p->count);
}

/* ---- telling -------------------------------------------------------------------------------- */

static bool say_deserted(struct link *link) {
  char why[512];
  if (!link->deserted || !link->deserted(link, why, sizeof why)) return false;
  fprintf(stderr, "coho check: %s\n", why);
  return true;
}

static bool complain(const char *path) {
  fprintf(stderr, "coho check: %s cannot be written: %s\n", path, strerror(errno));
  return false;
}

/* page NULL: none. */
static bool write_page(FILE *page, const char *path, const struct check_report *report) {
  if (!page) return true;
  bool ok = report_html(report, page);
  if (fclose(page)) ok = false;
  if (ok) fprintf(stderr, "coho check: the report is in %s\n", path);
  return ok || complain(path);
}

static bool tell(const struct check_conf *conf, const struct check_report *report, FILE *page) {
  bool terminal = isatty(STDOUT_FILENO) == 1;
  struct report_text_conf text = {.all = conf->verbose > 0,
                                  .colour = terminal && !getenv("NO_COLOR")};
  bool ok = true;
  if (conf->json)
    ok = report_json(report, stdout);
  else
    report_text(report, &text, stdout);
  if (fflush(stdout)) ok = false;
  return write_page(page, conf->report, report) && ok;
}

int check_and_tell(const struct check_conf *conf, struct link *link, const char *subject,
                   const struct check_case *const *cases, size_t count) {
  struct progress progress = {.count = count, .shown = isatty(STDERR_FILENO) == 1};
  /* Opened first: who waited for the cases should not hear then that it cannot be written. */
  FILE *page = conf->report ? fopen(conf->report, "w") : NULL;
  if (conf->report && !page) {
    (void)complain(conf->report);
    return EXIT_PEER;
  }
  struct check_report report = {.subject = subject};
  struct runner_conf run = {
      .link = link,
      .timeout_ms = conf->timeout_ms,
      .budget_ms = conf->budget_ms ? conf->budget_ms
                   : conf->full    ? full_budget_ms
                                   : usual_budget_ms,
      .full = conf->full,
      .at_once = conf->at_once ? (unsigned)conf->at_once : SERVER_AT_ONCE,
      .done = show_progress,
      .arg = &progress,
  };
  runner_run(&run, cases, count, &report);
  if (progress.shown) fputs("\r\x1b[K", stderr);
  bool told = false;
  if (!say_deserted(link))
    told = tell(conf, &report, page);
  else if (page)
    (void)fclose(page);
  int status = told && !report.counts[VERDICT_FAILED] ? EXIT_FINE : EXIT_PEER;
  report_free(&report);
  return status;
}
