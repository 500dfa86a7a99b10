#include "hub/presence.h"

#include "base/alloc.h"
#include "base/check.h"
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

/* Of a name that is not too long, in buf, which holds COHO_TOPIC_COMPANION_MAX bytes and one more. */
static struct coho__view companion_of(struct coho__view name, char *buf) {
  COHO_ASSERT(name.len <= COHO_TOPIC_NAME_MAX);
  memcpy(buf, name.data, name.len);
  memcpy(buf + name.len, COHO_COMPANION, sizeof COHO_COMPANION);
  return (struct coho__view){buf, name.len + sizeof COHO_COMPANION - 1};
}

/* Locked. What cannot be told for want of memory is a hole in the companion's offsets for nobody: the
   list says what is. */
static void tell(coho_hub *hub, const struct coho__topic *t, struct coho__message *event) {
  char name[COHO_TOPIC_COMPANION_MAX + 1];
  coho_pos pos;
  if (!event || t->name_len > COHO_TOPIC_NAME_MAX) return;
  (void)coho__hub_publish(hub, companion_of(coho__topic_name(t), name), event,
                          (struct coho__view){NULL, 0}, &pos);
}

/* ---- members --------------------------------------------------------------------------------- */

/* Locked. */
static struct coho__members *need_members(coho_hub *hub, struct coho__topic *t) {
  if (t->members) return t->members;
  t->members = (struct coho__members *)coho__alloc(sizeof *t->members);
  if (!t->members) return NULL;
  coho__members_init(t->members, hub->seed);
  coho__list_append(&hub->inhabited, &t->inhabited);
  hub->inhabited_count++;
  return t->members;
}

static void drop_members_if_empty(struct coho__topic *t) {
  if (!t->members || coho__members_count(t->members)) return;
  coho__members_free(t->members);
  coho__free(t->members, sizeof *t->members);
  t->members = NULL;
  coho__list_remove(&t->inhabited);
  t->hub->inhabited_count--;
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
  ms->arrivals = hub->arrivals;
  err = coho__members_enter(ms, id, info, &is_new, &changed);
  hub->arrivals = ms->arrivals;
  hub->member_bytes += ms->bytes - before;
  drop_members_if_empty(t);
  hub->stats.members += is_new;
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

/* Who comes looks after the hub, as who publishes does, and is not kept out by those who are gone. */
static int enter_or_make_room(coho_hub *hub, struct coho__view name, struct coho__view id,
                              struct coho__view info, const char **event) {
  uint64_t now = coho__clock_ms();
  coho__hub_sweep(hub, now);
  int err = enter(hub, name, id, info, event);
  struct coho__topic *t = coho__hub_find(hub, name);
  if (err != COHO_EFULL || !t || !coho__presence_let_go(t, now, COHO_LEAVES_MOST)) return err;
  return enter(hub, name, id, info, event);
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
  if (!err) err = enter_or_make_room(hub, name, who, coho__view_of(info), &event);
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

/* It is out of the list already. */
static void tell_leave(struct coho__topic *t, struct coho__member *m) {
  struct coho__message *event = new_event("leave", (struct coho__view){m->id, m->id_len}, NULL);
  tell(t->hub, t, event);
  coho__message_unref(event);
  coho__member_free(m);
}

size_t coho__presence_let_go(struct coho__topic *t, uint64_t now_ms, size_t most) {
  size_t n = 0;
  for (struct coho__member *m; t->members && n < most; n++) {
    uint64_t before = t->members->bytes;
    m = coho__members_gone(t->members, now_ms);
    if (!m) return n;
    t->hub->member_bytes -= before - t->members->bytes;
    t->hub->stats.members--;
    tell_leave(t, m);
    drop_members_if_empty(t);
  }
  return n;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* A terminated copy, for which there is room. */
static const char *copy_text(struct coho__presence_page *page, const char *text, size_t len) {
  char *to = page->text + page->used;
  memcpy(to, text, len);
  to[len] = '\0';
  page->used += len + 1;
  return to;
}

static bool add_member(struct coho__presence_page *page, const struct coho__member *m) {
  struct coho__view info = m->info_len ? (struct coho__view){m->info, m->info_len} : VIEW("null");
  if (page->used + m->id_len + 1 + info.len + 1 > sizeof page->text) return false;
  struct coho__present *p = &page->members[page->count++];
  p->number = m->number;
  p->id = copy_text(page, m->id, m->id_len);
  p->info = copy_text(page, info.data, info.len);
  return true;
}

static void add_members(struct coho__presence_page *page, const struct coho__members *ms,
                        uint64_t after) {
  struct coho__member *next[COHO_PRESENT_MOST + 1];
  size_t n = coho__members_after(ms, after, next, COHO_COUNT(next));
  page->here = coho__members_count(ms);
  while (page->count < COHO_MIN(n, (size_t)COHO_PRESENT_MOST) &&
         add_member(page, next[page->count])) {}
  page->more = page->count < n;
}

/* All whose time has come, a few each time it is locked. */
static void let_all_go(coho_hub *hub, struct coho__view topic) {
  size_t n;
  do {
    coho__hub_lock(hub);
    struct coho__topic *t = coho__hub_find(hub, topic);
    n = t ? coho__presence_let_go(t, coho__clock_ms(), COHO_LEAVES_MOST) : 0;
    coho__hub_unlock(hub);
  } while (n == COHO_LEAVES_MOST);
}

int coho__presence_look(coho_hub *hub, struct coho__view topic, uint64_t after,
                        struct coho__presence_page *page, coho_pos *pos) {
  int err = 0;
  char name[COHO_TOPIC_COMPANION_MAX + 1];
  struct coho__topic *t, *events;
  page->here = page->count = page->used = 0;
  page->more = false;
  if (!after) let_all_go(hub, topic);
  coho__hub_lock(hub);
  page->last = hub->arrivals;
  /* From a position one can go on, so there has to be a topic that has one; it may be the one for which
     a topic without members gives way. */
  if (pos) err = coho__hub_need(hub, companion_of(topic, name), &events);
  if (pos && !err) *pos = events->last;
  t = coho__hub_find(hub, topic);
  if (t && t->members) add_members(page, t->members, after);
  coho__hub_unlock(hub);
  return err;
}

size_t coho_presence_list(coho_hub *hub, const char *topic,
                          void (*fn)(void *ctx, const char *id, const char *info), void *ctx,
                          coho_pos *pos) {
  struct coho__presence_page page;
  struct coho__view name;
  size_t count = 0;
  if (pos) *pos = (coho_pos){0, 0};
  if (!coho__hub_read_name(topic, &name) || name.len > COHO_TOPIC_NAME_MAX) return 0;
  (void)coho__presence_look(hub, name, 0, &page, pos);
  if (!fn) return page.here;
  /* Who comes from now on is told after *pos, and does not keep this from ending. */
  for (uint64_t end = page.last, after = 0;;
       (void)coho__presence_look(hub, name, after, &page, NULL)) {
    for (size_t i = 0; i < page.count; i++) {
      const struct coho__present *m = &page.members[i];
      after = m->number;
      if (after > end) return count;
      fn(ctx, m->id, m->info);
      count++;
    }
    if (!page.more) return count;
  }
}
