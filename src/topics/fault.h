/* Errors as clients of the web face see them: a code for programs, a sentence, what HTTP and Close say. */
#ifndef COHO_TOPICS_FAULT_H
#define COHO_TOPICS_FAULT_H

#include <stdint.h>

struct coho__fault {
  const char *code; /* "forbidden" */
  int status;       /* of an HTTP answer */
  uint16_t close;   /* where the connection cannot go on */
  const char *text;
};

/*
 * Of an error: COHO_EREQUEST a field is missing or wrong, COHO_EPOSITION no position, COHO_ENOTOKEN and
 * all that can be wrong with a token, COHO_EFORBIDDEN, COHO_ENAME no name or pattern, COHO_ENOTFOUND not
 * subscribed, COHO_EEXISTS subscribed already, COHO_ETOOBIG, COHO_ETOOMANY, COHO_ETOKENRATE, COHO_EFULL,
 * and anything else as "unavailable".
 */
const struct coho__fault *coho__fault_of(int err);

#endif
