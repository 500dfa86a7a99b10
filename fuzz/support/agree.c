#include "support/agree.h"

#include "base/budget.h"
#include "support/claim.h"
#include "support/tape.h"

#include <string.h>

void agree_head(struct coho__http1 *head, enum coho__http1_kind kind, struct coho__view value) {
  bool request = kind == COHO_HTTP1_REQUEST;
  struct tape text = {NULL, 0, 0};
  size_t used;
  tape_print(&text, request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 Yes\r\n");
  while (value.data) {
    struct coho__view line = coho__view_split(&value, '\n');
    tape_print(&text, "Sec-WebSocket-Extensions: ");
    tape_bytes(&text, line.data, line.len);
    tape_print(&text, "\r\n");
  }
  tape_print(&text, "\r\n");
  coho__http1_init(head, kind, NULL);
  (void)coho__http1_input(head, text.data, text.len, &used);
  tape_free(&text);
}

void agree_claim_terms(const struct coho__deflate_terms *t, const coho_deflate *conf) {
  CLAIM(coho_contexts_used() >= t->own);
  if (!t->agreed) {
    CLAIM(t->own == 0 && !t->own_sends && !t->own_receives);
    return;
  }
  CLAIM(conf->mode != COHO_DEFLATE_OFF);
  CLAIM(t->server_window >= 8 && t->server_window <= 15);
  CLAIM(t->client_window >= 8 && t->client_window <= 15);
  if (t->server_window < 15) CLAIM(t->server_window_named);
  if (t->client_window < 15) CLAIM(t->client_window_named);
  if (conf->mode == COHO_DEFLATE_SHARED) CLAIM(!t->own_sends && !t->own_receives && t->own == 0);
}

struct agreement agree(const coho_deflate *server, const coho_deflate *client) {
  struct agreement a;
  struct coho__http1 head;
  char offer[COHO_DEFLATE_TEXT], answer[COHO_DEFLATE_TEXT], seen[COHO_DEFLATE_TEXT];
  CLAIM(coho__deflate_conf_read(COHO_SERVER, server, &a.server_conf) == 0);
  CLAIM(coho__deflate_conf_read(COHO_CLIENT, client, &a.client_conf) == 0);
  coho__deflate_offer(&a.client_conf, offer);
  agree_head(&head, COHO_HTTP1_REQUEST, *offer ? coho__view_of(offer) : (struct coho__view){0});
  CLAIM(coho__deflate_accept(&head, &a.server_conf, &a.server) == 0);
  coho__http1_free(&head);
  coho__deflate_answer(&a.server, answer);
  agree_head(&head, COHO_HTTP1_RESPONSE, *answer ? coho__view_of(answer) : (struct coho__view){0});
  CLAIM(coho__deflate_check_answer(&head, &a.client_conf, &a.client) == 0);
  coho__http1_free(&head);

  bool off = server->mode == COHO_DEFLATE_OFF || client->mode == COHO_DEFLATE_OFF;
  CLAIM(a.server.agreed == !off && a.client.agreed == !off);
  agree_claim_terms(&a.server, &a.server_conf);
  agree_claim_terms(&a.client, &a.client_conf);
  CLAIM(strcmp(coho__deflate_answer(&a.client, seen), answer) == 0);
  /* Who sends with a context has a peer that keeps one. */
  if (a.server.own_sends) CLAIM(a.client.own_receives);
  if (a.client.own_sends) CLAIM(a.server.own_receives);
  return a;
}
