#include "http/proxied.h"

#include "base/alloc.h"
#include "base/log.h"
#include "proto/proxyproto.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef COHO_HARD
enum { PIECE = 1 };
#else
enum { PIECE = 2048 }; /* more than any header that is not stuffed */
#endif

struct guest {
  struct coho__io io;
  struct coho__list node; /* in room->waiting */
  struct coho__proxied_room *room;
  struct coho__wheel_timer timer;
  struct coho__addr peer;
  struct coho__proxied_next next;
  struct coho__proxy header;
};

void coho__proxied_init(struct coho__proxied_room *room, coho_loop *loop,
                        struct coho__admission *admission) {
  *room = (struct coho__proxied_room){.loop = loop, .admission = admission};
  coho__list_init(&room->waiting);
}

static void tell(const struct coho__addr *peer, int err) {
  char text[COHO_ADDR_MAX];
  if (!coho__log_wants(COHO_LOG_INFO)) return;
  coho__log(COHO_LOG_INFO, "%s %s: %s", coho__addr_format(peer, text, sizeof text),
            coho_errname(err), coho_strerror(err));
}

static void bury(struct coho__io *io, unsigned events) {
  (void)events;
  struct guest *g = COHO_CONTAINER_OF(io, struct guest, io);
  coho__free(g, sizeof *g);
}

/* Out of the room; the socket, which is returned, stays open. */
static int leave(struct guest *g) {
  int fd = g->io.fd;
  coho__loop_stop_timer(g->room->loop, &g->timer);
  coho__list_remove(&g->node);
  coho__admission_release(g->room->admission);
  coho__io_bury(g->room->loop, &g->io, bury);
  return fd;
}

static void refuse(struct guest *g, int err) {
  if (err) tell(&g->peer, err);
  close(leave(g));
}

static void on_deadline(struct coho__wheel_timer *t) {
  refuse(COHO_CONTAINER_OF(t, struct guest, timer), COHO_EPROXY);
}

/* The header is complete. */
static void let_in(struct guest *g) {
  struct coho__addr peer = g->peer;
  if (g->header.kind == COHO_PROXY_IP)
    coho__addr_of_ip(&peer, &g->header.ip, g->header.port);
  else if (g->header.kind == COHO_PROXY_UNIX)
    peer = (struct coho__addr){.sa.ss_family = AF_UNIX, .len = sizeof(sa_family_t)};
  struct coho__proxied_next next = g->next;
  int fd = leave(g);
  next.fn(next.owner, fd, &peer);
}

/* 1: the header is complete, 0: not yet, or an error. */
static int take(struct guest *g, ssize_t n) {
  char *buf = g->room->loop->recv;
  size_t used = 0;
  int result = coho__proxy_input(&g->header, buf, (size_t)n, &used);
  if (result < 0) return result;
  ssize_t taken = recv(g->io.fd, buf, used, 0);
  return taken == (ssize_t)used ? result : COHO_ESYSTEM;
}

static void on_event(struct coho__io *io, unsigned events) {
  (void)events;
  struct guest *g = COHO_CONTAINER_OF(io, struct guest, io);
  for (;;) {
    ssize_t n = recv(io->fd, g->room->loop->recv, PIECE, MSG_PEEK);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    /* One that says nothing and goes looks whether we are here: not worth a word. */
    int result = n > 0 ? take(g, n) : g->header.state ? COHO_EPROXY : COHO_ECONNRESET;
    if (result == 1) let_in(g);
    if (result < 0) refuse(g, n > 0 || g->header.state ? result : 0);
    if (result != 0) return;
  }
}

static bool is_proxy(const struct coho__proxied_room *room, const struct coho__addr *peer) {
  struct coho__ip ip;
  if (coho__addr_ip(peer, &ip)) return coho__cidrs_has(room->proxies, &ip);
  return peer->sa.ss_family == AF_UNIX && room->proxies->local;
}

void coho__proxied_wait(struct coho__proxied_room *room, int fd, const struct coho__addr *peer,
                        struct coho__proxied_next next) {
  bool known = is_proxy(room, peer);
  if (!known) tell(peer, COHO_EPROXYPEER);
  struct guest *g = NULL;
  if (known && coho__admission_hold(room->admission)) {
    g = (struct guest *)coho__zalloc(sizeof *g);
    if (g && coho__io_add(room->loop, &g->io, fd, on_event) == 0) {
      g->room = room;
      g->peer = *peer;
      g->next = next;
      coho__proxy_init(&g->header);
      coho__wheel_timer_init(&g->timer, on_deadline);
      coho__list_append(&room->waiting, &g->node);
      if (room->timeout_ms != UINT32_MAX)
        coho__loop_set_timer(room->loop, &g->timer, room->timeout_ms);
      return;
    }
    coho__admission_release(room->admission);
  }
  coho__free(g, sizeof *g);
  close(fd);
}

void coho__proxied_end(struct coho__proxied_room *room) {
  while (!coho__list_empty(&room->waiting))
    refuse(COHO_LIST_ENTRY(room->waiting.next, struct guest, node), 0);
}
