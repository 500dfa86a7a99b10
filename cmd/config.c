#define _GNU_SOURCE
#include "config.h"

#include "config_tree.h"
#include "similar.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES_MOST = 1024 * 1024 };

/* A text made of a pair: "NAME=VALUE". */
struct made {
  struct made *next;
  char text[];
};

struct config {
  struct config_node *root;
  struct made *made;
};

struct job {
  const struct command *c;
  struct config *cfg;
};

static const struct fault_place NOWHERE = {0, 0};

/* ---- the file ------------------------------------------------------------------------------- */

static char *read_open(int fd, const char *file, size_t *len, struct faults *f) {
  char *text = (char *)malloc(BYTES_MOST + 1);
  ssize_t n = 1;
  *len = 0;
  while (text && *len <= BYTES_MOST && n > 0) {
    n = read(fd, text + *len, BYTES_MOST + 1 - *len);
    *len += n > 0 ? (size_t)n : 0;
  }
  if (text && n >= 0 && *len <= BYTES_MOST) return text;
  if (!text)
    faults_add_at(f, NOWHERE, "out of memory");
  else if (n < 0)
    faults_add_at(f, NOWHERE, "--config %s: %s", file, strerror(errno));
  else
    faults_add_at(f, NOWHERE, "--config %s: larger than 1 MiB", file);
  free(text);
  return NULL;
}

/* Only a file, which can be read again: not a pipe, and reading it must not wait for anybody. */
static char *read_file(const char *file, size_t *len, struct faults *f) {
  struct stat st;
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &st)) {
    faults_add_at(f, NOWHERE, "--config %s: %s", file,
                  errno == ENOENT   ? "no such file"
                  : errno == EACCES ? "permission denied"
                                    : strerror(errno));
    if (fd >= 0) close(fd);
    return NULL;
  }
  char *text = NULL;
  if (!S_ISREG(st.st_mode))
    faults_add_at(f, NOWHERE, "--config %s: %s", file,
                  S_ISDIR(st.st_mode) ? "a folder, not a file" : "not a regular file");
  else
    text = read_open(fd, file, len, f);
  if (text && (st.st_mode & S_IWOTH))
    faults_add(f, (struct fault){.text = strdup("everybody may write the file of --config"),
                                 .warning = true});
  close(fd);
  return text;
}

/* ---- values --------------------------------------------------------------------------------- */

static const char *const kind_names[] = {[CONFIG_TEXT] = "a value",
                                         [CONFIG_LIST] = "a list",
                                         [CONFIG_MAP] = "a mapping",
                                         [CONFIG_NONE] = ""};

static void wrong_kind(const struct job *j, const char *name, const char *takes,
                       const struct config_node *n) {
  if (n->kind == CONFIG_NONE) return;
  faults_add_at(j->c->faults, n->place, "%s takes %s, not %s", name, takes, kind_names[n->kind]);
}

/* Its text, NULL after a fault. */
static const char *text_of(const struct job *j, const char *name, bool required,
                           const struct config_node *n) {
  if (n->kind != CONFIG_TEXT) {
    wrong_kind(j, name, "one value", n);
    return NULL;
  }
  if (n->bare) {
    faults_add_at(j->c->faults, n->place, "%s has no value; %s", name,
                  required ? "one that begins with '#' stands in quotes"
                           : "leave the line out for the default");
    return NULL;
  }
  faults_know(j->c->faults, n->text, n->place);
  return n->text;
}

/* ---- names of files ------------------------------------------------------------------------- */

static const char *keep(const struct job *j, struct made *m, const struct config_node *n) {
  m->next = j->cfg->made;
  j->cfg->made = m;
  faults_know(j->c->faults, m->text, n->place);
  return m->text;
}

/* The folder of the configuration file, with its slash; "": it was named without one. */
static struct coho__view folder_of(const struct job *j) {
  const char *file = j->c->faults->file, *slash = strrchr(file, '/');
  return (struct coho__view){file, slash ? (size_t)(slash - file) + 1 : 0};
}

static bool is_relative(struct coho__view name) { return name.len && name.data[0] != '/'; }

static bool names_files(const struct option *o, const char *text) {
  switch (o->files) {
  case OPTION_NO_FILE: break;
  case OPTION_FILE: return !strstr(text, "://");
  case OPTION_FILES: return strchr(text, ',') != NULL;
  }
  return false;
}

