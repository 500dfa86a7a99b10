#include "ws/door.h"

#include "base/alloc.h"
#include "io/mailbox.h"
#include "io/stream_tls.h"

#include <unistd.h>

/* A connection for another loop. */
struct guest {
  struct coho__letter letter;
  struct coho__door *door; /* lives as long as the loop runs */
  int fd;
  struct coho__addr peer;
};

/* What is admitted comes first: the handshake starts with the client's first bytes. */
static void enter(struct coho__door *d, struct coho__stream *s) {
  const coho_server_options *opt = &d->loop->opt;
  int err;
  if (d->listener->secure) s = coho__stream_tls_server(s, opt->tls, opt->tls_timeout_ms, &err);
  if (s) coho__http_accept(&d->loop->host.http, s);
}

static void on_accept(void *owner, struct coho__stream *s) { enter((struct coho__door *)owner, s); }

static void on_known(void *owner, int fd, const struct coho__addr *peer) {
  struct coho__door *d = (struct coho__door *)owner;
  int err;
  struct coho__stream *s = coho__stream_accepted(d->loop->loop, fd, peer, &err);
  if (s) enter(d, s);
}

static void receive(struct coho__door *d, int fd, const struct coho__addr *peer) {
  if (d->listener->proxied)
    coho__proxied_wait(&d->loop->room, fd, peer, (struct coho__proxied_next){on_known, d});
  else
    on_known(d, fd, peer);
}

/* ---- dealing -------------------------------------------------------------------------------- */

static void drop_guest(struct coho__letter *letter) {
  struct guest *g = COHO_CONTAINER_OF(letter, struct guest, letter);
  close(g->fd);
  coho__free(g, sizeof *g);
}

static void run_guest(coho_loop *loop, struct coho__letter *letter) {
  struct guest *g = COHO_CONTAINER_OF(letter, struct guest, letter);
  (void)loop;
  if (g->door->loop->state != COHO_SERVE_RUNNING) {
    drop_guest(letter);
    return;
  }
  receive(g->door, g->fd, &g->peer);
  coho__free(g, sizeof *g);
}

static void send_guest(struct coho__door *d, int fd, const struct coho__addr *peer) {
  struct guest *g = (struct guest *)coho__alloc(sizeof *g);
  if (!g) {
    close(fd);
    return;
  }
  *g = (struct guest){.letter = {.run = run_guest, .drop = drop_guest, .bytes = sizeof *g},
                      .door = d,
                      .fd = fd,
                      .peer = *peer};
  if (coho__mailbox_post(coho__mailbox_of(d->loop->loop), &g->letter)) drop_guest(&g->letter);
}

static void on_socket(void *owner, int fd, const struct coho__addr *peer) {
  struct coho__door *d = (struct coho__door *)owner;
  struct coho__listener *l = d->listener;
  if (!l->single) {
    receive(d, fd, peer);
    return;
  }
  struct coho__door *to = &l->doors[l->turn++ % d->loop->server->loop_count];
  if (to == d)
    receive(d, fd, peer);
  else
    send_guest(to, fd, peer);
}

/* ---- opening -------------------------------------------------------------------------------- */

static int open_socket(struct coho__door *d, uint16_t port, bool first,
                       struct coho__listen **socket) {
  struct coho__listener *l = d->listener;
  const coho_server *s = d->loop->server;
  struct coho__listen_options opt = {.backlog = (int)s->opt.backlog,
                                     .reuse_port = !l->single && s->loop_count > 1,
                                     .mode = (mode_t)s->opt.unix_mode,
                                     .on_accept = on_accept,
                                     .on_socket = l->single || l->proxied ? on_socket : NULL,
                                     .owner = d};
  if (l->fd >= 0) return coho__listen_adopt(d->loop->loop, l->fd, &opt, socket);
  if (l->url.file) return coho__listen_open_path(d->loop->loop, l->url.file, &opt, socket);
  int err = first && opt.reuse_port && port ? coho__listen_probe(l->url.host, port) : 0;
  return err ? err : coho__listen_open(d->loop->loop, l->url.host, port, &opt, socket);
}

int coho__door_open(struct coho__door *d, uint16_t port, bool first) {
  coho_server *s = d->loop->server;
  struct coho__listen *socket = NULL;
  if (d->loop->state > COHO_SERVE_RUNNING) return COHO_ESTOPPED;
  if (d->listener->single && !first) return 0;
  int err = open_socket(d, port, first, &socket);
  if (err) return err;
  pthread_mutex_lock(&s->lock);
  d->socket = socket;
  pthread_mutex_unlock(&s->lock);
  if (d->loop->state == COHO_SERVE_RUNNING) coho__listen_start(socket);
  return 0;
}

void coho__door_start(struct coho__door *d) {
  if (d->socket) coho__listen_start(d->socket);
}
