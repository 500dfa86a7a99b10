/*
 * Contexts of compression have a budget of their own: 10,000 connections that would each like one, idle
 * after their first message, stay within it, and whoever comes when it is used up is served without.
 */
#include "proto/deflater.h"
#include "proto/inflater.h"
#include "support/alloc_fail.h"
#include "support/dice.h"
#include "support/raw.h"
#include "support/zip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#  define HAS_FEATURE(name) __has_feature(name)
#else
#  define HAS_FEATURE(name) 0
#endif
/* Fewer where each costs many times as much; their budget shrinks with them. */
#if defined(COHO_HARD) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#  define PEERS 500
#else
#  define PEERS 10000
#endif

enum {
  ALL = 10000,
  BUDGET = 128 * 1024 * 1024, /* the default, for all of them */
  LIMIT = BUDGET / (ALL / PEERS),
  WINDOW = 12, /* the defaults of COHO_DEFLATE_OWN */
  MEMORY = 5,
  SPARE = 64, /* descriptors that are no connection */
  TEXT = 600,
  IDLE_MOST = 1024 /* what an idle connection takes besides its contexts */
};

static struct world w;
static struct probe server;

/* ---- the peers: another process, so that each side has descriptors for all of them --------------- */

struct tally {
  unsigned with, without, failed; /* contexts in both directions, in none */
};

static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Extensions: permessage-deflate; "
                              "client_max_window_bits\r\n\r\n";

struct peers {
  struct zip *zip;
  char text[TEXT];
  unsigned char frame[8 + TEXT]; /* the text, compressed */
  size_t frame_len;
};

static void prepare(struct peers *p) {
  struct dice d = {4711};
  size_t len;
  for (size_t i = 0; i < TEXT; i++)
    p->text[i] = (char)('a' + dice(&d, 26));
  p->zip = zip_new(WINDOW, MEMORY, WINDOW);
  const char *packed = zip_pack(p->zip, p->text, TEXT, &len);
  assert_true(len > 125 && len < TEXT);
  const unsigned char head[8] = {0xc2, 0xfe, (unsigned char)(len >> 8), (unsigned char)len};
  memcpy(p->frame, head, sizeof head); /* the mask is zero */
  memcpy(p->frame + sizeof head, packed, len);
  p->frame_len = sizeof head + len;
}

