#include "proto/answer_field.h"

#include "base/check.h"
#include "proto/http1.h"

/* RFC 9110 7.6.1, RFC 9112 6, RFC 6455 4.2.2. */
static const char *const reserved[] = {"Connection",
                                       "Content-Length",
                                       "Content-Type",
                                       "Date",
                                       "Keep-Alive",
                                       "Proxy-Connection",
                                       "Sec-WebSocket-Accept",
                                       "Sec-WebSocket-Extensions",
                                       "Sec-WebSocket-Protocol",
                                       "Sec-WebSocket-Version",
                                       "TE",
                                       "Trailer",
                                       "Transfer-Encoding",
                                       "Upgrade"};

static bool is_reserved(struct coho__view name) {
  for (size_t i = 0; i < COHO_COUNT(reserved); i++)
    if (coho__view_eq_nocase(name, coho__view_of(reserved[i]))) return true;
  return false;
}

bool coho__answer_field_ok(struct coho__view name, struct coho__view value) {
  return coho__http1_is_token(name) && !is_reserved(name) && coho__http1_is_field_value(value);
}
