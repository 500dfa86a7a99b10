#include "hub/presence.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { INFO_DEPTH = 8 };

/* ---- telling --------------------------------------------------------------------------------- */

/* {"event":event,"id":id,"info":info}; takes info. NULL: out of memory. */
static struct coho__message *new_event(const char *event, struct coho__view id, json_t *info) {
  json_t *object = json_pack("{s:s, s:s%}", "event", event, "id", id.data, id.len);
  if (object && info) (void)json_object_set(object, "info", info);
  json_decref(info);
  char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(object);
  coho_msg m = coho_text(text ? text : "");
  struct coho__message *message = text ? coho__message_new(&m, (struct coho__view){NULL, 0}) : NULL;
  free(text);
  return message;
}

/* Locked. What cannot be told for want of memory is a hole in the companion's offsets for nobody: the
   list says what is. */
static void tell(coho_hub *hub, const struct coho__topic *t, struct coho__message *event) {
  char name[COHO_TOPIC_COMPANION_MAX + 1];
  coho_pos pos;
  size_t len = t->name_len;
  if (!event || len > COHO_TOPIC_NAME_MAX) return;
  memcpy(name, t->name, len);
  memcpy(name + len, "/presence", sizeof "/presence");
  (void)coho__hub_publish(hub, coho__view_of(name), event, (struct coho__view){NULL, 0}, &pos);
}

/* ---- members --------------------------------------------------------------------------------- */

/* Locked. */
static struct coho__members *need_members(coho_hub *hub, struct coho__topic *t) {
  if (t->members) return t->members;
  t->members = (struct coho__members *)coho__alloc(sizeof *t->members);
  if (!t->members) return NULL;
  coho__members_init(t->members, hub->seed);
  coho__list_append(&hub->inhabited, &t->inhabited);
  return t->members;
}

static void drop_members_if_empty(struct coho__topic *t) {
  if (!t->members || coho__members_count(t->members)) return;
  coho__members_free(t->members);
  coho__free(t->members, sizeof *t->members);
  t->members = NULL;
  coho__list_remove(&t->inhabited);
}

static int enter(coho_hub *hub, struct coho__view name, struct coho__view id,
                 struct coho__view info, const char **event) {
  struct coho__topic *t;
  bool is_new = false, changed = false;
  int err = coho__hub_need(hub, name, &t);
  if (err) return err;
  struct coho__members *ms = need_members(hub, t);
  if (!ms) return COHO_ENOMEM;
  uint64_t before = ms->bytes;
  ms->room = COHO_MEMBERS_BYTES - COHO_MIN(hub->member_bytes, COHO_MEMBERS_BYTES);
  err = coho__members_enter(ms, id, info, &is_new, &changed);
  hub->member_bytes += ms->bytes - before;
  drop_members_if_empty(t);
  if (!err) *event = is_new ? "join" : changed ? "update" : NULL;
  return err;
}

/* Not nested so deep that who is told would not read it. Brackets in strings do not count. */
static bool is_shallow(const char *text) {
  size_t depth = 0;
  bool quoted = false;
  for (; *text; text++) {
    if (*text == '"') quoted = !quoted;
    if (quoted && *text == '\\' && text[1]) text++;
    if (quoted) continue;
    if ((*text == '{' || *text == '[') && ++depth > INFO_DEPTH) return false;
    if ((*text == '}' || *text == ']') && depth) depth--;
  }
  return true;
}

/* An id of the right length that is text, and information that is JSON; *info NULL: none. */
static int read_member(const char *id, const char *text, struct coho__view *v, json_t **info) {
  *v = coho__view_of(id);
  *info = NULL;
  if (!v->len || v->len > COHO_MEMBER_ID_MAX || !coho__utf8_valid(v->data, v->len))
    return COHO_EINVAL;
  size_t len = text ? strlen(text) : 0;
  if (!len) return 0;
  if (len > COHO_MEMBER_INFO_MAX || !is_shallow(text)) return COHO_EINVAL;
  *info = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  return *info ? 0 : COHO_EINVAL;
}

