/*
 * Topics on the web: a hub under a path of a server, by WebSocket, Server-Sent Events, long poll and
 * POST, all with the same messages and positions. docs/topics.md has the forms on the wire.
 *
 *   coho_route_topics(server, "/t/", hub, NULL);
 *
 * Without keys everybody may follow and publish; with keys only who brings a token that allows it, by
 * cookie, Authorization, ticket, subprotocol or first message.
 */
#ifndef COHO_TOPICS_H
#define COHO_TOPICS_H

#include <coho/hub.h>
#include <coho/keys.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero is the default of every field; times are in ms, UINT32_MAX never. Copied, with its lists. */
typedef struct coho_topics_options {
  coho_keys *keys; /* who may; NULL: no tokens are asked for. Kept alive by the server. */
  /* Names and patterns that may be subscribed, and published to, without a token; ended by NULL.
     Default: all without keys, none with them. */
  const char *const *open_subscribe;
  const char *const *open_publish;
  const char *const *origins; /* as in coho_options; also those that CORS lets in */
  const char *cookie;         /* its name; default "coho_token" */
  /* Of connections: limits, times, compression. Its handlers, protocols and origins are not used. */
  const coho_options *conn;
  uint64_t max_message; /* that is published; default 64 KiB */
  uint64_t max_queue;   /* bytes waiting for one subscriber; default 4 * max_message, at least
                           1 MiB */
  coho_rate rate;       /* frames of a WebSocket connection, publishes included; above it is not
                                 read until there is room again; default 100 a second, 200 at
                                 once; per_second UINT32_MAX: any number */
  uint32_t max_subscriptions; /* of one connection; default 100 */
  uint32_t auth_timeout_ms;   /* for the first message with a token; default 5,000 */
  uint32_t heartbeat_ms;      /* silence of a stream before a comment; default 15,000 */
  uint32_t poll_ms;           /* longest wait of a long poll; default 60,000 */
  /* HTTP requests of one address, an IPv6 address by its first 64 bits: GET, HEAD and POST, of which more
     are answered 429. Default 1,000 a second, 2,000 at once; per_second UINT32_MAX: any number. */
  coho_rate http_rate;
} coho_topics_options;

COHO_API int coho_route_topics_sized(coho_server *s, const char *prefix, coho_hub *hub,
                                     const coho_topics_options *opt, const size_t sizes[2]);
/* Before the server runs; prefix begins and ends with "/". The server keeps the hub alive. opt may be
   NULL. 0, COHO_EINVAL, COHO_EEXISTS, COHO_EOPTION, COHO_ENOMEM. */
static inline int coho_route_topics(coho_server *s, const char *prefix, coho_hub *hub,
                                    const coho_topics_options *opt) {
  const size_t sizes[2] = {sizeof *opt, sizeof *opt->conn};
  return coho_route_topics_sized(s, prefix, hub, opt, sizes);
}

COHO_API int coho_route_topics_update_sized(coho_server *s, const char *prefix,
                                            const coho_topics_options *opt, const size_t sizes[2]);
/* Other options, all of them, for the requests and connections that come from now on; who follows already
   goes on with those it came by, its token and the patterns that were open included. The hub stays, with
   its topics; tickets that were given stay valid. Any thread. 0, COHO_ENOTFOUND (no topics at prefix),
   COHO_EINVAL, COHO_EOPTION, COHO_ENOMEM: nothing has changed. */
static inline int coho_route_topics_update(coho_server *s, const char *prefix,
                                           const coho_topics_options *opt) {
  const size_t sizes[2] = {sizeof *opt, sizeof *opt->conn};
  return coho_route_topics_update_sized(s, prefix, opt, sizes);
}

#ifdef __cplusplus
}
#endif

#endif
