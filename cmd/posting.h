/*
 * What `coho pub --json` publishes: an object such as `coho sub --json` prints.
 *
 *   {"topic":"room/tea","data":"hello"}
 *
 * data is a text, or any other JSON, which is published as such; data64 are bytes. key and idem are those of
 * --conflation-key and --idempotency-key. Further fields do not count.
 */
#ifndef COHO_CMD_POSTING_H
#define COHO_CMD_POSTING_H

#include "base/buf.h"
#include "base/view.h"

#include <coho/hub.h>
#include <jansson.h>
#include <stdbool.h>

struct posting {
  const char *topic;      /* NULL: it names none */
  const char *key, *idem; /* NULL: none */
  coho_msg msg;
  bool gap; /* a gap, as of coho sub: nothing to publish */
  json_t *json;
  char *text;  /* data that is no text */
  char *bytes; /* of data64 */
};

/* NULL, or why it is none: "is no JSON object"; there is something to free in any case. */
const char *posting_read(struct posting *p, struct coho__view text);
void posting_free(struct posting *p);

#endif
