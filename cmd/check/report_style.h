/* The style sheet of the report's page. */
#ifndef COHO_CMD_CHECK_REPORT_STYLE_H
#define COHO_CMD_CHECK_REPORT_STYLE_H

extern const char *const report_style[]; /* its lines, ended by NULL */

#endif
