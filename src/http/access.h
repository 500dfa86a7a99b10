/*
 * The access log: one line for each answered request and each finished connection,
 *
 *   PEER "METHOD TARGET" STATUS BYTES DURATIONms
 *   127.0.0.1:4711 "GET /chat?room=a&token=*" 101 0 3ms
 *
 * STATUS is the HTTP status, or the close code of a WebSocket connection; BYTES counts what was
 * sent, heads included. A request that was not even understood is "- -". Secrets in the query are
 * replaced by "*"; control characters, quotes, backslashes and what is no UTF-8 are \xNN; a long
 * target ends in "...".
 */
#ifndef COHO_HTTP_ACCESS_H
#define COHO_HTTP_ACCESS_H

#include "base/view.h"

enum { COHO_ACCESS_REQUEST = 640 }; /* room for coho__access_request() */

/* "METHOD TARGET" as it may stand in a log. Terminated; returns dst. */
const char *coho__access_request(char dst[COHO_ACCESS_REQUEST], struct coho__view method,
                                 struct coho__view target);

#endif
