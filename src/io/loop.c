#include "io/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/epoll.h"
#include "io/machine.h"
#include "io/mailbox.h"
#include "io/tls_wire.h"

static uint64_t ms_of(uint64_t ns) { return ns / 1000000; }

uint64_t coho__loop_time(const coho_loop *loop) {
  return loop->turning ? loop->now_ms : ms_of(coho__clock_ns());
}

/* ---- life ----------------------------------------------------------------------------------- */

static int open_parts(coho_loop *loop) {
  int err = coho__epoll_open(loop);
  if (err) return err;
  loop->recv = (char *)coho__alloc(COHO_LOOP_RECV);
  return loop->recv ? coho__mailbox_open(loop) : COHO_ENOMEM;
}

static void close_parts(coho_loop *loop) {
  coho__epoll_close(loop);
  coho__buf_release(&loop->cork);
  coho__wire_buffers_free(loop);
  coho__free(loop->recv, COHO_LOOP_RECV);
  coho__free(loop, sizeof *loop);
}

coho_loop *coho_loop_new(void) {
  coho__machine_budget();
  coho_loop *loop = (coho_loop *)coho__zalloc(sizeof *loop);
  if (!loop) return NULL;
  loop->now_ms = ms_of(coho__clock_ns());
  coho__wheel_init(&loop->wheel, loop->now_ms);
  coho__list_init(&loop->ready);
  coho__list_init(&loop->tasks);
  coho__list_init(&loop->dead);
  coho__list_init(&loop->dead_ios);
  coho__list_init(&loop->teardown);
  coho__buf_init(&loop->cork, COHO_LOOP_CORK);
  if (open_parts(loop) == 0) return loop;
  close_parts(loop);
  return NULL;
}

/* Those who own may still look at what they own: tasks first, descriptors after them. */
static void bury_dead(coho_loop *loop) {
  struct coho__list *node;
  do {
    while ((node = coho__list_pop(&loop->dead))) {
      struct coho__task *t = COHO_LIST_ENTRY(node, struct coho__task, node);
      t->run(t);
    }
    while ((node = coho__list_pop(&loop->dead_ios))) {
      struct coho__io *io = COHO_LIST_ENTRY(node, struct coho__io, ready);
      io->on_event(io, 0);
    }
  } while (!coho__list_empty(&loop->dead));
}

static void run_tasks(coho_loop *loop);

/* What was posted runs as in a turn: who posted it counts on that, and may have given memory with
   it. */
static void run_posted(coho_loop *loop) {
  if (!coho__mailbox_waiting(loop->mailbox)) return;
  loop->now_ms = ms_of(coho__clock_ns());
  loop->turning = true;
  coho__mailbox_empty(loop);
  run_tasks(loop);
  bury_dead(loop);
  loop->turning = false;
}

void coho_loop_free(coho_loop *loop) {
  if (!loop) return;
  COHO_ASSERT(!loop->turning);
  atomic_store(&loop->ending, true);
  run_posted(loop);
  while (!coho__list_empty(&loop->teardown)) {
    struct coho__list *last = loop->teardown.prev;
    coho__list_remove(last);
    struct coho__teardown *t = COHO_LIST_ENTRY(last, struct coho__teardown, node);
    t->run(t);
  }
  coho__mailbox_close(loop);
  bury_dead(loop);
  close_parts(loop);
}

void coho__loop_on_free(coho_loop *loop, struct coho__teardown *t) {
  coho__list_append(&loop->teardown, &t->node);
}

void coho__loop_hold(coho_loop *loop) { loop->active++; }

void coho__loop_release(coho_loop *loop) {
  COHO_ASSERT(loop->active > 0);
  loop->active--;
}

/* ---- tasks ---------------------------------------------------------------------------------- */

void coho__task_init(struct coho__task *t, void (*run)(struct coho__task *)) {
  coho__list_init(&t->node);
  t->run = run;
}

void coho__loop_soon(coho_loop *loop, struct coho__task *t) {
  if (coho__list_empty(&t->node)) coho__list_append(&loop->tasks, &t->node);
}

void coho__loop_bury(coho_loop *loop, struct coho__task *t) {
  coho__list_remove(&t->node);
  coho__list_append(&loop->dead, &t->node);
}

void coho__task_cancel(struct coho__task *t) { coho__list_remove(&t->node); }

