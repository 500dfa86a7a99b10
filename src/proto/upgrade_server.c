#include "proto/upgrade_server.h"

#include "base/base64.h"
#include "base/check.h"
#include "proto/accept_key.h"
#include "proto/body.h"
#include "proto/extension.h"
#include "proto/host.h"

#include <string.h>

enum { MAX_OFFERS = 32 };

bool coho__upgrade_wanted(const struct coho_request *r) {
  return r->head.minor > 0 && coho__http1_has_token(&r->head, "Upgrade", "websocket");
}

/* ---- the request (RFC 6455 4.2.1) ----------------------------------------------------------- */

static int check_version(const struct coho__http1 *head) {
  struct coho__view value;
  uint64_t version;
  if (!coho__http1_only(head, "Sec-WebSocket-Version", &value)) return COHO_EWSVERSION;
  if (!coho__view_number(value, 255, &version)) return COHO_EWSVERSION;
  if (value.len > 1 && value.data[0] == '0') return COHO_EWSVERSION;
  return version == 13 ? 0 : COHO_EWSVERSIONOTHER;
}

static int check_key(const struct coho__http1 *head) {
  struct coho__view key;
  unsigned char nonce[COHO_KEY_LEN / 4 * 3];
  if (!coho__http1_only(head, "Sec-WebSocket-Key", &key) || key.len != COHO_KEY_LEN)
    return COHO_EKEY;
  return coho__base64_decode(nonce, key.data, key.len) == 16 ? 0 : COHO_EKEY;
}

static int check_offers(const struct coho__http1 *head) {
  static const char field[] = "Sec-WebSocket-Protocol";
  struct coho__http1_list it = {0};
  struct coho__view offer;
  while (coho__http1_list_next(head, field, &it, &offer))
    if (it.count > MAX_OFFERS || !coho__http1_is_token(offer)) return COHO_EPROTOCOL;
  return it.count == 0 && coho__http1_find(head, field, 0) != SIZE_MAX ? COHO_EPROTOCOL : 0;
}

/* The upgrade takes effect behind the body (RFC 9110 7.8), so a body could hide frames from one
   reader and not from another. */
static int check_body(const struct coho__http1 *head) {
  struct coho__body body;
  int err = coho__body_init(&body, head, 0);
  if (err == COHO_EBODYLENGTH) return err;
  return err || !coho__body_done(&body) ? COHO_EUPGRADEBODY : 0;
}

int coho__upgrade_check(const struct coho_request *r) {
  const struct coho__http1 *head = &r->head;
  if (!coho__view_eq(coho__http1_method(head), VIEW("GET"))) return COHO_ENOTGET;
  if (!coho__upgrade_wanted(r)) return COHO_ENOUPGRADE;
  if (!coho__http1_has_token(head, "Connection", "upgrade")) return COHO_ECONNECTION;
  int err = check_version(head);
  if (!err) err = check_key(head);
  if (!err) err = check_offers(head);
  if (!err) err = coho__extension_check(head);
  return err ? err : check_body(head);
}

bool coho__upgrade_offers(const struct coho_request *r, const char *protocol) {
  struct coho__http1_list it = {0};
  struct coho__view offer, wanted = coho__view_of(protocol);
  while (coho__http1_list_next(&r->head, "Sec-WebSocket-Protocol", &it, &offer))
    if (coho__view_eq(offer, wanted)) return true;
  return false;
}

int coho__upgrade_choose(struct coho_request *r, const char *const *ours, bool required) {
  r->protocol = "";
  for (; ours && *ours; ours++) {
    if (!coho__upgrade_offers(r, *ours)) continue;
    r->protocol = *ours;
    return 0;
  }
  return required ? COHO_ENOPROTOCOL : 0;
}

/* ---- the Origin (RFC 6455 10.2, RFC 6454 6.2 and 7) ----------------------------------------- */

struct origin {
  struct coho__view scheme;
  struct coho__host host;
  uint16_t port; /* with the scheme's default, 0 when it has none */
};

static uint16_t default_port(struct coho__view scheme) {
  bool plain =
      coho__view_eq_nocase(scheme, VIEW("http")) || coho__view_eq_nocase(scheme, VIEW("ws"));
  bool secure =
      coho__view_eq_nocase(scheme, VIEW("https")) || coho__view_eq_nocase(scheme, VIEW("wss"));
  if (plain) return 80;
  return secure ? 443 : 0;
}

