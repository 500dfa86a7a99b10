#include "support/follower.h"

#include "base/check.h"
#include "io/mailbox.h"

#include <stdio.h>
#include <string.h>

static struct follower *follower_of(struct coho__sink *s) {
  return COHO_CONTAINER_OF(s, struct follower, sink);
}

static void note(struct follower *f, const char *text) {
  size_t len = strlen(f->heard), more = strlen(text);
  assert_true(more < sizeof f->heard);
  if (len + more >= sizeof f->heard) {
    memmove(f->heard, f->heard + more, len - more + 1);
    len -= more;
  }
  memcpy(f->heard + len, text, more + 1);
}

static bool takes(struct follower *f) {
  if (f->room == 0) f->refused = true;
  if (f->room != FOLLOWER_ANY && f->room) f->room--;
  return !f->refused;
}

static int on_message(struct coho__sink *s, const struct coho__delivery *d) {
  struct follower *f = follower_of(s);
  char text[600];
  coho_msg m = d->message->msg;
  if (f->closed) return COHO_ECLOSED;
  if (!takes(f)) return COHO_EFULL;
  f->messages++;
  f->last = d->message->pos;
  snprintf(text, sizeof text, "%s%s%.*s ", d->pattern ? d->topic : "", d->pattern ? "=" : "",
           (int)COHO_MIN(m.len, 64), m.data);
  note(f, text);
  if (f->taken) f->taken(f, d);
  return 0;
}

static int on_gap(struct coho__sink *s, const char *topic, const char *pattern, uint64_t lost,
                  coho_pos pos) {
  struct follower *f = follower_of(s);
  char text[600];
  if (f->closed) return COHO_ECLOSED;
  if (!takes(f)) return COHO_EFULL;
  f->gaps++;
  f->last = pos;
  if (lost != COHO_LOST_UNKNOWN) f->lost += lost;
  snprintf(text, sizeof text, "%s%s(%lld) ", pattern ? topic : "", pattern ? "=" : "",
           (long long)lost);
  note(f, text);
  if (f->missed) f->missed(f, topic, pattern, lost, pos);
  return 0;
}

static void on_close(struct coho__sink *s, int err) {
  struct follower *f = follower_of(s);
  char text[64];
  f->closed = true;
  snprintf(text, sizeof text, "[%s] ", coho_errname(err));
  note(f, text);
}

void follower_init(struct follower *f, coho_hub *hub, coho_loop *loop) {
  static const struct coho__sink_ops ops = {on_message, on_gap, on_close};
  *f = (struct follower){.hub = hub, .room = FOLLOWER_ANY};
  coho__sink_init(&f->sink, &ops, loop);
}

int follower_follow(struct follower *f, const char *topic, const coho_pos *since) {
  int err = coho__sink_subscribe(f->hub, &f->sink, coho__view_of(topic), since, &f->start);
  if (!err) coho__sink_ready(&f->sink);
  return err;
}

int follower_follow_pattern(struct follower *f, const char *pattern) {
  return coho__sink_subscribe_pattern(f->hub, &f->sink, coho__view_of(pattern));
}

int follower_leave(struct follower *f, const char *topic) {
  return coho__sink_unsubscribe(f->hub, &f->sink, coho__view_of(topic));
}

void follower_take(struct follower *f, uint32_t n) {
  f->room = n == FOLLOWER_ANY || f->room == FOLLOWER_ANY ? n : f->room + n;
  f->refused = false;
  coho__sink_ready(&f->sink);
}

void follower_expect(struct follower *f, const char *heard) {
  assert_string_equal(f->heard, heard);
  f->heard[0] = '\0';
}

void follower_end(struct follower *f) { coho__sink_end(&f->sink); }

void loop_settle(coho_loop *loop) {
  do
    assert_true(coho_loop_turn(loop, 0) >= 0);
  while (coho__mailbox_waiting(coho__mailbox_of(loop)));
}

void publish_number(coho_hub *hub, const char *topic, unsigned n) {
  char text[16];
  snprintf(text, sizeof text, "%u", n);
  assert_int_equal(coho_publish(hub, topic, coho_text(text)), 0);
}

void publish_numbers(coho_hub *hub, const char *topic, unsigned first, unsigned last) {
  for (unsigned n = first; n <= last; n++)
    publish_number(hub, topic, n);
}
