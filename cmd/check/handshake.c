#include "handshake.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

void handshake_key(char key[KEY_TEXT + 1]) {
  uint8_t bytes[16];
  (void)RAND_bytes(bytes, sizeof bytes);
  (void)EVP_EncodeBlock((unsigned char *)key, bytes, sizeof bytes);
}

void handshake_accept(const char *key, char accept[ACCEPT_TEXT + 1]) {
  struct bytes text = {NULL, 0, 0};
  uint8_t digest[SHA_DIGEST_LENGTH];
  bytes_printf(&text, "%s%s", key, guid);
  (void)SHA1(text.data, text.len, digest);
  (void)EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
  bytes_free(&text);
}

/* ---- sending -------------------------------------------------------------------------------- */

static const char *or_else(const char *value, const char *otherwise) {
  return value ? value : otherwise;
}

static void put_field(struct bytes *out, const char *name, const char *value) {
  if (value && *value) bytes_printf(out, "%s: %s\r\n", name, value);
}

void handshake_put_request(struct bytes *out, const struct request *r) {
  bytes_printf(out, "%s %s %s\r\n", or_else(r->method, "GET"), or_else(r->target, "/"),
               or_else(r->version, "HTTP/1.1"));
  put_field(out, "Host", r->host);
  put_field(out, "Upgrade", or_else(r->upgrade, "websocket"));
  put_field(out, "Connection", or_else(r->connection, "Upgrade"));
  put_field(out, "Sec-WebSocket-Key", r->key);
  put_field(out, "Sec-WebSocket-Version", or_else(r->ws_version, "13"));
  put_field(out, "Sec-WebSocket-Extensions", r->extensions);
  put_field(out, "Sec-WebSocket-Protocol", r->protocols);
  bytes_printf(out, "%s\r\n", or_else(r->more, ""));
}

void handshake_put_answer(struct bytes *out, const struct answer *a, const char *key) {
  char accept[ACCEPT_TEXT + 1];
  handshake_accept(key, accept);
  bytes_printf(out, "%sHTTP/1.1 %s\r\n", or_else(a->before, ""),
               or_else(a->status, "101 Switching Protocols"));
  put_field(out, "Upgrade", or_else(a->upgrade, "websocket"));
  put_field(out, "Connection", or_else(a->connection, "Upgrade"));
  put_field(out, "Sec-WebSocket-Accept", or_else(a->accept, accept));
  put_field(out, "Sec-WebSocket-Extensions", a->extensions);
  put_field(out, "Sec-WebSocket-Protocol", a->protocol);
  bytes_printf(out, "%s\r\n", or_else(a->more, ""));
}

/* ---- lists of subprotocols ------------------------------------------------------------------ */

/* Cuts the next element off *list; 0: no more. */
static size_t next_name(const char **list, const char **name) {
  *list += strspn(*list, " \t,");
  *name = *list;
  size_t len = strcspn(*list, ",");
  *list += len;
  while (len && ((*name)[len - 1] == ' ' || (*name)[len - 1] == '\t'))
    len--;
  return len;
}

static size_t count_name(const char *list, const char *wanted, size_t wanted_len) {
  const char *name;
  size_t len;
  size_t count = 0;
  while ((len = next_name(&list, &name)) > 0)
    count += len == wanted_len && !memcmp(name, wanted, len);
  return count;
}

static const char *judge_names(const char *list) {
  const char *at = list;
  const char *name;
  size_t len;
  if (!next_name(&at, &name)) return "Sec-WebSocket-Protocol is empty";
  at = list;
  while ((len = next_name(&at, &name)) > 0) {
    if (!head_is_token(name, len)) return "a subprotocol is no token";
    if (count_name(list, name, len) > 1) return "a subprotocol is offered twice";
  }
  return NULL;
}

/* ---- the request ---------------------------------------------------------------------------- */

static bool is_key(const char *key) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return strlen(key) == KEY_TEXT && strspn(key, digits) == KEY_TEXT - 2 &&
         !strcmp(key + KEY_TEXT - 2, "==");
}

