/* A case: what is done on one connection or a few, and what it has to lead to. */
#ifndef COHO_CMD_CHECK_CASE_H
#define COHO_CMD_CHECK_CASE_H

#include "tape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_run;

enum case_flag {
  CASE_FULL = 1,        /* only with --full */
  CASE_SERVER_ONLY = 2, /* of the side under test */
  CASE_CLIENT_ONLY = 4,
  CASE_INFO = 8,  /* a failure counts as informational: no rule demands it */
  CASE_ALONE = 16 /* nothing else runs beside it */
};

/* What the cases of one shape differ in; each shape says what it uses. */
struct case_arg {
  const char *data; /* bytes */
  size_t len;
  const char *text, *more;
  size_t size, count, piece;
  unsigned code, opcode, flags;
};

struct check_case {
  char id[40]; /* never changes once published */
  char title[120];
  char rule[40]; /* "RFC 6455 5.5"; several sections with commas */
  void (*run)(struct check_run *r);
  unsigned flags; /* of enum case_flag */
  struct case_arg arg;
};

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_INFORMATIONAL, VERDICT_UNIMPLEMENTED };
enum { VERDICTS = VERDICT_UNIMPLEMENTED + 1 };

struct check_result {
  const struct check_case *c;
  enum verdict verdict;
  char *reason;               /* a sentence; what came is escaped in it */
  uint64_t ms;                /* it took; 0 also when it was not run */
  struct tape sent, received; /* of its last connection */
};

#endif
