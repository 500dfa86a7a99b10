/* An HTTP server (httpd.h) that says hello on "/", and on "/hold" waits for what the test answers (held.h). */
#ifndef COHO_TESTS_UNIT_HOLDING_H
#define COHO_TESTS_UNIT_HOLDING_H

#include "support/held.h"
#include "unit/httpd.h"

extern struct httpd server;

int holding_set_up(void **state);
int holding_tear_down(void **state);

void holding_hello(coho_request *r, void *ctx); /* a handler */
/* fn(r), in a turn of its own. */
void holding_post(void (*fn)(void *r), coho_request *r);
/* A client whose request is held. */
void holding_open(struct client *c);

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED    STATUS("200 OK") "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n"

#endif
