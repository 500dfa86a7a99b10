/*
 * A subscriber in memory that takes as many messages as the test likes, and writes down what it got:
 * each message as its text and a space, each gap as "(lost) ", closing as "[error] ". Followers that
 * are by pattern get the topic and "=" before the text.
 */
#ifndef TESTS_SUPPORT_FOLLOWER_H
#define TESTS_SUPPORT_FOLLOWER_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "hub/sink.h"

#define FOLLOWER_ANY UINT32_MAX

struct follower {
  struct coho__sink sink;
  coho_hub *hub;
  uint32_t room; /* messages and gaps that it takes; FOLLOWER_ANY: any number */
  bool refused;  /* something, and was not ready since */
  bool closed;
  unsigned messages, gaps;
  uint64_t lost;    /* told, those of unknown number not included */
  coho_start start; /* of the last subscription */
  coho_pos last;    /* of the last message or gap */
  char heard[8192]; /* the end of it, when it is more */
  /* What the test does meanwhile; may be NULL. */
  void (*taken)(struct follower *f, const struct coho__delivery *d);
  void (*missed)(struct follower *f, const char *topic, const char *pattern, uint64_t lost,
                 coho_pos pos);
};

void follower_init(struct follower *f, coho_hub *hub, coho_loop *loop);
/* Results as of coho__sink_subscribe(). since NULL: from now on; else what comes after, at once. */
int follower_follow(struct follower *f, const char *topic, const coho_pos *since);
int follower_follow_pattern(struct follower *f, const char *pattern);
int follower_leave(struct follower *f, const char *topic);
/* It takes so many more, and is ready for them. */
void follower_take(struct follower *f, uint32_t n);
/* What it heard since the last time. */
void follower_expect(struct follower *f, const char *heard);
void follower_end(struct follower *f);

/* Runs what is posted to the loop, until nothing is. */
void loop_settle(coho_loop *loop);
void publish_number(coho_hub *hub, const char *topic, unsigned n);
/* The numbers from first to last, each as a message of its own. */
void publish_numbers(coho_hub *hub, const char *topic, unsigned first, unsigned last);

#endif
