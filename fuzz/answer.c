/* What a server answers to a client's handshake, whole and cut: the same verdict, the same subprotocol. */
#include "proto/upgrade_client.h"

#include "base/budget.h"
#include "support/agree.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/session.h"
#include "support/tape.h"

#include <string.h>

static void begin(struct coho__upgrade_client *u, const struct coho__url *url, bool offers,
                  const coho_deflate *deflate) {
  static const char *const protocols[] = {"chat", "superchat", NULL};
  static const unsigned char nonce[17] = "the sample nonce";
  struct coho__upgrade_request request = {.url = url,
                                          .protocols = offers ? protocols : NULL,
                                          .deflate = deflate,
                                          .protocol_required = offers};
  struct coho__buf out = COHO_BUF(65536);
  CLAIM(coho__upgrade_client_init(u, &request, nonce, &out) == 0);
  coho__buf_release(&out);
}

static void note(struct tape *t, struct coho__upgrade_client *u, struct input bytes,
                 const struct cuts *cuts) {
  struct pieces pieces = pieces_of(bytes, cuts);
  char text[COHO_DEFLATE_TEXT];
  size_t total = 0, used;
  int got = 0;
  while (got == 0 && pieces_next(&pieces)) {
    got = coho__upgrade_client_input(u, (const char *)pieces.block, pieces.len, &used);
    CLAIM(used <= pieces.len && (got != 0 || used == pieces.len));
    total += used;
  }
  pieces_end(&pieces);
  tape_print(t, "gives %d after %zu, status %d\n", got, got < 0 ? 0 : total, u->head.status);
  tape_view(t, "extension", coho__view_of(coho__deflate_answer(&u->terms, text)));
  agree_claim_terms(&u->terms, &u->deflate);
  tape_view(t, "protocol", coho__view_of(coho__upgrade_client_protocol(u)));
  if (got == 1) CLAIM(u->head.status == 101);
  if (got != 0) CLAIM(coho__upgrade_client_input(u, "x", 1, &used) == got && used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  bool offers = (input_byte(&in) & 1) != 0;
  coho_deflate deflate = session_deflate(input_byte(&in)), conf;
  struct cuts cuts = cuts_read(&in);
  struct tape whole = {NULL, 0, 0}, cut = {NULL, 0, 0};
  struct coho__upgrade_client u;
  struct coho__url url;
  const char *why;
  memory_fail_at(0);
  CLAIM(coho__deflate_conf_read(COHO_CLIENT, &deflate, &conf) == 0);
  CLAIM(coho__url_parse(&url, "ws://server.example.com/chat", COHO_URL_CONNECT, &why) == 0);
  begin(&u, &url, offers, &conf);
  note(&whole, &u, in, &cuts_none);
  coho__upgrade_client_free(&u);
  begin(&u, &url, offers, &conf);
  note(&cut, &u, in, &cuts);
  coho__upgrade_client_free(&u);
  coho__url_free(&url);
  tape_same(&whole, &cut, "answer");
  CLAIM(coho_contexts_used() == 0);
  memory_claim_empty();
  tape_free(&whole);
  tape_free(&cut);
  return 0;
}