/* Each name from that folder, unless it says itself where it is. */
static void write_names(char *dst, size_t cap, const struct option *o, struct coho__view folder,
                        const char *text) {
  struct coho__view rest = coho__view_of(text);
  size_t len = 0;
  for (const char *comma = ""; rest.data; comma = ",") {
    struct coho__view name = rest;
    if (o->files == OPTION_FILES)
      name = coho__view_split(&rest, ',');
    else
      rest.data = NULL;
    len += (size_t)snprintf(dst + len, cap - len, "%s%.*s%.*s", comma,
                            is_relative(name) ? (int)folder.len : 0, folder.data, (int)name.len,
                            name.data);
  }
}

/* The text as it counts here; NULL after a fault. */
static const char *from_there(const struct job *j, const struct option *o, const char *text,
                              const struct config_node *n) {
  struct coho__view folder = folder_of(j);
  size_t cap = strlen(text) + 1 + folder.len;
  if (!folder.len || !names_files(o, text)) return text;
  for (const char *comma = text; (comma = strchr(comma, ',')); comma++)
    cap += folder.len;
  struct made *m = (struct made *)malloc(sizeof *m + cap);
  if (!m) {
    faults_add_at(j->c->faults, NOWHERE, "out of memory");
    return NULL;
  }
  write_names(m->text, cap, o, folder, text);
  return keep(j, m, n);
}

/* ---- one value ------------------------------------------------------------------------------ */

static void set_flag(const struct job *j, const struct option *o, bool *member,
                     const struct config_node *n) {
  const char *text = text_of(j, o->name, o->required, n);
  if (!text) return;
  if (!strcmp(text, "true") || !strcmp(text, "false"))
    *member = *text == 't';
  else
    usage_error_about(j->c, text, "--%s takes true or false, not '%s'", o->name, text);
}

static void set_text(const struct job *j, const struct option *o, void *values,
                     const struct config_node *n) {
  const char *text = text_of(j, o->name, o->required, n);
  if (text) text = from_there(j, o, text, n);
  if (text) (void)option_set(j->c, o, values, text); /* which tells what is wrong */
}

