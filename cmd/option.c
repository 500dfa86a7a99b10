#include "option.h"

#include "similar.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int usage_error(const struct command *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "coho %s: ", c->name);
  vfprintf(stderr, format, args);
  fprintf(stderr, "\nTry 'coho help %s'.\n", c->name);
  va_end(args);
  return EXIT_USAGE;
}

static const struct option *find_long(const struct command *c, const char *name, size_t len) {
  for (const struct option *o = c->options; o->name; o++)
    if (strlen(o->name) == len && !strncmp(o->name, name, len)) return o;
  return NULL;
}

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

int option_amount(const struct command *c, const struct option *o, const char *text,
                  uint64_t *out) {
  static const char *const forms[] = {[OPTION_NUMBER] = "a whole number, such as 8",
                                      [OPTION_SIZE] =
                                          "a number of bytes, such as 65536, 64k, 512M or 2G",
                                      [OPTION_SECONDS] = "seconds, such as 2 or 0.5"};
  uint64_t n = 0;
  bool ok = o->kind == OPTION_NUMBER ? read_number(text, &n)
            : o->kind == OPTION_SIZE ? read_size(text, &n)
                                     : read_seconds(text, &n);
  if (!ok) return usage_error(c, "--%s takes %s, not '%s'", o->name, forms[o->kind], text);
  char low[32], high[32];
  print_amount(low, sizeof low, o->kind, o->min);
  print_amount(high, sizeof high, o->kind, o->max);
  if (n < o->min) return usage_error(c, "--%s is at least %s, not '%s'", o->name, low, text);
  if (o->max && n > o->max)
    return usage_error(c, "--%s is at most %s, not '%s'", o->name, high, text);
  *out = n;
  return 0;
}

static int append(struct option_list *l, const char *text) {
  const char **grown = (const char **)realloc(l->items, (l->count + 2) * sizeof *grown);
  if (!grown) {
    fputs("coho: out of memory\n", stderr);
    return EXIT_PEER;
  }
  l->items = grown;
  l->items[l->count++] = text;
  l->items[l->count] = NULL;
  return 0;
}

void option_list_free(struct option_list *l) {
  free(l->items);
  *l = (struct option_list){NULL, 0};
}

static int set(const struct command *c, const struct option *o, void *values, const char *text) {
  void *member = (char *)values + o->offset;
  switch (o->kind) {
  case OPTION_FLAG: *(bool *)member = true; return 0;
  case OPTION_COUNT: ++*(uint64_t *)member; return 0;
  case OPTION_STRING: *(const char **)member = text; return 0;
  case OPTION_LIST: return append((struct option_list *)member, text);
  case OPTION_NUMBER:
  case OPTION_SIZE:
  case OPTION_SECONDS: return option_amount(c, o, text, (uint64_t *)member);
  }
  return 0;
}

/* ---- the command line ---------------------------------------------------------------------- */

struct cursor {
  int argc, at;
  char **argv;
};

/* The value of an option: what follows in the same word, or the next word. */
static int set_with_value(const struct command *c, const struct option *o, void *values,
                          const char *same_word, struct cursor *cur) {
  if (same_word) return set(c, o, values, same_word);
  if (cur->at + 1 >= cur->argc)
    return usage_error(c, "--%s needs a value: --%s %s", o->name, o->name, o->value);
  return set(c, o, values, cur->argv[++cur->at]);
}

static int unknown_option(const struct command *c, struct coho__view typed) {
  struct similar s = similar_to(typed);
  for (const struct option *o = c->options; o->name; o++)
    similar_offer(&s, o->name);
  return usage_error(c, "there is no option '--%.*s'%s%s%s", (int)typed.len, typed.data,
                     s.best ? "; did you mean --" : "", s.best ? s.best : "", s.best ? "?" : "");
}

static int parse_long(const struct command *c, const char *word, void *values, struct cursor *cur) {
  size_t len = strcspn(word, "=");
  const struct option *o = find_long(c, word, len);
  if (!o) return unknown_option(c, (struct coho__view){word, len});
  const char *value = word[len] == '=' ? word + len + 1 : NULL;
  if (takes_value(o)) return set_with_value(c, o, values, value, cur);
  if (value) return usage_error(c, "--%s takes no value", o->name);
  return set(c, o, values, NULL);
}

static int parse_letters(const struct command *c, const char *letters, void *values,
                         struct cursor *cur) {
  for (; *letters; letters++) {
    const struct option *o = find_letter(c, *letters);
    if (!o) return usage_error(c, "there is no option '-%c'", *letters);
    if (takes_value(o)) return set_with_value(c, o, values, letters[1] ? letters + 1 : NULL, cur);
    int status = set(c, o, values, NULL);
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
