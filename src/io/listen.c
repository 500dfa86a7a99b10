#define _GNU_SOURCE
#include "io/listen.h"

#include "base/alloc.h"
#include "base/log.h"
#include "io/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct coho__listen {
  coho_loop *loop;
  struct coho__listen_options opt;
  struct coho__io io;
  struct coho__wheel_timer pause;
  int reserve; /* given up to get rid of a connection when there are no descriptors; -1: gone */
  uint16_t port;
  char *path; /* of a file that is ours; NULL: none */
  struct stat file;
  bool started;
  bool closed;
  bool complained; /* since the last accepted connection */
};

/* ---- opening -------------------------------------------------------------------------------- */

static int set_options(int fd, const struct coho__addr *a, bool dual, bool reuse_port) {
  int on = 1, v6only = !dual;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -1;
  if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return -1;
  if (a->sa.ss_family == AF_INET6 &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only) < 0)
    return -1;
  coho__sock_tune(fd); /* accepted sockets inherit it, which saves them two system calls */
  return 0;
}

/* A listening socket, with backlog 0 only a bound one, or an error. */
static int listen_on(const struct coho__addr *a, bool dual,
                     const struct coho__listen_options *opt) {
  int fd = coho__sock_open(a->sa.ss_family);
  if (fd < 0) return fd;
  if (set_options(fd, a, dual, opt->reuse_port) == 0 &&
      bind(fd, (const struct sockaddr *)&a->sa, a->len) == 0 &&
      (opt->backlog == 0 || listen(fd, opt->backlog) == 0))
    return fd;
  int err = coho__error_of_errno(errno);
  close(fd);
  return err;
}

static int listen_everywhere(uint16_t port, const struct coho__listen_options *opt) {
  struct coho__addr a;
  coho__addr_parse(&a, "::", port);
  int fd = listen_on(&a, true, opt);
  /* A kernel without IPv6 has no such sockets, or no such address. */
  if (fd != COHO_ESYSTEM && fd != COHO_EADDRNOTAVAIL) return fd;
  coho__addr_parse(&a, "0.0.0.0", port);
  return listen_on(&a, false, opt);
}

static int listen_family(const struct coho__addr *addrs, size_t n, int family,
                         const struct coho__listen_options *opt) {
  int result = COHO_ERESOLVE;
  for (size_t i = 0; i < n; i++) {
    if (addrs[i].sa.ss_family != family) continue;
    result = listen_on(&addrs[i], false, opt);
    if (result >= 0) break;
  }
  return result;
}

static int listen_name(const char *host, uint16_t port, const struct coho__listen_options *opt) {
  struct coho__addr addrs[COHO_RESOLVE_MAX];
  int n = coho__resolve_now(host, port, addrs, COHO_RESOLVE_MAX);
  if (n < 0) return n;
  int fd = listen_family(addrs, (size_t)n, AF_INET, opt);
  if (fd >= 0) return fd;
  int other = listen_family(addrs, (size_t)n, AF_INET6, opt);
  return other == COHO_ERESOLVE ? fd : other;
}

static int listen_fd(const char *host, uint16_t port, const struct coho__listen_options *opt) {
  struct coho__addr a;
  if (!*host) return listen_everywhere(port, opt);
  if (coho__addr_parse(&a, host, port)) return listen_on(&a, false, opt);
  return listen_name(host, port, opt);
}

int coho__listen_probe(const char *host, uint16_t port) {
  /* Bound but not listening: nobody may connect to what is closed at once. */
  struct coho__listen_options opt = {.backlog = 0};
  int fd = listen_fd(host, port, &opt);
  if (fd < 0) return fd;
  close(fd);
  return 0;
}

static uint16_t port_of(int fd) {
  struct coho__addr a = {.len = sizeof a.sa};
  if (getsockname(fd, (struct sockaddr *)&a.sa, &a.len) < 0) return 0;
  return coho__addr_port(&a);
}

/* ---- unix sockets --------------------------------------------------------------------------- */

