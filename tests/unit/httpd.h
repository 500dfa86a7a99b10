/*
 * An HTTP server without network: src/http on a real loop, clients on streams in memory. A client
 * says something, the loop turns until nothing is left to do, and the client looks at what came.
 */
#ifndef COHO_TESTS_UNIT_HTTPD_H
#define COHO_TESTS_UNIT_HTTPD_H

#include "http/http.h"

struct httpd {
  coho_loop *loop;
  struct coho__routes routes;
  struct coho__admission admission;
  struct coho__counters counters;
  struct coho__http_conf conf;
  struct coho__http http;
  char log[4096];  /* access log, a line each */
  char last[1024]; /* of the other log, the last line */
};

/* Change conf, admission.max and add routes before the first client. */
void httpd_start(struct httpd *d);
/* Every client is closed; nothing may be left. */
void httpd_stop(struct httpd *d);
/* A route that calls fn, with the server as ctx. */
void httpd_route(struct httpd *d, const char *method, const char *pattern,
                 void (*fn)(coho_request *r, void *ctx));
/* The same for WebSocket. */
void httpd_route_ws(struct httpd *d, const char *pattern, void (*fn)(coho_request *r, void *ctx));
/* Turns until nothing is left to do but wait. */
void httpd_settle(struct httpd *d);

struct client {
  struct httpd *d;
  struct coho__stream *s;
  char *in; /* all that came, terminated; dates replaced by "-" in client_text() */
  size_t len, cap;
  bool paused; /* does not read */
  bool eof;    /* the server has shut its side down */
  int err;     /* or it failed */
};

/* A client whose other end nobody has yet; returns that. */
struct coho__stream *client_make(struct client *c, struct httpd *d, size_t buffer, size_t piece);
/* The same, accepted. buffer: bytes the stream takes in each direction; piece: bytes in one read, 0 for any. */
void client_open(struct client *c, struct httpd *d, size_t buffer, size_t piece);
/* Sends all of it and lets the loop turn. */
void client_send(struct client *c, const char *data, size_t len);
void client_say(struct client *c, const char *text);
/* What came since the last call, with the values of Date replaced; valid until the next call. */
const char *client_text(struct client *c);
/* Turns, waiting for timers too, until the server has closed. */
void client_wait_end(struct client *c);
void client_close(struct client *c);

/* What a fresh client gets for this, whole. "[end]" behind it when the server then shut down. */
const char *httpd_ask(struct httpd *d, const char *request);
/* Asserts that it gets this, sent whole, byte by byte and with every single cut. */
void httpd_expect(struct httpd *d, const char *request, const char *answer);
void httpd_expect_n(struct httpd *d, const char *request, size_t len, const char *answer);

/* What every answer says first, and a text of n bytes. */
#define STATUS(line) "HTTP/1.1 " line "\r\nDate: -\r\n"
#define TEXT(n)      "Content-Length: " #n "\r\nContent-Type: text/plain; charset=utf-8\r\n"
#define CLOSE        "Connection: close\r\n"
#define NO_STORE     "Cache-Control: no-store\r\n" /* of every refusal */
#define HELLO        STATUS("200 OK") "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"
#define HELLO_CLOSE \
  STATUS("200 OK") "Content-Length: 5\r\nContent-Type: text/plain\r\n" CLOSE "\r\nhello[end]"
#define NOT_FOUND              STATUS("404 Not Found") TEXT(10) NO_STORE "\r\nNot Found\n"
#define REFUSED(line, n, text) STATUS(line) TEXT(n) CLOSE NO_STORE "\r\n" text "\n[end]"

#endif
