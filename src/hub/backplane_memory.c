#include "hub/backplane.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "hub/receipts.h"

#ifdef COHO_HARD
#  define EPOCHS 64 /* soon the same again */
#else
#  define EPOCHS ((uint64_t)1 << 40) /* 8 digits as text */
#endif

struct memory {
  struct coho__backplane base;
  /* Of topics that were never published to, so that one that was forgotten before its first message
     begins where it was. From a random one on they are used one after the other, so that in a process
     none comes again. */
  uint64_t epoch;
  uint64_t receipt_bytes; /* of all topics */
};

static struct memory *memory_of(struct coho__backplane *b) {
  return COHO_CONTAINER_OF(b, struct memory, base);
}

static uint64_t first_epoch(void) {
  uint64_t random;
  coho__random(&random, sizeof random);
  return random % (EPOCHS - 1) + 1;
}

static uint64_t next_epoch(uint64_t epoch) { return epoch % (EPOCHS - 1) + 1; }

static void free_memory(struct coho__backplane *b) {
  coho__free(memory_of(b), sizeof(struct memory));
}

static int open_topic(struct coho__backplane *b, struct coho__topic *t) {
  t->last = (coho_pos){memory_of(b)->epoch, 0};
  return 0;
}

static void bury_topic(struct coho__topic *t) {
  struct coho__receipts *r = (struct coho__receipts *)t->store;
  if (!r) return;
  coho__receipts_free(r);
  coho__free(r, sizeof *r);
  t->store = NULL;
}

static void close_topic(struct coho__backplane *b, struct coho__topic *t) {
  struct memory *m = memory_of(b);
  const struct coho__receipts *r = (const struct coho__receipts *)t->store;
  if (r) m->receipt_bytes -= r->bytes;
  if (t->last.offset == 0) return;
  /* Its positions would fit a later topic of the name, and mean other messages. Those that are open may
     have older epochs than the next one. */
  do
    m->epoch = next_epoch(m->epoch);
  while (m->epoch == t->last.epoch);
}

static struct coho__receipts *need_receipts(struct coho__topic *t) {
  uint64_t seed[2];
  if (t->store) return (struct coho__receipts *)t->store;
  struct coho__receipts *r = (struct coho__receipts *)coho__alloc(sizeof *r);
  if (!r) return NULL;
  coho__random(seed, sizeof seed);
  coho__receipts_init(r, seed);
  t->store = r;
  return r;
}

/* Without memory for the receipt the message is out all the same: a retry may double it, a refusal
   certainly would. */
static void add_receipt(struct memory *m, struct coho__receipts *r, struct coho__view key,
                        uint64_t now_ms, coho_pos pos) {
  uint64_t before = r->bytes;
  (void)coho__receipts_add(r, key, now_ms, pos);
  m->receipt_bytes += r->bytes - before;
  if (m->receipt_bytes <= COHO_RECEIPTS_BYTES) return;
  before = r->bytes;
  coho__receipts_shrink(r, m->receipt_bytes - COHO_RECEIPTS_BYTES);
  m->receipt_bytes -= before - r->bytes;
}

/* Whether this key was there. */
static bool find_receipt(struct memory *m, struct coho__receipts *r, struct coho__view key,
                         uint64_t now_ms, coho_pos *pos) {
  uint64_t before = r->bytes;
  bool found = coho__receipts_find(r, key, now_ms, pos);
  m->receipt_bytes -= before - r->bytes;
  return found;
}

static int publish(struct coho__backplane *b, struct coho__topic *t, struct coho__message *m,
                   struct coho__view key, coho_pos *pos, bool *repeated) {
  struct coho__receipts *r = key.data ? need_receipts(t) : NULL;
  uint64_t now = coho__clock_ms();
  if (key.data && !r) return COHO_ENOMEM;
  *repeated = r && find_receipt(memory_of(b), r, key, now, pos);
  if (*repeated) return 0;
  if (coho__topic_blocked(t, coho__message_size(m))) {
    t->refused = coho__message_size(m);
    return COHO_EFULL;
  }
  m->pos = (coho_pos){t->last.epoch, t->last.offset + 1};
  int err = coho__topic_arrive(t, m);
  if (err) return err;
  *pos = m->pos;
  if (r) add_receipt(memory_of(b), r, key, now, *pos);
  return 0;
}

static size_t sweep(struct coho__backplane *b, struct coho__topic *t, uint64_t now_ms,
                    size_t most) {
  struct memory *m = memory_of(b);
  struct coho__receipts *r = (struct coho__receipts *)t->store;
  if (!r) return 0;
  uint64_t before = r->bytes;
  size_t n = coho__receipts_expire_some(r, now_ms, most);
  m->receipt_bytes -= before - r->bytes;
  if (!r->map.count) bury_topic(t);
  return n;
}

static const struct coho__backplane_ops ops = {.free = free_memory,
                                               .open = open_topic,
                                               .close = close_topic,
                                               .bury = bury_topic,
                                               .publish = publish,
                                               .sweep = sweep};

struct coho__backplane *coho__backplane_memory(void) {
  struct memory *m = (struct memory *)coho__alloc(sizeof *m);
  if (!m) return NULL;
  *m = (struct memory){.base = {&ops}, .epoch = first_epoch()};
  return &m->base;
}
