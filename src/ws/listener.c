#include "base/alloc.h"
#include "base/log.h"
#include "io/mailbox.h"
#include "io/tls.h"
#include "ws/serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 20, TEXT_EXTRA = 32 };

/* ---- which thread --------------------------------------------------------------------------- */

static _Thread_local struct coho__serve_loop *here;

struct coho__serve_loop *coho__serve_loop_here(const coho_server *s) {
  return here && here->server == s ? here : NULL;
}

void coho__serve_loop_enter(struct coho__serve_loop *sl) { here = sl; }

/* ---- life ----------------------------------------------------------------------------------- */

static size_t size_of(const coho_server *s) {
  return sizeof(struct coho__listener) + s->loop_count * sizeof(struct coho__listen *);
}

static void free_listener(coho_server *s, struct coho__listener *l) {
  for (uint32_t i = 0; i < s->loop_count; i++)
    coho__listen_close(l->sockets[i]);
  coho__url_free(&l->url);
  coho__free_str(l->text);
  coho__free(l, size_of(s));
}

void coho__listeners_free(coho_server *s) {
  struct coho__list *node;
  while ((node = coho__list_pop(&s->listeners)))
    free_listener(s, COHO_LIST_ENTRY(node, struct coho__listener, node));
}

static int listener_new(const coho_server *s, const char *url, struct coho__listener **out) {
  struct coho__url parsed;
  const char *why;
  if (!url) return COHO_EURL;
  int err = coho__url_parse(&parsed, url, COHO_URL_LISTEN, &why);
  if (err) return err;
  struct coho__listener *l = NULL;
  if (parsed.secure && !coho__tls_serves(s->opt.tls))
    err = COHO_ENOTLS;
  else if (!(l = (struct coho__listener *)coho__zalloc(size_of(s))))
    err = COHO_ENOMEM;
  if (err) {
    coho__url_free(&parsed);
    return err;
  }
  coho__list_init(&l->node);
  l->url = parsed;
  *out = l;
  return 0;
}

static int set_text(struct coho__listener *l, uint16_t port) {
  char *text = (char *)coho__alloc(strlen(l->url.host) + TEXT_EXTRA);
  if (!text) return COHO_ENOMEM;
  (void)snprintf(text, strlen(l->url.host) + TEXT_EXTRA,
                 l->url.ipv6 ? "%s://[%s]:%u/" : "%s://%s:%u/", l->url.secure ? "wss" : "ws",
                 l->url.host, port);
  l->text = coho__strdup(text);
  coho__free(text, strlen(l->url.host) + TEXT_EXTRA);
  return l->text ? 0 : COHO_ENOMEM;
}

static void publish(coho_server *s, struct coho__listener *l) {
  pthread_mutex_lock(&s->lock);
  coho__list_append(&s->listeners, &l->node);
  pthread_mutex_unlock(&s->lock);
}

static void withdraw(coho_server *s, struct coho__listener *l) {
  pthread_mutex_lock(&s->lock);
  coho__list_remove(&l->node);
  pthread_mutex_unlock(&s->lock);
  free_listener(s, l);
}

/* ---- on other threads ----------------------------------------------------------------------- */

/* Opens a listener's socket on another loop; who asks for the first one waits. Shared by the letter
   and by who waits. */
struct order {
  struct coho__letter letter;
  struct coho__serve_loop *loop;
  struct coho__listener *listener;
  uint16_t port;
  bool first;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int err;
  bool done;
  uint8_t refs; /* locked */
};

static void order_unref(struct order *o) {
  pthread_mutex_lock(&o->lock);
  bool last = --o->refs == 0;
  pthread_mutex_unlock(&o->lock);
  if (!last) return;
  pthread_cond_destroy(&o->changed);
  pthread_mutex_destroy(&o->lock);
  coho__free(o, sizeof *o);
}

static void order_finish(struct order *o, int err) {
  /* Nobody is told about the others otherwise. */
  if (err && !o->first) coho__log(COHO_LOG_ERROR, "cannot listen: %s", coho_strerror(err));
  pthread_mutex_lock(&o->lock);
  o->err = err;
  o->done = true;
  pthread_cond_signal(&o->changed);
  pthread_mutex_unlock(&o->lock);
  order_unref(o);
}

