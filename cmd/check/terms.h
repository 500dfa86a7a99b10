/* The terms of permessage-deflate, RFC 7692 7.1, as this side reads offers and answers. */
#ifndef COHO_CMD_CHECK_TERMS_H
#define COHO_CMD_CHECK_TERMS_H

#include <stdbool.h>
#include <stddef.h>

struct terms {
  bool agreed; /* or offered */
  bool server_no_takeover, client_no_takeover;
  int server_bits, client_bits; /* 0: not said (in an agreement: 15), -1: said without a value */
};

/* The value of Sec-WebSocket-Extensions of a request: the first offer that is valid, in *t; not
   agreed when there is none. NULL, or what is wrong with the header as a phrase. */
const char *terms_read_offer(const char *header, struct terms *t);
/* The answer to the offers of `offered` (a header value, NULL: none). NULL, or why the answer must
   not be accepted. header NULL: no extension. */
const char *terms_read_answer(const char *header, const char *offered, struct terms *t);
/* "permessage-deflate; client_max_window_bits" or the like. */
void terms_print(const struct terms *t, char *text, size_t cap);

#endif
