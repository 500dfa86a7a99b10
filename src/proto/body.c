#include "proto/body.h"

#include "base/check.h"
#include "proto/chars.h"

#include <coho/error.h>

enum state {
  DONE,
  DATA, /* of the body with a length, or of a chunk */
  DATA_CR,
  DATA_LF,
  SIZE,
  SPACE,     /* before the semicolon of an extension */
  EXTENSION, /* behind it */
  EXTENSION_NAME,
  EXTENSION_SPACE,  /* behind the name */
  EXTENSION_EQUALS, /* behind the sign */
  EXTENSION_VALUE,
  EXTENSION_QUOTED,
  EXTENSION_ESCAPE, /* behind a backslash in there */
  EXTENSION_END,    /* behind the quotes */
  SIZE_LF,
  TRAILER_NAME, /* or the empty line that ends the body */
  TRAILER_VALUE,
  TRAILER_LF,
  END_LF
};

enum {
  MAX_DIGITS = 16,    /* 64 bits */
  MAX_IGNORED = 16384 /* as much as a head; signed uploads send some 90 bytes with each chunk */
};

/* ---- which framing (RFC 9112 6.3) ----------------------------------------------------------- */

/* "chunked" alone is understood. What ends in it, once, is a coding of a kind we do not have;
   everything else leaves the end of the body open to guessing. */
static int check_coding(const struct coho__http1 *head) {
  struct coho__http1_list it = {0};
  struct coho__view coding;
  bool chunked = false;
  while (coho__http1_list_next(head, "Transfer-Encoding", &it, &coding)) {
    if (chunked || !coho__http1_is_token(coding)) return COHO_EBODYLENGTH;
    chunked = coho__view_eq_nocase(coding, VIEW("chunked"));
  }
  if (!chunked) return COHO_EBODYLENGTH;
  if (it.count > 1) return COHO_ECODING;
  struct coho__view all = coho__http1_value(head, coho__http1_find(head, "Transfer-Encoding", 0));
  return coho__view_eq_nocase(all, VIEW("chunked")) ? 0 : COHO_EBODYLENGTH;
}

int coho__body_init(struct coho__body *b, const struct coho__http1 *head, uint64_t max) {
  *b = (struct coho__body){.max = max, .state = DONE};
  bool sized = coho__http1_find(head, "Content-Length", 0) != SIZE_MAX;
  if (coho__http1_find(head, "Transfer-Encoding", 0) != SIZE_MAX) {
    if (sized || head->minor == 0) return COHO_EBODYLENGTH;
    b->chunked = true;
    b->state = SIZE;
    return check_coding(head);
  }
  if (!sized) return 0;
  struct coho__view length;
  if (!coho__http1_only(head, "Content-Length", &length) ||
      !coho__view_number(length, UINT64_MAX, &b->left))
    return COHO_EBODYLENGTH;
  if (b->left > max) return COHO_EBODYTOOBIG;
  if (b->left > 0) b->state = DATA;
  return 0;
}

int coho__body_limit(struct coho__body *b, uint64_t max) {
  b->max = max;
  return b->left > max ? COHO_EBODYTOOBIG : 0;
}

bool coho__body_done(const struct coho__body *b) { return b->state == DONE; }

/* ---- bytes ---------------------------------------------------------------------------------- */

static int turn(struct coho__body *b, enum state next) {
  b->state = (uint8_t)next;
  return 0;
}

/* One byte of what is dropped. */
static int ignore(struct coho__body *b) {
  if (b->ignored == MAX_IGNORED) return COHO_ECHUNK;
  b->ignored++;
  return 0;
}

static int take_size(struct coho__body *b, char c) {
  int digit = coho__hex_digit(c);
  if (digit >= 0) {
    if (b->taken == MAX_DIGITS) return COHO_ECHUNK;
    b->taken++;
    b->left = b->left << 4 | (uint64_t)digit;
    return 0;
  }
  if (b->taken == 0) return COHO_ECHUNK;
  if (b->left > b->max - b->total) return COHO_EBODYTOOBIG;
  switch (c) {
  case '\r': return turn(b, SIZE_LF);
  case ';': return turn(b, EXTENSION);
  case ' ':
  case '\t': return turn(b, SPACE);
  default: return COHO_ECHUNK;
  }
}

/* BWS before the semicolon of an extension (RFC 9112 7.1.1); never before the end of the line. */
static int take_space(struct coho__body *b, char c) {
  if (c == ';') return turn(b, EXTENSION);
  return c == ' ' || c == '\t' ? ignore(b) : COHO_ECHUNK;
}

static bool is_token(char c) { return (coho__chars[(unsigned char)c] & COHO_CHAR_TOKEN) != 0; }

static bool is_text(char c) { return (coho__chars[(unsigned char)c] & COHO_CHAR_VALUE) != 0; }

/* One byte of an extension, then. */
static int ignore_then(struct coho__body *b, enum state next) {
  b->state = (uint8_t)next;
  return ignore(b);
}

