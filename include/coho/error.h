/*
 * coho: every error there is, one row each.
 *
 * Functions return 0 (or a positive result) or one of these negative values. A row holds
 *   name    what a program tests for, and what coho_errname() returns
 *   value   negative, never reused
 *   answer  what the peer is told: an HTTP status (below 1000) before the handshake is complete,
 *           a WebSocket close code (1000 and above) after it, 0 when there is nobody to tell
 *   rfc     the rule that was broken, "" when it is none of the peer's
 *   text    a sentence for people, what coho_strerror() returns
 */
#ifndef COHO_ERROR_H
#define COHO_ERROR_H

#include <coho/version.h>

/* clang-format off */
#define COHO_ERRORS(X) \
  /* the caller, the machine */ \
  X(COHO_ENOMEM,          -1,  1011, "", "out of memory") \
  X(COHO_EINVAL,          -2,  0,    "", "invalid argument") \
  X(COHO_EOPTION,         -3,  0,    "", "an option is out of range or unknown to this version of the library") \
  X(COHO_EFULL,           -4,  0,    "", "no room: a queue or buffer has reached its limit") \
  X(COHO_ECLOSED,         -5,  0,    "", "the connection is closed or closing") \
  X(COHO_ESTALE,          -6,  0,    "", "no connection has this id any more") \
  X(COHO_EBUSY,           -7,  0,    "", "not now: another step comes first, or was taken already") \
  X(COHO_ESYSTEM,         -8,  1011, "", "the operating system refused") \
  X(COHO_EADDRINUSE,      -9,  0,    "", "the address is already in use") \
  X(COHO_EADDRNOTAVAIL,   -10, 0,    "", "the address does not belong to this machine") \
  X(COHO_EACCES,          -11, 0,    "", "permission denied") \
  X(COHO_ENOENT,          -12, 0,    "", "no such file or directory") \
  X(COHO_EMFILE,          -13, 0,    "", "too many open files") \
  X(COHO_ERESOLVE,        -14, 0,    "", "the host name has no address") \
  X(COHO_ECONNREFUSED,    -15, 0,    "", "connection refused") \
  X(COHO_ECONNRESET,      -16, 0,    "", "connection reset by the peer") \
  X(COHO_EUNREACHABLE,    -17, 0,    "", "the host or its network cannot be reached") \
  X(COHO_ETIMEDOUT,       -18, 0,    "", "the connection timed out") \
  X(COHO_ESTOPPED,        -19, 0,    "", "stopped by the program") \
  X(COHO_EURL,            -20, 0,    "RFC 6455 3", "not a WebSocket URL (ws://HOST[:PORT][/PATH][?QUERY])") \
  X(COHO_ENOTLS,          -21, 0,    "RFC 6455 3", "a wss:// listener needs a certificate and its key") \
  X(COHO_ENOTFOUND,       -22, 0,    "", "no such entry") \
  X(COHO_EEXISTS,         -23, 0,    "", "the entry exists already") \
  X(COHO_ETOOBIG,         -24, 1009, "RFC 6455 10.4", "the message is larger than the limit") \
  X(COHO_ERESOLVEAGAIN,   -25, 0,    "", "the host name cannot be looked up at the moment") \
  X(COHO_ETLS,            -26, 0,    "RFC 8446 6", "the TLS connection failed") \
  X(COHO_ECERT,           -27, 0,    "RFC 5280 6", "the peer's certificate is not trusted") \
  X(COHO_EPEM,            -28, 0,    "RFC 7468", "the file holds no usable certificate or key in PEM form") \
  X(COHO_EKEYMATCH,       -29, 0,    "", "the key does not belong to the certificate") \
  /* frames */ \
  X(COHO_ERSV,            -30, 1002, "RFC 6455 5.2", "a reserved bit is set and no extension defines it") \
  X(COHO_EOPCODE,         -31, 1002, "RFC 6455 5.2", "reserved opcode") \
  X(COHO_ECONTROLFIN,     -32, 1002, "RFC 6455 5.5", "a control frame is fragmented") \
  X(COHO_ECONTROLLEN,     -33, 1002, "RFC 6455 5.5", "a control frame is longer than 125 bytes") \
  X(COHO_EUNMASKED,       -34, 1002, "RFC 6455 5.1", "a frame of the client is not masked") \
  X(COHO_EMASKED,         -35, 1002, "RFC 6455 5.1", "a frame of the server is masked") \
  X(COHO_ECONTINUATION,   -36, 1002, "RFC 6455 5.4", "a continuation frame without a message to continue") \
  X(COHO_EINTERLEAVED,    -37, 1002, "RFC 6455 5.4", "a new message begins inside a fragmented one") \
  X(COHO_ELENGTH,         -38, 1002, "RFC 6455 5.2", "the payload length is not encoded in the fewest bytes") \
  X(COHO_ELENGTH63,       -39, 1002, "RFC 6455 5.2", "the payload length has its top bit set") \
  X(COHO_EUTF8,           -40, 1007, "RFC 6455 8.1", "a text message is not valid UTF-8") \
  X(COHO_ECLOSELEN,       -41, 1002, "RFC 6455 5.5.1", "a Close frame has a body of one byte") \
  X(COHO_ECLOSECODE,      -42, 1002, "RFC 6455 7.4", "a Close frame carries a code that must not be sent") \
  X(COHO_ECLOSEUTF8,      -43, 1007, "RFC 6455 5.5.1", "the reason of a Close frame is not valid UTF-8") \
  X(COHO_EFRAMETOOBIG,    -44, 1009, "RFC 6455 10.4", "a frame is larger than the limit") \
  X(COHO_EFRAGMENTS,      -45, 1008, "RFC 6455 10.4", "a message consists of too many fragments") \
  X(COHO_EFLOOD,          -46, 1008, "RFC 6455 10.4", "too many control frames") \
  X(COHO_EABNORMAL,       -47, 0,    "RFC 6455 7.1.5", "the connection ended without a Close frame") \
  X(COHO_EPONGTIMEOUT,    -48, 0,    "RFC 6455 5.5.2", "the peer does not answer pings") \
  X(COHO_ECLOSETIMEOUT,   -49, 0,    "RFC 6455 7.1.1", "the peer does not answer the Close frame") \
  X(COHO_EMESSAGETIMEOUT, -50, 1008, "RFC 6455 10.4", "a message was not finished in time") \
  X(COHO_EWRITETIMEOUT,   -51, 0,    "", "the peer does not read what is sent to it") \
  X(COHO_EINFLATE,        -52, 1007, "RFC 7692 7.2.2", "the compressed data of a message is malformed") \
  X(COHO_ERATE,           -53, 1008, "RFC 6455 10.4", "more frames, messages or bytes than the rate allows") \
  X(COHO_EMEMORY,         -54, 1013, "", "the process is at its limit of memory") \
  /* HTTP heads */ \
  X(COHO_EHTTP,           -60, 400,  "RFC 9112 3", "malformed request line") \
  X(COHO_EMETHOD,         -61, 501,  "RFC 9112 3", "the request method is too long") \
  X(COHO_ETARGETLONG,     -62, 414,  "RFC 9112 3", "the request target is too long") \
  X(COHO_ETARGET,         -63, 400,  "RFC 9112 3.2", "malformed request target") \
  X(COHO_EHTTPVERSION,    -64, 505,  "RFC 9110 2.5", "the HTTP version is not 1.x") \
  X(COHO_EFIELD,          -65, 400,  "RFC 9112 5", "malformed header field") \
  X(COHO_EFIELDLONG,      -66, 431,  "RFC 6585 5", "the header fields are too large") \
  X(COHO_EFIELDCOUNT,     -67, 431,  "RFC 6585 5", "too many header fields") \
  X(COHO_EHOST,           -68, 400,  "RFC 9112 3.2", "the Host field is missing, repeated or malformed") \
  X(COHO_EBODYLENGTH,     -69, 400,  "RFC 9112 6.3", "Content-Length or Transfer-Encoding is malformed or ambiguous") \
  X(COHO_ECODING,         -70, 501,  "RFC 9112 6.1", "the transfer coding is not supported") \
  X(COHO_EBODYTOOBIG,     -71, 413,  "RFC 9110 15.5.14", "the request body is larger than the limit") \
  X(COHO_ECHUNK,          -72, 400,  "RFC 9112 7.1", "malformed chunked body") \
  X(COHO_EHEADTIMEOUT,    -73, 408,  "RFC 9110 15.5.9", "the request was not complete in time") \
  X(COHO_EOVERLOAD,       -74, 503,  "RFC 9110 15.6.4", "the server is at its limit of connections or memory") \
  X(COHO_EEXPECT,         -75, 417,  "RFC 9110 10.1.1", "an expectation that cannot be met") \
  X(COHO_EADDRESSFULL,    -76, 503,  "RFC 9110 15.6.4", "too many connections from this address") \
  X(COHO_EHANDSHAKERATE,  -77, 429,  "RFC 6585 4", "too many requests from this address") \
  X(COHO_EPROXY,          -78, 0,    "", "the PROXY header is missing or malformed") \
  X(COHO_EPROXYPEER,      -79, 0,    "", "only certain proxies may connect here") \
  /* the server's side of the handshake */ \
  X(COHO_ENOTGET,         -80, 405,  "RFC 6455 4.2.1", "a WebSocket handshake must be a GET request") \
  X(COHO_ENOUPGRADE,      -81, 426,  "RFC 6455 4.2.1", "this resource speaks WebSocket only") \
  X(COHO_ECONNECTION,     -82, 400,  "RFC 6455 4.2.1", "the Connection field lacks \"upgrade\"") \
  X(COHO_EKEY,            -83, 400,  "RFC 6455 4.2.1", "Sec-WebSocket-Key is missing, repeated or not 16 bytes") \
  X(COHO_EWSVERSION,      -84, 400,  "RFC 6455 4.2.1", "Sec-WebSocket-Version is missing, repeated or malformed") \
  X(COHO_EWSVERSIONOTHER, -85, 426,  "RFC 6455 4.4", "only version 13 of the protocol is spoken here") \
  X(COHO_EPROTOCOL,       -86, 400,  "RFC 6455 11.3.4", "Sec-WebSocket-Protocol is malformed") \
  X(COHO_ENOPROTOCOL,     -87, 400,  "RFC 6455 4.2.2", "none of the offered subprotocols is spoken here") \
  X(COHO_EEXTENSION,      -88, 400,  "RFC 6455 9.1", "Sec-WebSocket-Extensions is malformed") \
  X(COHO_EORIGIN,         -89, 403,  "RFC 6455 10.2", "the Origin is not allowed") \
  X(COHO_EUPGRADEBODY,    -90, 400,  "RFC 9110 7.8", "a WebSocket handshake has no body") \
  X(COHO_EREFUSED,        -92, 403,  "RFC 6455 4.2.2", "the program refused the handshake") \
  /* the client's side of the handshake */ \
  X(COHO_ESTATUS,         -100, 0,   "RFC 6455 4.1", "the server did not switch protocols") \
  X(COHO_ERESPONSE,       -101, 0,   "RFC 9112 4", "malformed response") \
  X(COHO_ERESPONSELONG,   -102, 0,   "RFC 6455 10.4", "the response head is too large") \
  X(COHO_EANSWERUPGRADE,  -103, 0,   "RFC 6455 4.1", "the answer lacks \"Upgrade: websocket\"") \
  X(COHO_EANSWERCONNECTION, -104, 0, "RFC 6455 4.1", "the answer lacks \"Connection: Upgrade\"") \
  X(COHO_EACCEPT,         -105, 0,   "RFC 6455 4.1", "Sec-WebSocket-Accept is missing, repeated or wrong") \
  X(COHO_EANSWEREXTENSION, -106, 0,  "RFC 6455 4.1", "the server chose an extension that was not offered") \
  X(COHO_EANSWERPROTOCOL, -107, 0,   "RFC 6455 4.1", "the server chose a subprotocol that was not offered") \
  X(COHO_EHANDSHAKETIMEOUT, -108, 0, "RFC 6455 4.1", "the server did not answer the handshake in time") \
  X(COHO_EANSWERDEFLATE,  -109, 0,   "RFC 7692 7.1", "the server's parameters of permessage-deflate do not fit the offer") \
  /* topics */ \
  X(COHO_EPOSITION,       -110, 400, "", "this is no position of a topic") \
  X(COHO_ENAME,           -111, 404, "", "this is no name of a topic, or no pattern") \
  X(COHO_EREQUEST,        -112, 400, "", "a field of the request is missing or wrong") \
  X(COHO_ETOOMANY,        -113, 429, "", "too many requests or subscriptions") \
  /* tokens */ \
  X(COHO_ENOTOKEN,        -120, 401, "RFC 6750 3", "a token is required") \
  X(COHO_ETOKEN,          -121, 401, "RFC 7519 7.2", "the token is malformed") \
  X(COHO_ETOKENALG,       -122, 401, "RFC 7518 3.1", "the token's algorithm is not accepted") \
  X(COHO_ETOKENKEY,       -123, 401, "RFC 7515 4.1.4", "there is no key for the token") \
  X(COHO_ESIGNATURE,      -124, 401, "RFC 7515 5.2", "the token's signature is wrong") \
  X(COHO_EEXPIRED,        -125, 401, "RFC 7519 4.1.4", "the token has expired") \
  X(COHO_ENOTYET,         -126, 401, "RFC 7519 4.1.5", "the token is not valid yet") \
  X(COHO_EISSUER,         -127, 401, "RFC 7519 4.1.1", "the token's issuer is not accepted") \
  X(COHO_EAUDIENCE,       -128, 401, "RFC 7519 4.1.3", "the token is for another audience") \
  X(COHO_EFORBIDDEN,      -129, 403, "RFC 6750 3.1", "the token does not allow this") \
  X(COHO_EKEYS,           -130, 0,   "RFC 7517", "no usable key") \
  X(COHO_ETOKENRATE,      -131, 429, "RFC 6585 4", "too many bad tokens from this address") \
  X(COHO_ECLAIMS,         -132, 401, "RFC 7519 4", "the token is signed, but a claim is missing or wrong") \
  X(COHO_ETICKET,         -133, 401, "RFC 6750 3.1", "the ticket was used, is over, or never was one") \
  /* a client of topics */ \
  X(COHO_EHUBFRAME,       -140, 1007, "", "the hub sent what is no frame of coho.json.v1") \
  X(COHO_EHUBBINARY,      -141, 1003, "", "the hub sent a binary frame, of which coho.json.v1 has none") \
  X(COHO_ENOANSWER,       -142, 0,   "", "the hub does not answer a request") \
  X(COHO_EUNAVAILABLE,    -143, 0,   "", "the hub cannot do this now") \
  X(COHO_EHUBREFUSED,     -144, 0,   "", "the hub refused the request")
/* clang-format on */

#ifdef __cplusplus
extern "C" {
#endif

#define COHO__ERROR_ENUM(name, value, answer, rfc, text) name = (value),
enum coho_error { COHO_OK = 0, COHO_ERRORS(COHO__ERROR_ENUM) };
#undef COHO__ERROR_ENUM

/* A sentence for people, without full stop. Never NULL; static storage; any thread. */
COHO_API const char *coho_strerror(int err);

/* The name, such as "COHO_EUTF8"; "COHO_OK" for 0 and above. Never NULL; static storage; any thread. */
COHO_API const char *coho_errname(int err);

/* The HTTP status or close code that the peer is told, 0 for none (RFC 6455 7.4). Any thread. */
COHO_API int coho_error_answer(int err);

/* The rule that was broken, such as "RFC 6455 5.2", or "". Never NULL; static storage; any thread. */
COHO_API const char *coho_error_rfc(int err);

#ifdef __cplusplus
}
#endif

#endif
