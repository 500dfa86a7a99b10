#define _GNU_SOURCE
#include "client_child.h"

#include "bytes.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  SLOTS = 128,    /* children side by side; more than there are workers */
  LEAVE_MS = 500, /* to end by itself once its connection is over */
  TERM_MS = 1000  /* to end when it is told to */
};

/* ---- those that run, for the signal handler ------------------------------------------------- */

static atomic_int groups[SLOTS];

static size_t remember(pid_t pid) {
  for (size_t i = 0; i < SLOTS; i++) {
    int none = 0;
    if (atomic_compare_exchange_strong(&groups[i], &none, (int)pid)) return i;
  }
  return SLOTS;
}

static void forget(size_t slot) {
  if (slot < SLOTS) atomic_store(&groups[slot], 0);
}

static void on_signal(int signo) {
  for (size_t i = 0; i < SLOTS; i++) {
    int group = atomic_load(&groups[i]);
    if (group) (void)kill(-group, SIGKILL);
  }
  (void)raise(signo); /* the handler was taken away by SA_RESETHAND */
}

void client_child_guard(void) {
  struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
  (void)sigaction(SIGINT, &act, NULL);
  (void)sigaction(SIGTERM, &act, NULL);
  (void)sigaction(SIGHUP, &act, NULL);
}

/* ---- beginning ------------------------------------------------------------------------------ */

static char **with_url(char *const *command, char *url) {
  size_t count = 0;
  while (command[count])
    count++;
  char **argv = (char **)memory_new(count + 2, sizeof *argv);
  memcpy(argv, command, count * sizeof *argv);
  argv[count] = url;
  return argv;
}

static int add_streams(posix_spawn_file_actions_t *files, bool heard) {
  int error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (error) return error;
  if (heard) return posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
  error = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  return error ? error : posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
}

/* A group of its own, and signals as a shell would leave them. */
static int set_attributes(posix_spawnattr_t *attributes) {
  sigset_t none;
  sigset_t ours;
  (void)sigemptyset(&none);
  (void)sigemptyset(&ours);
  (void)sigaddset(&ours, SIGPIPE);
  (void)sigaddset(&ours, SIGINT);
  (void)sigaddset(&ours, SIGTERM);
  (void)sigaddset(&ours, SIGHUP);
  short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  int error = posix_spawnattr_setflags(attributes, flags);
  if (!error) error = posix_spawnattr_setpgroup(attributes, 0);
  if (!error) error = posix_spawnattr_setsigmask(attributes, &none);
  return error ? error : posix_spawnattr_setsigdefault(attributes, &ours);
}

static int spawn(pid_t *pid, char *const *argv, bool heard) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&files);
  if (error) return error;
  error = posix_spawnattr_init(&attributes);
  if (!error) {
    error = add_streams(&files, heard);
    if (!error) error = set_attributes(&attributes);
    if (!error) error = posix_spawnp(pid, argv[0], &files, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
  }
  (void)posix_spawn_file_actions_destroy(&files);
  return error;
}

/* ---- looking for it ------------------------------------------------------------------------- */

/* 0, or why it cannot be run. */
static int try_file(const char *path) {
  struct stat st;
  if (stat(path, &st)) return errno;
  if (S_ISDIR(st.st_mode)) return EISDIR;
  return access(path, X_OK) ? errno : 0;
}

/* In the folders of the list; an empty one is this one. Who is there, but cannot be run, is told when
   nobody else is. */
static int try_folders(const char *list, const char *name) {
  int error = ENOENT;
  for (const char *at = list;; at++) {
    size_t len = strcspn(at, ":");
    char *path = len ? memory_text("%.*s/%s", (int)len, at, name) : memory_text("./%s", name);
    int wrong = try_file(path);
    free(path);
    if (!wrong) return 0;
    if (wrong == EACCES) error = wrong;
    at += len;
    if (!*at) return error;
  }
}

int client_child_find(const char *name, char *why, size_t cap) {
  const char *folders = getenv("PATH");
  int error = !*name              ? ENOENT
              : strchr(name, '/') ? try_file(name)
                                  : try_folders(folders ? folders : "/bin:/usr/bin", name);
  if (error) (void)snprintf(why, cap, "cannot run '%s': %s", name, strerror(error));
  return error ? -1 : 0;
}

/* ---- running it ----------------------------------------------------------------------------- */

int client_child_start(struct client_child *c, char *const *command, const char *url, bool heard,
                       char *why, size_t cap) {
  char *last = memory_text("%s", url);
  char **argv = with_url(command, last);
  *c = CLIENT_CHILD_NONE;
  int error = spawn(&c->pid, argv, heard);
  free(argv);
  free(last);
  if (error) {
    c->pid = 0;
    (void)snprintf(why, cap, "cannot run '%s': %s", command[0], strerror(error));
    return -1;
  }
  c->slot = remember(c->pid);
  c->ended = pidfd_open(c->pid, 0);
  return 0;
}

/* ---- ending --------------------------------------------------------------------------------- */

/* It ended within that time; without a descriptor to tell, it is not waited for. */
static bool ends_within(const struct client_child *c, int ms) {
  struct pollfd p = {.fd = c->ended, .events = POLLIN};
  return c->ended >= 0 && poll(&p, 1, ms) > 0;
}

static void describe(int status, char *text, size_t cap) {
  if (WIFSIGNALED(status))
    (void)snprintf(text, cap, "it was ended by signal %d", WTERMSIG(status));
  else
    (void)snprintf(text, cap, "it ended with status %d", WEXITSTATUS(status));
}

void client_child_end(struct client_child *c, char *text, size_t cap) {
  int status = 0;
  if (!c->pid) return;
  if (!ends_within(c, LEAVE_MS)) {
    (void)kill(-c->pid, SIGTERM);
    (void)ends_within(c, TERM_MS);
  }
  /* The group lives on when it left children of its own behind. */
  (void)kill(-c->pid, SIGKILL);
  while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
    ;
  forget(c->slot);
  if (c->ended >= 0) (void)close(c->ended);
  if (text) describe(status, text, cap);
  *c = CLIENT_CHILD_NONE;
}
