/* coho: the log of a process. */
#ifndef COHO_LOG_H
#define COHO_LOG_H

#include <coho/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum coho_log_level { COHO_LOG_ERROR = 1, COHO_LOG_WARN, COHO_LOG_INFO, COHO_LOG_DEBUG };

/* Where lines go and from which level on; fn NULL is standard error. Default: warnings. Lines have
   no line end, no secrets, and nothing unescaped from a peer. fn runs on any thread; another thread
   may still be inside the former fn when this returns. Any thread. */
COHO_API void coho_set_log(void (*fn)(void *ctx, int level, const char *line), void *ctx,
                           int level);

#ifdef __cplusplus
}
#endif

#endif
