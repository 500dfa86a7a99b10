#include "load/unpack.h"

#include "load/link.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PLACES = 256, TAIL = 4 /* 00 00 ff ff, which RFC 7692 7.2.1 takes off */ };

static struct place {
  char *packed, *plain;
  size_t packed_len, plain_len;
} places[PLACES];

void unpack_check(const char *head) {
  if (!strstr(head, "permessage-deflate")) link_fail("the server does not compress");
  if (!strstr(head, "server_no_context_takeover")) link_fail("the server keeps a context");
}

static uint32_t hash(const char *data, size_t len) {
  uint32_t h = 2166136261U;
  for (size_t i = 0; i < len; i++)
    h = (h ^ (unsigned char)data[i]) * 16777619U;
  return h ^ h >> 16;
}

static void *grown(void *old, size_t len) {
  void *p = realloc(old, len + 1);
  if (!p) link_die("realloc");
  return p;
}

static void inflate_place(struct place *p, size_t most) {
  static z_stream z;
  if (!z.state && inflateInit2(&z, -15) != Z_OK) link_fail("no zlib");
  inflateReset(&z);
  z.next_in = (Bytef *)p->packed;
  z.avail_in = (uInt)(p->packed_len + TAIL);
  z.next_out = (Bytef *)p->plain;
  z.avail_out = (uInt)most + 1;
  int err = inflate(&z, Z_SYNC_FLUSH);
  if ((err != Z_OK && err != Z_BUF_ERROR) || z.avail_in || !z.avail_out)
    link_fail("a message cannot be decompressed");
  p->plain_len = most + 1 - z.avail_out;
}

const char *unpack(const char *data, size_t len, size_t most, size_t *out_len) {
  struct place *p = &places[hash(data, len) % PLACES];
  if (!p->packed || p->packed_len != len || memcmp(p->packed, data, len) != 0) {
    p->packed = (char *)grown(p->packed, len + TAIL);
    p->plain = (char *)grown(p->plain, most + 1);
    memcpy(p->packed, data, len);
    memcpy(p->packed + len, "\x00\x00\xff\xff", TAIL);
    p->packed_len = len;
    inflate_place(p, most);
  }
  *out_len = p->plain_len;
  return p->plain;
}
