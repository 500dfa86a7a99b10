#include "http/conditions.h"

#include "http/date.h"

#include <string.h>

/* If-Match compares strongly, If-None-Match weakly (RFC 9110 8.8.3.2). Ours are strong, so all
   that differs is what the peer's "W/" means. */
static bool lists_etag(const struct coho__http1 *head, const char *field, const char *etag,
                       bool weak) {
  struct coho__http1_list it = {0};
  struct coho__view element;
  while (coho__http1_list_next(head, field, &it, &element)) {
    if (coho__view_eq(element, VIEW("*"))) return true;
    if (weak && element.len > 2 && memcmp(element.data, "W/", 2) == 0) {
      element.data += 2;
      element.len -= 2;
    }
    if (coho__view_eq(element, coho__view_of(etag))) return true;
  }
  return false;
}

static bool has(const struct coho__http1 *head, const char *field) {
  return coho__http1_find(head, field, 0) != SIZE_MAX;
}

/* The date of a field; false when it is absent, malformed, or there is nothing to compare with:
   then the field is ignored (RFC 9110 13.1.3, 13.1.4). */
static bool date_of(const struct coho__http1 *head, const char *field,
                    const struct coho__validators *now, int64_t *date) {
  size_t i = coho__http1_find(head, field, 0);
  return i != SIZE_MAX && now->modified >= 0 && coho__date_parse(coho__http1_value(head, i), date);
}

int coho__conditions_check(const struct coho__http1 *head, const struct coho__validators *now) {
  int64_t date;
  if (has(head, "If-Match")) {
    if (!lists_etag(head, "If-Match", now->etag, false)) return 412;
  } else if (date_of(head, "If-Unmodified-Since", now, &date) && now->modified > date) {
    return 412;
  }
  if (has(head, "If-None-Match")) {
    return lists_etag(head, "If-None-Match", now->etag, true) ? 304 : 0;
  }
  return date_of(head, "If-Modified-Since", now, &date) && now->modified <= date ? 304 : 0;
}

bool coho__conditions_range(const struct coho__http1 *head, const struct coho__validators *now) {
  size_t i = coho__http1_find(head, "If-Range", 0);
  if (i == SIZE_MAX) return true;
  struct coho__view value = coho__http1_value(head, i);
  if (value.len && (value.data[0] == '"' || value.data[0] == 'W')) {
    return coho__view_eq(value, coho__view_of(now->etag)); /* a weak one never matches */
  }
  /* A date has to be exact (RFC 9110 13.1.5). */
  int64_t date;
  return date_of(head, "If-Range", now, &date) && date == now->modified;
}
