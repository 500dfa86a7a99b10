#include "guarded.h"

#include "base/clock.h"

#include <coho/log.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define ISSUER "https://id.example"

const struct token_key signer = {NULL, SECRET};
static struct token_key rsa;
char *rsa_pem;
struct world w;
coho_hub *hub;
static coho_keys *keys;
struct raw a;
static unsigned addresses; /* those that were clients */

/* ---- the log --------------------------------------------------------------------------------- */

enum { SECRETS_MOST = 64 };

char log_text[1 << 20];
size_t log_len;
static char secrets[SECRETS_MOST][TOKEN_MOST]; /* all that no log may show */
static size_t secret_count;

static void keep_line(const char *line) {
  int n = snprintf(log_text + log_len, sizeof log_text - log_len, "%s\n", line);
  assert_true(n > 0 && (size_t)n < sizeof log_text - log_len);
  log_len += (size_t)n;
}

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  keep_line(line);
}

static void on_access(void *ctx, const char *line) {
  (void)ctx;
  keep_line(line);
}

/* Remembers it; returns it. */
const char *secret(const char *text) {
  assert_true(secret_count < SECRETS_MOST);
  (void)snprintf(secrets[secret_count], TOKEN_MOST, "%s", text);
  return secrets[secret_count++];
}

bool logged(const char *words) { return strstr(log_text, words) != NULL; }

/* No piece of any token or ticket. */
static void expect_silent_log(void) {
  enum { PIECE = 12 };
  char piece[PIECE + 1];
  assert_true(log_len > 0);
  assert_false(logged("eyJ")); /* what JWTs begin with */
  for (size_t i = 0; i < secret_count; i++) {
    size_t len = strlen(secrets[i]);
    for (size_t at = 0; at + PIECE <= len; at += PIECE) {
      (void)snprintf(piece, sizeof piece, "%s", secrets[i] + at);
      if (logged(piece)) fail_msg("the log has %s", piece);
    }
  }
}

/* ---- tokens ---------------------------------------------------------------------------------- */

const char *token_of(const char *payload) { return secret(token_make(&signer, HS256, payload)); }

const char *good_token(void) { return token_of("{" FOR_EVER "," CHAT "," ANN "}"); }

/* Of ann, for so long from now on. */
const char *short_token(uint64_t ms) {
  char payload[512];
  uint64_t end = coho__clock_wall_ms() + ms;
  (void)snprintf(payload, sizeof payload, "{\"exp\":%" PRIu64 ".%03u," CHAT "," ANN "}", end / 1000,
                 (unsigned)(end % 1000));
  return token_of(payload);
}

const char *forged_token(void) {
  static const struct token_key forger = {NULL, "fedcba9876543210fedcba9876543210"};
  return secret(token_make(&forger, HS256, "{" FOR_EVER "," CHAT "," ANN "}"));
}

/* ---- the server ------------------------------------------------------------------------------ */

static void add_key(uint64_t kind, const char *text) {
  char why[256];
  coho_key_source source = {
      .kind = kind, .data = text, .len = strlen(text), .issuer = ISSUER, .kid = NULL};
  if (coho_keys_add(keys, &source, why, sizeof why)) fail_msg("%s", why);
}

static void make_keys(void) {
  static const char *const audiences[] = {"chat", NULL};
  coho_keys_options o = {.audiences = audiences, .leeway_ms = COHO_KEYS_EXACT};
  assert_int_equal(coho_keys_new(&o, &keys), 0);
  add_key(COHO_KEY_SECRET, SECRET);
  add_key(COHO_KEY_PEM, rsa_pem);
}

void make_server(void) {
  static const char *const trusted[] = {"127.0.0.1", NULL};
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  coho_server_options so = {.loop = w.loop,
                            .drain_timeout_ms = 10000,
                            .access_log = on_access,
                            .trusted_proxies = trusted};
  w.server = coho_server_new(&so);
  assert_non_null(w.server);
}

/* Keys count at /t/ and at /other/. */
void open_with(coho_topics_options o) {
  log_text[0] = '\0';
  log_len = secret_count = 0;
  coho_set_log(on_log, NULL, COHO_LOG_DEBUG);
  make_keys();
  make_server();
  o.keys = keys;
  hub = coho_hub_new(NULL);
  assert_int_equal(coho_route_topics(w.server, "/t/", hub, &o), 0);
  assert_int_equal(coho_route_topics(w.server, "/other/", hub, &o), 0);
  world_start(&w);
}

void open_all(void) { open_with((coho_topics_options){.cookie = NULL}); }

void finish(void) {
  coho_keys_free(keys);
  clock_go();
  world_close(&w);
  coho_hub_free(hub);
  expect_silent_log();
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
}