int coho_presence_enter(coho_hub *hub, const char *topic, const char *id, const char *info) {
  struct coho__view name, who;
  json_t *json;
  const char *event = NULL;
  if (!coho__hub_read_name(topic, &name) || read_member(id, info, &who, &json)) return COHO_EINVAL;
  /* Both made before: what is said and what is done go together. */
  struct coho__message *join = new_event("join", who, json_incref(json));
  struct coho__message *update = new_event("update", who, json);
  int err = join && update ? 0 : COHO_ENOMEM;
  coho__hub_lock(hub);
  if (!err) err = enter(hub, name, who, coho__view_of(info), &event);
  if (event) tell(hub, coho__hub_find(hub, name), *event == 'j' ? join : update);
  coho__hub_unlock(hub);
  coho__message_unref(join);
  coho__message_unref(update);
  return err;
}

int coho_presence_leave(coho_hub *hub, const char *topic, const char *id) {
  struct coho__view name;
  bool was_there = false;
  if (!coho__hub_read_name(topic, &name)) return COHO_EINVAL;
  coho__hub_lock(hub);
  const struct coho__topic *t = coho__hub_find(hub, name);
  if (t && t->members)
    was_there =
        coho__members_leave(t->members, coho__view_of(id), coho__clock_ms() + t->opt->grace_ms);
  coho__hub_unlock(hub);
  return was_there ? 0 : COHO_ENOTFOUND;
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void let_go(coho_hub *hub, struct coho__topic *t, uint64_t now_ms) {
  struct coho__member *m;
  if (coho__members_next(t->members) > now_ms) return;
  uint64_t before = t->members->bytes;
  while ((m = coho__members_gone(t->members, now_ms))) {
    hub->member_bytes -= before - t->members->bytes;
    before = t->members->bytes;
    struct coho__message *event = new_event("leave", (struct coho__view){m->id, m->id_len}, NULL);
    tell(hub, t, event);
    coho__message_unref(event);
    coho__member_free(m);
  }
  drop_members_if_empty(t);
}

void coho__presence_sweep(coho_hub *hub, uint64_t now_ms) {
  for (struct coho__list *n = hub->inhabited.next, *next; n != &hub->inhabited; n = next) {
    struct coho__topic *t = COHO_LIST_ENTRY(n, struct coho__topic, inhabited);
    next = n->next;
    let_go(hub, t, now_ms);
  }
}

/* ---- asking ---------------------------------------------------------------------------------- */

size_t coho_presence_list(coho_hub *hub, const char *topic,
                          void (*fn)(void *ctx, const char *id, const char *info), void *ctx,
                          coho_pos *pos) {
  char companion[COHO_TOPIC_COMPANION_MAX + 1];
  struct coho__view name;
  size_t count = 0;
  if (pos) *pos = (coho_pos){0, 0};
  if (!coho__hub_read_name(topic, &name) || name.len > COHO_TOPIC_NAME_MAX) return 0;
  memcpy(companion, name.data, name.len);
  memcpy(companion + name.len, "/presence", sizeof "/presence");
  coho__hub_lock(hub);
  struct coho__topic *t = coho__hub_find(hub, name), *events;
  if (t && t->members) let_go(hub, t, coho__clock_ms());
  struct coho__list *all = t && t->members ? &t->members->all : NULL;
  for (struct coho__list *n = all ? all->next : NULL; n != all; n = n->next, count++) {
    const struct coho__member *m = COHO_LIST_ENTRY(n, struct coho__member, node);
    if (fn) fn(ctx, m->id, m->info_len ? m->info : "null");
  }
  /* From a position one can go on, so there has to be a topic that has one. */
  if (pos && !coho__hub_need(hub, coho__view_of(companion), &events)) *pos = events->last;
  coho__hub_unlock(hub);
  return count;
}
