#include "proto/proxyproto.h"

#include <coho/error.h>
#include <string.h>

enum state {
  START,
  LINE, /* version 1 */
  HEAD, /* version 2: the first 16 bytes */
  ADDRESSES,
  FIELD_TYPE,
  FIELD_HIGH, /* byte of its length */
  FIELD_LOW,
  FIELD_VALUE,
  CHECKSUM, /* the value of that field */
  SKIP,     /* what nobody looks at */
  DONE,
  FAILED
};

enum {
  HEAD_LEN = 16,
  TYPE_CRC32C = 3,
  CRC_LEN = 4,
  VERSION_2 = 0x20, /* high half of the 13th byte, the command below */
  COMMAND_LOCAL = 0,
  COMMAND_PROXY = 1
};

static const unsigned char signature[12] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                            '\n', 'Q',  'U',  'I',  'T', '\n'};

void coho__proxy_init(struct coho__proxy *p) { *p = (struct coho__proxy){.crc = UINT32_MAX}; }

/* ---- version 1 ------------------------------------------------------------------------------ */

/* A decimal number without leading zeros. */
static bool parse_port(struct coho__view text, uint16_t *port) {
  uint64_t number;
  if (text.len > 1 && text.data[0] == '0') return false;
  if (!coho__view_number(text, UINT16_MAX, &number)) return false;
  *port = (uint16_t)number;
  return true;
}

static bool parse_ip(struct coho__view text, bool v4, struct coho__ip *ip) {
  bool colon = text.len && memchr(text.data, ':', text.len);
  return colon != v4 && coho__ip_parse(ip, text);
}

/* Source, destination and their ports, one space before each. */
static bool parse_addresses(struct coho__proxy *p, struct coho__view rest, bool v4) {
  struct coho__ip to;
  uint16_t to_port;
  bool fine = parse_ip(coho__view_split(&rest, ' '), v4, &p->ip);
  fine = fine && rest.data && parse_ip(coho__view_split(&rest, ' '), v4, &to);
  fine = fine && rest.data && parse_port(coho__view_split(&rest, ' '), &p->port);
  return fine && rest.data && parse_port(rest, &to_port);
}

/* The line without its end. */
static int parse_line(struct coho__proxy *p, struct coho__view line) {
  struct coho__view rest = line;
  bool named = coho__view_eq(coho__view_split(&rest, ' '), VIEW("PROXY")) && rest.data;
  struct coho__view protocol = coho__view_split(&rest, ' ');
  p->state = DONE;
  if (named && coho__view_eq(protocol, VIEW("UNKNOWN"))) return 1; /* the rest is not looked at */
  bool v4 = coho__view_eq(protocol, VIEW("TCP4"));
  bool known = v4 || coho__view_eq(protocol, VIEW("TCP6"));
  if (!named || !known || !rest.data || !parse_addresses(p, rest, v4)) return COHO_EPROXY;
  p->kind = COHO_PROXY_IP;
  return 1;
}

static int take_line(struct coho__proxy *p, unsigned char byte) {
  static const char begin[] = "PROXY ";
  size_t at = p->len;
  if (at == COHO_PROXY_LINE) return COHO_EPROXY;
  if (at < sizeof begin - 1 && byte != (unsigned char)begin[at]) return COHO_EPROXY;
  p->data[p->len++] = byte;
  bool after_cr = at > 0 && p->data[at - 1] == '\r';
  if (after_cr != (byte == '\n')) return COHO_EPROXY;
  return after_cr ? parse_line(p, (struct coho__view){(const char *)p->data, at - 1}) : 0;
}

/* ---- version 2 ------------------------------------------------------------------------------ */

/* CRC-32C (RFC 3720 appendix B.4), without a table: it is seldom there, and short. */
static void count_crc(struct coho__proxy *p, unsigned char byte) {
  p->crc ^= byte;
  for (int i = 0; i < 8; i++)
    p->crc = p->crc >> 1 ^ (p->crc & 1 ? 0x82f63b78U : 0);
}

static unsigned get16(const unsigned char *at) { return (unsigned)at[0] << 8 | at[1]; }

/* Bytes of the addresses of a family and transport; 0: none, -1: no such. A datagram is what a proxy
   got from its client, as HTTP/3 is one. */
static int addresses_of(unsigned family) {
  switch (family) {
  case 0x00: return 0;
  case 0x11:
  case 0x12: return 12;
  case 0x21:
  case 0x22: return 36;
  case 0x31:
  case 0x32: return 216;
  default: return -1;
  }
}

