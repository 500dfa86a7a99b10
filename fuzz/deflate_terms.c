/*
 * The negotiation of permessage-deflate: any text as an offer to a server and as the answer to a
 * client, and what two of ours agree on.
 */
#include "proto/deflate_terms.h"

#include "base/budget.h"
#include "proto/extension.h"
#include "support/agree.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/session.h"

#include <coho/error.h>
#include <string.h>

/* The answer to an offer is one element of it, with less or as much as was asked for. */
static void claim_answer(const struct coho__deflate_terms *terms, const coho_deflate *conf) {
  char answer[COHO_DEFLATE_TEXT];
  struct coho__http1 head;
  struct coho__http1_list it = {0};
  struct coho__extension ext;
  CLAIM(coho__deflate_answer(terms, answer) == answer);
  CLAIM((*answer != '\0') == terms->agreed);
  if (!terms->agreed) return;
  CLAIM(terms->server_window <= conf->window);
  if (terms->client_window_named) CLAIM(terms->client_window <= conf->peer_window);
  agree_head(&head, COHO_HTTP1_RESPONSE, coho__view_of(answer));
  CLAIM(coho__extension_next(&head, &it, &ext) == 1);
  CLAIM(coho__view_eq(ext.name, VIEW("permessage-deflate")));
  CLAIM(coho__extension_next(&head, &it, &ext) == 0);
  coho__http1_free(&head);
}

static void as_offer(struct coho__view text, const coho_deflate *set) {
  struct coho__http1 head;
  struct coho__deflate_terms terms;
  coho_deflate conf;
  CLAIM(coho__deflate_conf_read(COHO_SERVER, set, &conf) == 0);
  agree_head(&head, COHO_HTTP1_REQUEST, text);
  if (head.complete) {
    int err = coho__deflate_accept(&head, &conf, &terms);
    CLAIM(err == 0 || (err == COHO_EEXTENSION && !terms.agreed));
    agree_claim_terms(&terms, &conf);
    claim_answer(&terms, &conf);
    coho__deflate_terms_drop(&terms);
  }
  coho__http1_free(&head);
}

static void as_answer(struct coho__view text, const coho_deflate *set) {
  struct coho__http1 head;
  struct coho__deflate_terms terms;
  coho_deflate conf;
  CLAIM(coho__deflate_conf_read(COHO_CLIENT, set, &conf) == 0);
  agree_head(&head, COHO_HTTP1_RESPONSE, text);
  if (head.complete) {
    int err = coho__deflate_check_answer(&head, &conf, &terms);
    CLAIM(err == 0 || !terms.agreed);
    agree_claim_terms(&terms, &conf);
    if (terms.agreed && conf.peer_window < 15) CLAIM(terms.server_window <= conf.peer_window);
    if (terms.own_receives) CLAIM(!terms.server_no_context);
    if (terms.own_sends) CLAIM(!terms.client_no_context);
    coho__deflate_terms_drop(&terms);
  }
  coho__http1_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  coho_deflate server = session_deflate(input_byte(&in));
  coho_deflate client = session_deflate(input_byte(&in));
  uint8_t scarce = input_byte(&in); /* a budget that only some contexts fit into */
  memory_fail_at(0);
  coho_set_context_limit((uint64_t)scarce * 1024);
  as_offer(input_view(in), &server);
  as_answer(input_view(in), &client);
  struct agreement a = agree(&server, &client);
  coho__deflate_terms_drop(&a.server);
  coho__deflate_terms_drop(&a.client);
  CLAIM(coho_contexts_used() == 0);
  memory_claim_empty();
  return 0;
}