static void run_tasks(coho_loop *loop) {
  struct coho__list now; /* those that tasks put in are for the next turn */
  coho__list_init(&now);
  coho__list_splice(&now, &loop->tasks);
  struct coho__list *node;
  while ((node = coho__list_pop(&now))) {
    struct coho__task *t = COHO_LIST_ENTRY(node, struct coho__task, node);
    t->run(t);
  }
}

/* ---- the turn ------------------------------------------------------------------------------- */

/* Something to do that the kernel does not know of. */
static bool is_ready(const coho_loop *loop) {
  return !coho__list_empty(&loop->ready) || !coho__list_empty(&loop->tasks) ||
         !coho__list_empty(&loop->dead) || !coho__list_empty(&loop->dead_ios) ||
         coho__mailbox_waiting(loop->mailbox);
}

static int is_left(const coho_loop *loop) {
  return loop->active > 0 || loop->wheel.count > 0 || is_ready(loop);
}

static int wait_for_events(coho_loop *loop, int timeout_ms) {
  if (is_ready(loop)) return coho__epoll_wait(loop, 0);
  int wait_ms = coho__wheel_wait(&loop->wheel, loop->now_ms);
  if (wait_ms < 0 || (timeout_ms >= 0 && timeout_ms < wait_ms)) wait_ms = timeout_ms;
  return coho__epoll_wait(loop, wait_ms);
}

/* The end of a turn is also the time from which the next one waits. */
static void note_busy(coho_loop *loop, uint64_t since_ns) {
  uint64_t now_ns = coho__clock_ns();
  loop->now_ms = ms_of(now_ns);
  uint64_t longest = atomic_load_explicit(&loop->busy_ns, memory_order_relaxed);
  if (now_ns - since_ns > longest)
    atomic_store_explicit(&loop->busy_ns, now_ns - since_ns, memory_order_relaxed);
}

/* now_ms is fresh. 1 when something is left, 0, or an error. */
static int turn(coho_loop *loop, int timeout_ms) {
  loop->turning = true;
  int count = wait_for_events(loop, timeout_ms);
  uint64_t start_ns = coho__clock_ns();
  loop->now_ms = ms_of(start_ns);
  coho__epoll_dispatch(loop, count);
  coho__mailbox_turn(loop);
  coho__wheel_turn(&loop->wheel, loop->now_ms);
  run_tasks(loop);
  bury_dead(loop);
  note_busy(loop, start_ns);
  loop->turning = false;
  return count < 0 ? count : is_left(loop);
}

int coho_loop_turn(coho_loop *loop, int timeout_ms) {
  if (loop->turning) return COHO_EINVAL;
  loop->now_ms = coho__loop_time(loop);
  return turn(loop, timeout_ms);
}

int coho_loop_run(coho_loop *loop) {
  if (loop->turning) return COHO_EINVAL;
  loop->now_ms = coho__loop_time(loop);
  int left = is_left(loop);
  /* Who stops a loop just before it runs means this run. */
  while (left > 0 && !atomic_load(&loop->stop))
    left = turn(loop, -1);
  atomic_store(&loop->stop, false);
  return left < 0 ? left : 0;
}

void coho_loop_stop(coho_loop *loop) {
  atomic_store(&loop->stop, true);
  coho__mailbox_wake(loop->mailbox);
}

int coho_loop_fd(const coho_loop *loop) { return loop->epoll_fd; }

int coho_loop_timeout(const coho_loop *loop) {
  return is_ready(loop) ? 0 : coho__wheel_wait(&loop->wheel, coho__loop_time(loop));
}

uint64_t coho_loop_now_ms(const coho_loop *loop) { return loop->now_ms; }

/* ---- functions from other threads ----------------------------------------------------------- */

struct call {
  struct coho__letter letter;
  void (*fn)(void *arg);
  void *arg;
};

static void drop_call(struct coho__letter *l) { coho__free(l, sizeof(struct call)); }

static void run_call(coho_loop *loop, struct coho__letter *l) {
  (void)loop;
  struct call *c = COHO_CONTAINER_OF(l, struct call, letter);
  void (*fn)(void *) = c->fn;
  void *arg = c->arg;
  drop_call(l);
  fn(arg);
}

int coho_loop_post(coho_loop *loop, void (*fn)(void *arg), void *arg) {
  if (atomic_load(&loop->ending)) return COHO_ESTALE;
  struct call *c = (struct call *)coho__alloc(sizeof *c);
  if (!c) return COHO_ENOMEM;
  *c = (struct call){{NULL, run_call, drop_call, sizeof *c}, fn, arg};
  int err = coho__mailbox_post(loop->mailbox, &c->letter);
  if (err) drop_call(&c->letter);
  return err;
}
