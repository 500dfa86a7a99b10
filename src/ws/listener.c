#include "base/alloc.h"
#include "base/log.h"
#include "io/mailbox.h"
#include "io/tls.h"
#include "ws/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 20, TEXT_MOST = 512 };

/* ---- which thread --------------------------------------------------------------------------- */

static _Thread_local struct coho__serve_loop *here;

struct coho__serve_loop *coho__serve_loop_here(const coho_server *s) {
  return here && here->server == s ? here : NULL;
}

void coho__serve_loop_enter(struct coho__serve_loop *sl) { here = sl; }

/* ---- life ----------------------------------------------------------------------------------- */

static size_t size_of(const coho_server *s) {
  return sizeof(struct coho__listener) + s->loop_count * sizeof(struct coho__door);
}

static void free_listener(coho_server *s, struct coho__listener *l) {
  for (uint32_t i = 0; i < s->loop_count; i++)
    coho__listen_close(l->doors[i].socket);
  coho__url_free(&l->url);
  coho__free_str(l->text);
  coho__free(l, size_of(s));
}

void coho__listeners_free(coho_server *s) {
  struct coho__list *node;
  while ((node = coho__list_pop(&s->listeners)))
    free_listener(s, COHO_LIST_ENTRY(node, struct coho__listener, node));
}

static int listener_new(coho_server *s, bool secure, struct coho__listener **out) {
  if (secure && !coho__tls_serves(s->opt.tls)) return COHO_ENOTLS;
  struct coho__listener *l = (struct coho__listener *)coho__zalloc(size_of(s));
  if (!l) return COHO_ENOMEM;
  coho__list_init(&l->node);
  l->fd = -1;
  l->secure = secure;
  for (uint32_t i = 0; i < s->loop_count; i++)
    l->doors[i] = (struct coho__door){.loop = &s->loops[i], .listener = l};
  *out = l;
  return 0;
}

/* A unix socket expects PROXY headers only where the list says so: who reaches it is of this machine. */
static bool is_proxied(const coho_server *s, bool file) {
  return file ? s->proxies.local : s->proxies.count > 0;
}

static int listener_of_url(coho_server *s, const char *url, struct coho__listener **out) {
  struct coho__url parsed;
  const char *why;
  if (!url) return COHO_EURL;
  int err = coho__url_parse(&parsed, url, COHO_URL_LISTEN_ANY, &why);
  if (err) return err;
  err = listener_new(s, parsed.secure, out);
  if (err) {
    coho__url_free(&parsed);
    return err;
  }
  (*out)->url = parsed;
  (*out)->single = parsed.file != NULL;
  (*out)->proxied = is_proxied(s, parsed.file != NULL);
  return 0;
}

/* a: where it listens. */
static int set_text(struct coho__listener *l, const struct coho__addr *a) {
  char text[TEXT_MOST], addr[COHO_ADDR_MAX];
  const char *scheme = l->secure ? "wss" : "ws";
  if (l->fd >= 0)
    (void)snprintf(text, sizeof text, a->sa.ss_family == AF_UNIX ? "%s+unix:%s" : "%s://%s/",
                   scheme, coho__addr_format(a, addr, sizeof addr));
  else if (l->url.file)
    (void)snprintf(text, sizeof text, "%s+unix:%s", scheme, l->url.file);
  else
    (void)snprintf(text, sizeof text, l->url.ipv6 ? "%s://[%s]:%u/" : "%s://%s:%u/", scheme,
                   l->url.host, coho__addr_port(a));
  l->text = coho__strdup(text);
  return l->text ? 0 : COHO_ENOMEM;
}

