#define _GNU_SOURCE /* vasprintf */
#include "option.h"

#include "similar.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- sentences ------------------------------------------------------------------------------ */

static const struct option *find_in(const struct option *table, const char *name, size_t len) {
  for (const struct option *o = table; o && o->name; o++)
    if (strlen(o->name) == len && !strncmp(o->name, name, len)) return o;
  return NULL;
}

static bool is_dashes(const char *text, const char *at) {
  bool begins = at == text || at[-1] == ' ' || at[-1] == '(';
  return begins && at[0] == '-' && at[1] == '-' && at[2] >= 'a' && at[2] <= 'z';
}

/* Where the first of the options in the text stands that is in the file. */
static struct fault_place place_of_named(const struct command *c, const char *text) {
  struct fault_place place = {0, 0};
  for (const char *at = text; *at && !place.line; at++) {
    if (!is_dashes(text, at)) continue;
    size_t len = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
    const struct option *o = find_in(c->options, at + 2, len);
    place = faults_find(c->faults, o ? o : find_in(c->sections, at + 2, len));
  }
  return place;
}

/* In the file names have no dashes. */
static void take_dashes_off(char *text) {
  char *to = text;
  for (const char *from = text; *from;)
    if (is_dashes(text, from))
      from += 2;
    else
      *to++ = *from++;
  *to = '\0';
}

/* Takes text, which is NULL when there was no memory for it. */
static void add_fault(const struct command *c, const void *about, bool usage, char *text) {
  struct fault f = {.usage = usage, .text = text};
  if (faults_full(c->faults)) {
    free(text);
    f.text = NULL;
  }
  f.place = faults_find(c->faults, about);
  if (f.text && !f.place.line) f.place = place_of_named(c, f.text);
  if (f.text && f.place.line) take_dashes_off(f.text);
  faults_add(c->faults, f);
}

static int tell(const struct command *c, const void *about, bool usage, char *text) {
  if (c->faults) {
    add_fault(c, about, usage, text);
    return EXIT_USAGE;
  }
  fprintf(stderr, "coho %s: %s\n", c->name, text ? text : "out of memory");
  if (usage) fprintf(stderr, "Try 'coho help %s'.\n", c->name);
  free(text);
  return EXIT_USAGE;
}

int usage_error(const struct command *c, const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  return tell(c, NULL, true, text);
}

int usage_error_about(const struct command *c, const void *about, const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  return tell(c, about, true, text);
}

int usage_error_plain(const struct command *c, const void *about, const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) text = NULL;
  va_end(args);
  return tell(c, about, false, text);
}

/* ---- finding -------------------------------------------------------------------------------- */

static const struct option *find_letter(const struct command *c, char letter) {
  for (const struct option *o = c->options; o->name; o++)
    if (o->letter == letter) return o;
  return NULL;
}

static bool takes_value(const struct option *o) {
  return o->kind != OPTION_FLAG && o->kind != OPTION_COUNT;
}

/* ---- values -------------------------------------------------------------------------------- */

/* Digits, then what is left in *rest. */
static bool read_digits(const char *text, uint64_t *out, const char **rest) {
  if (*text < '0' || *text > '9') return false;
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  *out = n;
  *rest = end;
  return errno == 0;
}

static bool read_number(const char *text, uint64_t *out) {
  const char *rest;
  return read_digits(text, out, &rest) && !*rest;
}

static bool read_size(const char *text, uint64_t *out) {
  static const char units[] = "kMG";
  const char *rest;
  if (!read_digits(text, out, &rest)) return false;
  if (!*rest) return true;
  const char *unit = strchr(units, *rest == 'K' ? 'k' : *rest);
  if (!unit || rest[1]) return false;
  unsigned shift = 10 * (unsigned)(unit - units + 1);
  if (*out > UINT64_MAX >> shift) return false;
  *out <<= shift;
  return true;
}

static bool read_seconds(const char *text, uint64_t *out) {
  if (!((*text >= '0' && *text <= '9') || *text == '.')) return false;
  char *end;
  double seconds = strtod(text, &end);
  if (*end || !isfinite(seconds) || seconds > 1e9) return false;
  *out = (uint64_t)llround(seconds * 1000);
  return true;
}

static void print_amount(char *dst, size_t cap, enum option_kind kind, uint64_t n) {
  if (kind == OPTION_SECONDS)
    snprintf(dst, cap, "%g", (double)n / 1000);
  else
    snprintf(dst, cap, "%llu", (unsigned long long)n);
}

static bool read_amount(enum option_kind kind, const char *text, uint64_t *out) {
  if (kind == OPTION_SIZE) return read_size(text, out);
  return kind == OPTION_SECONDS ? read_seconds(text, out) : read_number(text, out);
}

