/* coho_dial(): a client in one call, on a loop of its own. */
#include "base/check.h"
#include "ws/client.h"
#include "ws/stop.h"

#include <signal.h>

struct dialled {
  struct coho__home home;
  struct coho__counters counters;
  struct coho__stop_watch watch;
  coho_conn *conn; /* NULL once on_close ran */
  unsigned stop_count;
  bool stopping;
  bool signalled;
  int err;
};

/* Gently at first; whoever asks again does not want to wait. */
static void stop(struct dialled *d, bool now) {
  if (!d->conn) {
    coho_loop_stop(d->home.loop);
  } else if (now || d->conn->state == COHO_CONN_CONNECTING) {
    coho_abort(d->conn);
  } else {
    (void)coho_close(d->conn, 1001, NULL);
  }
}

static void on_ring(struct coho__stop_watch *w) {
  struct dialled *d = COHO_CONTAINER_OF(w, struct dialled, watch);
  if (coho__stop_count() == d->stop_count || d->stopping) return;
  d->stopping = true;
  stop(d, false);
}

static void on_signal(void *arg, int signo) {
  struct dialled *d = (struct dialled *)arg;
  (void)signo;
  if (d->signalled) stop(d, true);
  d->signalled = true;
  coho_stop();
}

static void on_end(struct coho__home *home, int err) {
  struct dialled *d = COHO_CONTAINER_OF(home, struct dialled, home);
  d->conn = NULL;
  d->err = err;
}

static void on_empty(struct coho__home *home) { coho_loop_stop(home->loop); }

/* A signal that another loop has already leads to coho_stop() there, which ends this, too. */
static int catch_signals(struct dialled *d) {
  static const int signals[] = {SIGINT, SIGTERM};
  int err = 0;
  for (size_t i = 0; !err && i < COHO_COUNT(signals); i++) {
    err = coho_loop_signal(d->home.loop, signals[i], on_signal, d);
    if (err == COHO_EEXISTS) err = 0;
  }
  return err;
}

static int run(struct dialled *d, const char *url, struct coho__options *opt) {
  int err = coho__stop_watch(&d->watch, d->home.loop, on_ring);
  if (err) return err;
  if (!(opt->set.flags & COHO_NO_SIGNALS)) err = catch_signals(d);
  if (!err) err = coho__client_start(&d->home, url, opt, &d->conn);
  if (!err) {
    err = coho_loop_run(d->home.loop);
    if (!err) err = d->err;
  }
  coho__stop_unwatch(&d->watch);
  return err;
}

int coho_dial_sized(const char *url, const coho_options *opt, size_t size) {
  struct coho__options *options;
  struct dialled d = {.stop_count = coho__stop_count()};
  if (!url) return COHO_EURL;
  int err = coho__options_new(COHO_CLIENT, opt, size, &options);
  if (err) return err;
  coho_loop *loop = coho_loop_new();
  struct coho__conn_table *table = loop ? coho__conn_table_of(loop) : NULL;
  d.home = (struct coho__home){.loop = loop,
                               .table = table,
                               .counters = &d.counters,
                               .on_end = on_end,
                               .on_empty = on_empty};
  err = table ? run(&d, url, options) : COHO_ENOMEM;
  coho_loop_free(loop);
  coho__options_unref(options);
  return err;
}
