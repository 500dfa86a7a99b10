/*
 * A hub as docs/topics.md has it, with faults on demand, for the client of topics. Strict about what
 * clients send: a frame that is not as the schema says fails the test. It shares no code with src/topics.
 */
#ifndef TESTS_SUPPORT_FAKE_HUB_H
#define TESTS_SUPPORT_FAKE_HUB_H

#include "support/world.h"

enum { FAKE_TOPICS = 8, FAKE_CONNS = 16, FAKE_SUBS = 8, FAKE_HELD = 4096, FAKE_TEXT = 128 };

struct fake_message {
  uint64_t offset;
  size_t len;
  bool binary;
  char text[FAKE_TEXT];
  char idem[64];
};

struct fake_topic {
  char name[300];
  uint64_t last; /* offset of the latest message */
  size_t count;  /* of held, whose offsets end with last */
  struct fake_message held[FAKE_HELD];
};

struct fake_hub;

struct fake_conn {
  coho_conn *conn; /* NULL: free */
  bool authorized;
  size_t sub_count;
  struct fake_topic *subs[FAKE_SUBS];
};

struct fake_hub {
  struct world world;
  char url[80]; /* to connect to */
  char epoch[16];
  struct fake_topic *topics[FAKE_TOPICS];
  struct fake_conn conns[FAKE_CONNS];
  /* What clients did. */
  unsigned handshakes, opens, subs, unsubs, pubs, auths,
      accepted;       /* accepted: publishes that were new */
  unsigned last_code; /* of the latest Close of a client */
  char last_offer[64];
  char last_sub[512]; /* the latest sub, as it came */
  /* Faults, each for so many times. */
  int refuse, refuse_status; /* handshakes, with this status */
  const char *retry_after;   /* of those; NULL: none */
  int drop_pub_answer;       /* publishes are taken, then the connection is cut */
  int refuse_sub;            /* with sub_code */
  const char *sub_code;
  int refuse_pub; /* with pub_code */
  const char *pub_code;
  int silent; /* requests that get no answer */
  const char
      *token; /* who does not show it gets 401, or 4401 if it comes by message; NULL: anybody */
  bool token_by_message;
  bool unwilling; /* chooses another subprotocol than asked */
};

/* Listening; with tls as wss. */
void fake_hub_open(struct fake_hub *h);
void fake_hub_open_tls(struct fake_hub *h, coho_tls *tls);
void fake_hub_close(struct fake_hub *h);
/* A message of the hub's own; returns its offset. */
uint64_t fake_hub_publish(struct fake_hub *h, const char *topic, const char *text);
uint64_t fake_hub_publish_msg(struct fake_hub *h, const char *topic, coho_msg m);
/* All connections end: with this code, 0 without a word. */
void fake_hub_kill(struct fake_hub *h, int code);
/* The same, and a new life: another epoch, nothing held. */
void fake_hub_restart(struct fake_hub *h);
/* Only so many of the latest messages are still held. */
void fake_hub_trim(struct fake_hub *h, const char *topic, size_t keep);
/* A frame to all, as it is. */
void fake_hub_say(struct fake_hub *h, coho_msg frame);
void fake_hub_say_text(struct fake_hub *h, const char *frame); /* with ' instead of " */
/* So many handshakes are refused with this status; subscriptions, publishes with this code. */
void fake_hub_refuse(struct fake_hub *h, int times, int status);
void fake_hub_refuse_sub(struct fake_hub *h, int times, const char *code);
void fake_hub_refuse_pub(struct fake_hub *h, int times, const char *code);
unsigned fake_hub_connected(const struct fake_hub *h);

#endif
