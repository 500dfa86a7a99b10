/* The accessors of core.h that search a list and keep what they decoded. */
#include "proto/chars.h"
#include "proto/request.h"

#include <string.h>

/* Whether these bytes of a query mean the name. */
static bool means(struct coho__view raw, const char *name) {
  for (size_t i = 0; i < raw.len; i++, name++) {
    int c = raw.data[i] == '+' ? ' ' : (unsigned char)raw.data[i];
    if (c == '%') {
      c = coho__percent_escape(raw.data + i, raw.len - i);
      i += 2;
    }
    if (*name == '\0' || c != (unsigned char)*name) return false;
  }
  return *name == '\0';
}

static const char *keep_decoded(coho_request *r, struct coho__view raw) {
  char *text = coho__request_keep(r, raw.data, raw.len);
  return text && coho__percent_decode(text, text, raw.len, true) >= 0 ? text : NULL;
}

const char *coho_request_query(coho_request *r, const char *name) {
  struct coho__view rest = coho__view_of(r->query);
  while (rest.data) {
    struct coho__view value = coho__view_split(&rest, '&');
    struct coho__view key = coho__view_split(&value, '=');
    if ((key.len > 0 || value.data) && means(key, name)) return keep_decoded(r, value);
  }
  return NULL;
}

/* RFC 6265 4.2: pairs apart by semicolons, in one line or, over HTTP/2, in several. */
const char *coho_request_cookie(coho_request *r, const char *name) {
  struct coho__view wanted = coho__view_of(name);
  size_t i = 0;
  for (; (i = coho__http1_find(&r->head, "Cookie", i)) != SIZE_MAX; i++) {
    struct coho__view rest = coho__http1_value(&r->head, i);
    while (rest.data) {
      struct coho__view value = coho__view_split(&rest, ';');
      struct coho__view key = coho__view_split(&value, '=');
      if (!value.data || !coho__view_eq(coho__view_trim(key), wanted)) continue;
      value = coho__view_trim(value);
      return coho__request_keep(r, value.data, value.len);
    }
  }
  return NULL;
}

const char *coho_request_offer(coho_request *r, size_t index) {
  struct coho__http1_list it = {0};
  struct coho__view offer;
  while (coho__http1_list_next(&r->head, "Sec-WebSocket-Protocol", &it, &offer))
    if (it.count == index + 1) return coho__request_keep(r, offer.data, offer.len);
  return NULL;
}
