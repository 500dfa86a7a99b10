#include "unit/arrival.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

const coho_deflate arrival_conf = {.mode = COHO_DEFLATE_OWN,
                                   .window = 15,
                                   .peer_window = 15,
                                   .memory = 8,
                                   .level = 6,
                                   .min_size = 1};

struct coho__permessage *arrival_receiver(struct coho__deflate_pool *pool, bool context) {
  struct coho__deflate_terms terms = {.agreed = true,
                                      .server_no_context = true,
                                      .client_no_context = !context,
                                      .server_window = 15,
                                      .client_window = 15,
                                      .own_receives = context};
  struct coho__permessage *p = coho__permessage_new(pool, COHO_SERVER, &terms, &arrival_conf);
  COHO_ASSERT(p);
  return p;
}

static void *block_of(const void *data, size_t len) {
  void *block = malloc(len ? len : 1);
  COHO_ASSERT(block);
  if (len) memcpy(block, data, len);
  return block;
}

ssize_t arrive_piece(struct coho__permessage *p, const void *packed, size_t len, size_t cap,
                     uint8_t *dst) {
  uint8_t *piece = (uint8_t *)block_of(packed, len), *room = (uint8_t *)malloc(cap);
  const uint8_t *data = piece;
  ssize_t got, all = 0;
  COHO_ASSERT(room);
  do {
    got = coho__permessage_input(p, &data, &len, room, cap);
    COHO_ASSERT(got <= (ssize_t)cap);
    COHO_ASSERT(got <= ARRIVAL_MOST - all);
    if (got > 0) memcpy(dst + all, room, (size_t)got);
    all += got;
  } while (got == (ssize_t)cap);
  COHO_ASSERT(got < 0 || len == 0);
  free(piece);
  free(room);
  return got < 0 ? got : all;
}

static ssize_t arrive_whole(struct coho__permessage *p, const void *packed, size_t len,
                            uint8_t *dst) {
  struct coho__view m;
  void *block = block_of(packed, len);
  int err = coho__permessage_unpack(p, block, len, ARRIVAL_MOST, &m);
  free(block);
  if (err) return err;
  if (m.len) memcpy(dst, m.data, m.len);
  return (ssize_t)m.len;
}

ssize_t arrive(struct coho__permessage *p, const void *packed, size_t len, struct arrival way,
               uint8_t *dst) {
  const uint8_t *bytes = (const uint8_t *)packed;
  ssize_t all = 0;
  if (way.step == 0) return arrive_whole(p, packed, len, dst);
  for (size_t at = 0; at < len;) {
    size_t n = at < way.cut ? way.cut : way.step;
    n = COHO_MIN(n, len - at);
    ssize_t got = arrive_piece(p, bytes + at, n, way.cap, dst + all);
    if (got < 0) return got;
    all += got;
    at += n;
  }
  int err = coho__permessage_end(p);
  return err ? err : all;
}