static int listener_of_fd(coho_server *s, int fd, const char *scheme, struct coho__listener **out) {
  struct coho__addr a = {.len = sizeof a.sa};
  bool secure = scheme && strcmp(scheme, "wss") == 0;
  if (!scheme || (!secure && strcmp(scheme, "ws") != 0)) return COHO_EURL;
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&a.sa, &a.len) < 0) return COHO_EINVAL;
  int err = listener_new(s, secure, out);
  if (err) return err;
  (*out)->fd = fd;
  (*out)->single = true;
  (*out)->proxied = is_proxied(s, a.sa.ss_family == AF_UNIX);
  err = set_text(*out, &a); /* now, since later it would have to be given back */
  if (err) free_listener(s, *out);
  return err;
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
  struct coho__door *door;
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
  order_finish(o, coho__door_open(o->door, o->port, o->first));
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
    if (waited == ETIMEDOUT && atomic_load(&o->door->loop->server->stopping)) break;
  }
  int err = o->done ? o->err : COHO_ESTOPPED;
  pthread_mutex_unlock(&o->lock);
  return err;
}

static int open_there(struct coho__door *d, uint16_t port, bool first) {
  struct order *o = (struct order *)coho__zalloc(sizeof *o);
  if (!o) return COHO_ENOMEM;
  o->letter = (struct coho__letter){.run = run_order, .drop = drop_order, .bytes = sizeof *o};
  o->door = d;
  o->port = port;
  o->first = first;
  o->refs = 2;
  pthread_mutex_init(&o->lock, NULL);
  pthread_cond_init(&o->changed, NULL);
  int err = coho__mailbox_post(coho__mailbox_of(d->loop->loop), &o->letter);
  if (err)
    order_unref(o);
  else if (first)
    err = order_wait(o);
  order_unref(o);
  return err;
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Where it listens. False: it was closed again meanwhile. */
static bool where(coho_server *s, const struct coho__door *d, struct coho__addr *a) {
  pthread_mutex_lock(&s->lock);
  bool open = d->socket != NULL;
  if (open) coho__listen_addr(d->socket, a);
  pthread_mutex_unlock(&s->lock);
  return open;
}

/* The first socket finds out whether it works, and the port. */
static int open_first(coho_server *s, struct coho__listener *l, struct coho__door **first) {
  struct coho__serve_loop *mine = coho__serve_loop_here(s);
  bool running = atomic_load(&s->started) && s->own_loops;
  *first = &l->doors[mine ? mine - s->loops : 0];
  return running && !mine ? open_there(*first, l->url.port, true)
                          : coho__door_open(*first, l->url.port, true);
}

static int open_all(coho_server *s, struct coho__listener *l) {
  struct coho__door *first;
  struct coho__addr a;
  publish(s, l); /* from now on stopping closes its sockets */
  bool running = atomic_load(&s->started) && s->own_loops;
  int err = open_first(s, l, &first);
  if (!err && !where(s, first, &a)) err = COHO_ESTOPPED;
  uint16_t port = err ? 0 : coho__addr_port(&a);
  for (uint32_t i = 0; !err && !l->single && i < s->loop_count; i++) {
    struct coho__door *d = &l->doors[i];
    if (d != first) err = running ? open_there(d, port, false) : coho__door_open(d, port, false);
  }
  if (!err && !l->text) err = set_text(l, &a);
  if (err && !running) {
    withdraw(s, l);
  } else if (err) {
    coho__free_str(l->text);
    l->text = NULL;
  }
  return err;
}

int coho_server_listen(coho_server *s, const char *url) {
  struct coho__listener *l;
  if (atomic_load(&s->stopping)) return COHO_ESTOPPED;
  int err = listener_of_url(s, url, &l);
  return err ? err : open_all(s, l);
}

int coho_server_listen_fd(coho_server *s, int fd, const char *scheme) {
  struct coho__listener *l;
  if (atomic_load(&s->stopping)) return COHO_ESTOPPED;
  int err = listener_of_fd(s, fd, scheme, &l);
  return err ? err : open_all(s, l);
}

const char *coho_server_url(const coho_server *s, size_t index) {
  for (struct coho__list *n = s->listeners.next; n != &s->listeners; n = n->next) {
    const struct coho__listener *l = COHO_LIST_ENTRY(n, struct coho__listener, node);
    if (l->text && index-- == 0) return l->text;
  }
  return NULL;
}
