#include "base/alloc.h"
#include "io/loop.h"

struct coho_timer {
  struct coho__wheel_timer wheel;
  coho_loop *loop;
  void (*fn)(void *arg);
  void *arg;
  uint64_t due_ms;
  uint32_t repeat_ms; /* 0: once */
};

/* From the time it was due, not from when it came: repeated timers do not drift. */
static void repeat(coho_timer *t) {
  uint64_t now_ms = t->loop->now_ms;
  if (t->due_ms + t->repeat_ms <= now_ms) t->due_ms = now_ms; /* missed ones are not made up */
  coho__wheel_set(&t->loop->wheel, &t->wheel, t->due_ms, t->repeat_ms);
  t->due_ms += t->repeat_ms;
}

static void fire(struct coho__wheel_timer *wheel) {
  coho_timer *t = COHO_CONTAINER_OF(wheel, coho_timer, wheel);
  if (t->repeat_ms) repeat(t);
  t->fn(t->arg); /* may stop or free it: nothing of t after this */
}

coho_timer *coho_timer_new(coho_loop *loop, void (*fn)(void *arg), void *arg) {
  coho_timer *t = (coho_timer *)coho__zalloc(sizeof *t);
  if (!t) return NULL;
  coho__wheel_timer_init(&t->wheel, fire);
  t->loop = loop;
  t->fn = fn;
  t->arg = arg;
  return t;
}

void coho_timer_start(coho_timer *t, uint32_t after_ms, uint32_t repeat_ms) {
  uint64_t now_ms = coho__loop_time(t->loop);
  coho__wheel_set(&t->loop->wheel, &t->wheel, now_ms, after_ms);
  t->due_ms = now_ms + after_ms;
  t->repeat_ms = repeat_ms;
}

void coho_timer_stop(coho_timer *t) { coho__loop_stop_timer(t->loop, &t->wheel); }

void coho_timer_free(coho_timer *t) {
  if (!t) return;
  coho_timer_stop(t);
  coho__free(t, sizeof *t);
}
