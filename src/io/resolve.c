#define _GNU_SOURCE
#include "io/resolve.h"

#include "base/alloc.h"
#include "io/mailbox.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/*
 * A question goes from the loop's thread to a resolver thread and comes back as a letter. Between
 * the two it belongs to the resolver, which touches only the parts marked so: cancelling one that
 * is under way marks it, and whoever gets the letter frees it.
 */
struct coho__resolve {
  struct coho__letter letter; /* resolver */
  struct coho__task task;     /* answers a numeric host */
  struct coho__list node;     /* in pool.queue, under its lock */
  struct coho__mailbox *home; /* held */
  coho_loop *loop;
  void (*on_done)(void *owner, int err, const struct coho__addr *addrs, size_t n);
  void *owner;
  bool cancelled;
  char *host; /* resolver */
  uint16_t port;
  int result; /* resolver: number of addresses, or an error */
  struct coho__addr addrs[COHO_RESOLVE_MAX];
};

/* Threads that look for questions, at most COHO_RESOLVE_THREADS. */
static struct {
  pthread_mutex_t lock;
  struct coho__list queue;
  int threads;
} pool = {PTHREAD_MUTEX_INITIALIZER, {&pool.queue, &pool.queue}, 0};

/* ---- asking --------------------------------------------------------------------------------- */

void coho__resolve_interleave(struct coho__addr *addrs, size_t n) {
  for (size_t i = 1; i < n; i++) {
    size_t other = i;
    while (other < n && addrs[other].sa.ss_family == addrs[i - 1].sa.ss_family)
      other++;
    if (other == n) return; /* only one family is left */
    struct coho__addr a = addrs[other];
    memmove(&addrs[i + 1], &addrs[i], (other - i) * sizeof a);
    addrs[i] = a;
  }
}

static size_t copy_addrs(const struct addrinfo *list, struct coho__addr *addrs, size_t max) {
  size_t n = 0;
  for (const struct addrinfo *ai = list; ai && n < max; ai = ai->ai_next) {
    if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6) continue;
    memset(&addrs[n], 0, sizeof addrs[n]);
    memcpy(&addrs[n].sa, ai->ai_addr, ai->ai_addrlen);
    addrs[n++].len = ai->ai_addrlen;
  }
  return n;
}

int coho__resolve_now(const char *host, uint16_t port, struct coho__addr *addrs, size_t max) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list;
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  int failure = getaddrinfo(host, service, &hints, &list);
  if (failure == EAI_MEMORY) return COHO_ENOMEM;
  if (failure) return failure == EAI_AGAIN ? COHO_ERESOLVEAGAIN : COHO_ERESOLVE;
  size_t n = copy_addrs(list, addrs, max);
  freeaddrinfo(list);
  return n ? (int)n : COHO_ERESOLVE;
}

/* ---- the resolver threads ------------------------------------------------------------------- */

static void resolve_free(struct coho__resolve *r) {
  if (r->home) coho__mailbox_drop(r->home);
  coho__free_str(r->host);
  coho__free(r, sizeof *r);
}

static void send_home(struct coho__resolve *r) {
  struct coho__mailbox *home = coho__mailbox_hold(r->home); /* the letter may be gone at once */
  if (coho__mailbox_answer(home, &r->letter)) resolve_free(r);
  coho__mailbox_drop(home);
}

static struct coho__resolve *next_question(void) {
  pthread_mutex_lock(&pool.lock);
  struct coho__list *node = coho__list_pop(&pool.queue);
  if (!node) pool.threads--;
  pthread_mutex_unlock(&pool.lock);
  return node ? COHO_LIST_ENTRY(node, struct coho__resolve, node) : NULL;
}

static void *resolver(void *unused) {
  struct coho__resolve *r;
  while ((r = next_question())) {
    r->result = coho__resolve_now(r->host, r->port, r->addrs, COHO_RESOLVE_MAX);
    if (r->result > 0) coho__resolve_interleave(r->addrs, (size_t)r->result);
    send_home(r);
  }
  return unused;
}

/* Signals are for the program's own threads. */
static bool start_thread(void) {
  pthread_attr_t detached;
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int err = pthread_create(&thread, &detached, resolver, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&detached);
  return err == 0;
}

static bool enqueue(struct coho__resolve *r) {
  pthread_mutex_lock(&pool.lock);
  if (pool.threads < COHO_RESOLVE_THREADS && start_thread()) pool.threads++;
  bool ok = pool.threads > 0;
  if (ok) coho__list_append(&pool.queue, &r->node);
  pthread_mutex_unlock(&pool.lock);
  return ok;
}

/* ---- the loop's side ------------------------------------------------------------------------ */

static void done(struct coho__resolve *r) {
  coho__loop_release(r->loop);
  if (r->result > 0)
    r->on_done(r->owner, 0, r->addrs, (size_t)r->result);
  else
    r->on_done(r->owner, r->result, NULL, 0);
  resolve_free(r);
}

static void on_answer(coho_loop *loop, struct coho__letter *l) {
  (void)loop;
  struct coho__resolve *r = COHO_CONTAINER_OF(l, struct coho__resolve, letter);
  if (r->cancelled)
    resolve_free(r);
  else
    done(r);
}

static void on_dropped(struct coho__letter *l) {
  resolve_free(COHO_CONTAINER_OF(l, struct coho__resolve, letter));
}

static void on_numeric(struct coho__task *t) {
  done(COHO_CONTAINER_OF(t, struct coho__resolve, task));
}

static bool ask(struct coho__resolve *r, const char *host) {
  if (coho__addr_parse(&r->addrs[0], host, r->port) ||
      (*host == '/' && coho__addr_unix(&r->addrs[0], host))) {
    r->result = 1;
    coho__loop_soon(r->loop, &r->task);
    return true;
  }
  r->host = coho__strdup(host);
  r->home = coho__mailbox_hold(coho__mailbox_of(r->loop));
  return r->host && enqueue(r);
}

struct coho__resolve *coho__resolve_start(coho_loop *loop, const char *host, uint16_t port,
                                          void (*on_done)(void *owner, int err,
                                                          const struct coho__addr *addrs, size_t n),
                                          void *owner) {
  struct coho__resolve *r = (struct coho__resolve *)coho__zalloc(sizeof *r);
  if (!r) return NULL;
  r->letter = (struct coho__letter){NULL, on_answer, on_dropped, sizeof *r};
  coho__task_init(&r->task, on_numeric);
  coho__list_init(&r->node);
  r->loop = loop;
  r->port = port;
  r->on_done = on_done;
  r->owner = owner;
  if (!ask(r, host)) {
    resolve_free(r);
    return NULL;
  }
  coho__loop_hold(loop);
  return r;
}

void coho__resolve_cancel(struct coho__resolve *r) {
  coho__loop_release(r->loop);
  if (!r->home) { /* numeric */
    coho__task_cancel(&r->task);
    resolve_free(r);
    return;
  }
  pthread_mutex_lock(&pool.lock);
  bool waits = !coho__list_empty(&r->node);
  coho__list_remove(&r->node);
  pthread_mutex_unlock(&pool.lock);
  if (waits)
    resolve_free(r);
  else
    r->cancelled = true;
}
