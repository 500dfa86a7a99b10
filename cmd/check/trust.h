/* What TLS connections of a run have in common. */
#ifndef COHO_CMD_CHECK_TRUST_H
#define COHO_CMD_CHECK_TRUST_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_ctx_st;

/* For connecting. ca_file NULL: the trust of the system. NULL: a sentence is in why. */
struct ssl_ctx_st *trust_client(const char *ca_file, bool insecure, char *why, size_t cap);
void trust_free(struct ssl_ctx_st *tls);
/* A handshake begins in this thread. */
void trust_begin(void);
/* The certificate was refused in it, as nobody who is trusted vouches for it. */
bool trust_met_stranger(void);
/* Why the last operation of TLS in this thread failed, without full stop. */
void trust_error(char *why, size_t cap);

#endif
