/* The PROXY protocol: whole and in pieces the same comes out, and no byte behind the header is taken. */
#include "proto/proxyproto.h"

#include "support/claim.h"
#include "support/input.h"

#include <coho/error.h>
#include <string.h>

enum { V2_FIXED = 16 };

static int feed(struct coho__proxy *p, struct input in, const struct cuts *cuts, size_t *taken) {
  struct pieces pieces = pieces_of(in, cuts);
  int result = 0;
  *taken = 0;
  coho__proxy_init(p);
  while (result == 0 && pieces_next(&pieces)) {
    size_t used;
    result = coho__proxy_input(p, pieces.block, pieces.len, &used);
    CLAIM(used <= pieces.len && (result != 0 || used == pieces.len));
    *taken += used;
  }
  if (result != 0) pieces_end(&pieces);
  return result;
}

static void claim_length(const uint8_t *data, size_t taken) {
  if (data[0] == 'P') {
    CLAIM(taken <= COHO_PROXY_LINE && memcmp(data + taken - 2, "\r\n", 2) == 0);
    CLAIM(memchr(data, '\n', taken) == data + taken - 1);
  } else {
    CLAIM(taken == V2_FIXED + ((size_t)data[14] << 8 | data[15]));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  struct cuts cuts = cuts_read(&in);
  struct coho__proxy whole, cut;
  size_t whole_taken, cut_taken;
  int result = feed(&whole, in, &cuts_none, &whole_taken);
  CLAIM(result == 0 || result == 1 || result == COHO_EPROXY);
  CLAIM(feed(&cut, in, &cuts, &cut_taken) == result && cut_taken == whole_taken);
  if (result != 1) return 0;
  CLAIM(cut.kind == whole.kind && cut.port == whole.port);
  CLAIM(memcmp(&cut.ip, &whole.ip, sizeof cut.ip) == 0);
  claim_length(in.data, whole_taken);
  return 0;
}