/* Whether this is a socket that nobody listens on any more. */
static bool is_stale(const char *path, const struct coho__addr *a) {
  struct stat file;
  if (lstat(path, &file) < 0 || !S_ISSOCK(file.st_mode)) return false;
  int fd = coho__sock_open(AF_UNIX);
  if (fd < 0) return false;
  bool stale = connect(fd, (const struct sockaddr *)&a->sa, a->len) < 0 && errno == ECONNREFUSED;
  close(fd);
  return stale;
}

/* 0 or -1. */
static int bind_path(int fd, const char *path, const struct coho__addr *a) {
  int result = bind(fd, (const struct sockaddr *)&a->sa, a->len);
  if (result == 0 || errno != EADDRINUSE) return result;
  if (is_stale(path, a) && unlink(path) == 0)
    return bind(fd, (const struct sockaddr *)&a->sa, a->len);
  errno = EADDRINUSE;
  return -1;
}

/* Nobody can connect before its file has the mode it is to have. */
static int listen_path(const char *path, const struct coho__listen_options *opt,
                       struct stat *file) {
  struct coho__addr a;
  if (!coho__addr_unix(&a, path)) return COHO_EINVAL;
  int fd = coho__sock_open(AF_UNIX);
  if (fd < 0) return fd;
  int bound = bind_path(fd, path, &a);
  if (bound == 0 && chmod(path, opt->mode) == 0 && lstat(path, file) == 0 &&
      listen(fd, opt->backlog) == 0)
    return fd;
  int err = coho__error_of_errno(errno);
  if (bound == 0) (void)unlink(path);
  close(fd);
  return err;
}

