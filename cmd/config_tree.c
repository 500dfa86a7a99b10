#include "config_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MOST = 16 };

struct reader {
  yaml_parser_t parser;
  yaml_event_t event;
  struct faults *faults;
  const char *text; /* the whole */
  size_t len;
  unsigned depth;
};

static struct fault_place place_of(yaml_mark_t mark) {
  return (struct fault_place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* ---- what the parser says ------------------------------------------------------------------- */

/* The reader of the parser gives the number of a byte only. */
static struct fault_place place_at(const struct reader *r, size_t offset) {
  struct fault_place place = {1, 1};
  for (size_t i = 0; i < offset && i < r->len; i++) {
    place.column += ((unsigned char)r->text[i] & 0xc0) != 0x80;
    if (r->text[i] == '\n') place = (struct fault_place){place.line + 1, 1};
  }
  return place;
}

static bool is_tab(const struct reader *r, yaml_mark_t mark) {
  return mark.index < r->len && r->text[mark.index] == '\t';
}

static bool syntax_error(const struct reader *r) {
  const yaml_parser_t *p = &r->parser;
  const char *problem = p->problem ? p->problem : "cannot be read";
  if (p->error == YAML_MEMORY_ERROR)
    faults_add_at(r->faults, (struct fault_place){0, 0}, "out of memory");
  else if (p->error == YAML_READER_ERROR)
    faults_add_at(r->faults, place_at(r, p->problem_offset), "%s",
                  strstr(problem, "control") ? "a control character" : "not UTF-8");
  else if (is_tab(r, p->problem_mark))
    faults_add_at(r->faults, place_of(p->problem_mark), "a tab; lines are indented with blanks");
  else
    faults_add_at(r->faults, place_of(p->problem_mark), "not YAML: %s%s%s", problem,
                  p->context ? " " : "", p->context ? p->context : "");
  return false;
}

static bool next(struct reader *r) {
  yaml_event_delete(&r->event);
  return yaml_parser_parse(&r->parser, &r->event) ? true : syntax_error(r);
}

/* The event so many further on. */
static bool skip(struct reader *r, unsigned events) {
  while (events && next(r))
    events--;
  return events == 0;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static struct config_node *new_node(const struct reader *r, enum config_kind kind) {
  struct config_node *n = (struct config_node *)calloc(1, sizeof *n);
  if (!n) {
    faults_add_at(r->faults, (struct fault_place){0, 0}, "out of memory");
    return NULL;
  }
  n->kind = kind;
  n->place = place_of(r->event.start_mark);
  return n;
}

static void tell_extras(const struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag) {
  struct fault_place place = place_of(r->event.start_mark);
  if (anchor)
    faults_add_at(r->faults, place, "an anchor, '&%s'; this file has none", (const char *)anchor);
  if (tag) faults_add_at(r->faults, place, "a tag; values of this file have none");
}

static struct config_node *read_scalar(const struct reader *r) {
  const yaml_char_t *value = r->event.data.scalar.value;
  size_t len = r->event.data.scalar.length;
  struct config_node *n = new_node(r, CONFIG_TEXT);
  if (!n) return NULL;
  tell_extras(r, r->event.data.scalar.anchor, r->event.data.scalar.tag);
  n->text = (char *)malloc(len + 1);
  if (n->text) memcpy(n->text, value, len);
  if (n->text) n->text[len] = '\0';
  n->bare = len == 0 && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (n->text && !memchr(n->text, '\0', len)) return n;
  faults_add_at(r->faults, n->place, "%s", n->text ? "a NUL character" : "out of memory");
  n->kind = CONFIG_NONE;
  return n;
}

static struct config_node *read_node(struct reader *r);

static bool is_known(const struct config_node *map, const struct reader *r,
                     const struct config_node *fresh) {
  for (const struct config_node *n = map->first; n; n = n->next) {
    if (strcmp(n->key, fresh->key) != 0) continue;
    faults_add_at(r->faults, fresh->key_place, "'%s' is there already, in line %u", n->key,
                  n->key_place.line);
    return true;
  }
  return false;
}

/* Keys are few where they mean something: looking for one twice is stopped at this. */
enum { KEYS_MOST = 1000 };

static bool add_pair(struct reader *r, struct config_node *map, struct config_node ***end) {
  struct config_node *key = read_node(r);
  struct config_node *value = key && next(r) ? read_node(r) : NULL;
  bool whole = value != NULL;
  if (whole && key->kind == CONFIG_TEXT) {
    value->key = key->text;
    value->key_place = key->place;
    key->text = NULL;
  } else if (whole && key->kind != CONFIG_NONE) {
    faults_add_at(r->faults, key->place, "a key is a word");
  }
  config_tree_free(key);
  if (!whole) return false;
  if (!value->key || is_known(map, r, value)) {
    config_tree_free(value);
    return true;
  }
  **end = value;
  *end = &value->next;
  if (++map->count <= KEYS_MOST) return true;
  faults_add_at(r->faults, value->key_place, "more than %d keys in one mapping", KEYS_MOST);
  return false;
}

static bool read_map(struct reader *r, struct config_node *map) {
  struct config_node **end = &map->first;
  while (next(r)) {
    if (r->event.type == YAML_MAPPING_END_EVENT) return true;
    if (!add_pair(r, map, &end)) return false;
  }
  return false;
}

static bool read_list(struct reader *r, struct config_node *list) {
  struct config_node **end = &list->first;
  while (next(r)) {
    if (r->event.type == YAML_SEQUENCE_END_EVENT) return true;
    if (!(*end = read_node(r))) return false;
    end = &(*end)->next;
    list->count++;
  }
  return false;
}

static struct config_node *read_deep(struct reader *r, enum config_kind kind) {
  struct config_node *n = new_node(r, kind);
  if (!n) return NULL;
  bool fine = r->depth < DEPTH_MOST;
  r->depth++;
  if (!fine)
    faults_add_at(r->faults, n->place, "nested deeper than %d levels", DEPTH_MOST);
  else
    fine = kind == CONFIG_MAP ? read_map(r, n) : read_list(r, n);
  r->depth--;
  if (fine) return n;
  config_tree_free(n);
  return NULL;
}

/* The one whose first event is at hand; its last one is at hand afterwards. NULL: no use to go on. */
static struct config_node *read_node(struct reader *r) {
  const yaml_event_t *e = &r->event;
  if (e->type == YAML_SCALAR_EVENT) return read_scalar(r);
  if (e->type == YAML_MAPPING_START_EVENT) {
    tell_extras(r, e->data.mapping_start.anchor, e->data.mapping_start.tag);
    return read_deep(r, CONFIG_MAP);
  }
  if (e->type == YAML_SEQUENCE_START_EVENT) {
    tell_extras(r, e->data.sequence_start.anchor, e->data.sequence_start.tag);
    return read_deep(r, CONFIG_LIST);
  }
  faults_add_at(r->faults, place_of(e->start_mark), "an alias; this file has none");
  return new_node(r, CONFIG_NONE);
}

void config_tree_free(struct config_node *n) {
  while (n) {
    struct config_node *following = n->next;
    config_tree_free(n->first);
    free(n->text);
    free(n->key);
    free(n);
    n = following;
  }
}

/* ---- the document --------------------------------------------------------------------------- */

/* Nothing behind it. */
static bool read_end(struct reader *r) {
  if (!skip(r, 2)) return false; /* the document's end, and what follows */
  if (r->event.type == YAML_STREAM_END_EVENT) return true;
  faults_add_at(r->faults, place_of(r->event.start_mark), "a second document; this file has one");
  return true;
}

static struct config_node *read_document(struct reader *r) {
  if (!skip(r, 2)) return NULL; /* the stream's start, and the document's */
  if (r->event.type == YAML_STREAM_END_EVENT) return new_node(r, CONFIG_MAP);
  if (!next(r)) return NULL;
  struct config_node *root = read_node(r);
  if (root && !read_end(r)) {
    config_tree_free(root);
    return NULL;
  }
  if (root && root->kind == CONFIG_TEXT && root->bare) root->kind = CONFIG_MAP;
  return root;
}

struct config_node *config_tree_read(const char *text, size_t len, struct faults *faults) {
  static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a file with it */
  if (len >= 3 && !memcmp(text, mark, 3)) {
    text += 3;
    len -= 3;
  }
  struct reader r = {.faults = faults, .text = text, .len = len};
  if (!yaml_parser_initialize(&r.parser)) {
    faults_add_at(faults, (struct fault_place){0, 0}, "out of memory");
    return NULL;
  }
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
  struct config_node *root = read_document(&r);
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  return root;
}
