#include "proto/upgrade_client.h"

#include "base/base64.h"
#include "base/check.h"
#include "proto/accept_key.h"

#include <coho/error.h>
#include <string.h>

enum {
  MAX_INTERIM = 8,    /* 100 and 103 come once each, if at all */
  AUTHORITY_EXTRA = 9 /* what coho__url_authority() may add to the host */
};

/* ---- the request (RFC 6455 4.1, first and second list) -------------------------------------- */

static bool repeated(const char *const *protocols, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (coho__view_eq(coho__view_of(protocols[k]), coho__view_of(protocols[i]))) return true;
  return false;
}

static bool protocols_valid(const char *const *protocols) {
  for (size_t i = 0; protocols && protocols[i]; i++)
    if (!coho__http1_is_token(coho__view_of(protocols[i])) || repeated(protocols, i)) return false;
  return true;
}

/* Fields that stand in the request already, and those that announce a body, of which there is
   none. */
static bool is_ours(struct coho__view name, bool origin) {
  static const char *const ours[] = {"Host",           "Upgrade",           "Connection",
                                     "Content-Length", "Transfer-Encoding", "Expect"};
  for (size_t i = 0; i < COHO_COUNT(ours); i++)
    if (coho__view_eq_nocase(name, coho__view_of(ours[i]))) return true;
  if (origin && coho__view_eq_nocase(name, VIEW("Origin"))) return true;
  return coho__view_take_nocase(&name, VIEW("Sec-WebSocket-"));
}

static bool header_valid(const char *header, bool origin) {
  struct coho__view value = coho__view_of(header);
  struct coho__view name = coho__view_split(&value, ':');
  return value.data && coho__http1_is_token(name) && coho__http1_is_field_value(value) &&
         !is_ours(name, origin);
}

static bool request_valid(const struct coho__upgrade_request *request) {
  const char *origin = request->origin;
  if (origin && (!*origin || !coho__http1_is_field_value(coho__view_of(origin)))) return false;
  for (const char *const *h = request->headers; h && *h; h++)
    if (!header_valid(*h, origin != NULL)) return false;
  return protocols_valid(request->protocols);
}

/* Appends texts up to NULL. */
static int append(struct coho__buf *out, const char *const *texts) {
  int err = 0;
  for (; *texts && !err; texts++)
    err = coho__buf_append_str(out, *texts);
  return err;
}

static int append_protocols(struct coho__buf *out, const char *const *protocols) {
  int err = 0;
  for (size_t i = 0; protocols && protocols[i] && !err; i++) {
    const char *const texts[] = {i == 0 ? "Sec-WebSocket-Protocol: " : ", ", protocols[i], NULL};
    err = append(out, texts);
  }
  if (!err && protocols && protocols[0]) err = coho__buf_append_str(out, "\r\n");
  return err;
}

static int append_extensions(struct coho__buf *out, const coho_deflate *conf) {
  char offer[COHO_DEFLATE_TEXT];
  const char *const texts[] = {"Sec-WebSocket-Extensions: ", coho__deflate_offer(conf, offer),
                               "\r\n", NULL};
  return *offer ? append(out, texts) : 0;
}

static int append_header(struct coho__buf *out, const char *header) {
  struct coho__view value = coho__view_of(header);
  struct coho__view name = coho__view_split(&value, ':');
  value = coho__view_trim(value);
  int err = coho__buf_append(out, name.data, name.len);
  if (!err) err = coho__buf_append_str(out, ": ");
  if (!err && value.len > 0) err = coho__buf_append(out, value.data, value.len);
  return err ? err : coho__buf_append_str(out, "\r\n");
}

/* Written in place, since no array is sure to be long enough for it. */
static int append_host(struct coho__buf *out, const struct coho__url *url) {
  size_t room = strlen(url->host) + AUTHORITY_EXTRA;
  char *authority = coho__buf_reserve(out, room);
  if (!authority) return room > out->max - out->len ? COHO_EFULL : COHO_ENOMEM;
  coho__url_authority(url, authority);
  out->len += strlen(authority);
  return 0;
}

