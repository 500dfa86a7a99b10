/* The client's side of the opening handshake (RFC 6455 4.1): write a request, check the answer. */
#ifndef COHO_PROTO_UPGRADE_CLIENT_H
#define COHO_PROTO_UPGRADE_CLIENT_H

#include "base/buf.h"
#include "proto/deflate_terms.h"
#include "proto/http1.h"
#include "proto/url.h"

struct coho__upgrade_client {
  struct coho__http1 head;      /* the answer */
  char key[25];                 /* Sec-WebSocket-Key, terminated */
  const char *const *protocols; /* what was offered; borrowed, NULL for none */
  const char *protocol;         /* what was chosen, "" for none */
  coho_deflate deflate;         /* what was offered; mode COHO_DEFLATE_OFF: nothing */
  /* Once open: what was agreed on. Who takes it over leaves it empty, so that what it holds of the
     budget is not given back by the free. */
  struct coho__deflate_terms terms;
  bool protocol_required;
  uint8_t interim; /* 1xx answers seen; at most 8 are skipped */
  int result;      /* of the input: 0 until it is known */
};

struct coho__upgrade_request {
  const struct coho__url *url;
  const char *const *protocols; /* unique tokens, ended by NULL */
  const char *const *headers;   /* "Name: value", ended by NULL; none that coho sets itself */
  const char *origin;
  const coho_deflate *deflate; /* to be offered, as coho__deflate_conf_read() gave it; NULL: not */
  bool protocol_required;
};

/* Appends the request; nonce are 16 random bytes. 0, COHO_EINVAL (a protocol, header or origin that
   would break the request), COHO_ENOMEM, COHO_EFULL; then nothing was written. Headers that would be
   there twice or announce a body are refused: Host, Upgrade, Connection, Sec-WebSocket-*,
   Content-Length, Transfer-Encoding, Expect, and Origin beside an origin. */
int coho__upgrade_client_init(struct coho__upgrade_client *u,
                              const struct coho__upgrade_request *request,
                              const unsigned char nonce[16], struct coho__buf *out);
void coho__upgrade_client_free(struct coho__upgrade_client *u);
/* Takes bytes of the answer. 1: the connection is open and what follows *used are frames, 0: wants
   more, or why the handshake failed (both sticky); u->head.status then tells the status if one
   came. COHO_ERESPONSE, COHO_ERESPONSELONG (also: too many 1xx answers), COHO_ESTATUS,
   COHO_EANSWERUPGRADE, COHO_EANSWERCONNECTION, COHO_EACCEPT, COHO_EEXTENSION,
   COHO_EANSWEREXTENSION, COHO_EANSWERDEFLATE, COHO_EANSWERPROTOCOL, COHO_ENOPROTOCOL,
   COHO_ENOMEM. */
int coho__upgrade_client_input(struct coho__upgrade_client *u, const char *data, size_t len,
                               size_t *used);
/* After COHO_ESTATUS: what the server says about it, namely the first line of the body, if that is
   plain text, or of JSON the member text, message or detail, or else all of it, and if it is whole in
   rest, the bytes behind *used; else empty. As it came, not to be shown unescaped. */
struct coho__view coho__upgrade_client_words(const struct coho__upgrade_client *u,
                                             struct coho__view rest);
/* Once open: an element of the offer, "" for none. */
const char *coho__upgrade_client_protocol(const struct coho__upgrade_client *u);

#endif
