#include "history.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_LINES = 1000 };

/* False: there is no home for it, or the path is too long. */
static bool find_folder(char path[PATH_MAX]) {
  const char *state = getenv("XDG_STATE_HOME");
  const char *home = getenv("HOME");
  int n = -1;
  /* The XDG base directory specification ignores relative paths. */
  if (state && *state == '/')
    n = snprintf(path, PATH_MAX, "%s/coho", state);
  else if (home && *home)
    n = snprintf(path, PATH_MAX, "%s/.local/state/coho", home);
  return n > 0 && n < PATH_MAX;
}

static bool find_file(char path[PATH_MAX], const char *suffix) {
  char folder[PATH_MAX];
  if (!find_folder(folder)) return false;
  int n = snprintf(path, PATH_MAX, "%s/history%s", folder, suffix);
  return n > 0 && n < PATH_MAX;
}

/* Each folder of the path that is missing. */
static bool make_folders(char *path) {
  for (char *p = path + 1;; p++) {
    char c = *p;
    if (c && c != '/') continue;
    *p = '\0';
    bool made = !mkdir(path, 0700) || errno == EEXIST;
    *p = c;
    if (!made || !c) return made;
  }
}

History *history_open(void) {
  History *h = history_init();
  HistEvent ev;
  char path[PATH_MAX];
  if (!h) return NULL;
  history(h, &ev, H_SETSIZE, KEPT_LINES);
  history(h, &ev, H_SETUNIQUE, 1);
  if (find_file(path, "")) history(h, &ev, H_LOAD, path);
  return h;
}

/* Written beside the old one and then put in its place, so that a full disk costs nothing. */
static void save(History *h) {
  HistEvent ev;
  char folder[PATH_MAX], path[PATH_MAX], fresh[PATH_MAX];
  if (!find_folder(folder) || !make_folders(folder)) return;
  if (!find_file(path, "") || !find_file(fresh, ".new")) return;
  (void)unlink(fresh);
  mode_t before = umask(0077);
  int saved = history(h, &ev, H_SAVE, fresh);
  umask(before);
  if (saved < 0 || rename(fresh, path)) (void)unlink(fresh);
}

void history_close(History *h) {
  if (!h) return;
  save(h);
  history_end(h);
}
