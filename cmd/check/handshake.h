/* The opening handshake of both sides: what is sent can be wrong in any way, what comes is held to
   RFC 6455 4.1 and 4.2. */
#ifndef COHO_CMD_CHECK_HANDSHAKE_H
#define COHO_CMD_CHECK_HANDSHAKE_H

#include "head.h"
#include "peer.h"

enum { KEY_TEXT = 24, ACCEPT_TEXT = 28 };

/* What a client asks. Members that are NULL or 0 are as they have to be. */
struct request {
  const char *method, *target, *version;                      /* "GET", "/echo", "HTTP/1.1" */
  const char *host, *upgrade, *connection, *key, *ws_version; /* values; "" leaves the field out */
  const char *extensions, *protocols;                         /* NULL: left out */
  const char *more; /* whole lines with their CRLF, sent behind the others */
};

/* What a server answers. NULL or 0: as it has to be. */
struct answer {
  const char *status;                        /* "101 Switching Protocols" */
  const char *upgrade, *connection, *accept; /* "" leaves the field out */
  const char *extensions, *protocol;         /* NULL: left out */
  const char *before;                        /* bytes in front of the answer */
  const char *more;                          /* as in struct request */
};

void handshake_key(char key[KEY_TEXT + 1]); /* fresh */
void handshake_accept(const char *key, char accept[ACCEPT_TEXT + 1]);
void handshake_put_request(struct bytes *out, const struct request *r);
void handshake_put_answer(struct bytes *out, const struct answer *a, const char *key);

/* NULL, or how the head departs from what a client has to ask, with the section in *rule. */
const char *handshake_judge_request(const struct head *h, const char **rule);
/* The same for the answer to r, sent with this key. The terms that were agreed are in *t. */
const char *handshake_judge_answer(const struct head *h, const struct request *r, const char *key,
                                   struct terms *t, const char **rule);

/* What is wrong with the answer though it can be lived with. */
const char *handshake_fuss_answer(const struct head *h, const char **rule);

#endif
