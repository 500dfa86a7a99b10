#define _XOPEN_SOURCE 700 /* wcwidth() */
#include "terminal.h"

#include "base/check.h"
#include "history.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define PROMPT "> "

struct terminal {
  EditLine *edit;
  History *history;
  bool (*wait)(void *arg);
  void *arg;
  mbstate_t shift; /* inside a character of several bytes */
  unsigned width;  /* of the screen when the line was drawn last */
  bool waiting;    /* for a key: the line being edited is on the screen */
  bool ended;
  char *line;
};

bool terminal_usable(void) {
  const char *term = getenv("TERM");
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
         strcmp(term, "dumb") != 0;
}

/* ---- keys ---------------------------------------------------------------------------------- */

static struct terminal *terminal_of(EditLine *edit) {
  void *t = NULL;
  el_get(edit, EL_CLIENTDATA, &t);
  return (struct terminal *)t;
}

/* 1 and a byte, or 0: nothing more will come. */
static int read_byte(struct terminal *t, char *byte) {
  for (;;) {
    t->waiting = true;
    bool wanted = t->wait(t->arg);
    t->waiting = false;
    if (!wanted) return 0;
    ssize_t n = read(STDIN_FILENO, byte, 1);
    if (n >= 0) return (int)n;
    if (errno != EINTR && errno != EAGAIN) return 0;
  }
}

static int read_key(EditLine *edit, wchar_t *key) {
  struct terminal *t = terminal_of(edit);
  char byte;
  while (read_byte(t, &byte) == 1) {
    size_t n = mbrtowc(key, &byte, 1, &t->shift);
    if (n < (size_t)-2) return 1;
    /* What is no character is left out. */
    if (n == (size_t)-1) memset(&t->shift, 0, sizeof t->shift);
  }
  t->ended = true;
  return 0;
}

/* ---- the line on the screen ---------------------------------------------------------------- */

static unsigned columns(void) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0) return 80;
  return size.ws_col;
}

/* How many rows the cursor stands below the prompt's first, on a screen of this width. */
static unsigned cursor_row(struct terminal *t, unsigned width) {
  const LineInfoW *line = el_wline(t->edit);
  unsigned row = 0, column = sizeof PROMPT - 1;
  for (const wchar_t *c = line->buffer; c < line->cursor; c++) {
    int cells = wcwidth(*c);
    /* The editor shows a control character as ^X. */
    column += cells < 0 ? 2 : (unsigned)cells;
    if (column < width) continue;
    row++;
    column = column == width ? 0 : (unsigned)cells;
  }
  return row;
}

void terminal_hide(struct terminal *t) {
  if (!t || !t->waiting) return;
  /* When the window changed its size the terminal may have wrapped the line anew, or not. Rather
     too few rows are erased than messages above them. */
  unsigned row = cursor_row(t, COHO_MAX(t->width, columns()));
  if (row) printf("\033[%uA", row);
  fputs("\r\033[J", stdout);
  fflush(stdout);
}

void terminal_show(struct terminal *t) {
  if (!t || !t->waiting) return;
  fflush(stdout);
  t->width = columns();
  el_set(t->edit, EL_REFRESH);
}

void terminal_resize(struct terminal *t) {
  if (!t) return;
  terminal_hide(t);
  el_resize(t->edit);
  terminal_show(t);
}

void terminal_suspend(struct terminal *t) {
  terminal_hide(t);
  if (t) el_set(t->edit, EL_PREP_TERM, 0);
  raise(SIGSTOP);
  if (t) el_set(t->edit, EL_PREP_TERM, 1);
  terminal_show(t);
}

/* ---- life ---------------------------------------------------------------------------------- */

static char *prompt(EditLine *edit) {
  static char text[] = PROMPT;
  (void)edit;
  return text;
}

/* Where no locale is set, UTF-8 is still what people type. */
static void set_locale(void) {
  if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1) (void)setlocale(LC_CTYPE, "C.UTF-8");
}

static EditLine *make_editor(struct terminal *t) {
  EditLine *edit = el_init("coho", stdin, stdout, stderr);
  if (!edit) return NULL;
  el_set(edit, EL_CLIENTDATA, t);
  el_set(edit, EL_PROMPT, prompt);
  el_set(edit, EL_EDITOR, "emacs");
  el_set(edit, EL_SIGNAL, 0);
  el_set(edit, EL_HIST, history, t->history);
  el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set(edit, EL_GETCFN, read_key);
  el_source(edit, NULL);
  return edit;
}

struct terminal *terminal_open(bool (*wait)(void *arg), void *arg) {
  struct terminal *t = (struct terminal *)calloc(1, sizeof *t);
  if (!t) return NULL;
  set_locale();
  t->wait = wait;
  t->arg = arg;
  t->history = history_open();
  if (t->history) t->edit = make_editor(t);
  if (!t->edit) {
    terminal_close(t);
    return NULL;
  }
  el_set(t->edit, EL_PREP_TERM, 1);
  return t;
}

void terminal_close(struct terminal *t) {
  if (!t) return;
  if (t->edit) el_end(t->edit);
  history_close(t->history);
  free(t->line);
  free(t);
}

/* ---- lines --------------------------------------------------------------------------------- */

static void remember(struct terminal *t, const char *line) {
  HistEvent ev;
  if (*line) history(t->history, &ev, H_ENTER, line);
}

const char *terminal_line(struct terminal *t) {
  int len = 0;
  free(t->line);
  t->line = NULL;
  t->width = columns();
  const char *typed = t->ended ? NULL : el_gets(t->edit, &len);
  bool ended = !typed || len <= 0 || t->ended;
  /* Between lines, too, so that the system echoes nothing of what is typed ahead. */
  el_set(t->edit, EL_PREP_TERM, !ended);
  /* What was typed when the end came is nobody's. */
  if (ended) {
    fputs("\r\033[J", stdout);
    fflush(stdout);
    return NULL;
  }
  t->line = strndup(typed, strcspn(typed, "\r\n"));
  if (t->line) remember(t, t->line);
  return t->line;
}
