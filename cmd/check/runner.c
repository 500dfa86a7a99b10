#include "runner.h"

#include "bytes.h"
#include "play.h"
#include "verdict.h"

#include "base/clock.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct runner {
  const struct runner_conf *conf;
  const struct check_case *const *cases;
  struct check_result *results;
  size_t count;
  uint64_t deadline;
  bool alone;            /* it is the turn of the cases that nothing runs beside */
  pthread_mutex_t mutex; /* of what follows, and of conf->done */
  size_t next;
};

/* ---- one case ------------------------------------------------------------------------------- */

static char *sentence(const char *reason) {
  char *text = memory_text("%s.", reason);
  text[0] = (char)toupper((unsigned char)text[0]);
  return text;
}

static void play_case(struct check_run *r) {
  if (r->link->begin) r->link->begin(r->link, r->c);
  r->c->run(r);
  if (!r->decided) (void)verdict_fail(r, "the case came to no verdict: a fault of coho check");
  play_end(r);
}

/* Fails even where a failure would be informational. */
static void skip_case(const struct runner *k, struct check_run *r) {
  (void)verdict_fail(r, "not run: the time for all cases, %g s, was up",
                     (double)k->conf->budget_ms / 1000);
  r->verdict = VERDICT_FAILED;
}

static void run_case(const struct runner *k, const struct check_case *c,
                     struct check_result *result) {
  struct check_run r = {.c = c,
                        .link = k->conf->link,
                        .timeout_ms = k->conf->timeout_ms,
                        .deadline = k->deadline,
                        .full = k->conf->full};
  uint64_t start = now_ms();
  bool in_time = start < k->deadline;
  peer_init(&r.peer, r.link->side);
  if (in_time)
    play_case(&r);
  else
    skip_case(k, &r);
  *result = (struct check_result){.c = c,
                                  .verdict = r.verdict,
                                  .reason = sentence(r.reason),
                                  .ms = now_ms() - start,
                                  .sent = r.sent,
                                  .received = r.received};
  free(r.reason);
  if (in_time && r.link->end) r.link->end(r.link, result);
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* The index of the next case of this turn; count: there is none. */
static size_t take_next(struct runner *k) {
  (void)pthread_mutex_lock(&k->mutex);
  size_t i = k->next;
  while (i < k->count && ((k->cases[i]->flags & CASE_ALONE) != 0) != k->alone)
    i++;
  k->next = i + (i < k->count);
  (void)pthread_mutex_unlock(&k->mutex);
  return i;
}

static void tell(struct runner *k, const struct check_result *result) {
  if (!k->conf->done) return;
  (void)pthread_mutex_lock(&k->mutex);
  k->conf->done(result, k->conf->arg);
  (void)pthread_mutex_unlock(&k->mutex);
}

static void *work(void *arg) {
  struct runner *k = (struct runner *)arg;
  size_t i;
  while ((i = take_next(k)) < k->count) {
    run_case(k, k->cases[i], &k->results[i]);
    tell(k, &k->results[i]);
  }
  return NULL;
}

/* The caller is one of the workers, so that some work is done whatever threads there are. */
static void work_side_by_side(struct runner *k, unsigned workers) {
  enum { MOST = 64 };
  pthread_t threads[MOST];
  unsigned started = 0;
  k->next = 0;
  while (started + 1 < workers && started < MOST &&
         !pthread_create(&threads[started], NULL, work, k))
    started++;
  (void)work(k);
  while (started)
    (void)pthread_join(threads[--started], NULL);
}

void runner_run(const struct runner_conf *conf, const struct check_case *const *cases, size_t count,
                struct check_report *report) {
  uint64_t start = now_ms();
  struct runner k = {.conf = conf,
                     .cases = cases,
                     .count = count,
                     .deadline = start + conf->budget_ms,
                     .mutex = PTHREAD_MUTEX_INITIALIZER};
  report->started_ms = coho__clock_wall_ms();
  report->side = conf->link->side;
  report->full = conf->full;
  k.results = (struct check_result *)memory_new(count, sizeof *k.results);
  work_side_by_side(&k, conf->at_once);
  k.alone = true;
  work_side_by_side(&k, 1);
  (void)pthread_mutex_destroy(&k.mutex);
  report->results = k.results;
  report->count = count;
  for (size_t i = 0; i < count; i++)
    report->counts[k.results[i].verdict]++;
  report->took_ms = now_ms() - start;
}

/* ---- reports -------------------------------------------------------------------------------- */

void report_free(struct check_report *report) {
  for (size_t i = 0; i < report->count; i++)
    free(report->results[i].reason);
  free(report->results);
  *report = (struct check_report){.results = NULL};
}

const char *verdict_name(enum verdict v) {
  static const char *const names[] = {[VERDICT_PASSED] = "passed",
                                      [VERDICT_FAILED] = "failed",
                                      [VERDICT_INFORMATIONAL] = "informational",
                                      [VERDICT_UNIMPLEMENTED] = "unimplemented"};
  return names[v];
}

void report_totals(const struct check_report *report, char *text, size_t cap) {
  const size_t *n = report->counts;
  (void)snprintf(text, cap, "%zu passed, %zu failed, %zu informational", n[VERDICT_PASSED],
                 n[VERDICT_FAILED], n[VERDICT_INFORMATIONAL] + n[VERDICT_UNIMPLEMENTED]);
}