static void remove_path(struct coho__listen *l) {
  struct stat now;
  if (!l->path) return;
  if (lstat(l->path, &now) == 0 && now.st_dev == l->file.st_dev && now.st_ino == l->file.st_ino)
    (void)unlink(l->path);
  coho__free_str(l->path);
  l->path = NULL;
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void open_reserve(struct coho__listen *l) {
  if (l->reserve < 0) l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* One line until it works again. */
static void complain(struct coho__listen *l, const char *why) {
  if (!l->complained) coho__log(COHO_LOG_ERROR, "cannot accept connections: %s", why);
  l->complained = true;
}

/* No descriptor is left. The connections in the queue would keep the socket readable for ever: one
   of them is told at once, the others when there is room or they give up. */
static void run_short(struct coho__listen *l) {
  complain(l, "out of file descriptors or memory");
  if (l->reserve >= 0) {
    close(l->reserve);
    int fd = accept4(l->io.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) close(fd);
    l->reserve = -1;
    open_reserve(l);
  }
  coho__loop_set_timer(l->loop, &l->pause, COHO_ACCEPT_PAUSE_MS);
}

static void take(struct coho__listen *l, int fd, const struct coho__addr *peer) {
  int err;
  if (l->opt.on_socket) {
    l->complained = false;
    l->opt.on_socket(l->opt.owner, fd, peer);
    return;
  }
  struct coho__stream *s = coho__stream_accepted(l->loop, fd, peer, &err);
  if (!s) { /* the peer sees the end */
    complain(l, coho_strerror(err));
    return;
  }
  l->complained = false;
  l->opt.on_accept(l->opt.owner, s);
}

/* False: the queue is empty, or accepting has paused. */
static bool accept_one(struct coho__listen *l) {
  struct coho__addr peer = {.len = sizeof peer.sa};
  int fd = accept4(l->io.fd, (struct sockaddr *)&peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    take(l, fd, &peer);
    return true;
  }
  switch (errno) {
  case EAGAIN: return false;
  case EINTR:
  case ECONNABORTED:
  case EPERM:
  case EPROTO: /* this one and those below: trouble of that connection, says accept(2) */
  case ENETDOWN:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case EOPNOTSUPP:
  case ENETUNREACH: return true;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM: run_short(l); return false;
  default:
    complain(l, strerror(errno));
    coho__loop_set_timer(l->loop, &l->pause, COHO_ACCEPT_TROUBLE_MS);
    return false;
  }
}

static void on_event(struct coho__io *io, unsigned events) {
  (void)events;
  struct coho__listen *l = COHO_CONTAINER_OF(io, struct coho__listen, io);
  if (!l->started || coho__wheel_is_set(&l->pause)) return;
  for (int i = 0; i < COHO_ACCEPT_BUDGET; i++) {
    if (!accept_one(l) || l->closed) return;
  }
  coho__io_again(l->loop, io, COHO_IO_READ);
}

static void on_pause_end(struct coho__wheel_timer *t) {
  struct coho__listen *l = COHO_CONTAINER_OF(t, struct coho__listen, pause);
  open_reserve(l);
  coho__io_again(l->loop, &l->io, COHO_IO_READ);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_listen(struct coho__io *io, unsigned events) {
  (void)events;
  struct coho__listen *l = COHO_CONTAINER_OF(io, struct coho__listen, io);
  coho__free(l, sizeof *l);
}

/* The socket is not taken on failure. */
static int listen_new(coho_loop *loop, int fd, const struct coho__listen_options *opt,
                      struct coho__listen **out) {
  struct coho__listen *l = (struct coho__listen *)coho__zalloc(sizeof *l);
  int err = l ? coho__io_add(loop, &l->io, fd, on_event) : COHO_ENOMEM;
  if (err) {
    coho__free(l, sizeof *l);
    return err;
  }
  l->loop = loop;
  l->opt = *opt;
  l->port = port_of(fd);
  l->reserve = -1;
  open_reserve(l);
  coho__wheel_timer_init(&l->pause, on_pause_end);
  *out = l;
  return 0;
}

int coho__listen_open(coho_loop *loop, const char *host, uint16_t port,
                      const struct coho__listen_options *opt, struct coho__listen **out) {
  int fd = listen_fd(host, port, opt);
  if (fd < 0) return fd;
  int err = listen_new(loop, fd, opt, out);
  if (err) close(fd);
  return err;
}

int coho__listen_open_path(coho_loop *loop, const char *path,
                           const struct coho__listen_options *opt, struct coho__listen **out) {
  struct stat file;
  char *copy = coho__strdup(path);
  if (!copy) return COHO_ENOMEM;
  int fd = listen_path(path, opt, &file);
  int err = fd < 0 ? fd : listen_new(loop, fd, opt, out);
  if (!err) {
    (*out)->path = copy;
    (*out)->file = file;
    return 0;
  }
  if (fd >= 0) {
    (void)unlink(path);
    close(fd);
  }
  coho__free_str(copy);
  return err;
}

/* A number that getsockopt(2) tells, or -1. */
static int option_of(int fd, int name) {
  int value = -1;
  socklen_t len = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

int coho__listen_adopt(coho_loop *loop, int fd, const struct coho__listen_options *opt,
                       struct coho__listen **out) {
  int family = option_of(fd, SO_DOMAIN);
  bool known = family == AF_INET || family == AF_INET6 || family == AF_UNIX;
  if (!known || option_of(fd, SO_TYPE) != SOCK_STREAM || option_of(fd, SO_ACCEPTCONN) != 1)
    return COHO_EINVAL;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
    return coho__error_of_errno(errno);
  coho__sock_tune(fd);
  return listen_new(loop, fd, opt, out);
}

void coho__listen_addr(const struct coho__listen *l, struct coho__addr *a) {
  *a = (struct coho__addr){.len = sizeof a->sa};
  (void)getsockname(l->io.fd, (struct sockaddr *)&a->sa, &a->len);
}

void coho__listen_start(struct coho__listen *l) {
  l->started = true;
  coho__io_again(l->loop, &l->io, COHO_IO_READ); /* for those who came before */
}

void coho__listen_close(struct coho__listen *l) {
  if (!l || l->closed) return;
  l->closed = true;
  remove_path(l); /* first: who starts again now finds nothing */
  int fd = l->io.fd;
  coho__loop_stop_timer(l->loop, &l->pause);
  coho__io_bury(l->loop, &l->io, free_listen);
  close(fd);
  if (l->reserve >= 0) close(l->reserve);
}

uint16_t coho__listen_port(const struct coho__listen *l) { return l->port; }
