#include "trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

void trust_error(char *why, size_t cap) {
  unsigned long code = ERR_get_error();
  bool system = code && ERR_SYSTEM_ERROR(code);
  const char *reason = system ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
  (void)snprintf(why, cap, "%s", reason ? reason : "the connection broke");
  ERR_clear_error();
}

struct ssl_ctx_st *trust_client(const char *ca_file, bool insecure, char *why, size_t cap) {
  SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
  bool ok = tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1;
  if (ok && ca_file)
    ok = SSL_CTX_load_verify_locations(tls, ca_file, NULL) == 1;
  else if (ok && !insecure)
    ok = SSL_CTX_set_default_verify_paths(tls) == 1;
  if (!ok) {
    char reason[160];
    trust_error(reason, sizeof reason);
    if (ca_file)
      (void)snprintf(why, cap, "the certificates of %s cannot be read: %s", ca_file, reason);
    else
      (void)snprintf(why, cap, "TLS cannot be set up: %s", reason);
    SSL_CTX_free(tls);
    return NULL;
  }
  SSL_CTX_set_verify(tls, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* An end of TCP without close_notify is an end: the WebSocket layer judges by Close frames. */
  SSL_CTX_set_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return tls;
}

void trust_free(struct ssl_ctx_st *tls) { SSL_CTX_free(tls); }