static int dial(uint16_t port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

/* Up to the empty line, behind which nothing comes by itself. */
static bool read_head(int fd, char *head, size_t cap) {
  size_t len = 0;
  do {
    ssize_t n = recv(fd, head + len, cap - 1 - len, 0);
    if (n <= 0) return false;
    len += (size_t)n;
    head[len] = '\0';
  } while (!strstr(head, "\r\n\r\n"));
  return true;
}

/* Sends the text and waits until it comes back, compressed. */
static bool exchange(struct peers *p, int fd) {
  unsigned char answer[TEXT];
  size_t len = 4;
  if (send(fd, p->frame, p->frame_len, MSG_NOSIGNAL) != (ssize_t)p->frame_len) return false;
  if (recv(fd, answer, len, MSG_WAITALL) != (ssize_t)len) return false;
  if (answer[0] != 0xc2 || answer[1] != 126) return false;
  len = (size_t)answer[2] << 8 | answer[3];
  if (len > sizeof answer || recv(fd, answer, len, MSG_WAITALL) != (ssize_t)len) return false;
  zip_unpack_anew(p->zip);
  const char *text = zip_unpack(p->zip, answer, len, &len);
  return text && len == TEXT && memcmp(text, p->text, TEXT) == 0;
}

static void visit(struct peers *p, uint16_t port, struct tally *t) {
  char head[1024];
  int fd = dial(port);
  bool fine = fd >= 0 && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
              read_head(fd, head, sizeof head) && strncmp(head + 9, "101", 3) == 0;
  bool sends = fine && !strstr(head, "server_no_context_takeover");
  bool receives = fine && !strstr(head, "client_no_context_takeover");
  fine = fine && sends == receives && strstr(head, "permessage-deflate") && exchange(p, fd);
  t->failed += !fine;
  t->with += fine && sends;
  t->without += fine && !sends;
}

/* Tells when all are idle; they leave when nobody listens any more. */
static _Noreturn void be_peers(struct peers *p, uint16_t port, int tell, int leave) {
  struct tally t = {0};
  char c;
  for (int i = 0; i < PEERS; i++)
    visit(p, port, &t);
  bool told = write(tell, &t, sizeof t) == sizeof t;
  while (told && read(leave, &c, 1) > 0) {}
  _exit(told ? 0 : 1);
}

/* ---- the server ---------------------------------------------------------------------------------- */

struct crowd {
  pid_t pid;
  int told, leave;
};

static void gather(struct crowd *c) {
  static struct peers p;
  int tell[2], leave[2];
  prepare(&p);
  assert_int_equal(pipe(tell) | pipe(leave), 0);
  c->pid = fork();
  assert_true(c->pid >= 0);
  if (c->pid == 0) {
    close(leave[1]);
    be_peers(&p, w.port, tell[1], leave[0]);
  }
  zip_free(p.zip);
  close(tell[1]);
  close(leave[0]);
  c->told = tell[0];
  c->leave = leave[1];
}

static void await_word(struct crowd *c) {
  struct pollfd p = {.fd = c->told, .events = POLLIN};
  while (poll(&p, 1, 0) == 0)
    world_turn(&w);
}

static void disperse(struct crowd *c) {
  int status;
  close(c->leave);
  close(c->told);
  assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
  assert_int_equal(status, 0);
}

static void need_descriptors(void) {
  struct rlimit files;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
  assert_true(files.rlim_cur >= PEERS + 2 * SPARE);
}

static void open_server(void) {
  coho_options opt = probe_options(&server);
  opt.deflate.mode = COHO_DEFLATE_OWN;
  opt.ping_interval_ms = UINT32_MAX;
  server.message = probe_echo;
  world_open(&w, "/", &opt);
}

/* Whether a further one is given contexts. */
static bool gets_context(void) {
  static struct raw r;
  char head[1024];
  raw_connect(&r, &w);
  raw_send(&r, request, sizeof request - 1);
  raw_head(&r, head, sizeof head);
  assert_non_null(strstr(head, "HTTP/1.1 101 "));
  assert_non_null(strstr(head, "permessage-deflate"));
  unsigned closes = server.closes;
  raw_close(&r);
  UNTIL(&w, server.closes > closes);
  world_turn(&w);
  return !strstr(head, "no_context_takeover");
}

static void test_B10_idle_connections_stay_within_the_budget(void **state) {
  (void)state;
  const uint64_t each = coho__deflater_size(WINDOW, MEMORY) + coho__inflater_size(WINDOW);
  struct tally t = {0};
  struct crowd crowd;
  need_descriptors();
  coho_set_context_limit(PEERS == ALL ? 0 : LIMIT);
  open_server();
  assert_true(gets_context()); /* the loop's own buffers have grown */
  uint64_t before = coho_memory_used();
  gather(&crowd);
  await_word(&crowd);
  assert_int_equal(read(crowd.told, &t, sizeof t), sizeof t);
  assert_int_equal(server.messages, PEERS);

  assert_int_equal(t.failed, 0);
  assert_int_equal(t.with, LIMIT / each);
  assert_int_equal(t.without, PEERS - t.with);
  assert_true(t.with > 0 && t.without > 0);
  assert_int_equal(coho_contexts_used(), t.with * each);
  assert_true(coho_contexts_used() <= LIMIT);
  /* Those with a context have made use of it, and others own none. */
  uint64_t taken = coho_memory_used() - before;
  assert_true(taken > t.with * each);
  assert_true(taken < t.with * each + PEERS * (uint64_t)IDLE_MOST);
  assert_false(gets_context());

  disperse(&crowd);
  UNTIL(&w, server.closes == server.opens);
  world_turn(&w);
  assert_int_equal(server.errors, PEERS + 2); /* without a Close */
  assert_int_equal(coho_contexts_used(), 0);
  assert_true(gets_context());
  world_close(&w);
  coho_set_context_limit(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_B10_idle_connections_stay_within_the_budget),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
