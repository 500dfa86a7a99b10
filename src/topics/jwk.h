/* Keys as JSON (RFC 7517). */
#ifndef COHO_TOPICS_JWK_H
#define COHO_TOPICS_JWK_H

#include "topics/json.h"
#include "topics/key.h"

/*
 * One key. 0; COHO_EKEYS: it is not for verifying, of another kind, or unfit, as *wrong says;
 * COHO_ENOMEM. secrets: it may be one.
 */
int coho__jwk_read(const json_t *jwk, bool secrets, struct coho__key *out, const char **wrong);

#endif
