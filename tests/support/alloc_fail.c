#include "support/alloc_fail.h"

#include <coho/core.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* In front of each block, which stays aligned like malloc's. */
union head {
  size_t size;
  max_align_t align;
};

static _Atomic long calls;
static _Atomic long fail_at;
static _Atomic bool failed;
static _Atomic size_t live;

static void *check_size(void *ptr, size_t claimed) {
  union head *head = (union head *)ptr - 1;
  if (head->size == claimed) return head;
  fprintf(stderr, "alloc_fail: a block of %zu bytes comes back as one of %zu\n", head->size,
          claimed);
  abort();
}

static void *counting_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  void *old = ptr != NULL ? check_size(ptr, old_size) : NULL;
  if (new_size == 0) {
    atomic_fetch_sub(&live, ptr != NULL ? old_size : 0);
    free(old);
    return NULL;
  }
  if (atomic_fetch_add(&calls, 1) + 1 == atomic_load(&fail_at)) {
    atomic_store(&failed, true);
    return NULL;
  }
  if (new_size > SIZE_MAX - sizeof(union head)) return NULL;
  union head *head = (union head *)realloc(old, sizeof *head + new_size);
  if (head == NULL) return NULL;
  head->size = new_size;
  atomic_fetch_add(&live, new_size);
  atomic_fetch_sub(&live, ptr != NULL ? old_size : 0);
  return head + 1;
}

void alloc_fail_at(long i) {
  static atomic_flag installed = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&installed)) coho_set_allocator(counting_alloc, NULL);
  atomic_store(&fail_at, i);
  atomic_store(&failed, false);
  atomic_store(&calls, 0);
}

long alloc_calls(void) { return atomic_load(&calls); }

bool alloc_failed(void) { return atomic_load(&failed); }

size_t alloc_live(void) { return atomic_load(&live); }

void alloc_assert_none_live(void) {
  if (alloc_live() == 0) return;
  fprintf(stderr, "alloc_fail: %zu bytes were not freed\n", alloc_live());
  abort();
}

void alloc_fail_each(long most, bool (*attempt)(long i)) {
  for (long i = 1; attempt(i); i++) {
    alloc_fail_at(0);
    alloc_assert_none_live();
    if (i < most) continue;
    fprintf(stderr, "alloc_fail: more than %ld attempts\n", most);
    abort();
  }
  alloc_fail_at(0);
  alloc_assert_none_live();
}

int alloc_setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  return 0;
}

int alloc_teardown(void **state) {
  (void)state;
  alloc_assert_none_live();
  return 0;
}
