/* How a case ends. The first verdict counts. */
#ifndef COHO_CMD_CHECK_VERDICT_H
#define COHO_CMD_CHECK_VERDICT_H

#include "play.h"

/* Each takes a sentence without capital and full stop. */
void verdict_pass(struct check_run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void verdict_inform(struct check_run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void verdict_lack(struct check_run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* False, for steps to return. */
bool verdict_fail(struct check_run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "expected WHAT; got ..." of the event, or the rule that it breaks. */
bool verdict_unexpected(struct check_run *r, const char *what, const struct event *e);

/* "a text message of 5 bytes (48 65 6c 6c 6f)", "Close 1002", "nothing within 2 s". */
enum { VERDICT_DESCRIBED = 320 };
void verdict_describe(const struct check_run *r, const struct event *e, char *text);

#endif
