/* The body of a request, whole and cut: the same payload, the same verdict after the same byte. */
#include "proto/body.h"

#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/tape.h"

#include <coho/error.h>
#include <string.h>

static void note(struct tape *t, const struct coho__http1 *head, uint64_t max, struct input text,
                 const struct cuts *cuts) {
  struct coho__body b;
  struct tape body = {NULL, 0, 0};
  size_t total = 0;
  int err = coho__body_init(&b, head, max);
  struct pieces pieces = pieces_of(text, cuts);
  while (!err && !coho__body_done(&b) && pieces_next(&pieces)) {
    const char *data = (const char *)pieces.block;
    size_t left = pieces.len;
    while (!err && left > 0 && !coho__body_done(&b)) {
      struct coho__view payload;
      size_t used = SIZE_MAX;
      err = coho__body_input(&b, data, left, &used, &payload);
      CLAIM(used <= left && (err || used > 0));
      CLAIM(payload.len <= used && (payload.len == 0 || payload.data + payload.len == data + used));
      tape_bytes(&body, payload.data, payload.len);
      data += used;
      left -= used;
      total += used;
    }
  }
  pieces_end(&pieces);
  CLAIM(body.len == b.total && b.total <= max);
  if (!err && coho__body_done(&b) && !b.chunked) CLAIM(total == body.len);
  tape_print(t, "gives %d done %d after %zu\n", err, coho__body_done(&b), total);
  tape_view(t, "payload", (struct coho__view){body.data, body.len});
  tape_free(&body);
}

static void add(struct coho__http1 *head, struct input text) {
  size_t used;
  (void)coho__http1_input(head, (const char *)text.data, text.len, &used);
}

static struct input text(const char *s) { return (struct input){(const uint8_t *)s, strlen(s)}; }

/* The head has the chunked coding, or as fields the first one or two lines of the input. */
static void read_head(struct coho__http1 *head, struct input *in) {
  uint8_t fields = input_byte(in) % 3;
  coho__http1_init(head, COHO_HTTP1_REQUEST, NULL);
  add(head, text("POST / HTTP/1.1\r\n"));
  if (fields == 0) add(head, text("Transfer-Encoding: chunked\r\n"));
  for (; fields > 0; fields--) {
    add(head, input_until(in, '\n'));
    add(head, text("\r\n"));
  }
  add(head, text("\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint64_t limits[] = {1000, 0, 65536, UINT64_MAX};
  struct input in = {data, size};
  struct cuts cuts = cuts_read(&in);
  uint64_t max = limits[input_byte(&in) % 4];
  struct tape whole = {NULL, 0, 0}, cut = {NULL, 0, 0};
  struct coho__http1 head;
  memory_fail_at(0);
  read_head(&head, &in);
  if (head.complete) {
    note(&whole, &head, max, in, &cuts_none);
    note(&cut, &head, max, in, &cuts);
    tape_same(&whole, &cut, "body");
  }
  coho__http1_free(&head);
  memory_claim_empty();
  tape_free(&whole);
  tape_free(&cut);
  return 0;
}
