#include "script.h"

#include "options.h"
#include "steps.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 4000, MAX_NAMES = 8 };

/* The lines of a case, and the values that `each` lines give to its variables. */
struct draft {
  const char *file;
  char *lines[MAX_LINES];
  int numbers[MAX_LINES];
  size_t count;
  char *names[MAX_NAMES]; /* of variables */
  size_t name_count;
  char **values; /* name_count for each of the case's copies */
  size_t value_count;
};

static bool complain(const char *file, int line, const char *why) {
  printf("%s:%d: %s\n", file, line, why);
  return false;
}

bool error_named(const char *name, int *err) {
  static const struct {
    const char *name;
    int err;
  } rows[] = {
#define ROW(row, value, answer, rfc, text) {#row, value},
      COHO_ERRORS(ROW)
#undef ROW
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (strcmp(name, rows[i].name) != 0) continue;
    *err = rows[i].err;
    return true;
  }
  return false;
}

/* ---- cases --------------------------------------------------------------------------------- */

struct step *case_step(struct wire_case *c, enum step_kind kind, int line) {
  c->steps = (struct step *)grow(c->steps, (c->count + 1) * sizeof *c->steps);
  struct step *s = &c->steps[c->count++];
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->line = line;
  return s;
}

void case_free(struct wire_case *c) {
  for (size_t i = 0; i < c->count; i++) {
    bytes_free(&c->steps[i].data);
    bytes_free(&c->steps[i].event.data);
    free(c->steps[i].text);
    free(c->steps[i].marks);
  }
  options_free(&c->options);
  free(c->steps);
  free(c->ids);
  free(c->name);
}

void script_free(struct script *s) {
  for (size_t i = 0; i < s->count; i++)
    case_free(&s->cases[i]);
  free(s->cases);
  free(s->file);
}

/* ---- variables ----------------------------------------------------------------------------- */

static void draft_clear(struct draft *d) {
  for (size_t i = 0; i < d->count; i++)
    free(d->lines[i]);
  for (size_t i = 0; i < d->name_count; i++)
    free(d->names[i]);
  for (size_t i = 0; i < d->value_count; i++)
    free(d->values[i]);
  free(d->values);
  d->values = NULL;
  d->count = d->name_count = d->value_count = 0;
}

static void add_value(struct draft *d, const char *s, size_t n) {
  d->values = (char **)grow(d->values, (d->value_count + 1) * sizeof *d->values);
  d->values[d->value_count++] = copy_text(s, n);
}

static bool same_names(const struct draft *d, const char *s, size_t n) {
  size_t at = 0;
  for (size_t i = 0; i < d->name_count; i++) {
    size_t len = strlen(d->names[i]);
    if (at + len > n || memcmp(s + at, d->names[i], len) != 0) return false;
    at += len;
    at += strspn(s + at, " ");
  }
  return at >= n;
}

static bool read_names(struct draft *d, const char *s, size_t n) {
  while (n && s[n - 1] == ' ')
    n--;
  if (d->name_count) return same_names(d, s, n);
  while (n) {
    size_t len = strcspn(s, " =:");
    if (len > n) len = n;
    if (d->name_count == MAX_NAMES) return false;
    d->names[d->name_count++] = copy_text(s, len);
    size_t next = len + strspn(s + len, " ");
    n -= next < n ? next : n;
    s += next;
  }
  return d->name_count > 0;
}

/* `each NAME...: VALUE...` has words, `each NAME = VALUE` the rest of the line. */
static bool read_each(struct draft *d, const char *s) {
  size_t n = strcspn(s, "=:");
  if (!s[n] || !read_names(d, s, n)) return false;
  const char *value = s + n + 1;
  value += strspn(value, " ");
  if (s[n] == '=') {
    add_value(d, value, strlen(value));
    return d->name_count == 1;
  }
  while (*value) {
    size_t len = strcspn(value, " ");
    add_value(d, value, len);
    value += len;
    value += strspn(value, " ");
  }
  return d->value_count % d->name_count == 0;
}

/* The line with $NAME replaced; values are those of the case's copy number row. */
static char *fill(const struct draft *d, const char *line, size_t row) {
  struct bytes out = {NULL, 0, 0};
  while (*line) {
    size_t hit = d->name_count, longest = 0;
    for (size_t i = 0; *line == '$' && i < d->name_count; i++) {
      size_t n = strlen(d->names[i]);
      if (n > longest && strncmp(line + 1, d->names[i], n) == 0) {
        hit = i;
        longest = n;
      }
    }
    if (hit < d->name_count) {
      bytes_text(&out, d->values[row * d->name_count + hit]);
      line += 1 + longest;
    } else {
      bytes_byte(&out, (unsigned char)*line++);
    }
  }
  bytes_byte(&out, 0);
  return (char *)out.data;
}

