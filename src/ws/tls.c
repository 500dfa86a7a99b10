/* What programs may ask about the TLS of a connection. */
#include "http/conn.h"
#include "ws/conn.h"

#include <coho/tls.h>

static const char *conn_fact(const coho_conn *c, enum coho__stream_fact what, char *buf,
                             size_t cap) {
  if (c->stream) return coho__stream_tell(c->stream, what, buf, cap);
  if (cap) buf[0] = '\0';
  return buf;
}

/* A request of an engine of core.h belongs to no connection of ours. */
static const char *request_fact(const coho_request *r, enum coho__stream_fact what, char *buf,
                                size_t cap) {
  if (r->owner) return coho__stream_tell(coho__http_conn_of(r)->stream, what, buf, cap);
  if (cap) buf[0] = '\0';
  return buf;
}

const char *coho_conn_tls(const coho_conn *c, char *buf, size_t cap) {
  return conn_fact(c, COHO_STREAM_TLS, buf, cap);
}

const char *coho_conn_tls_subject(const coho_conn *c, char *buf, size_t cap) {
  return conn_fact(c, COHO_STREAM_SUBJECT, buf, cap);
}

const char *coho_request_tls(const coho_request *r, char *buf, size_t cap) {
  return request_fact(r, COHO_STREAM_TLS, buf, cap);
}

const char *coho_request_tls_subject(const coho_request *r, char *buf, size_t cap) {
  return request_fact(r, COHO_STREAM_SUBJECT, buf, cap);
}