static int append_request(struct coho__buf *out, const struct coho__upgrade_client *u,
                          const struct coho__upgrade_request *request) {
  const char *const line[] = {"GET ", request->url->target, " HTTP/1.1\r\nHost: ", NULL};
  const char *const handshake[] = {"\r\nUpgrade: websocket"
                                   "\r\nConnection: Upgrade"
                                   "\r\nSec-WebSocket-Key: ",
                                   u->key, "\r\nSec-WebSocket-Version: 13\r\n", NULL};
  const char *const origin[] = {"Origin: ", request->origin, "\r\n", NULL};
  int err = append(out, line);
  if (!err) err = append_host(out, request->url);
  if (!err) err = append(out, handshake);
  if (!err && request->origin) err = append(out, origin);
  if (!err) err = append_protocols(out, request->protocols);
  if (!err) err = append_extensions(out, &u->deflate);
  for (const char *const *h = request->headers; h && *h && !err; h++)
    err = append_header(out, *h);
  return err ? err : coho__buf_append_str(out, "\r\n");
}

int coho__upgrade_client_init(struct coho__upgrade_client *u,
                              const struct coho__upgrade_request *request,
                              const unsigned char nonce[16], struct coho__buf *out) {
  size_t len = out->len;
  *u = (struct coho__upgrade_client){.protocols = request->protocols,
                                     .protocol = "",
                                     .deflate = {.mode = COHO_DEFLATE_OFF},
                                     .protocol_required = request->protocol_required};
  coho__http1_init(&u->head, COHO_HTTP1_RESPONSE, NULL);
  if (request->deflate) u->deflate = *request->deflate;
  if (!request_valid(request)) return COHO_EINVAL;
  coho__base64_encode(u->key, nonce, 16); /* a terminator is there */
  int err = append_request(out, u, request);
  if (err) out->len = len;
  return err;
}

void coho__upgrade_client_free(struct coho__upgrade_client *u) {
  coho__deflate_terms_drop(&u->terms);
  coho__http1_free(&u->head);
}

/* ---- the answer (RFC 6455 4.1, third list) -------------------------------------------------- */

static int check_protocol(struct coho__upgrade_client *u) {
  static const char field[] = "Sec-WebSocket-Protocol";
  struct coho__view chosen;
  if (coho__http1_find(&u->head, field, 0) == SIZE_MAX)
    return u->protocol_required ? COHO_ENOPROTOCOL : 0;
  if (!coho__http1_only(&u->head, field, &chosen)) return COHO_EANSWERPROTOCOL;
  for (const char *const *p = u->protocols; p && *p; p++) {
    if (!coho__view_eq(chosen, coho__view_of(*p))) continue;
    u->protocol = *p;
    return 0;
  }
  return COHO_EANSWERPROTOCOL;
}

static int check_answer(struct coho__upgrade_client *u) {
  struct coho__view value;
  char accept[COHO_ACCEPT_LEN + 1];
  if (u->head.status != 101) return COHO_ESTATUS;
  if (u->head.minor == 0) return COHO_ERESPONSE;
  if (!coho__http1_only(&u->head, "Upgrade", &value) ||
      !coho__view_eq_nocase(value, VIEW("websocket")))
    return COHO_EANSWERUPGRADE;
  if (!coho__http1_has_token(&u->head, "Connection", "upgrade")) return COHO_EANSWERCONNECTION;
  coho__accept_key(coho__view_of(u->key), accept);
  if (!coho__http1_only(&u->head, "Sec-WebSocket-Accept", &value) ||
      !coho__view_eq(value, coho__view_of(accept)))
    return COHO_EACCEPT;
  int err = check_protocol(u);
  /* Last, since it takes from a budget. */
  return err ? err : coho__deflate_check_answer(&u->head, &u->deflate, &u->terms);
}