static void set_count(const struct job *j, const struct option *o, void *values,
                      const struct config_node *n) {
  const struct option number = {
      .name = o->name, .kind = OPTION_NUMBER, .offset = o->offset, .max = UINT8_MAX};
  set_text(j, &number, values, n);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void unknown_pair(const struct job *j, const struct option *o, const struct config_node *n) {
  struct similar s = similar_to(coho__view_of(n->key));
  for (const struct option_pair *p = o->pairs; p->name; p++)
    similar_offer(&s, p->name);
  faults_add_at(j->c->faults, n->key_place, "%s has no '%s'%s%s%s", o->name, n->key,
                s.best ? "; did you mean " : "", s.best ? s.best : "", s.best ? "?" : "");
}

static bool has_pair(const struct option *o, const char *name) {
  for (const struct option_pair *p = o->pairs; p->name; p++)
    if (!strcmp(p->name, name)) return true;
  return false;
}

static void set_pair(const struct job *j, const struct option *o, void *values,
                     const struct config_node *n) {
  if (!has_pair(o, n->key)) {
    unknown_pair(j, o, n);
    return;
  }
  const char *value = text_of(j, n->key, false, n);
  if (!value) return;
  size_t name_len = strlen(n->key), len = name_len + strlen(value) + 2;
  struct made *m = (struct made *)malloc(sizeof *m + len);
  if (!m) {
    faults_add_at(j->c->faults, NOWHERE, "out of memory");
    return;
  }
  (void)snprintf(m->text, len, "%s=%s", n->key, value);
  (void)keep(j, m, n);
  /* What is wrong with the value is told with a view of it inside the pair. */
  faults_know(j->c->faults, m->text + name_len + 1, n->place);
  (void)option_set(j->c, o, values, m->text);
}

static void set_list(const struct job *j, const struct option *o, void *values,
                     const struct config_node *n) {
  if (n->kind == CONFIG_TEXT) {
    set_text(j, o, values, n);
    return;
  }
  if (n->kind == CONFIG_NONE || (n->kind == CONFIG_MAP && !o->pairs)) {
    wrong_kind(j, o->name, "a value or a list of values", n);
    return;
  }
  for (const struct config_node *one = n->first; one; one = one->next)
    if (n->kind == CONFIG_MAP)
      set_pair(j, o, values, one);
    else
      set_text(j, o, values, one);
}

/* ---- mappings ------------------------------------------------------------------------------- */

static void set_map(const struct job *j, const struct option *const tables[2], const char *name,
                    void *values, const struct config_node *map);

static bool is_there(const struct config_node *map, const char *key) {
  for (const struct config_node *n = map->first; n; n = n->next)
    if (!strcmp(n->key, key)) return true;
  return false;
}

static void set_group(const struct job *j, const struct option *o, void *values,
                      const struct config_node *n) {
  const struct option *const tables[2] = {o->parts, NULL};
  if (n->kind != CONFIG_MAP) {
    wrong_kind(j, o->name, "a mapping", n);
    return;
  }
  set_map(j, tables, o->name, values, n);
  for (const struct option *p = o->parts; p->name; p++)
    if (p->required && !is_there(n, p->name))
      faults_add_at(j->c->faults, n->place, "%s needs %s", o->name, p->name);
}

static void set_rows(const struct job *j, const struct option *o, struct option_rows *rows,
                     const struct config_node *n) {
  if (n->kind != CONFIG_LIST) {
    wrong_kind(j, o->name, "a list of mappings", n);
    return;
  }
  if (!n->count) return;
  rows->items = calloc(n->count, o->row_size);
  if (!rows->items) {
    faults_add_at(j->c->faults, NOWHERE, "out of memory");
    return;
  }
  for (const struct config_node *one = n->first; one; one = one->next) {
    void *row = (char *)rows->items + rows->count++ * o->row_size;
    faults_know(j->c->faults, row, one->place);
    (void)option_defaults(j->c, o->parts, row);
    set_group(j, o, row, one);
  }
}

static void set(const struct job *j, const struct option *o, void *values,
                const struct config_node *n) {
  void *member = (char *)values + o->offset;
  switch (o->kind) {
  case OPTION_FLAG: set_flag(j, o, (bool *)member, n); break;
  case OPTION_COUNT: set_count(j, o, values, n); break;
  case OPTION_LIST: set_list(j, o, values, n); break;
  case OPTION_STRING:
  case OPTION_NUMBER:
  case OPTION_SIZE:
  case OPTION_SECONDS: set_text(j, o, values, n); break;
  case OPTION_GROUP: set_group(j, o, member, n); break;
  case OPTION_ROWS: set_rows(j, o, (struct option_rows *)member, n); break;
  }
}

static void unknown_key(const struct job *j, const struct option *const tables[2], const char *name,
                        const struct config_node *n) {
  struct similar s = similar_to(coho__view_of(n->key));
  for (size_t i = 0; i < 2; i++)
    for (const struct option *o = tables[i]; o && o->name; o++)
      if (!o->typed) similar_offer(&s, o->name);
  faults_add_at(j->c->faults, n->key_place, "%s%s'%s'%s%s%s", name ? name : "there is no option ",
                name ? " has no " : "", n->key, s.best ? "; did you mean " : "",
                s.best ? s.best : "", s.best ? "?" : "");
}

/* One of the command line only gives way to a section of the same name. */
static const struct option *find(const struct option *const tables[2], const char *name) {
  const struct option *typed = NULL;
  for (size_t i = 0; i < 2; i++)
    for (const struct option *o = tables[i]; o && o->name; o++) {
      if (strcmp(o->name, name) != 0) continue;
      if (!o->typed) return o;
      typed = o;
    }
  return typed;
}

static void set_map(const struct job *j, const struct option *const tables[2], const char *name,
                    void *values, const struct config_node *map) {
  for (const struct config_node *n = map->first; n; n = n->next) {
    const struct option *o = find(tables, n->key);
    if (!o) {
      unknown_key(j, tables, name, n);
    } else if (o->typed) {
      faults_add_at(j->c->faults, n->key_place, "%s is for the command line only", n->key);
    } else {
      if (!name) faults_know(j->c->faults, o, n->key_place);
      set(j, o, values, n);
    }
  }
}

/* ---- all ------------------------------------------------------------------------------------ */

void config_free(struct config *cfg) {
  if (!cfg) return;
  config_tree_free(cfg->root);
  for (struct made *m = cfg->made, *after; m; m = after) {
    after = m->next;
    free(m);
  }
  free(cfg);
}

int config_read(const struct command *c, void *values, struct config **out) {
  const struct option *const tables[2] = {c->options, c->sections};
  size_t len, before = c->faults->errors;
  *out = NULL;
  char *text = read_file(c->faults->file, &len, c->faults);
  struct config *cfg = text ? (struct config *)calloc(1, sizeof *cfg) : NULL;
  if (cfg) cfg->root = config_tree_read(text, len, c->faults);
  if (text && !cfg) faults_add_at(c->faults, NOWHERE, "out of memory");
  free(text);
  if (cfg && cfg->root && cfg->root->kind == CONFIG_MAP)
    set_map(&(struct job){c, cfg}, tables, NULL, values, cfg->root);
  else if (cfg && cfg->root && cfg->root->kind != CONFIG_NONE)
    faults_add_at(c->faults, cfg->root->place, "the file is a mapping, NAME: VALUE, not %s",
                  kind_names[cfg->root->kind]);
  *out = cfg;
  return c->faults->errors > before ? EXIT_USAGE : 0;
}
