/*
 * /chat?room=&name=: rooms of people. The server keeps who is in which room; what is said goes
 * through one topic per room. Rooms are shared by all loops, hence the lock.
 */
#include "demo.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "escape.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  NAME_MAX_BYTES = 64,
  UNIQUE_NAME_BYTES = NAME_MAX_BYTES + 16, /* with "-N" behind a name that is taken */
  TOPIC_BYTES = NAME_MAX_BYTES + 8,
  LINE_MAX_BYTES = 4096,
  ROOM_MAX_MEMBERS = 1000,
  /* A welcome names all members, and JSON writes a control character in six bytes. */
  QUEUE_MAX_BYTES = 1024 * 1024
};

struct room {
  struct coho__list node;
  struct coho__list members;
  struct coho__map names;  /* of the members */
  unsigned suffix;         /* last one given to a name that was taken */
  char topic[TOPIC_BYTES]; /* "chat:" and the name */
};

struct member {
  struct coho__list node; /* in its room, in order of arrival */
  struct room *room;
  char name[UNIQUE_NAME_BYTES];
};

static coho_hub *hub;
static struct coho__list rooms;
static unsigned guests;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over rooms, members, guests */

static const char *room_name(const struct room *r) { return r->topic + strlen("chat:"); }

/* ---- rooms and members, under the lock ----------------------------------------------------- */

static struct room *find_room(const char *name) {
  for (struct coho__list *n = rooms.next; n != &rooms; n = n->next) {
    struct room *r = COHO_LIST_ENTRY(n, struct room, node);
    if (!strcmp(room_name(r), name)) return r;
  }
  return NULL;
}

static struct room *need_room(const char *name) {
  struct room *r = find_room(name);
  if (r) return r;
  r = (struct room *)calloc(1, sizeof *r);
  if (!r) return NULL;
  snprintf(r->topic, sizeof r->topic, "chat:%s", name);
  coho__list_init(&r->members);
  uint64_t seed[2];
  coho__random(seed, sizeof seed);
  coho__map_init(&r->names, seed);
  r->suffix = 1;
  coho__list_append(&rooms, &r->node);
  return r;
}

static void choose_name(struct room *r, struct member *m, const char *wanted) {
  char guest[NAME_MAX_BYTES];
  if (!wanted || !*wanted) {
    snprintf(guest, sizeof guest, "guest-%u", ++guests);
    wanted = guest;
  }
  snprintf(m->name, sizeof m->name, "%.*s", NAME_MAX_BYTES, wanted);
  while (coho__map_get(&r->names, coho__view_of(m->name)))
    snprintf(m->name, sizeof m->name, "%.*s-%u", NAME_MAX_BYTES, wanted, ++r->suffix);
}

static void free_room_if_empty(struct room *r) {
  if (r->names.count) return;
  coho__list_remove(&r->node);
  coho__map_free(&r->names);
  free(r);
}

/* NULL: the room is full, or there is no memory. */
static struct member *enter(const char *room, const char *name) {
  struct room *r = need_room(room);
  struct member *m =
      r && r->names.count < ROOM_MAX_MEMBERS ? (struct member *)calloc(1, sizeof *m) : NULL;
  if (m) {
    choose_name(r, m, name);
    m->room = r;
  }
  if (m && !coho__map_add(&r->names, coho__view_of(m->name), m)) {
    coho__list_append(&r->members, &m->node);
    return m;
  }
  free(m);
  if (r) free_room_if_empty(r);
  return NULL;
}

static void leave(struct member *m) {
  struct room *r = m->room;
  coho__list_remove(&m->node);
  coho__map_remove(&r->names, coho__view_of(m->name));
  free(m);
  free_room_if_empty(r);
}

static json_t *welcome_of(const struct member *self) {
  json_t *members = json_array();
  const struct coho__list *all = &self->room->members;
  for (struct coho__list *n = all->next; n != all; n = n->next)
    json_array_append_new(members, json_string(COHO_LIST_ENTRY(n, struct member, node)->name));
  return json_pack("{s:s, s:s, s:s, s:o}", "type", "welcome", "room", room_name(self->room), "name",
                   self->name, "members", members);
}

static json_t *change_of(const struct member *m, const char *type, size_t members) {
  return json_pack("{s:s, s:s, s:I}", "type", type, "name", m->name, "members",
                   (json_int_t)members);
}

/* ---- handlers ------------------------------------------------------------------------------ */

/* What would not look on a terminal as it is, is no name. */
static bool acceptable(const char *name) {
  struct coho__view v = coho__view_of(name);
  return v.len > 0 && v.len <= NAME_MAX_BYTES && escape_is_safe(v);
}

static void on_upgrade(coho_request *r) {
  static const char *const parameters[] = {"room", "name"};
  for (size_t i = 0; i < COHO_COUNT(parameters); i++) {
    const char *value = coho_request_query(r, parameters[i]);
    if (!value || !*value || acceptable(value)) continue;
    char text[128];
    snprintf(text, sizeof text, "%s: 1 to %d bytes of text without control characters\n",
             parameters[i], NAME_MAX_BYTES);
    coho_reply(r, 400, "text/plain; charset=utf-8", text, strlen(text));
    return;
  }
}

static void on_open(coho_conn *c) {
  coho_request *r = coho_conn_request(c);
  const char *room = coho_request_query(r, "room");
  /* Joins are announced under the lock, so that all loops see them in the order they happened. */
  pthread_mutex_lock(&lock);
  struct member *m = enter(room && *room ? room : "lobby", coho_request_query(r, "name"));
  if (m) {
    coho_conn_set_user(c, m);
    demo_publish_json(hub, m->room->topic, change_of(m, "join", m->room->names.count));
    demo_send_json(c, welcome_of(m));
    if (coho_subscribe(hub, c, m->room->topic)) coho_close(c, 1011, "out of memory");
  } else {
    coho_close(c, 1013, "the room is full");
  }
  pthread_mutex_unlock(&lock);
}

static void on_message(coho_conn *c, coho_msg m) {
  const struct member *self = (const struct member *)coho_conn_user(c);
  if (m.type != COHO_TEXT) {
    coho_close(c, 1003, "this chat takes text only");
    return;
  }
  if (!self) return;
  demo_publish_json(hub, self->room->topic,
                    json_pack("{s:s, s:s, s:s%, s:I}", "type", "message", "name", self->name,
                              "text", m.data, m.len, "time", (json_int_t)coho__clock_wall_ms()));
}

static void on_close(coho_conn *c, const coho_ending *how) {
  (void)how;
  struct member *m = (struct member *)coho_conn_user(c);
  if (!m) return;
  pthread_mutex_lock(&lock);
  demo_publish_json(hub, m->room->topic, change_of(m, "leave", m->room->names.count - 1));
  leave(m);
  pthread_mutex_unlock(&lock);
}

int demo_chat_start(const struct demo_options *opt, coho_hub *h) {
  hub = h;
  coho__list_init(&rooms);
  coho_options o = *opt->base;
  o.on_upgrade = on_upgrade;
  o.on_open = on_open;
  o.on_message = on_message;
  o.on_close = on_close;
  o.max_message = LINE_MAX_BYTES;
  o.max_queue = QUEUE_MAX_BYTES;
  return coho_route_ws(opt->server, "/chat", &o);
}

/* Connections are gone, and with them members and rooms. */
void demo_chat_stop(void) { hub = NULL; }
