/* Two ends that agree on permessage-deflate the way a handshake does. */
#ifndef FUZZ_AGREE_H
#define FUZZ_AGREE_H

#include "proto/deflate_terms.h"

/* The head of a message with this field's value, one line of the field for each line of the text. */
void agree_head(struct coho__http1 *head, enum coho__http1_kind kind, struct coho__view value);

struct agreement {
  coho_deflate server_conf, client_conf;
  struct coho__deflate_terms server, client;
};

/* From options as a program sets them. Claims that both come to the same. */
struct agreement agree(const coho_deflate *server, const coho_deflate *client);
/* What the terms say has to be possible, and fit what was asked. */
void agree_claim_terms(const struct coho__deflate_terms *terms, const coho_deflate *conf);

#endif