/* White space, or the first byte of a token. */
static int take_gap(struct coho__body *b, char c, enum state token) {
  if (c == ' ' || c == '\t') return ignore(b);
  return is_token(c) ? ignore_then(b, token) : COHO_ECHUNK;
}

/* Behind a name or value: more extensions, or the end of the line. */
static int take_extension_end(struct coho__body *b, char c, enum state space) {
  switch (c) {
  case ';': return turn(b, EXTENSION);
  case '\r': return turn(b, SIZE_LF);
  case ' ':
  case '\t': return ignore_then(b, space);
  default: return COHO_ECHUNK;
  }
}

/* chunk-ext (RFC 9112 7.1.1); a loose one is what two parsers read differently. */
static int take_extension(struct coho__body *b, char c) {
  switch ((int)b->state) {
  case EXTENSION: return take_gap(b, c, EXTENSION_NAME);
  case EXTENSION_NAME:
    if (is_token(c)) return ignore(b);
    return c == '=' ? turn(b, EXTENSION_EQUALS) : take_extension_end(b, c, EXTENSION_SPACE);
  case EXTENSION_SPACE: return c == '=' ? turn(b, EXTENSION_EQUALS) : take_space(b, c);
  case EXTENSION_EQUALS:
    return c == '"' ? ignore_then(b, EXTENSION_QUOTED) : take_gap(b, c, EXTENSION_VALUE);
  case EXTENSION_VALUE: return is_token(c) ? ignore(b) : take_extension_end(b, c, SPACE);
  case EXTENSION_QUOTED:
    if (c == '"') return turn(b, EXTENSION_END);
    if (c == '\\') return ignore_then(b, EXTENSION_ESCAPE);
    return is_text(c) ? ignore(b) : COHO_ECHUNK;
  case EXTENSION_ESCAPE: return is_text(c) ? ignore_then(b, EXTENSION_QUOTED) : COHO_ECHUNK;
  default: return take_extension_end(b, c, SPACE);
  }
}

static int take_trailer_name(struct coho__body *b, char c) {
  bool first = b->taken == 0;
  if (c == '\r' && first) return turn(b, END_LF);
  if (c == ':' && !first) return turn(b, TRAILER_VALUE);
  b->taken = 1;
  return is_token(c) ? ignore(b) : COHO_ECHUNK;
}

static int take_trailer_value(struct coho__body *b, char c) {
  if (c == '\r') return turn(b, TRAILER_LF);
  return is_text(c) ? ignore(b) : COHO_ECHUNK;
}

static int take_line_end(struct coho__body *b, char c) {
  enum state next = SIZE;
  switch ((enum state)b->state) {
  case SIZE_LF: next = b->left > 0 ? DATA : TRAILER_NAME; break;
  case TRAILER_LF: next = TRAILER_NAME; break;
  case END_LF: next = DONE; break;
  case DONE:
  case DATA:
  case DATA_CR:
  case DATA_LF:
  case SIZE:
  case SPACE:
  case EXTENSION:
  case EXTENSION_NAME:
  case EXTENSION_SPACE:
  case EXTENSION_EQUALS:
  case EXTENSION_VALUE:
  case EXTENSION_QUOTED:
  case EXTENSION_ESCAPE:
  case EXTENSION_END:
  case TRAILER_NAME:
  case TRAILER_VALUE: break;
  }
  b->taken = 0;
  return c == '\n' ? turn(b, next) : COHO_ECHUNK;
}

static int take_byte(struct coho__body *b, char c) {
  switch ((enum state)b->state) {
  case DATA_CR: return c == '\r' ? turn(b, DATA_LF) : COHO_ECHUNK;
  case SIZE: return take_size(b, c);
  case SPACE: return take_space(b, c);
  case EXTENSION:
  case EXTENSION_NAME:
  case EXTENSION_SPACE:
  case EXTENSION_EQUALS:
  case EXTENSION_VALUE:
  case EXTENSION_QUOTED:
  case EXTENSION_ESCAPE:
  case EXTENSION_END: return take_extension(b, c);
  case TRAILER_NAME: return take_trailer_name(b, c);
  case TRAILER_VALUE: return take_trailer_value(b, c);
  case DATA_LF:
  case SIZE_LF:
  case TRAILER_LF:
  case END_LF: return take_line_end(b, c);
  case DONE:
  case DATA: break;
  }
  return COHO_ECHUNK;
}

static struct coho__view take_data(struct coho__body *b, const char *data, size_t len) {
  if (len > b->left) len = (size_t)b->left;
  b->left -= len;
  b->total += len;
  if (b->left == 0) b->state = b->chunked ? DATA_CR : DONE;
  return (struct coho__view){data, len};
}

int coho__body_input(struct coho__body *b, const char *data, size_t len, size_t *used,
                     struct coho__view *payload) {
  *used = 0;
  *payload = (struct coho__view){data, 0};
  while (*used < len && b->state != DONE) {
    if (b->state == DATA) {
      *payload = take_data(b, data + *used, len - *used);
      *used += payload->len;
      return 0;
    }
    int err = take_byte(b, data[*used]);
    if (err) return err;
    ++*used;
  }
  return 0;
}