/* scheme "://" host [":" port] and nothing more. */
static bool parse_origin(struct coho__view text, struct origin *out) {
  struct coho__view rest = text;
  out->scheme = coho__view_split(&rest, ':');
  if (out->scheme.len == 0 || rest.len < 2 || memcmp(rest.data, "//", 2) != 0) return false;
  rest = (struct coho__view){rest.data + 2, rest.len - 2};
  if (!coho__host_parse(rest, &out->host)) return false;
  out->port = out->host.has_port ? out->host.port : default_port(out->scheme);
  return true;
}

static bool same_host(const struct coho__host *a, const struct coho__host *b) {
  return coho__view_eq_nocase(a->name, b->name); /* a colon is in IPv6 addresses only */
}

static bool is_own(const struct coho_request *r, struct coho__view text) {
  struct origin origin;
  struct coho__host own;
  if (!parse_origin(text, &origin) || !coho__host_parse(r->authority, &own)) return false;
  bool web = coho__view_eq_nocase(origin.scheme, VIEW("http")) ||
             coho__view_eq_nocase(origin.scheme, VIEW("https"));
  uint16_t port = own.has_port ? own.port : default_port(origin.scheme);
  return web && origin.port == port && same_host(&origin.host, &own);
}

static bool is_entry(struct coho__view text, struct coho__view entry) {
  struct origin a, b;
  if (coho__view_eq(entry, VIEW("*")) || coho__view_eq(entry, text)) return true;
  return parse_origin(text, &a) && parse_origin(entry, &b) && a.port == b.port &&
         coho__view_eq_nocase(a.scheme, b.scheme) && same_host(&a.host, &b.host);
}

int coho__upgrade_origin(const struct coho_request *r, const char *const *list, bool need) {
  struct coho__view text;
  if (coho__http1_find(&r->head, "Origin", 0) == SIZE_MAX) return need ? COHO_EORIGIN : 0;
  /* RFC 6454 7.3: exactly one. */
  if (!coho__http1_only(&r->head, "Origin", &text)) return COHO_EFIELD;
  if (!list) return is_own(r, text) ? 0 : COHO_EORIGIN;
  for (; *list; list++)
    if (is_entry(text, coho__view_of(*list))) return 0;
  return COHO_EORIGIN;
}

/* ---- the answer (RFC 6455 4.2.2) ------------------------------------------------------------ */

/* All of the texts, or nothing and an error. */
static int append_all(struct coho__buf *out, const struct coho__view *texts, size_t count) {
  size_t len = out->len;
  for (size_t i = 0; i < count; i++) {
    int err = texts[i].len ? coho__buf_append(out, texts[i].data, texts[i].len) : 0;
    if (!err) continue;
    out->len = len;
    return err;
  }
  return 0;
}

int coho__upgrade_accept(const struct coho_request *r, const char *extensions,
                         struct coho__view fields, struct coho__buf *out) {
  char accept[COHO_ACCEPT_LEN + 1];
  struct coho__view key, protocol = coho__view_of(r->protocol);
  bool chosen = protocol.len > 0;
  COHO_ASSERT(!chosen || coho__http1_is_token(protocol));
  bool checked = coho__http1_only(&r->head, "Sec-WebSocket-Key", &key);
  COHO_ASSERT(checked);
  coho__accept_key(key, accept);
  const struct coho__view texts[] = {
      VIEW("HTTP/1.1 101 Switching Protocols\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Accept: "),
      coho__view_of(accept),
      chosen ? VIEW("\r\nSec-WebSocket-Protocol: ") : VIEW(""),
      protocol,
      *extensions ? VIEW("\r\nSec-WebSocket-Extensions: ") : VIEW(""),
      coho__view_of(extensions),
      VIEW("\r\n"),
      fields,
      VIEW("\r\n"),
  };
  return append_all(out, texts, COHO_COUNT(texts));
}

int coho__upgrade_refusal(int err, struct coho__buf *out) {
  struct coho__view fields = VIEW("");
  if (err == COHO_ENOTGET) fields = VIEW("Allow: GET\r\n");
  if (err == COHO_EWSVERSION) fields = VIEW("Sec-WebSocket-Version: 13\r\n");
  if (err == COHO_ENOUPGRADE || err == COHO_EWSVERSIONOTHER)
    fields = VIEW("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  return append_all(out, &fields, 1);
}