/* Where the next field begins, or the end. */
static int next_field(struct coho__proxy *p) {
  p->state = FIELD_TYPE;
  if (p->left > 0) return 0;
  p->state = DONE;
  return p->has_claim && p->claimed != ~p->crc ? COHO_EPROXY : 1;
}

static int end_head(struct coho__proxy *p) {
  unsigned command = p->data[12];
  p->left = get16(p->data + 14);
  p->family = p->data[13];
  p->len = 0;
  int need = addresses_of(p->family);
  if (need < 0 ||
      (command != (VERSION_2 | COMMAND_LOCAL) && command != (VERSION_2 | COMMAND_PROXY)))
    return COHO_EPROXY;
  p->state = SKIP;
  if (command == (VERSION_2 | COMMAND_LOCAL) || need == 0) {
    if (p->left == 0) p->state = DONE;
    return p->left == 0;
  }
  if (p->left < (unsigned)need) return COHO_EPROXY;
  p->value = (uint32_t)need;
  p->state = ADDRESSES;
  return 0;
}

static int take_head(struct coho__proxy *p, unsigned char byte) {
  if (p->len < sizeof signature && byte != signature[p->len]) return COHO_EPROXY;
  p->data[p->len++] = byte;
  return p->len == HEAD_LEN ? end_head(p) : 0;
}

static int take_address(struct coho__proxy *p, unsigned char byte) {
  if (p->len < COHO_PROXY_ADDRESSES) p->data[p->len++] = byte;
  if (--p->value > 0) return 0;
  switch (p->family >> 4) {
  case 1:
    p->kind = COHO_PROXY_IP;
    p->ip = coho__ip_of_v4(p->data);
    p->port = (uint16_t)get16(p->data + 8);
    break;
  case 2:
    p->kind = COHO_PROXY_IP;
    memcpy(p->ip.bytes, p->data, sizeof p->ip.bytes);
    p->port = (uint16_t)get16(p->data + 32);
    break;
  default: p->kind = COHO_PROXY_UNIX; break;
  }
  return next_field(p);
}

static int end_length(struct coho__proxy *p) {
  bool crc = p->type == TYPE_CRC32C;
  if (p->value > p->left) return COHO_EPROXY;
  if (crc && (p->has_claim || p->value != CRC_LEN)) return COHO_EPROXY;
  if (p->value == 0) return next_field(p);
  p->has_claim = p->has_claim || crc;
  p->state = crc ? CHECKSUM : FIELD_VALUE;
  return 0;
}

static int take_field(struct coho__proxy *p, unsigned char byte) {
  switch ((enum state)p->state) {
  case FIELD_TYPE:
    p->type = byte;
    p->state = FIELD_HIGH;
    return p->left < 2 ? COHO_EPROXY : 0;
  case FIELD_HIGH:
    p->value = (uint32_t)byte << 8;
    p->state = FIELD_LOW;
    return 0;
  case FIELD_LOW: p->value |= byte; return end_length(p);
  case CHECKSUM: p->claimed = p->claimed << 8 | byte; return --p->value ? 0 : next_field(p);
  case FIELD_VALUE: return --p->value ? 0 : next_field(p);
  case START:
  case LINE:
  case HEAD:
  case ADDRESSES:
  case SKIP:
  case DONE:
  case FAILED: break;
  }
  return COHO_EPROXY;
}

/* ---- both ----------------------------------------------------------------------------------- */

static int take(struct coho__proxy *p, unsigned char byte) {
  if (p->state == START) p->state = byte == signature[0] ? HEAD : LINE;
  if (p->state == LINE) return take_line(p, byte);
  /* The checksum counts as zeros in itself. */
  count_crc(p, p->state == CHECKSUM ? 0 : byte);
  if (p->state == HEAD) return take_head(p, byte);
  p->left--;
  if (p->state == ADDRESSES) return take_address(p, byte);
  if (p->state != SKIP) return take_field(p, byte);
  if (p->left == 0) p->state = DONE;
  return p->left == 0;
}

int coho__proxy_input(struct coho__proxy *p, const void *bytes, size_t len, size_t *used) {
  const unsigned char *in = (const unsigned char *)bytes;
  int result = 0;
  *used = 0;
  if (p->state == DONE) return 1;
  if (p->state == FAILED) return COHO_EPROXY;
  while (*used < len && result == 0)
    result = take(p, in[(*used)++]);
  if (result < 0) p->state = FAILED;
  return result;
}
