/*
 * A TLS stream on top of any other. Its owner gets the first event when the handshake is complete,
 * or has failed, which reading then tells. The end of the stream below counts as an end also without
 * close_notify (RFC 8446 6.1): what runs above knows whether a message is cut.
 *
 * Reading may end with COHO_EMEMORY, when memory is too tight to keep a part of a record, or
 * COHO_EMESSAGETIMEOUT, when a record is not complete within 30 s: then writing goes on, so that the
 * peer may be told, and reading again discards a little. A server whose memory is too tight for a
 * handshake fails with COHO_EOVERLOAD.
 */
#ifndef COHO_IO_STREAM_TLS_H
#define COHO_IO_STREAM_TLS_H

#include "io/stream.h"
#include "io/tls.h"

/* The server's side. inner is the stream's from now on, also on failure. The handshake has this
   long, UINT32_MAX: for ever. *err tells why NULL. */
struct coho__stream *coho__stream_tls_server(struct coho__stream *inner, coho_tls *tls,
                                             uint32_t timeout_ms, int *err);
/* The client's side, to this host and port. The deadline is the caller's. */
struct coho__stream *coho__stream_tls_client(struct coho__stream *inner, coho_tls *tls,
                                             const char *host, uint16_t port, int *err);

#endif