static const char *judge_request_fields(const struct head *h, const char **rule) {
  *rule = "RFC 6455 4.1";
  if (head_count(h, "Host") != 1 || !*head_get(h, "Host")) return "there is not one Host field";
  if (!head_has_token(h, "Upgrade", "websocket")) return "Upgrade has no 'websocket'";
  if (!head_has_token(h, "Connection", "Upgrade")) return "Connection has no 'Upgrade'";
  if (head_count(h, "Sec-WebSocket-Key") != 1 || !is_key(head_get(h, "Sec-WebSocket-Key")))
    return "there is not one Sec-WebSocket-Key of 16 bytes";
  if (head_count(h, "Sec-WebSocket-Version") != 1 ||
      strcmp(head_get(h, "Sec-WebSocket-Version"), "13") != 0)
    return "Sec-WebSocket-Version is not 13";
  if (head_count(h, "Origin") > 1) return "there are two Origin fields";
  return NULL;
}

const char *handshake_judge_request(const struct head *h, const char **rule) {
  char list[4096];
  *rule = "RFC 6455 4.1";
  if (strcmp(h->method, "GET") != 0) return "the method is not GET";
  if (h->minor < 1) return "the request is of HTTP/1.0";
  if (*h->target != '/' && strncasecmp(h->target, "http", 4) != 0)
    return "the target is neither a path nor an http URL";
  if (strchr(h->target, '#')) return "the target has a fragment";
  const char *why = judge_request_fields(h, rule);
  if (why) return why;
  if (head_get(h, "Transfer-Encoding") || head_get(h, "Content-Length"))
    return "the request announces a body";
  if (head_join(h, "Sec-WebSocket-Protocol", list, sizeof list)) why = judge_names(list);
  if (why) return why;
  *rule = "RFC 6455 9.1";
  struct terms t;
  if (head_join(h, "Sec-WebSocket-Extensions", list, sizeof list)) why = terms_read_offer(list, &t);
  return why;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static const char *judge_upgrade(const struct head *h, const char *key) {
  char accept[ACCEPT_TEXT + 1];
  handshake_accept(key, accept);
  const char *upgrade = head_get(h, "Upgrade");
  const char *got = head_get(h, "Sec-WebSocket-Accept");
  if (!upgrade || head_count(h, "Upgrade") != 1 || strcasecmp(upgrade, "websocket") != 0)
    return "Upgrade of the answer is not 'websocket'";
  if (!head_has_token(h, "Connection", "Upgrade"))
    return "Connection of the answer has no 'Upgrade'";
  if (!got) return "the answer has no Sec-WebSocket-Accept";
  if (head_count(h, "Sec-WebSocket-Accept") != 1)
    return "the answer has Sec-WebSocket-Accept twice";
  return strcmp(got, accept) != 0 ? "Sec-WebSocket-Accept does not fit the key" : NULL;
}

static const char *judge_protocol(const struct head *h, const char *offered) {
  const char *name = head_get(h, "Sec-WebSocket-Protocol");
  if (!name) return NULL;
  if (head_count(h, "Sec-WebSocket-Protocol") > 1)
    return "the answer has Sec-WebSocket-Protocol twice";
  if (!head_is_token(name, strlen(name))) return "the subprotocol of the answer is no token";
  if (!offered || !count_name(offered, name, strlen(name)))
    return "the subprotocol of the answer was not offered";
  return NULL;
}

const char *handshake_judge_answer(const struct head *h, const struct request *r, const char *key,
                                   struct terms *t, const char **rule) {
  char list[4096];
  *t = (struct terms){.agreed = false};
  *rule = "RFC 6455 4.2.2";
  if (h->status != 101) return "the answer is not 101";
  if (h->minor < 1) return "the answer is of HTTP/1.0";
  const char *why = judge_upgrade(h, key);
  if (!why) why = judge_protocol(h, r->protocols);
  if (why) return why;
  *rule = "RFC 6455 9.1, RFC 7692 7.1";
  bool any = head_join(h, "Sec-WebSocket-Extensions", list, sizeof list);
  return terms_read_answer(any ? list : NULL, r->extensions, t);
}

const char *handshake_fuss_answer(const struct head *h, const char **rule) {
  *rule = "RFC 9110 8.6, RFC 9112 6.1";
  if (head_get(h, "Content-Length") || head_get(h, "Transfer-Encoding"))
    return "the 101 announces a body";
  *rule = "RFC 6455 11.3.2";
  if (head_count(h, "Sec-WebSocket-Extensions") > 1)
    return "the answer has Sec-WebSocket-Extensions twice";
  return NULL;
}
