#define _GNU_SOURCE /* madvise(2), MAP_ANONYMOUS */
#include "base/random.h"

#include "base/check.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

/* Masks of 4 bytes: 128 of them per system call. */
enum { POOL_SIZE = 512 };

static _Thread_local struct {
  uint8_t bytes[POOL_SIZE];
  size_t left; /* unused bytes, at the end */
  uint32_t generation;
} pool;

typedef _Atomic uint32_t shared_u32;

/*
 * Which process this is: 1 in the first, another number after each fork(2). It lies in a page that
 * the kernel fills with zeros in a child, which costs nothing to ask; getpid(2) is a system call,
 * and pthread_atfork(3) misses children made by clone(2).
 */
static shared_u32 *_Atomic generation_page;
static shared_u32 generations;

/* NULL: the kernel (before Linux 4.14) or the address space does not allow it. */
static shared_u32 *make_page(void) {
  shared_u32 *none = NULL;
  void *page = mmap(NULL, sizeof *none, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  shared_u32 *fresh = (shared_u32 *)page;
  bool wiped = madvise(page, sizeof *none, MADV_WIPEONFORK) == 0;
  if (wiped && atomic_compare_exchange_strong(&generation_page, &none, fresh)) return fresh;
  munmap(page, sizeof *none);
  return none; /* of the thread that was faster */
}

/* 0: unknown, nothing may be kept. */
static uint32_t generation(void) {
  shared_u32 *page = atomic_load_explicit(&generation_page, memory_order_acquire);
  if (page == NULL && (page = make_page()) == NULL) return 0;
  uint32_t now = atomic_load_explicit(page, memory_order_relaxed);
  if (now != 0) return now;
  uint32_t next = atomic_fetch_add(&generations, 1) + 1;
  return atomic_compare_exchange_strong(page, &now, next) ? next : now;
}

static void ask_kernel(uint8_t *dst, size_t len) {
  while (len > 0) {
    ssize_t n = getrandom(dst, len, 0);
    COHO_ASSERT(n >= 0 || errno == EINTR);
    if (n < 0) continue;
    dst += n;
    len -= (size_t)n;
  }
}

void coho__random(void *buf, size_t len) {
  uint32_t now = len <= POOL_SIZE / 4 ? generation() : 0;
  if (now == 0) {
    ask_kernel((uint8_t *)buf, len);
    return;
  }
  if (pool.generation != now || pool.left < len) {
    ask_kernel(pool.bytes, POOL_SIZE);
    pool.left = POOL_SIZE;
    pool.generation = now;
  }
  /* Whoever reads our memory later does not learn what was drawn before. */
  uint8_t *from = pool.bytes + POOL_SIZE - pool.left;
  memcpy(buf, from, len);
  memset(from, 0, len);
  pool.left -= len;
}

uint32_t coho__random_below(uint32_t limit) {
  COHO_ASSERT(limit > 0);
  /* The product's upper half is uniform once the lowest 2^32 % limit lower halves are refused. */
  uint32_t refused = (0 - limit) % limit;
  for (;;) {
    uint32_t x;
    coho__random(&x, sizeof x);
    uint64_t product = (uint64_t)x * limit;
    if ((uint32_t)product >= refused) return (uint32_t)(product >> 32);
  }
}
