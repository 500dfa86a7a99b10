#include "ws/conn_rate.h"

#include "base/alloc.h"
#include "base/bucket.h"
#include "ws/conn.h"

enum {
#ifdef COHO_HARD
  PIECE = COHO_LOOP_RECV,
#else
  /* Of one read: all of it may have to be kept, which must cost less than to be read at once. */
  PIECE = 16 * 1024,
#endif
  /* A peer above its rate is read so many times in a second: for each token it would be too often. */
  WAKES = 8
};

enum what { MESSAGES, FRAMES, BYTES, KINDS };

struct coho__conn_rate {
  struct coho__bucket_rate rates[KINDS]; /* per_second 0: any */
  struct coho__bucket buckets[KINDS];
  bool closes;
  bool behind;
};

_Static_assert(PIECE <= (int)COHO_LOOP_RECV, "a read fits into the loop's buffer");

int coho__conn_rate_new(const coho_options *set, uint64_t now_ms, struct coho__conn_rate **out) {
  const coho_rate *rates[KINDS] = {&set->rate_messages, &set->rate_frames, &set->rate_bytes};
  *out = NULL;
  bool any = false;
  for (int i = 0; i < KINDS; i++)
    any = any || rates[i]->per_second;
  if (!any) return 0;
  struct coho__conn_rate *r = (struct coho__conn_rate *)coho__zalloc(sizeof *r);
  if (!r) return COHO_ENOMEM;
  r->closes = (set->flags & COHO_RATE_CLOSE) != 0;
  for (int i = 0; i < KINDS; i++) {
    r->rates[i] = (struct coho__bucket_rate){rates[i]->per_second, rates[i]->burst};
    coho__bucket_init(&r->buckets[i], r->rates[i], now_ms);
  }
  *out = r;
  return 0;
}

void coho__conn_rate_free(struct coho__conn_rate *r) { coho__free(r, sizeof *r); }

void coho__conn_rate_behind(struct coho__conn_rate *r) { r->behind = true; }
void coho__conn_rate_caught_up(struct coho__conn_rate *r) { r->behind = false; }

/* Too much ends the connection; else it waits. */
static bool ends(const struct coho__conn_rate *r) { return r->closes && !r->behind; }

/* ---- tokens --------------------------------------------------------------------------------- */

/* UINT32_MAX where there is no rate. */
static uint32_t tokens(struct coho__conn_rate *r, enum what kind, uint64_t now_ms) {
  if (!r->rates[kind].per_second) return UINT32_MAX;
  coho__bucket_fill(&r->buckets[kind], r->rates[kind], now_ms);
  return coho__bucket_tokens(&r->buckets[kind]);
}

/* False: that is more than there were, and the connection ends for it. */
static bool charge(coho_conn *c, enum what kind, size_t n) {
  struct coho__conn_rate *r = c->rate;
  if (!n || !r->rates[kind].per_second) return true;
  if (n > tokens(r, kind, coho__loop_time(c->home->loop)) && ends(r)) return false;
  coho__bucket_take(&r->buckets[kind], (uint32_t)COHO_MIN(n, (size_t)UINT32_MAX));
  return true;
}

static bool is_empty(const coho_conn *c, enum what kind) {
  return tokens(c->rate, kind, coho__loop_time(c->home->loop)) == 0;
}

/* ---- what comes ----------------------------------------------------------------------------- */

size_t coho__conn_rate_room(const coho_conn *c) {
  if (ends(c->rate) || !coho__engine_open(&c->engine)) return PIECE;
  uint32_t n = tokens(c->rate, BYTES, coho__loop_time(c->home->loop));
  return COHO_MAX(COHO_MIN(n, (uint32_t)PIECE), 1U);
}

bool coho__conn_rate_bytes(coho_conn *c, size_t n) {
  return !coho__engine_open(&c->engine) || charge(c, BYTES, n);
}

/* The timer is to look at the buckets, also when reading was stopped before. */
static void stop(coho_conn *c) {
  coho__conn_stop(c, COHO_STOP_RATED);
  c->retime = true;
}

bool coho__conn_rate_event(coho_conn *c, const coho_event *ev) {
  uint32_t frames = c->engine.frames;
  bool message = ev && ev->type == COHO_MESSAGE && !(ev->msg.flags & COHO_MORE);
  c->engine.frames = 0;
  if (!coho__engine_open(&c->engine)) return true;
  if (!charge(c, FRAMES, frames) || !charge(c, MESSAGES, message)) return false;
  if (ends(c->rate)) return true;
  /* All that was read has its tokens, so that only the next read waits for bytes. */
  if (is_empty(c, MESSAGES) || is_empty(c, FRAMES) || (!ev && is_empty(c, BYTES))) stop(c);
  return true;
}

/* ---- waiting -------------------------------------------------------------------------------- */

uint64_t coho__conn_rate_wait(const coho_conn *c, uint64_t now_ms) {
  struct coho__conn_rate *r = c->rate;
  uint64_t longest = 0;
  for (int i = 0; i < KINDS; i++) {
    struct coho__bucket_rate rate = r->rates[i];
    if (!rate.per_second) continue;
    uint32_t enough = COHO_MAX(COHO_MIN(rate.per_second / WAKES, rate.burst), 1U);
    coho__bucket_fill(&r->buckets[i], rate, now_ms);
    uint64_t wait = coho__bucket_wait(&r->buckets[i], rate, enough);
    longest = COHO_MAX(longest, wait);
  }
  return longest;
}
