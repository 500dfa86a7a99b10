/*
 * The body of an answer to a poll, as it is filled: messages of one topic, or frames of several. At most
 * COHO_HISTORY_MOST messages and about COHO_ANSWER_BYTES.
 */
#ifndef COHO_TOPICS_ANSWER_H
#define COHO_TOPICS_ANSWER_H

#include "topics/frames.h"
#include "topics/wants.h"

enum { COHO_ANSWER_BYTES = 1024 * 1024 };

struct coho__answer_body {
  struct coho__buf out;
  coho_pos next; /* of one topic */
  uint64_t lost; /* the same, before the first message; 0: none */
  size_t messages, items;
  bool frames; /* of several topics */
  bool due;    /* there is something that is not to wait */
};

void coho__answer_init(struct coho__answer_body *a, bool frames);
void coho__answer_free(struct coho__answer_body *a);
/* A message: 0; COHO_EFULL: it is for the next answer; COHO_ENOMEM. */
int coho__answer_message(struct coho__answer_body *a, const struct coho__delivery *d);
/* Before what follows pos. 0; COHO_EFULL: it is for the next answer; COHO_ENOMEM. */
int coho__answer_gap(struct coho__answer_body *a, const char *topic, uint64_t lost, coho_pos pos);
/* What is held of a topic after what somebody has, of which there are `others` more to come. 0, or
   COHO_ENOMEM; of one topic also why it cannot be followed. */
int coho__answer_held(struct coho__answer_body *a, coho_hub *hub, const struct coho__want *want,
                      size_t others);
/* That a topic cannot be followed. 0, COHO_ENOMEM, of one topic the error. */
int coho__answer_error(struct coho__answer_body *a, const struct coho__want *want, int err);
/* Makes it whole: 0 or COHO_ENOMEM. */
int coho__answer_end(struct coho__answer_body *a);

#endif
