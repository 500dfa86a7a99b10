/* coho: the log of a process. */
#ifndef COHO_LOG_H
#define COHO_LOG_H

#include <coho/version.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum coho_log_level { COHO_LOG_ERROR = 1, COHO_LOG_WARN, COHO_LOG_INFO, COHO_LOG_DEBUG };

/* Where lines go and from which level on; fn NULL is standard error. Default: warnings. Lines have
   no line end, no secrets, and nothing unescaped from a peer. fn runs on any thread; another thread
   may still be inside the former fn when this returns. Any thread. */
COHO_API void coho_set_log(void (*fn)(void *ctx, int level, const char *line), void *ctx,
                           int level);

/* An answered request, or a WebSocket connection that ended. Its texts are as they may stand in a log:
   UTF-8 in which control characters, quotes, backslashes and what is no UTF-8 are \xNN; long ones end
   in "..."; secrets of the query (token, access_token, ticket, sid) are "*". */
typedef struct coho_access {
  const char *peer;   /* "127.0.0.1:4711" */
  const char *method; /* "-" of a request that was not even understood */
  const char *target; /* "/chat?room=a&token=*" */
  uint64_t bytes;     /* sent, heads included */
  uint64_t duration_ms;
  uint32_t status; /* of HTTP; 0: a WebSocket connection ended */
  uint32_t code;   /* of the peer's Close, as in coho_ending; 0: this is a request */
} coho_access;

#define COHO_ACCESS_MAX 860

/* One line into buf (at least COHO_ACCESS_MAX bytes), without line end:
   127.0.0.1:4711 "GET /chat?room=a&token=*" 101 0 3ms
   where the first number is the status or the code, the second the bytes. Returns buf. */
COHO_API const char *coho_access_text(const coho_access *a, char *buf, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
