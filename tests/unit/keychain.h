/* Keys for tests, and what they say of tokens. What is not expected fails the test. */
#ifndef TESTS_UNIT_KEYCHAIN_H
#define TESTS_UNIT_KEYCHAIN_H

#include "support/tokens.h"
#include "topics/keys.h"

#define SECRET  "0123456789abcdef0123456789abcdef"
#define OTHER   "fedcba9876543210fedcba9876543210"
#define PAYLOAD "{\"exp\":1700000060}" /* a minute after the time of verdict() */
/* SECRET and OTHER as members of a JWK. */
#define K_SECRET "\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\""
#define K_OTHER  "\"kty\":\"oct\",\"k\":\"ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA\""

extern const struct token_key signer, other; /* of SECRET and OTHER */
extern struct token_key rsa, ec;             /* of 2,048 bits and P-256; made by keychain_setup() */
extern unsigned complaints;                  /* lines of the log since keys_new() */
extern char complaint[512];                  /* the last one */

int keychain_setup(void **state);
int keychain_teardown(void **state);

coho_keys *keys_new(void);
coho_key_source source_of(uint64_t kind, const char *text);
void add(coho_keys *k, const coho_key_source *source);
void add_jwks(coho_keys *k, const char *jwks);
/* Asserts that a source is refused with err and a sentence with these words, and changes nothing. */
void refused(const coho_key_source *source, int err, const char *words);
void refused_text(uint64_t kind, const char *text, const char *words); /* COHO_EKEYS */

int verdict(coho_keys *k, const struct token_key *key, const char *header, const char *payload);
int plain(coho_keys *k, const struct token_key *key); /* of a token without kid and issuer */

#endif
