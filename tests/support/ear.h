/* What a client of topics was told, as one line of text that tests compare. */
#ifndef TESTS_SUPPORT_EAR_H
#define TESTS_SUPPORT_EAR_H

#include "support/fake_hub.h"

#include <coho/client.h>

struct ear {
  coho_client *client;
  coho_follow *follow; /* the latest */
  /* "start 3 | 4 hello | gap 7 11 | gap ? 0 | refused COHO_EFULL because": numbers are offsets */
  char heard[4096];
  char states[256]; /* one letter each: c o w x, and t for a token that is wanted */
  uint32_t wait_ms; /* of the latest WAITING */
  uint32_t token_in;
  coho_ending ending; /* of the latest WAITING or CLOSED; without its strings */
  unsigned messages, gaps, done, failed;
  int err;      /* of the latest publish */
  coho_pos pos; /* the same */
  /* What the test does inside handlers; may be NULL. */
  void (*on_message)(struct ear *e, coho_follow *f, coho_pos pos, coho_msg m);
  void (*on_gap)(struct ear *e, coho_follow *f, uint64_t lost, coho_pos pos);
  void (*on_start)(struct ear *e, coho_follow *f);
  void (*on_error)(struct ear *e, coho_follow *f, int err);
  void (*on_state)(struct ear *e, uint32_t state);
  void (*on_token)(struct ear *e);
  void (*on_done)(struct ear *e, int err);
};

/* A client with these options, whose handlers and user are the ear's, and whose back-off is tiny, if
   it has none. */
void ear_connect(struct ear *e, struct fake_hub *h, const coho_client_options *opt);
void ear_follow(struct ear *e, const char *topic, const char *since);
/* 0 or the error. */
int ear_publish(struct ear *e, const char *topic, const char *text);
int ear_publish_msg(struct ear *e, const char *topic, coho_msg m);
coho_client_publish_options ear_publish_options(struct ear *e);
/* coho_client_options with the handlers of e. */
coho_client_options ear_options(struct ear *e);
coho_follow_options ear_follow_options(struct ear *e);

#endif
