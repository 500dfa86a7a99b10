/*
 * A message of a topic: framed once, numbered once, shared by the history, by leaves that deliver it
 * and by queues that still hold its frame.
 *
 * What is only of use while it is being delivered, such as its compressed frames, hangs off `live` and
 * goes when the last leaf has delivered it, or with the message when it is dropped before that; what
 * replays it later makes that anew.
 */
#ifndef COHO_HUB_MESSAGE_H
#define COHO_HUB_MESSAGE_H

#include "base/view.h"
#include "ws/framed.h"

#include <coho/hub.h>

/* A form that another layer gave it, such as an event of a stream. */
struct coho__form {
  void (*free)(struct coho__form *f); /* any thread */
};

enum { COHO_FORMS = 3 };

struct coho__live {
  _Atomic size_t leaves; /* that have it still to deliver */
  struct coho__framed *framed;
  struct coho__form *_Atomic forms[COHO_FORMS];
};

struct coho__message {
  _Atomic size_t refs;
  coho_pos pos;
  uint64_t born_ms; /* monotonic */
  struct coho__live *live;
  struct coho__chunk *frame; /* as a server sends it, uncompressed */
  coho_msg msg;              /* inside frame */
  size_t key_len;
  char key[]; /* by which it conflates */
};

/* A copy of m, which is whole, without number; one reference. Its type is never 0. NULL: out of
   memory. */
struct coho__message *coho__message_new(const coho_msg *m, struct coho__view key);
struct coho__message *coho__message_ref(struct coho__message *m); /* any thread */
void coho__message_unref(struct coho__message *m);                /* any thread; NULL is fine */
/* What it takes from memory while it is only kept in a history, its place and key there included. */
size_t coho__message_size(const struct coho__message *m);

/* Before anybody else sees it: so many leaves are to deliver it, each of which holds a reference. None:
   it does not go live. 0 or COHO_ENOMEM. */
int coho__message_begin(struct coho__message *m, size_t leaves);
/* One of them has, or never will; from then on it does not look at live. Nobody else ever does. */
void coho__message_done(struct coho__message *m);

/* While it is live: the form in this place, as somebody gave it, or NULL. */
struct coho__form *coho__message_form(const struct coho__message *m, unsigned place);
/* Gives it one; the form that counts is returned, which is another when somebody was faster (then f is
   freed). */
struct coho__form *coho__message_set_form(struct coho__message *m, unsigned place,
                                          struct coho__form *f);

#endif
