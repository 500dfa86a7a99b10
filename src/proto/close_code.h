/* The codes of Close frames (RFC 6455 7.4, IANA registry). */
#ifndef COHO_PROTO_CLOSE_CODE_H
#define COHO_PROTO_CLOSE_CODE_H

#include <coho/core.h>
#include <stdbool.h>

enum {
  COHO_CODE_NORMAL = 1000,
  COHO_CODE_GOING_AWAY = 1001,
  COHO_CODE_NO_STATUS = 1005, /* never on the wire: the Close had no code */
  COHO_CODE_ABNORMAL = 1006,  /* never on the wire: there was no Close */
  COHO_CODE_MANDATORY_EXTENSION = 1010,
  COHO_CODE_TRY_AGAIN_LATER = 1013,
  COHO_CLOSE_REASON_MAX = 123 /* bytes, since a control frame has 125 (5.5) */
};

/* Whether the code may stand in a Close frame that comes from the peer. */
bool coho__close_code_valid(uint32_t code);
/* Whether a program in this role may send it; 1010 is the client's (7.4.1). */
bool coho__close_code_sendable(int code, coho_role role);

#endif
