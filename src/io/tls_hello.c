#include "io/tls_hello.h"

#include <openssl/ssl.h>
#include <string.h>

enum {
  HELLO_MOST = 16 * 1024, /* ten times what is seen */
  HANDSHAKE = 22,         /* types of records (RFC 8446 5.1) */
  ALERT = 21,
  CLIENT_HELLO = 1,
  HELLO_HEAD = 4 /* type and length of a message of the handshake */
};

/* ---- judging -------------------------------------------------------------------------------- */

static bool is_http(const struct coho__wire *w) {
  return coho__wire_byte(w, 0) >= 'A' && coho__wire_byte(w, 0) <= 'Z'; /* of a method */
}

/* The first bytes of the handshake, out of as many records as they may be in. How many there are;
   -1: no handshake. */
static int read_head(const struct coho__wire *w, unsigned head[HELLO_HEAD]) {
  int n = 0;
  for (size_t at = 0; n < HELLO_HEAD && at < w->ready;) {
    size_t len = coho__wire_byte(w, at + 3) << 8 | coho__wire_byte(w, at + 4);
    at += COHO_WIRE_HEAD;
    if (coho__wire_byte(w, at - COHO_WIRE_HEAD) != HANDSHAKE || !len || len > w->ready - at)
      return -1;
    for (size_t i = 0; n < HELLO_HEAD && i < len; i++)
      head[n++] = coho__wire_byte(w, at + i);
    at += len;
  }
  return n;
}

const char *coho__tls_hello_judge(const struct coho__wire *w) {
  unsigned head[HELLO_HEAD];
  size_t len = coho__wire_unread(w);
  if (!len) return "";
  if (is_http(w)) return "a plain HTTP request came to a port for TLS";
  if (coho__wire_byte(w, 0) != HANDSHAKE || (len > 1 && coho__wire_byte(w, 1) != 3))
    return "what came is not TLS";
  int n = read_head(w, head);
  if (n < 0 || (n > 0 && head[0] != CLIENT_HELLO)) return "what came is not TLS";
  if (n < HELLO_HEAD) return "";
  if ((head[1] << 16 | head[2] << 8 | head[3]) > HELLO_MOST) return "the ClientHello is too long";
  return NULL;
}

/* ---- answers -------------------------------------------------------------------------------- */

static const char FATAL[] = {ALERT, 3, 3, 0, 2, 2 /* fatal */, SSL_AD_DECODE_ERROR};

#define BODY "This port speaks TLS: use https:// or wss://.\n"
static const char BAD_REQUEST[] = "HTTP/1.1 400 Bad Request\r\n"
                                  "Content-Type: text/plain\r\n"
                                  "Content-Length: 46\r\n"
                                  "Connection: close\r\n"
                                  "\r\n" BODY;
_Static_assert(sizeof BODY - 1 == 46, "Content-Length above");

static void put(struct coho__wire *w, const char *data, size_t len) {
  memcpy(w->shared->out, data, len);
  w->shared->out_len = len;
}

void coho__tls_hello_answer(struct coho__wire *w) {
  if (is_http(w))
    put(w, BAD_REQUEST, sizeof BAD_REQUEST - 1);
  else
    put(w, FATAL, sizeof FATAL);
}
