/* The report as one HTML file to publish: no script, nothing from elsewhere. */
#ifndef COHO_CMD_CHECK_REPORT_HTML_H
#define COHO_CMD_CHECK_REPORT_HTML_H

#include "runner.h"

#include <stdio.h>

/* Writes the page to out. False: it could not be written whole. */
bool report_html(const struct check_report *report, FILE *out);

#endif