/* What a complete head means: 0 when a further one follows. */
static int judge(struct coho__upgrade_client *u) {
  if (u->head.status >= 200 || u->head.status == 101) {
    int err = check_answer(u);
    return err ? err : 1;
  }
  if (u->interim == MAX_INTERIM) return COHO_ERESPONSELONG;
  u->interim++;
  coho__http1_reset(&u->head);
  return 0;
}

int coho__upgrade_client_input(struct coho__upgrade_client *u, const char *data, size_t len,
                               size_t *used) {
  *used = 0;
  while (*used < len && u->result == 0) {
    size_t n;
    int got = coho__http1_input(&u->head, data + *used, len - *used, &n);
    *used += n;
    u->result = got > 0 ? judge(u) : got;
  }
  return u->result;
}

static bool has_type(const struct coho__http1 *h, struct coho__view name) {
  struct coho__view type;
  return coho__http1_only(h, "Content-Type", &type) &&
         coho__view_eq_nocase(coho__view_trim(coho__view_split(&type, ';')), name);
}

static bool is_json(const struct coho__http1 *h) {
  return has_type(h, VIEW("application/json")) || has_type(h, VIEW("application/problem+json"));
}

static bool is_coded(const struct coho__http1 *h) {
  return coho__http1_find(h, "Transfer-Encoding", 0) != SIZE_MAX ||
         coho__http1_find(h, "Content-Encoding", 0) != SIZE_MAX;
}

/* The string that is the first member of this name, wherever it is in the text; no data: none. */
static struct coho__view json_member(struct coho__view json, struct coho__view name) {
  for (size_t i = 0; i + name.len < json.len; i++) {
    if (memcmp(json.data + i, name.data, name.len) != 0) continue;
    struct coho__view rest = {json.data + i + name.len, json.len - i - name.len};
    rest = coho__view_trim(rest);
    if (!rest.len || *rest.data != ':') continue;
    rest = coho__view_trim((struct coho__view){rest.data + 1, rest.len - 1});
    if (!rest.len || *rest.data != '"') continue;
    size_t end = 1;
    while (end < rest.len && rest.data[end] != '"')
      end += rest.data[end] == '\\' ? 2 : 1;
    if (end < rest.len) return (struct coho__view){rest.data + 1, end - 1};
  }
  return (struct coho__view){NULL, 0};
}

/* The sentence for people, by the names that it mostly has, or all of it. */
static struct coho__view json_text(struct coho__view json) {
  const struct coho__view names[] = {VIEW("\"text\""), VIEW("\"message\""), VIEW("\"detail\"")};
  for (size_t i = 0; i < COHO_COUNT(names); i++) {
    struct coho__view text = json_member(json, names[i]);
    if (text.data) return text;
  }
  while (json.len && (json.data[json.len - 1] == '\n' || json.data[json.len - 1] == '\r'))
    json.len--;
  return coho__view_trim(json);
}

struct coho__view coho__upgrade_client_words(const struct coho__upgrade_client *u,
                                             struct coho__view rest) {
  static const struct coho__view none = {"", 0};
  struct coho__view length;
  uint64_t size;
  bool json = is_json(&u->head);
  if (!rest.len || is_coded(&u->head) || !(json || has_type(&u->head, VIEW("text/plain"))))
    return none;
  bool whole = coho__http1_only(&u->head, "Content-Length", &length) &&
               coho__view_number(length, rest.len, &size);
  if (whole) rest.len = (size_t)size;
  if (json) return whole ? json_text(rest) : none;
  struct coho__view line = coho__view_split(&rest, '\n');
  if (!rest.data && !whole) return none;
  if (line.len && line.data[line.len - 1] == '\r') line.len--;
  return coho__view_trim(line);
}

const char *coho__upgrade_client_protocol(const struct coho__upgrade_client *u) {
  return u->protocol;
}