int option_amount_about(const struct command *c, const struct option *o, const void *about,
                        const char *text, uint64_t *out) {
  static const char *const forms[] = {[OPTION_NUMBER] = "a whole number, such as 8",
                                      [OPTION_SIZE] =
                                          "a number of bytes, such as 65536, 64k, 512M or 2G",
                                      [OPTION_SECONDS] = "seconds, such as 2 or 0.5"};
  uint64_t n = 0;
  char low[32], high[32];
  if (!read_amount(o->kind, text, &n))
    return usage_error_about(c, about, "--%s takes %s, not '%s'", o->name, forms[o->kind], text);
  print_amount(low, sizeof low, o->kind, o->min);
  print_amount(high, sizeof high, o->kind, o->max);
  if (n < o->min)
    return usage_error_about(c, about, "--%s is at least %s, not '%s'", o->name, low, text);
  if (o->max && n > o->max)
    return usage_error_about(c, about, "--%s is at most %s, not '%s'", o->name, high, text);
  *out = n;
  return 0;
}

int option_amount(const struct command *c, const struct option *o, const char *text,
                  uint64_t *out) {
  return option_amount_about(c, o, text, text, out);
}

/* Room doubles: a file may have many. */
static int append(struct option_list *l, const char *text) {
  if ((l->count & (l->count + 1)) == 0) {
    const char **grown = (const char **)realloc(l->items, (2 * l->count + 2) * sizeof *grown);
    if (!grown) {
      fputs("coho: out of memory\n", stderr);
      return EXIT_PEER;
    }
    l->items = grown;
  }
  l->items[l->count++] = text;
  l->items[l->count] = NULL;
  return 0;
}

void option_list_free(struct option_list *l) {
  free(l->items);
  *l = (struct option_list){NULL, 0};
}

int option_set(const struct command *c, const struct option *o, void *values, const char *text) {
  void *member = (char *)values + o->offset;
  switch (o->kind) {
  case OPTION_STRING: *(const char **)member = text; return 0;
  case OPTION_LIST: return append((struct option_list *)member, text);
  case OPTION_NUMBER:
  case OPTION_SIZE:
  case OPTION_SECONDS: return option_amount(c, o, text, (uint64_t *)member);
  case OPTION_FLAG:
  case OPTION_COUNT:
  case OPTION_GROUP:
  case OPTION_ROWS: break;
  }
  return EXIT_USAGE;
}

int option_defaults(const struct command *c, const struct option *table, void *values) {
  int status = 0;
  for (const struct option *o = table; o && o->name && !status; o++) {
    if (o->kind == OPTION_GROUP)
      status = option_defaults(c, o->parts, (char *)values + o->offset);
    else if (o->usual && o->kind == OPTION_FLAG)
      *(bool *)(void *)((char *)values + o->offset) = !strcmp(o->usual, "true");
    else if (o->usual && o->kind != OPTION_LIST && o->kind != OPTION_COUNT)
      status = option_set(c, o, values, o->usual);
  }
  return status;
}

static void free_rows(const struct option *o, struct option_rows *rows) {
  for (size_t i = 0; i < rows->count; i++)
    option_free(o->parts, (char *)rows->items + i * o->row_size);
  free(rows->items);
  *rows = (struct option_rows){NULL, 0};
}

