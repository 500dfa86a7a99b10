#include "proto/host.h"

#include "proto/chars.h"

bool coho__host_is_ipv4(struct coho__view v) {
  int octets = 0;
  while (v.data) {
    struct coho__view octet = coho__view_split(&v, '.');
    uint64_t number;
    if (octet.len > 1 && octet.data[0] == '0') return false;
    if (!coho__view_number(octet, 255, &number)) return false;
    octets++;
  }
  return octets == 4;
}

/* The length of the hexadecimal group at offset at. */
static size_t group_len(struct coho__view v, size_t at) {
  size_t n = 0;
  while (at + n < v.len && coho__hex_digit(v.data[at + n]) >= 0)
    n++;
  return n;
}

bool coho__host_is_ipv6(struct coho__view v) {
  bool gap = v.len >= 2 && v.data[0] == ':' && v.data[1] == ':';
  size_t groups = 0, at = gap ? 2 : 0;
  while (at < v.len) {
    size_t n = group_len(v, at);
    if (at + n < v.len && v.data[at + n] == '.') {
      if (!coho__host_is_ipv4((struct coho__view){v.data + at, v.len - at})) return false;
      groups += 2;
      break;
    }
    if (n == 0 || n > 4) return false;
    groups++;
    at += n;
    if (at == v.len) break;
    if (v.data[at++] != ':' || at == v.len) return false;
    if (v.data[at] != ':') continue;
    if (gap) return false;
    gap = true;
    at++;
  }
  return gap ? groups <= 7 : groups == 8;
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
