/*
 * Whether to let in who brings a token. What was wrong with one is for logs: what the peer is told
 * (fault.h) makes no difference between a token that was forged and one that is for somebody else.
 * Nothing of a token comes into a log.
 */
#ifndef COHO_TOPICS_TOKEN_H
#define COHO_TOPICS_TOKEN_H

#include "topics/claims.h"

#include <coho/keys.h>

/*
 * now is ms of the wall clock. 0; COHO_ETOKEN, COHO_ETOKENALG, COHO_EISSUER, COHO_ETOKENKEY,
 * COHO_ESIGNATURE, COHO_ECLAIMS, COHO_EEXPIRED, COHO_ENOTYET, COHO_EAUDIENCE in this order of tests;
 * COHO_ENOMEM. From COHO_ECLAIMS on a right key has signed it, whatever else is wrong with it.
 * The claims are freed by coho__claims_unref(). Any thread.
 */
int coho__token_verify(coho_keys *keys, struct coho__view token, uint64_t now,
                       struct coho__claims **out);

#endif
