#include "topics/access.h"
#include "topics/ask.h"
#include "topics/cors.h"
#include "topics/secret.h"
#include "topics/tickets.h"

#include "base/clock.h"

#include <stdio.h>

static int give(struct coho__mount *m, const struct coho__who *who, char text[COHO_TICKET_TEXT]) {
  if (!who->claims) return COHO_ENOTOKEN;
  return coho__tickets_give(m->tickets, who->claims, coho__clock_ms(), text);
}

static void answer(coho_request *r, char text[COHO_TICKET_TEXT]) {
  char body[COHO_TICKET_TEXT + 40];
  int len = snprintf(body, sizeof body, "{\"ticket\":\"%s\",\"expires_in\":%d}\n", text,
                     COHO_TICKET_MS / 1000);
  (void)coho_reply(r, 200, "application/json", body, (size_t)len);
  coho__wipe(body, sizeof body);
  coho__wipe(text, COHO_TICKET_TEXT);
}

/* A ticket is not for getting another one: who picked it up would never have to stop. */
void coho__ask_ticket(struct coho__mount *m, coho_request *r) {
  char text[COHO_TICKET_TEXT];
  struct coho__who who = {NULL};
  int err = 0;
  if (!m->opt.keys)
    err = COHO_ENAME;
  else if (coho_request_query(r, "ticket"))
    err = COHO_EREQUEST;
  if (!err) err = coho__who_of(m, r, &who);
  if (!err) err = give(m, &who, text);
  coho__who_free(&who);
  if (err)
    coho__refuse(r, err);
  else
    answer(r, text);
}
