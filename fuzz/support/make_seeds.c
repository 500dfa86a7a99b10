/*
 * make_seeds FOLDER: writes inputs for the targets to begin with, FOLDER/TARGET/NAME, out of what the
 * peers of the wire tests send, and a few texts. tools/fuzz keeps those of them that are worth it.
 */
#include "support/claim.h"
#include "support/session.h"
#include "wire/script.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>

enum { SEED_MOST = 4096 }; /* longer ones only slow the fuzzer down */

static const char *folder;

static void write_seed(const char *target, const char *name, const struct bytes *seed) {
  char path[4096];
  if (seed->len > SEED_MOST) return;
  (void)snprintf(path, sizeof path, "%s/%s", folder, target);
  (void)mkdir(path, 0777);
  int len = snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
  CLAIM(len > 0 && (size_t)len < sizeof path);
  FILE *file = fopen(path, "wb");
  CLAIM(file != NULL && fwrite(seed->data, 1, seed->len, file) == seed->len);
  CLAIM(fclose(file) == 0);
}

/* ---- the head of a session, as session_read() reads it -------------------------------------- */

static unsigned limit_of(uint64_t max_message) {
  static const struct {
    uint64_t most;
    unsigned index;
  } rows[] = {{0, 0}, {1, 6}, {16, 5}, {125, 1}, {126, 2}, {1000, 3}, {65536, 4}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (max_message <= rows[i].most) return rows[i].index;
  return 0;
}

static enum act act_of_call(const struct step *s) {
  bool part = (s->flags & COHO_MORE) != 0;
  switch (s->call) {
  case CALL_SEND: return part ? SEND_PART : s->code == COHO_TEXT ? SEND_TEXT : SEND_LAST;
  case CALL_PING: return PING;
  case CALL_PONG: return PONG;
  case CALL_CLOSE: return CLOSE;
  case CALL_ACCEPT:
  case CALL_REJECT:
  case CALL_HEADER: break;
  }
  return ACTS;
}

/* ACTS: none. */
static enum act act_of(const struct step *s, unsigned *arg) {
  *arg = s->data.len < UINT8_MAX ? (unsigned)s->data.len : UINT8_MAX;
  if (s->kind == STEP_CALL) return act_of_call(s);
  if (s->kind == STEP_EOF) return END;
  if (s->kind == STEP_HOLD) return HOLD;
  if (s->kind == STEP_TAKE) return TAKE;
  if (s->kind != STEP_TICK) return ACTS;
  uint64_t ticks = s->number / 100 + 1;
  *arg = ticks < UINT8_MAX ? (unsigned)ticks : UINT8_MAX;
  return TICK;
}

static void add_session(struct bytes *seed, const struct wire_case *c, size_t from) {
  struct bytes actions = {NULL, 0, 0}, input = {NULL, 0, 0};
  size_t count = 0, at = 0;
  for (size_t i = from; i < c->count; i++) {
    const struct step *s = &c->steps[i];
    unsigned arg;
    enum act what = act_of(s, &arg);
    if (s->kind == STEP_INPUT) bytes_add(&input, s->data.data, s->data.len);
    if (what == ACTS || count == SESSION_ACTIONS || input.len - at > UINT8_MAX) continue;
    bytes_byte(&actions, (unsigned)(input.len - at));
    bytes_byte(&actions, what);
    bytes_byte(&actions, arg);
    at = input.len;
    count++;
  }
  const coho_ws_options *ws = &c->options.ws;
  bytes_byte(seed, (c->role == COHO_CLIENT ? 1 : 0) | (ws->flags & COHO_STREAM ? 2 : 0) | 4);
  bytes_byte(seed, limit_of(ws->max_message));
  bytes_byte(seed, 0); /* compression */
  bytes_byte(seed, 0); /* no allocation fails */
  bytes_text(seed, "\1\1\xff\7");
  bytes_byte(seed, (unsigned)count);
  bytes_add(seed, actions.data, actions.len);
  bytes_add(seed, input.data, input.len);
  bytes_free(&actions);
  bytes_free(&input);
}

/* ---- the targets ---------------------------------------------------------------------------- */

static const char some_cuts[] = "\1\7\xff\3";

static void seed_heads(const struct wire_case *c, const struct bytes *head, const char *name) {
  bool request = c->role == COHO_SERVER;
  struct bytes seed = {NULL, 0, 0};
  bytes_byte(&seed, request ? 0 : 0x80);
  bytes_text(&seed, some_cuts);
  bytes_add(&seed, head->data, head->len);
  write_seed("http1", name, &seed);
  seed.len = 0;
  if (!request) {
    bytes_byte(&seed, 1);
    bytes_byte(&seed, 0); /* compression */
  }
  bytes_text(&seed, some_cuts);
  if (request) bytes_text(&seed, "http://example.com\n");
  bytes_add(&seed, head->data, head->len);
  write_seed(request ? "request" : "answer", name, &seed);
  bytes_free(&seed);
}

static void seed_case(const struct wire_case *c, size_t index) {
  char name[256];
  const char *file = strrchr(c->file, '/');
  struct bytes seed = {NULL, 0, 0}, head = {NULL, 0, 0};
  (void)snprintf(name, sizeof name, "%s-%zu", file ? file + 1 : c->file, index);
  add_session(&seed, c, 0);
  write_seed("ws", name, &seed);
  seed.len = 0;
  if (c->prelude) {
    add_session(&seed, c, c->prelude);
    write_seed("engine", name, &seed);
  } else {
    for (size_t i = 0; i < c->count; i++)
      if (c->steps[i].kind == STEP_INPUT)
        bytes_add(&head, c->steps[i].data.data, c->steps[i].data.len);
    seed_heads(c, &head, name);
  }
  bytes_free(&seed);
  bytes_free(&head);
}

#define SEED(target, text) \
  { target, text, sizeof(text) - 1 }

/* clang-format off */
static const struct {
  const char *target, *bytes;
  size_t len;
} texts[] = {
  /* cuts, limit, kind of head */
  SEED("body", "\1\2\3\4" "\2" "\0" "5;a=b\r\nhello\r\nA \t;x\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET"),
  SEED("body", "\1\2\3\4" "\1" "\1" "Content-Length: 5\nhello"),
  SEED("body", "\1\2\3\4" "\1" "\2" "Content-Length: 5\nTransfer-Encoding: chunked\n5\r\nhello"),
  SEED("extension", "permessage-deflate; client_max_window_bits=\"10\"; x = \"a\\b\" , y;z\nfoo;bar"),
  SEED("url", "wss://Example.com:8443/a%20b/\xc3\xa4?q=1&r"),
  SEED("url", "ws://[2001:db8::1]:80"),
  SEED("url", "ws://127.0.0.1:0/"),
  SEED("url", "wss+unix:/run/coho.sock:/chat?q"),
  SEED("host", "[1:2:3:4:5:6:1.2.3.4]:80"),
  SEED("host", "example.com:65535"),
  SEED("host", "192.168.0.255"),
  SEED("host", "1:2:3::8"),
  SEED("fields", "Sun, 06 Nov 1994 08:49:37 GMT"),
  SEED("fields", "Sunday, 06-Nov-94 08:49:37 GMT"),
  SEED("fields", "Sun Nov  6 08:49:37 1994"),
  SEED("fields", "bytes=0-499"),
  SEED("fields", "bytes=-500"),
  SEED("fields", "If-None-Match: W/\"x\", W/\"an-etag\""),
  SEED("fields", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"),
  SEED("fields", "If-Range: \"an-etag\"\r\nIf-Match: *\r\nIf-Unmodified-Since: x"),
  /* options of the server and the client, the budget */
  SEED("deflate_terms", "\2\2\377" "permessage-deflate; client_max_window_bits; server_max_window_bits=10"),
  SEED("deflate_terms", "\4\4\377" "permessage-deflate; server_no_context_takeover; client_no_context_takeover\n"
                        "permessage-deflate; client_max_window_bits=\"9\""),
  /* the same, cuts, 0: bytes received, 1: texts to send */
  SEED("permessage", "\x42\x42\1\7\0\3" "\1" "\x0f\x20" "hello, hello, hello" "\x43\x40" "hell"),
  SEED("permessage", "\x42\x42\1\7\0\3" "\0" "\7" "\xf2\x48\xcd\xc9\xc9\x07\x00" "\5" "\xf2\x00\x11\x00\x00"),
  SEED("position", "k3f9.42"),
  SEED("position", "3w5e11264sgsf.9223372036854775807"),
  SEED("position", "3w5e11264sgsg.9223372036854775808"),
  SEED("position", "0"),
  SEED("proxyproto", "\1\2\3\4" "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET"),
  SEED("proxyproto", "\1\2\3\4" "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"),
  SEED("proxyproto", "\1\2\3\4" "PROXY UNKNOWN whatever\r\n"),
  SEED("proxyproto", "\1\2\3\4" "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13" "\x0a\0\0\1\x0a\0\0\2\x12\x34\0\x50" "\3\0\4\0\0\0\0"),
  SEED("proxyproto", "\1\2\3\4" "\r\n\r\n\0\r\nQUIT\n\x20\0\0\2xy"),
  SEED("sse", "\1\2\3\4" "\xef\xbb\xbf: hi\nevent: add\rid: 1\r\ndata: a\ndata:  b\n\nretry: 3000\nid\n\ndata\n\n"),
  SEED("hub_frame", "{\"topic\":\"room/tea\",\"pos\":\"k3f9.42\",\"data\":\"h\\u0000\\u00e4\\n\\\"\\\\\"}"),
  SEED("hub_frame", "{\"topic\":\"room/tea\",\"pos\":\"k3f9.42\",\"data64\":\"AP8=\"}"),
  SEED("hub_frame", "{\"topic\":\"a\",\"pattern\":\"+\",\"pos\":\"k3f9.42\",\"data\":\"\"}"),
  SEED("hub_frame", "{\"op\":\"gap\",\"topic\":\"a\",\"lost\":7,\"pos\":\"k3f9.41\"}"),
  SEED("hub_frame", "{\"op\":\"gap\",\"topic\":\"a\",\"lost\":null,\"pos\":\"k3f9.41\"}"),
  SEED("hub_frame", "{\"op\":\"ok\",\"id\":1,\"topic\":\"a\",\"pos\":\"k3f9.41\"}"),
  SEED("hub_frame", "{\"op\":\"error\",\"id\":1,\"topic\":\"a\",\"code\":\"too-many\",\"text\":\"no\"}"),
  SEED("hub_frame", "{\"op\":\"expiring\",\"in\":30}"),
  SEED("hub_frame", "{\"op\":\"presence\",\"id\":2,\"topic\":\"a\",\"members\":[{\"id\":\"ann\",\"info\":{}}],\"pos\":\"9xk2.7\"}"),
  SEED("token", "S{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"a\"}\0{\"exp\":1700000060,\"nbf\":1,\"iat\":1,\"sub\":\"ann\",\"iss\":\"i\",\"aud\":[\"a\"],\"coho\":{\"sub\":[\"room/+\",\"#\"],\"pub\":[\"a\"]}}"),
  SEED("token", "S{\"alg\":\"HS256\"}\0{\"exp\":1.7e9}"),
  SEED("token", "S{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}\0{}"),
  SEED("token", "-eyJhbGciOiJSUzI1NiJ9.e30.AAAA"),
  SEED("token", "-a.b.c.d.e"),
  SEED("jwks", "b{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"HS256\",\"key_ops\":[\"verify\"]}]}"),
  SEED("jwks", "\xf5{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"),
  SEED("jwks", "b{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}]}"),
  SEED("jwks", "c0123456789abcdef0123456789abcdef"),
  SEED("jwks", "d-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n-----END PUBLIC KEY-----\n"),
  SEED("utf8", "\1\2\3\4" "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\x9f\xbf \xf4\x8f\xbf\xbf"),
  SEED("utf8", "\1\2\3\4" "abcdefghijklmnopqrstuvwxyz0123456789 \xed\xa0\x80"),
};
/* clang-format on */

static void seed_texts(void) {
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    char name[32];
    struct bytes seed = {NULL, 0, 0};
    bytes_add(&seed, texts[i].bytes, texts[i].len);
    (void)snprintf(name, sizeof name, "text-%zu", i);
    write_seed(texts[i].target, name, &seed);
    bytes_free(&seed);
  }
}

int main(int argc, char **argv) {
  glob_t found;
  if (argc != 2) {
    fprintf(stderr, "usage: make_seeds FOLDER\n");
    return 2;
  }
  folder = argv[1];
  CLAIM(glob(COHO_SOURCE_DIR "/tests/wire/*.wire", 0, NULL, &found) == 0);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    struct script s;
    CLAIM(script_read(&s, found.gl_pathv[i]));
    for (size_t k = 0; k < s.count; k++)
      seed_case(&s.cases[k], k);
    script_free(&s);
  }
  globfree(&found);
  seed_texts();
  return 0;
}
