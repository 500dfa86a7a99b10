/* The negotiation of permessage-deflate (RFC 7692 5 and 7.1): offers, answers, what was agreed on. */
#ifndef COHO_PROTO_DEFLATE_TERMS_H
#define COHO_PROTO_DEFLATE_TERMS_H

#include "proto/http1.h"

#include <coho/core.h>
#include <stdbool.h>

enum { COHO_DEFLATE_TEXT = 160 }; /* room for an offer or an answer, terminated */

struct coho__deflate_terms {
  bool agreed; /* on permessage-deflate at all */
  bool server_no_context, client_no_context;
  uint8_t server_window, client_window;          /* bits, 8 to 15 */
  bool server_window_named, client_window_named; /* in the answer */
  bool own_sends, own_receives; /* we keep a context of our own for what we send, receive */
  size_t own;                   /* bytes taken from the budget of contexts for this connection */
};

/* The options with their defaults. 0 or COHO_EOPTION. */
int coho__deflate_conf_read(coho_role role, const coho_deflate *set, coho_deflate *out);

/*
 * Server: the first element of the offer that can be met under conf. Takes from the budget of
 * contexts what the terms need; when that is used up, the terms are without context takeover. A
 * declined offer is no error: terms->agreed says. 0 or COHO_EEXTENSION.
 */
int coho__deflate_accept(const struct coho__http1 *head, const coho_deflate *conf,
                         struct coho__deflate_terms *terms);
/* Server: the answer, "" when not agreed; client: the same text for people. Returns text. */
const char *coho__deflate_answer(const struct coho__deflate_terms *terms,
                                 char text[COHO_DEFLATE_TEXT]);
/* Client: the offer, "" when it is off. Returns text. */
const char *coho__deflate_offer(const coho_deflate *conf, char text[COHO_DEFLATE_TEXT]);
/*
 * Client: the answer to that offer. Takes from the budget like the server; when that is used up we
 * send without context, but a server that insists on its own gets it, not counted. 0,
 * COHO_EEXTENSION, COHO_EANSWEREXTENSION (not offered), COHO_EANSWERDEFLATE.
 */
int coho__deflate_check_answer(const struct coho__http1 *head, const coho_deflate *conf,
                               struct coho__deflate_terms *terms);
/* Gives back to the budget what the terms hold, when no connection takes them over. */
void coho__deflate_terms_drop(struct coho__deflate_terms *terms);
/* The window of what this side sends, in bits: what was agreed on, or less. */
uint8_t coho__deflate_terms_window(const struct coho__deflate_terms *terms, coho_role role,
                                   const coho_deflate *conf);

#endif
