/* The report for people: a line for each case that failed, a line for each section, the totals. */
#ifndef COHO_CMD_CHECK_REPORT_TEXT_H
#define COHO_CMD_CHECK_REPORT_TEXT_H

#include "runner.h"

#include <stdio.h>

struct report_text_conf {
  bool all;    /* a line for the other cases as well, and the bytes below those that failed */
  bool colour; /* for a terminal */
};

void report_text(const struct check_report *report, const struct report_text_conf *conf, FILE *out);
/* A line for each case: what --list prints. */
void report_list(const struct check_case *const *cases, size_t count, FILE *out);

#endif
