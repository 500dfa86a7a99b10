#include "base/ip.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>
#include <string.h>

enum { V4_BITS = 32, BITS = 128, V4_AT = 12 /* in the 16 bytes */ };

/* ---- addresses ------------------------------------------------------------------------------ */

struct coho__ip coho__ip_of_v4(const void *four_bytes) {
  struct coho__ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};
  memcpy(ip.bytes + V4_AT, four_bytes, 4);
  return ip;
}

bool coho__ip_is_v4(const struct coho__ip *ip) {
  static const uint8_t prefix[V4_AT] = {[10] = 0xff, [11] = 0xff};
  return memcmp(ip->bytes, prefix, sizeof prefix) == 0;
}

static bool parse_v4(uint8_t out[4], struct coho__view v) {
  size_t count = 0;
  while (v.data) {
    struct coho__view part = coho__view_split(&v, '.');
    uint64_t number;
    if (count == 4 || (part.len > 1 && part.data[0] == '0')) return false;
    if (!coho__view_number(part, 255, &number)) return false;
    out[count++] = (uint8_t)number;
  }
  return count == 4;
}

static int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = (char)(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One to four digits at the front, cut off. */
static bool take_group(struct coho__view *v, uint8_t out[2]) {
  unsigned value = 0;
  size_t n = 0;
  while (n < v->len && hex_of(v->data[n]) >= 0) {
    if (n == 4) return false;
    value = value << 4 | (unsigned)hex_of(v->data[n++]);
  }
  out[0] = (uint8_t)(value >> 8);
  out[1] = (uint8_t)value;
  v->data += n;
  v->len -= n;
  return n > 0;
}

/* Groups between colons up to the end or "::", which is cut off too: *gap. The last may be an IPv4
   address. *len bytes; false: not the grammar, or more than fit. */
static bool take_groups(struct coho__view *v, uint8_t *out, size_t most, size_t *len, bool *gap) {
  *len = 0;
  *gap = false;
  while (v->len) {
    struct coho__view whole = *v;
    if (*len + 2 > most || !take_group(v, out + *len)) return false;
    if (v->len && v->data[0] == '.') {
      v->len = 0;
      *len += 4;
      return *len <= most && parse_v4(out + *len - 4, whole);
    }
    *len += 2;
    if (v->len == 0) return true;
    if (v->data[0] != ':' || v->len == 1) return false;
    *gap = v->data[1] == ':';
    size_t n = *gap ? 2 : 1;
    v->data += n;
    v->len -= n;
    if (*gap) return true;
  }
  return true;
}

static bool parse_v6(uint8_t out[16], struct coho__view v) {
  uint8_t back[16];
  size_t front_len = 0, back_len = 0;
  bool gap = v.len >= 2 && v.data[0] == ':' && v.data[1] == ':', second = false;
  memset(out, 0, 16);
  if (gap) {
    v.data += 2;
    v.len -= 2;
  } else if (v.len == 0 || !take_groups(&v, out, 16, &front_len, &gap)) {
    return false;
  }
  if (!gap) return front_len == 16;
  if (front_len > 14) return false; /* a gap is at least one group */
  if (!take_groups(&v, back, 14 - front_len, &back_len, &second) || second) return false;
  memcpy(out + 16 - back_len, back, back_len);
  return true;
}

bool coho__ip_parse(struct coho__ip *ip, struct coho__view text) {
  uint8_t v4[4];
  if (text.len && memchr(text.data, ':', text.len)) return parse_v6(ip->bytes, text);
  if (!parse_v4(v4, text)) return false;
  *ip = coho__ip_of_v4(v4);
  return true;
}

static bool parse_port(uint16_t *port, struct coho__view text) {
  uint64_t number;
  if (!coho__view_number(text, UINT16_MAX, &number)) return false;
  *port = (uint16_t)number;
  return true;
}

bool coho__ip_parse_node(struct coho__ip *ip, uint16_t *port, struct coho__view text) {
  struct coho__view rest = text;
  *port = 0;
  if (coho__ip_parse(ip, text)) return true;
  if (text.len && text.data[0] == '[') {
    rest = (struct coho__view){text.data + 1, text.len - 1};
    struct coho__view inside = coho__view_split(&rest, ']');
    if (!rest.data || !inside.len || !memchr(inside.data, ':', inside.len)) return false;
    if (!coho__ip_parse(ip, inside)) return false;
    if (rest.len == 0) return true;
    if (rest.data[0] != ':') return false;
    return parse_port(port, (struct coho__view){rest.data + 1, rest.len - 1});
  }
  struct coho__view host = coho__view_split(&rest, ':');
  return rest.data && coho__ip_parse(ip, host) && parse_port(port, rest);
}

/* ---- networks ------------------------------------------------------------------------------- */

/* Whether the first bits of both are the same. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits) {
  unsigned whole = bits / 8, rest = bits % 8;
  if (memcmp(a, b, whole) != 0) return false;
  return rest == 0 || (unsigned)(a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool is_network(const struct coho__cidr *c) {
  for (unsigned i = c->bits; i < BITS; i++)
    if (c->ip.bytes[i / 8] & (0x80U >> i % 8)) return false;
  return true;
}

bool coho__cidr_parse(struct coho__cidr *c, struct coho__view text) {
  struct coho__view bits = text;
  struct coho__view ip = coho__view_split(&bits, '/');
  uint64_t number = BITS;
  if (!coho__ip_parse(&c->ip, ip)) return false;
  bool dotted = memchr(ip.data, ':', ip.len) == NULL;
  if (bits.data) {
    if (!coho__view_number(bits, dotted ? V4_BITS : BITS, &number)) return false;
    if (dotted) number += BITS - V4_BITS;
  }
  c->bits = (uint8_t)number;
  return is_network(c);
}

bool coho__cidr_has(const struct coho__cidr *c, const struct coho__ip *ip) {
  if (coho__ip_is_v4(ip) && c->bits < BITS - V4_BITS) return false;
  return same_prefix(c->ip.bytes, ip->bytes, c->bits);
}

static size_t size_of(size_t count) { return count * sizeof(struct coho__cidr); }

int coho__cidrs_read(struct coho__cidrs *list, const char *const *texts) {
  size_t count = 0;
  *list = (struct coho__cidrs){.items = NULL};
  while (texts && texts[count])
    count++;
  if (count == 0) return 0;
  struct coho__cidr *items = (struct coho__cidr *)coho__alloc(size_of(count));
  if (!items) return COHO_ENOMEM;
  struct coho__cidrs read = {.items = items, .room = count};
  for (size_t i = 0; i < count; i++) {
    if (strcmp(texts[i], "unix") == 0) {
      read.local = true;
    } else if (!coho__cidr_parse(&items[read.count++], coho__view_of(texts[i]))) {
      coho__cidrs_free(&read);
      return COHO_EOPTION;
    }
  }
  *list = read;
  return 0;
}

void coho__cidrs_free(struct coho__cidrs *list) {
  coho__free(list->items, size_of(list->room));
  *list = (struct coho__cidrs){.items = NULL};
}

bool coho__cidrs_has(const struct coho__cidrs *list, const struct coho__ip *ip) {
  for (size_t i = 0; i < list->count; i++)
    if (coho__cidr_has(&list->items[i], ip)) return true;
  return false;
}