void option_free(const struct option *table, void *values) {
  for (const struct option *o = table; o && o->name; o++) {
    void *member = (char *)values + o->offset;
    if (o->kind == OPTION_LIST) option_list_free((struct option_list *)member);
    if (o->kind == OPTION_GROUP) option_free(o->parts, member);
    if (o->kind == OPTION_ROWS) free_rows(o, (struct option_rows *)member);
  }
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool same_text(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

static bool same_list(const struct option_list *a, const struct option_list *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (strcmp(a->items[i], b->items[i]) != 0) return false;
  return true;
}

static bool same_all(const struct option *table, const void *a, const void *b) {
  for (const struct option *o = table; o->name; o++)
    if (!option_same(o, a, b)) return false;
  return true;
}

static bool same_rows(const struct option *o, const struct option_rows *a,
                      const struct option_rows *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++) {
    size_t at = i * o->row_size;
    if (!same_all(o->parts, (const char *)a->items + at, (const char *)b->items + at)) return false;
  }
  return true;
}

bool option_same(const struct option *o, const void *a, const void *b) {
  const void *left = (const char *)a + o->offset, *right = (const char *)b + o->offset;
  switch (o->kind) {
  case OPTION_FLAG: return *(const bool *)left == *(const bool *)right;
  case OPTION_STRING: return same_text(*(const char *const *)left, *(const char *const *)right);
  case OPTION_LIST:
    return same_list((const struct option_list *)left, (const struct option_list *)right);
  case OPTION_NUMBER:
  case OPTION_SIZE:
  case OPTION_SECONDS:
  case OPTION_COUNT: return *(const uint64_t *)left == *(const uint64_t *)right;
  case OPTION_GROUP: return same_all(o->parts, left, right);
  case OPTION_ROWS:
    return same_rows(o, (const struct option_rows *)left, (const struct option_rows *)right);
  }
  return true;
}

/* ---- the command line ---------------------------------------------------------------------- */

enum { OPTIONS_MOST = 256 };

struct cursor {
  int argc, at;
  char **argv;
  bool seen[OPTIONS_MOST]; /* by their place in the table */
};

/* An option that the command line has: what the file said about it no longer counts. */
static void begin(const struct command *c, const struct option *o, void *values,
                  struct cursor *cur) {
  size_t index = (size_t)(o - c->options);
  void *member = (char *)values + o->offset;
  if (index >= OPTIONS_MOST || cur->seen[index]) return;
  cur->seen[index] = true;
  if (c->faults) faults_forget(c->faults, o);
  if (o->kind == OPTION_LIST) option_list_free((struct option_list *)member);
  if (o->kind == OPTION_COUNT) *(uint64_t *)member = 0;
}

/* A flag, NULL for true, or a count. */
static int set_plain(const struct command *c, const struct option *o, void *values,
                     const char *text, struct cursor *cur) {
  void *member = (char *)values + o->offset;
  begin(c, o, values, cur);
  if (o->kind == OPTION_COUNT && text) return usage_error(c, "--%s takes no value", o->name);
  if (o->kind == OPTION_COUNT)
    ++*(uint64_t *)member;
  else if (!text || !strcmp(text, "true") || !strcmp(text, "false"))
    *(bool *)member = !text || *text == 't';
  else
    return usage_error(c, "--%s takes no value but true or false", o->name);
  return 0;
}

/* The value of an option: what follows in the same word, or the next word. */
static int set_with_value(const struct command *c, const struct option *o, void *values,
                          const char *same_word, struct cursor *cur) {
  begin(c, o, values, cur);
  if (same_word) return option_set(c, o, values, same_word);
  if (cur->at + 1 >= cur->argc)
    return usage_error(c, "--%s needs a value: --%s %s", o->name, o->name, o->value);
  return option_set(c, o, values, cur->argv[++cur->at]);
}

static int unknown_option(const struct command *c, struct coho__view typed) {
  struct similar s = similar_to(typed);
  if (find_in(c->sections, typed.data, typed.len))
    return usage_error(c, "'%.*s' stands in the file of --config only", (int)typed.len, typed.data);
  for (const struct option *o = c->options; o->name; o++)
    similar_offer(&s, o->name);
  return usage_error(c, "there is no option '--%.*s'%s%s%s", (int)typed.len, typed.data,
                     s.best ? "; did you mean --" : "", s.best ? s.best : "", s.best ? "?" : "");
}

static int parse_long(const struct command *c, const char *word, void *values, struct cursor *cur) {
  size_t len = strcspn(word, "=");
  const struct option *o = find_in(c->options, word, len);
  if (!o) return unknown_option(c, (struct coho__view){word, len});
  const char *value = word[len] == '=' ? word + len + 1 : NULL;
  if (takes_value(o)) return set_with_value(c, o, values, value, cur);
  return set_plain(c, o, values, value, cur);
}

static int parse_letters(const struct command *c, const char *letters, void *values,
                         struct cursor *cur) {
  for (; *letters; letters++) {
    const struct option *o = find_letter(c, *letters);
    if (!o) return usage_error(c, "there is no option '-%c'", *letters);
    if (takes_value(o)) return set_with_value(c, o, values, letters[1] ? letters + 1 : NULL, cur);
    int status = set_plain(c, o, values, NULL, cur);
    if (status) return status;
  }
  return 0;
}

static int check_count(const struct command *c, size_t count) {
  if (count < c->min_arguments)
    return usage_error(c, "an argument is missing: coho %s %s", c->name, c->arguments);
  if (count > c->max_arguments && c->max_arguments == 0)
    return usage_error(c, "takes no arguments, only options");
  if (count > c->max_arguments)
    return usage_error(c, "too many arguments: coho %s %s", c->name, c->arguments);
  return 0;
}

/* Too many are counted but not kept. */
static void add_argument(const struct command *c, char *word, char **args, size_t *count) {
  if (*count < c->max_arguments) args[*count] = word;
  ++*count;
}

int option_parse(const struct command *c, int argc, char **argv, void *values, char **args,
                 size_t *count) {
  struct cursor cur = {.argc = argc, .at = 1, .argv = argv};
  bool options = true;
  *count = 0;
  for (; cur.at < argc; cur.at++) {
    char *word = argv[cur.at];
    int status = 0;
    if (!options || word[0] != '-' || !word[1])
      add_argument(c, word, args, count);
    else if (!strcmp(word, "--"))
      options = false;
    else if (word[1] == '-')
      status = parse_long(c, word + 2, values, &cur);
    else
      status = parse_letters(c, word + 1, values, &cur);
    if (status) return status;
  }
  return check_count(c, *count);
}
