/* UTF-8, in cuts, against a slow and obvious reader: also at which byte it becomes impossible. */
#include "base/utf8.h"

#include "support/claim.h"
#include "support/input.h"
#include "support/slow.h"

/* How it stands, and where it went wrong, by coho in pieces. */
static enum slow_utf8 in_pieces(struct input text, const struct cuts *cuts, size_t *wrong_piece) {
  coho__utf8 state = COHO_UTF8_START;
  struct pieces pieces = pieces_of(text, cuts);
  bool good = true;
  size_t before = 0;
  *wrong_piece = SIZE_MAX;
  while (pieces_next(&pieces)) {
    good = coho__utf8_next(&state, pieces.block, pieces.len);
    if (!good && *wrong_piece == SIZE_MAX) *wrong_piece = before;
    CLAIM(good == (*wrong_piece == SIZE_MAX)); /* wrong stays wrong */
    before += pieces.len;
  }
  if (!good) return UTF8_WRONG;
  return state == COHO_UTF8_START ? UTF8_WHOLE : UTF8_OPEN;
}

/* The first byte after which no text can go on so. */
static size_t first_wrong(struct input text) {
  size_t from = 0; /* the character under way */
  for (size_t n = 0; n < text.len; n++) {
    enum slow_utf8 now = slow_utf8(text.data + from, n + 1 - from);
    if (now == UTF8_WRONG) return n;
    if (now == UTF8_WHOLE) from = n + 1;
  }
  return text.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct cuts bytewise = {{1, 1, 1, 1}};
  struct input in = {data, size};
  struct cuts cuts = cuts_read(&in);
  size_t whole, piece, byte;
  enum slow_utf8 wanted = slow_utf8(in.data, in.len);
  CLAIM(in_pieces(in, &cuts_none, &whole) == wanted);
  CLAIM(in_pieces(in, &cuts, &piece) == wanted);
  CLAIM(in_pieces(in, &bytewise, &byte) == wanted);
  if (in.len > 0) CLAIM(coho__utf8_valid(in.data, in.len) == (wanted == UTF8_WHOLE));
  if (wanted != UTF8_WRONG) return 0;
  CLAIM(byte == first_wrong(in));
  CLAIM(piece <= byte);
  return 0;
}
