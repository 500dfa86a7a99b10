#include "proto/host.h"

#include "base/ip.h"
#include "proto/chars.h"

#include <string.h>

bool coho__host_is_ipv4(struct coho__view v) {
  struct coho__ip ip;
  bool colon = v.len && memchr(v.data, ':', v.len);
  return !colon && coho__ip_parse(&ip, v);
}

bool coho__host_is_ipv6(struct coho__view v) {
  struct coho__ip ip;
  bool colon = v.len && memchr(v.data, ':', v.len);
  return colon && coho__ip_parse(&ip, v);
}

static bool is_reg_name(struct coho__view v) {
  size_t at = 0;
  while (at < v.len) {
    size_t n = coho__chars_run(COHO_CHAR_NAME, v.data + at, v.len - at);
    at += n;
    if (at == v.len) break;
    if (coho__percent_escape(v.data + at, v.len - at) < 0) return false;
    at += 3;
  }
  return v.len > 0;
}

/* The end of the name: behind the bracket of an IPv6 literal, else at the colon or the end. */
static size_t name_end(struct coho__view v) {
  char last = v.len && v.data[0] == '[' ? ']' : ':';
  size_t at = 0;
  while (at < v.len && v.data[at] != last)
    at++;
  return last == ']' && at < v.len ? at + 1 : at;
}

bool coho__host_parse(struct coho__view authority, struct coho__host *out) {
  *out = (struct coho__host){.has_port = false};
  if (authority.len == 0) return false; /* and perhaps no bytes to point into */
  size_t end = name_end(authority);
  struct coho__view name = {authority.data, end};
  struct coho__view rest = {authority.data + end, authority.len - end};
  out->name = name;
  if (name.len > 2 && name.data[0] == '[') {
    out->ipv6 = true;
    out->name = (struct coho__view){name.data + 1, name.len - 2};
    if (name.data[name.len - 1] != ']' || !coho__host_is_ipv6(out->name)) return false;
  } else if (!is_reg_name(name)) {
    return false;
  }
  if (rest.len == 0) return true;
  if (rest.data[0] != ':') return false;
  if (rest.len == 1) return true;
  uint64_t port;
  if (!coho__view_number((struct coho__view){rest.data + 1, rest.len - 1}, 65535, &port))
    return false;
  out->port = (uint16_t)port;
  out->has_port = true;
  return true;
}