/* ---- requests -------------------------------------------------------------------------------- */

char head[HEAD_MOST], body[HEAD_MOST];

void send_request(const char *method, const char *target, const char *fields) {
  static char text[REQUEST_MOST];
  int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: h.example\r\n%s\r\n", method, target,
                   fields);
  assert_true(n > 0 && n < REQUEST_MOST);
  raw_send(&a, text, (size_t)n);
}

/* The status; the answer is in head and body. */
int request(const char *method, const char *target, const char *fields) {
  raw_connect(&a, &w);
  send_request(method, target, fields);
  raw_head(&a, head, sizeof head);
  const char *length = strstr(head, "Content-Length: ");
  size_t n = length ? strtoul(length + 16, NULL, 10) : 0;
  assert_true(n < sizeof body);
  if (n) memcpy(body, raw_bytes(&a, n), n);
  body[n] = '\0';
  raw_close(&a);
  return (int)strtol(head + 9, NULL, 10);
}

/* Each time as another client. */
static const char *from_elsewhere(void) {
  static char field[64];
  addresses++;
  (void)snprintf(field, sizeof field, "X-Forwarded-For: 192.0.%u.%u\r\n", addresses / 250,
                 addresses % 250 + 1);
  return field;
}

const char *fields_of(const char *before, const char *token) {
  static char fields[REQUEST_MOST];
  (void)snprintf(fields, sizeof fields, "%s%s\r\n%s", before, token, from_elsewhere());
  return fields;
}

/* Asks with a token in Authorization. */
int ask(const char *method, const char *target, const char *token) {
  return request(method, target, fields_of("Authorization: Bearer ", token));
}

int post(const char *target, const char *token) {
  return request("POST", target, fields_of("Content-Length: 0\r\nAuthorization: Bearer ", token));
}

void expect_error(const char *code) {
  char wanted[64];
  (void)snprintf(wanted, sizeof wanted, "{\"error\":{\"code\":\"%s\"", code);
  if (strncmp(body, wanted, strlen(wanted)) != 0) fail_msg("%s", body);
}

void expect_head(const char *words) {
  if (!strstr(head, words)) fail_msg("no %s in %s", words, head);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* The status of a handshake; the answer is in head. */
int upgrade(const char *target, const char *fields) {
  static char text[REQUEST_MOST];
  (void)snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Version: 13\r\n%s\r\n",
                 target, fields);
  raw_connect(&a, &w);
  raw_send(&a, text, strlen(text));
  raw_head(&a, head, sizeof head);
  return (int)strtol(head + 9, NULL, 10);
}

int upgrade_json(const char *before, const char *token) {
  char fields[REQUEST_MOST];
  (void)snprintf(fields, sizeof fields, JSON "%s", fields_of(before, token));
  return upgrade("/t/", fields);
}

void say(const char *text) { raw_frame(&a, 1, true, text, strlen(text)); }

void say_token(const char *token) {
  char text[TOKEN_MOST + 64];
  (void)snprintf(text, sizeof text, "{\"op\":\"auth\",\"id\":\"a\",\"token\":\"%s\"}", token);
  say(text);
}

static const char *hear(void) {
  static char text[4096];
  struct raw_frame f;
  assert_true(raw_next(&a, &f));
  if (f.opcode != 1) fail_msg("opcode %u, code %u", f.opcode, f.opcode == 8 ? raw_code(&f) : 0);
  assert_true(f.len < sizeof text);
  memcpy(text, f.data, f.len);
  text[f.len] = '\0';
  return text;
}

void expect(const char *words) {
  const char *text = hear();
  if (!strstr(text, words)) fail_msg("no %s in %s", words, text);
}

/* Its reason tells no more than that. */
void expect_close(unsigned code, const char *reason) {
  struct raw_frame f;
  assert_true(raw_next(&a, &f));
  if (f.opcode != 8) fail_msg("%.*s", (int)f.len, f.data);
  assert_int_equal(raw_code(&f), code);
  assert_int_equal(f.len, 2 + strlen(reason));
  assert_memory_equal(f.data + 2, reason, f.len - 2);
  raw_close(&a);
}

void publish(const char *topic, const char *text) {
  assert_int_equal(coho_publish(hub, topic, coho_text(text)), 0);
}

int guarded_setup(void **state) {
  (void)state;
  rsa.pkey = token_rsa(2048);
  rsa_pem = token_pem(rsa.pkey);
  return 0;
}

int guarded_teardown(void **state) {
  (void)state;
  EVP_PKEY_free(rsa.pkey);
  free(rsa_pem);
  return 0;
}
