#include "topics/document.h"

int coho__document_reply(coho_request *r, int status, struct coho__buf *body) {
  /* An answer that could not be sent may be sent again. Without memory it goes without. */
  if (!body->len || body->data[body->len - 1] != '\n') (void)coho__buf_append_str(body, "\n");
  return coho_reply(r, status, "application/json", body->data, body->len);
}
