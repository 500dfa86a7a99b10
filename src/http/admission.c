#include "http/admission.h"

#include "base/budget.h"
#include "base/check.h"

#include <sys/resource.h>

enum {
  /* Descriptors that connections may not take: listeners, loops, files being served, the log, and
     what the program around us has open. */
  RESERVE = 64,
  /* When the limit of descriptors is "unlimited". */
  MOST = 1 << 20
};

static uint32_t descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY) return MOST;
  return limit.rlim_cur > MOST ? MOST : (uint32_t)limit.rlim_cur;
}

static uint32_t max_of(uint32_t max) {
  if (max) return max;
  uint32_t most = descriptors();
  return most > 2 * RESERVE ? most - RESERVE : COHO_MAX(most / 2, 1);
}

void coho__admission_init(struct coho__admission *a, uint32_t max) {
  atomic_init(&a->now, 0);
  atomic_init(&a->max, max_of(max));
  atomic_init(&a->addresses, NULL);
  a->trusted = NULL;
}

int coho__admission_limit(struct coho__admission *a, const struct coho__addresses_limits *limits) {
  if (!limits->connections && !limits->shakes.per_second) return 0;
  struct coho__addresses *made = coho__addresses_new(limits);
  atomic_store(&a->addresses, made);
  return made ? 0 : COHO_ENOMEM;
}

/* Who came while addresses did not count stays uncounted. */
int coho__admission_update(struct coho__admission *a, uint32_t max,
                           const struct coho__addresses_limits *limits) {
  struct coho__addresses *t = atomic_load(&a->addresses);
  int err = t ? 0 : coho__admission_limit(a, limits);
  if (err) return err;
  if (t) coho__addresses_update(t, limits);
  atomic_store_explicit(&a->max, max_of(max), memory_order_relaxed);
  return 0;
}

void coho__admission_free(struct coho__admission *a) {
  coho__addresses_free(atomic_load(&a->addresses));
  atomic_store(&a->addresses, NULL);
}

static bool take_place(struct coho__admission *a) {
  uint32_t now = atomic_load_explicit(&a->now, memory_order_relaxed);
  do {
    if (now >= atomic_load_explicit(&a->max, memory_order_relaxed)) return false;
  } while (!atomic_compare_exchange_weak_explicit(&a->now, &now, now + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
  return true;
}

static void give_place(struct coho__admission *a) {
  uint32_t before = atomic_fetch_sub_explicit(&a->now, 1, memory_order_relaxed);
  COHO_ASSERT(before > 0);
}

/* A handshake of TLS costs more than all that follows: it has to be admitted, too. */
static int check_tls(struct coho__admission *a, const struct coho__stream *s, uint64_t now_ms,
                     struct coho__address **address) {
  if (!coho__stream_secure(s) ||
      coho__addresses_shake(a->addresses, *address, COHO_SHAKE_TLS, now_ms))
    return 0;
  coho__admission_leave(a, *address, now_ms);
  *address = NULL;
  return COHO_EHANDSHAKERATE;
}

int coho__admission_enter(struct coho__admission *a, const struct coho__stream *s, uint64_t now_ms,
                          struct coho__address **address) {
  struct coho__addr peer;
  *address = NULL;
  if (!coho__admission_hold(a)) return COHO_EOVERLOAD;
  if (!a->addresses) return 0;
  /* Nobody is let in uncounted. */
  int err = coho__stream_addr(s, &peer) ? coho__admission_client(a, &peer, now_ms, address)
                                        : COHO_EADDRESSFULL;
  if (!err) return check_tls(a, s, now_ms, address);
  give_place(a);
  return err;
}

void coho__admission_leave(struct coho__admission *a, struct coho__address *address,
                           uint64_t now_ms) {
  give_place(a);
  if (address) coho__addresses_leave(a->addresses, address, now_ms);
}

bool coho__admission_hold(struct coho__admission *a) {
  return !coho__memory_tight() && take_place(a);
}

void coho__admission_release(struct coho__admission *a) { give_place(a); }

bool coho__admission_trusts(const struct coho__admission *a, const struct coho__addr *peer) {
  struct coho__ip ip;
  if (!a->trusted) return false;
  if (coho__addr_ip(peer, &ip)) return coho__cidrs_has(a->trusted, &ip);
  return peer->sa.ss_family == AF_UNIX && a->trusted->local;
}

int coho__admission_client(struct coho__admission *a, const struct coho__addr *client,
                           uint64_t now_ms, struct coho__address **address) {
  *address = NULL;
  if (!a->addresses || coho__admission_trusts(a, client)) return 0;
  int err = coho__addresses_enter(a->addresses, client, now_ms, address);
  return err == COHO_ENOMEM ? COHO_EOVERLOAD : err;
}

void coho__admission_client_leave(struct coho__admission *a, struct coho__address *address,
                                  uint64_t now_ms) {
  if (address) coho__addresses_leave(a->addresses, address, now_ms);
}

int coho__admission_handshake(struct coho__admission *a, struct coho__address *address,
                              uint64_t now_ms) {
  if (coho__memory_tight()) return COHO_EOVERLOAD;
  bool fine = !address || coho__addresses_shake(a->addresses, address, COHO_SHAKE_WS, now_ms);
  return fine ? 0 : COHO_EHANDSHAKERATE;
}
