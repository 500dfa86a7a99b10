/*
 * A request, taken apart and checked as a handshake; what is accepted is answered by what a client
 * accepts.
 */
#include "proto/request.h"

#include "proto/upgrade_client.h"
#include "proto/upgrade_server.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/tape.h"

#include <string.h>

static void note_text(struct tape *t, const char *name, const char *text) {
  if (text)
    tape_view(t, name, coho__view_of(text));
  else
    tape_print(t, "%s: none\n", name);
}

/* What a program may ask of it. */
static void note_parts(struct tape *t, struct coho_request *r, const char *name) {
  const char *path = coho_request_path(r);
  CLAIM(path[0] == '/' || r->authority.len == 0 || path == r->text);
  note_text(t, "method", coho_request_method(r));
  note_text(t, "path", path);
  note_text(t, "query", coho_request_query_string(r));
  tape_view(t, "authority", r->authority);
  note_text(t, "parameter", coho_request_query(r, name));
  note_text(t, "cookie", coho_request_cookie(r, name));
  note_text(t, "header", coho_request_header(r, name));
  for (size_t i = 0; i < 3; i++)
    note_text(t, "offer", coho_request_offer(r, i));
  tape_print(t, "keep alive %d\n", r->keep_alive);
}

/* The client that would have sent this key takes the answer. */
static void claim_answer(const struct coho_request *r, const struct coho__buf *answer) {
  struct coho__upgrade_client u;
  const char *const protocols[] = {r->protocol, NULL};
  struct coho__view key;
  size_t used;
  memset(&u, 0, sizeof u);
  coho__http1_init(&u.head, COHO_HTTP1_RESPONSE, NULL);
  CLAIM(coho__http1_only(&r->head, "Sec-WebSocket-Key", &key) && key.len == 24);
  memcpy(u.key, key.data, 24);
  u.deflate.mode = COHO_DEFLATE_OFF;
  u.protocols = *r->protocol ? protocols : NULL;
  u.protocol = "";
  CLAIM(coho__upgrade_client_input(&u, answer->data, answer->len, &used) == 1);
  CLAIM(used == answer->len);
  CLAIM(strcmp(coho__upgrade_client_protocol(&u), r->protocol) == 0);
  coho__upgrade_client_free(&u);
}

static void note_upgrade(struct tape *t, struct coho_request *r, const char *origin) {
  static const char *const ours[] = {"chat", "superchat", NULL};
  const char *const origins[] = {origin, "https://example.com", NULL};
  struct coho__buf answer = COHO_BUF(65536);
  int err = coho__upgrade_check(r);
  tape_print(t, "upgrade %d origin %d %d %d\n", err, coho__upgrade_origin(r, NULL, false),
             coho__upgrade_origin(r, origins, false), coho__upgrade_origin(r, NULL, true));
  tape_print(t, "protocol %d\n", coho__upgrade_choose(r, ours, true));
  note_text(t, "protocol", r->protocol);
  if (*r->protocol) CLAIM(coho__upgrade_offers(r, r->protocol));
  if (err) {
    CLAIM(coho__upgrade_refusal(err, &answer) == 0);
  } else {
    CLAIM(coho__upgrade_wanted(r));
    CLAIM(coho__upgrade_accept(r, "", VIEW("X-More: 1\r\n"), &answer) == 0);
    claim_answer(r, &answer);
  }
  tape_view(t, "answer", (struct coho__view){answer.data, answer.len});
  coho__buf_release(&answer);
}

static void note(struct tape *t, struct coho_request *r, struct input text, const struct cuts *cuts,
                 const char *name) {
  struct pieces pieces = pieces_of(text, cuts);
  size_t used;
  int got = 0;
  while (got == 0 && pieces_next(&pieces))
    got = coho__http1_input(&r->head, (const char *)pieces.block, pieces.len, &used);
  pieces_end(&pieces);
  if (got == 1) got = coho__request_parse(r);
  tape_print(t, "gives %d\n", got);
  if (got || !r->head.complete) return;
  note_parts(t, r, name);
  note_upgrade(t, r, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  struct cuts cuts = cuts_read(&in);
  char *name =
      input_text(input_until(&in, '\n')); /* of a parameter, a cookie, a field; an origin */
  struct tape whole = {NULL, 0, 0}, cut = {NULL, 0, 0};
  struct coho_request r;
  memory_fail_at(0);
  coho__request_init(&r, NULL);
  note(&cut, &r, in, &cuts, name);
  coho__request_reset(&r);
  note(&whole, &r, in, &cuts_none, name);
  tape_same(&whole, &cut, "request");
  coho__request_free(&r);
  memory_claim_empty();
  tape_free(&whole);
  tape_free(&cut);
  free(name);
  return 0;
}