/* ---- from lines to cases ------------------------------------------------------------------- */

/* "case ID...: name" */
static bool name_case(struct wire_case *c, const char *line) {
  const char *ids = line + strlen("case ");
  const char *colon = strchr(ids, ':');
  if (!colon) return complain(c->file, c->line, "a case is `case ID...: what it is about`");
  c->ids = copy_text(ids, (size_t)(colon - ids));
  colon += 1 + strspn(colon + 1, " ");
  c->name = copy_text(colon, strlen(colon));
  return true;
}

static bool build_lines(const struct draft *d, size_t row, struct builder *b) {
  for (size_t i = 2; i < d->count; i++) {
    char *line = fill(d, d->lines[i], row);
    b->line = d->numbers[i];
    bool good = steps_line(b, line);
    free(line);
    if (!good) return complain(d->file, b->line, b->why);
  }
  return true;
}

static bool build_case(const struct draft *d, size_t row, coho_role role, struct wire_case *c) {
  struct builder *b = (struct builder *)grow(NULL, sizeof *b);
  memset(b, 0, sizeof *b);
  memset(c, 0, sizeof *c);
  c->file = d->file;
  c->line = d->numbers[0];
  c->role = role;
  char *title = fill(d, d->lines[0], row), *first = fill(d, d->lines[1], row);
  b->c = c;
  b->line = d->numbers[1];
  bool good = name_case(c, title);
  if (good) {
    good = tokens_cut(&b->tokens, first, &b->why);
    bool open = good && tokens_take_word(&b->tokens, "open");
    tokens_take(&b->tokens); /* the role */
    good = good && steps_begin(b, open);
    if (!good) complain(d->file, b->line, b->why);
    tokens_free(&b->tokens);
  }
  good = good && build_lines(d, row, b);
  steps_end(b);
  free(b);
  free(title);
  free(first);
  return good;
}

/* Which roles the line names: bit 0 server, bit 1 client; 0 is an error. */
static unsigned roles_of(const char *line) {
  if (strncmp(line, "open ", 5) == 0) line += 5;
  size_t n = strcspn(line, " ");
  if (n == 6 && memcmp(line, "server", n) == 0) return 1;
  if (n == 6 && memcmp(line, "client", n) == 0) return 2;
  return n == 4 && memcmp(line, "both", n) == 0 ? 3 : 0;
}

static bool finish_draft(struct script *s, struct draft *d) {
  if (d->count == 0) return true;
  if (d->count < 2) return complain(d->file, d->numbers[0], "the case is empty");
  unsigned roles = roles_of(d->lines[1]);
  if (!roles)
    return complain(d->file, d->numbers[1], "a case begins with `[open] server|client|both`");
  size_t rows = d->name_count ? d->value_count / d->name_count : 1;
  bool good = true;
  for (size_t row = 0; good && row < rows; row++) {
    for (unsigned role = 1; good && role <= 2; role++) {
      if (!(roles & role)) continue;
      s->cases = (struct wire_case *)grow(s->cases, (s->count + 1) * sizeof *s->cases);
      good = build_case(d, row, role == 1 ? COHO_SERVER : COHO_CLIENT, &s->cases[s->count++]);
    }
  }
  draft_clear(d);
  return good;
}

static bool take_line(struct script *s, struct draft *d, char *line, int number) {
  size_t n = strlen(line);
  while (n && isspace((unsigned char)line[n - 1]))
    line[--n] = '\0';
  line += strspn(line, " ");
  if (*line == '\0' || *line == '#') return true;
  if (strncmp(line, "case ", 5) == 0) {
    if (!finish_draft(s, d)) return false;
  } else if (d->count == 0) {
    return complain(d->file, number, "this line stands before the first `case`");
  }
  if (strncmp(line, "each ", 5) == 0)
    return read_each(d, line + 5) || complain(d->file, number, "bad `each`");
  if (d->count == MAX_LINES) return complain(d->file, number, "the case is too long");
  d->numbers[d->count] = number;
  d->lines[d->count++] = copy_text(line, strlen(line));
  return true;
}

bool script_read(struct script *s, const char *file) {
  FILE *f = fopen(file, "r");
  *s = (struct script){.file = copy_text(file, strlen(file))};
  if (!f) return complain(file, 0, "cannot be opened");
  struct draft *d = (struct draft *)grow(NULL, sizeof *d);
  memset(d, 0, sizeof *d);
  d->file = s->file;
  char *line = NULL;
  size_t room = 0;
  bool good = true;
  for (int number = 1; good && getline(&line, &room, f) >= 0; number++)
    good = take_line(s, d, line, number);
  good = good && finish_draft(s, d);
  draft_clear(d);
  free(d);
  free(line);
  fclose(f);
  return good;
}