static void run_order(coho_loop *loop, struct coho__letter *letter) {
  struct order *o = COHO_CONTAINER_OF(letter, struct order, letter);
  (void)loop;
  order_finish(o, coho__serve_loop_listen(o->loop, o->listener, o->port, o->first));
}

static void drop_order(struct coho__letter *letter) {
  order_finish(COHO_CONTAINER_OF(letter, struct order, letter), COHO_ESTOPPED);
}

static int order_wait(struct order *o) {
  pthread_mutex_lock(&o->lock);
  while (!o->done) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
      until.tv_nsec -= 1000000000L;
      until.tv_sec++;
    }
    int waited = pthread_cond_timedwait(&o->changed, &o->lock, &until);
    /* A loop that was stopped reads no letters any more. */
    if (waited == ETIMEDOUT && atomic_load(&o->loop->server->stopping)) break;
  }
  int err = o->done ? o->err : COHO_ESTOPPED;
  pthread_mutex_unlock(&o->lock);
  return err;
}

static int listen_there(struct coho__serve_loop *sl, struct coho__listener *l, uint16_t port,
                        bool first) {
  struct order *o = (struct order *)coho__zalloc(sizeof *o);
  if (!o) return COHO_ENOMEM;
  o->letter = (struct coho__letter){.run = run_order, .drop = drop_order, .bytes = sizeof *o};
  o->loop = sl;
  o->listener = l;
  o->port = port;
  o->first = first;
  o->refs = 2;
  pthread_mutex_init(&o->lock, NULL);
  pthread_cond_init(&o->changed, NULL);
  int err = coho__mailbox_post(coho__mailbox_of(sl->loop), &o->letter);
  if (err)
    order_unref(o);
  else if (first)
    err = order_wait(o);
  order_unref(o);
  return err;
}

/* ---- opening -------------------------------------------------------------------------------- */

static uint16_t port_of(coho_server *s, const struct coho__listener *l, size_t index) {
  pthread_mutex_lock(&s->lock);
  uint16_t port = l->sockets[index] ? coho__listen_port(l->sockets[index]) : 0;
  pthread_mutex_unlock(&s->lock);
  return port;
}

/* The first socket finds out whether it works, and the port. */
static int open_first(coho_server *s, struct coho__listener *l, struct coho__serve_loop **first) {
  struct coho__serve_loop *mine = coho__serve_loop_here(s);
  bool running = atomic_load(&s->started) && s->own_loops;
  *first = mine ? mine : &s->loops[0];
  return running && !mine ? listen_there(*first, l, l->url.port, true)
                          : coho__serve_loop_listen(*first, l, l->url.port, true);
}

int coho_server_listen(coho_server *s, const char *url) {
  struct coho__listener *l;
  struct coho__serve_loop *first;
  if (atomic_load(&s->stopping)) return COHO_ESTOPPED;
  int err = listener_new(s, url, &l);
  if (err) return err;
  publish(s, l); /* from now on stopping closes its sockets */
  bool running = atomic_load(&s->started) && s->own_loops;
  err = open_first(s, l, &first);
  uint16_t port = err ? 0 : port_of(s, l, (size_t)(first - s->loops));
  for (uint32_t i = 0; !err && i < s->loop_count; i++) {
    struct coho__serve_loop *sl = &s->loops[i];
    if (sl == first) continue;
    err = running ? listen_there(sl, l, port, false) : coho__serve_loop_listen(sl, l, port, false);
  }
  if (!err) err = set_text(l, port);
  if (err && !running) withdraw(s, l);
  return err;
}

const char *coho_server_url(const coho_server *s, size_t index) {
  for (struct coho__list *n = s->listeners.next; n != &s->listeners; n = n->next) {
    const struct coho__listener *l = COHO_LIST_ENTRY(n, struct coho__listener, node);
    if (l->text && index-- == 0) return l->text;
  }
  return NULL;
}
