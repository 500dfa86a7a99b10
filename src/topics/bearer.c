#include "topics/bearer.h"

#include "proto/request.h"

#include <string.h>

static void set(struct coho__bearer *b, enum coho__bearer_kind kind, struct coho__view text) {
  *b = (struct coho__bearer){kind, text};
}

/* Other schemes are somebody else's, such as a proxy's. */
static int in_authorization(const coho_request *r, struct coho__bearer *out) {
  size_t i = coho__http1_find(&r->head, "Authorization", 0);
  if (i == SIZE_MAX) return 0;
  if (coho__http1_find(&r->head, "Authorization", i + 1) != SIZE_MAX) return COHO_ETOKEN;
  struct coho__view rest = coho__http1_value(&r->head, i);
  struct coho__view scheme = coho__view_split(&rest, ' ');
  if (coho__view_eq_nocase(scheme, VIEW("Bearer")))
    set(out, COHO_BEARER_TOKEN, coho__view_trim(rest));
  return 0;
}

static void in_offers(const coho_request *r, struct coho__bearer *out) {
  static const struct coho__view prefix = {"bearer.", 7};
  struct coho__http1_list it = {.field = 0};
  struct coho__view v;
  while (coho__http1_list_next(&r->head, "Sec-WebSocket-Protocol", &it, &v)) {
    if (v.len < prefix.len || memcmp(v.data, prefix.data, prefix.len) != 0) continue;
    set(out, COHO_BEARER_TOKEN, (struct coho__view){v.data + prefix.len, v.len - prefix.len});
    return;
  }
}

static bool names_ticket(const coho_request *r) {
  struct coho__view rest = coho__view_of(r->query);
  while (rest.data) {
    struct coho__view value = coho__view_split(&rest, '&');
    if (coho__view_eq(coho__view_split(&value, '='), VIEW("ticket"))) return true;
  }
  return false;
}

/* One that cannot be decoded is no ticket, but it is there. */
static int in_query(coho_request *r, struct coho__bearer *out) {
  const char *ticket = coho_request_query(r, "ticket");
  if (ticket) set(out, COHO_BEARER_TICKET, coho__view_of(ticket));
  return !ticket && names_ticket(r) ? COHO_ETOKEN : 0;
}

/* Whoever may set cookies for a neighbouring host can put one of his own before ours (RFC 6265 8.6): two
   that differ are none. An empty one is what is left of somebody who signed out. */
static int in_cookies(const coho_request *r, struct coho__view wanted, struct coho__bearer *out) {
  size_t i = 0;
  for (; (i = coho__http1_find(&r->head, "Cookie", i)) != SIZE_MAX; i++) {
    struct coho__view rest = coho__http1_value(&r->head, i);
    while (rest.data) {
      struct coho__view value = coho__view_split(&rest, ';');
      struct coho__view name = coho__view_split(&value, '=');
      value = coho__view_trim(value);
      if (!value.len || !coho__view_eq(coho__view_trim(name), wanted)) continue;
      if (out->kind && !coho__view_eq(out->text, value)) return COHO_ETOKEN;
      set(out, COHO_BEARER_TOKEN, value);
    }
  }
  return 0;
}

int coho__bearer_find(coho_request *r, const char *cookie, struct coho__bearer *out) {
  *out = (struct coho__bearer){COHO_BEARER_NONE, {NULL, 0}};
  int err = in_authorization(r, out);
  if (!err && !out->kind) in_offers(r, out);
  if (!err && !out->kind) err = in_query(r, out);
  if (!err && !out->kind && cookie) err = in_cookies(r, coho__view_of(cookie), out);
  return err;
}
