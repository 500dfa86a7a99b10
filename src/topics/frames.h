/* What the web face of topics writes, as docs/topics.md and docs/coho.json.v1.schema.json have it. */
#ifndef COHO_TOPICS_FRAMES_H
#define COHO_TOPICS_FRAMES_H

#include "base/buf.h"
#include "hub/sink.h"
#include "topics/fault.h"

#include <jansson.h>

/* All append to out: 0, COHO_EFULL, COHO_ENOMEM. topic, pattern and id may be NULL: then they are left
   out. */

/* {"topic":..,"pattern":..,"pos":..,"data":..} */
int coho__frame_message(struct coho__buf *out, const struct coho__delivery *d);
/* "pos":"k3f9.42","data":"text", or data64: the inside of a message without topic. */
int coho__frame_body(struct coho__buf *out, const struct coho__message *m);
int coho__frame_gap(struct coho__buf *out, const char *topic, const char *pattern, uint64_t lost,
                    coho_pos pos);
/* lost as a number, or null. */
int coho__frame_lost(struct coho__buf *out, uint64_t lost);
int coho__frame_pos(struct coho__buf *out, coho_pos pos); /* with its quotes */
/* {"op":"OP","id":..,"topic":.. without the end, to be continued with a comma */
int coho__frame_begin(struct coho__buf *out, const char *op, const json_t *id, const char *topic);
/* {"op":"ok","id":..,"topic":..,"pos":..}; pos NULL: left out */
int coho__frame_ok(struct coho__buf *out, const json_t *id, const char *topic, const char *pattern,
                   const coho_pos *pos);
int coho__frame_error(struct coho__buf *out, const json_t *id, const char *topic,
                      const char *pattern, int err);
/* The same with words of its own; text NULL: those of the error. */
int coho__frame_fault(struct coho__buf *out, const json_t *id, const char *topic,
                      const char *pattern, int err, const char *text);
/* An HTTP body: {"error":{"code":..,"text":..}} */
int coho__frame_refusal(struct coho__buf *out, int err);
/* Of those who came after number `after`, at most `count` and as many of them as take no more than so
   many bytes of an answer, but at least one. */
struct coho__look_around {
  uint64_t after;
  size_t count, bytes;
};
/* "members":[...],"pos":.. of a topic, without braces, and "next":.. when there are more. */
int coho__frame_members(struct coho__buf *out, coho_hub *hub, struct coho__view topic,
                        struct coho__look_around around);
/* The last `count` messages, or as many of them as take no more than so many bytes of an answer, but at
   least one. */
struct coho__look_back {
  size_t count, bytes;
};
/* "messages":[...],"pos":.. (or "next") of a topic, without braces. */
int coho__frame_history(struct coho__buf *out, coho_hub *hub, struct coho__view topic,
                        struct coho__look_back back, const char *pos_name);

#endif
