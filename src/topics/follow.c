#include "topics/follow.h"

#include "base/alloc.h"
#include "base/random.h"
#include "base/sized.h"
#include "base/utf8.h"
#include "hub/pattern.h"
#include "topics/hub_client.h"

#include <stdio.h>
#include <string.h>

enum {
  FRAME_MOST = 16 * 1024, /* of a request: topic, member and 1 KiB of information */
  INFO_MOST = 1024
};

/* ---- life ----------------------------------------------------------------------------------- */

static void free_follow(coho_follow *f) {
  coho__free_str(f->name);
  coho__free_str(f->as);
  coho__free_str(f->info);
  coho__free(f, sizeof *f);
}

static void on_burial(struct coho__task *t) {
  free_follow(COHO_CONTAINER_OF(t, coho_follow, burial));
}

static void bury(coho_follow *f) {
  coho_client *c = f->client;
  f->gone = true;
  coho__hub_client_forget(c, &f->ask);
  coho__list_remove(&f->node);
  c->follows.count--;
  coho__loop_bury(c->loop, &f->burial);
}

static int set_position(coho_follow *f, const char *since) {
  if (!since) return 0;
  int err = coho_pos_parse(since, &f->pos);
  f->known = f->pos.epoch != 0;
  f->from_start = !f->known;
  return err;
}

static bool copy(char **dst, const char *text) {
  *dst = text ? coho__strdup(text) : NULL;
  return *dst || !text;
}

/* With a name and options that were checked. */
static int follow_new(coho_client *c, const char *name, const coho_follow_options *set,
                      coho_follow **out) {
  *out = NULL;
  if (c->follows.count >= c->set.max_follows) return COHO_EFULL;
  coho_follow *f = (coho_follow *)coho__zalloc(sizeof *f);
  if (!f) return COHO_ENOMEM;
  *out = f;
  f->client = c;
  f->set = *set;
  f->ask.kind = COHO_ASK_FOLLOW;
  coho__list_init(&f->node);
  coho__task_init(&f->burial, on_burial);
  if (!copy(&f->name, name) || !copy(&f->as, set->as) || !copy(&f->info, set->info))
    return COHO_ENOMEM;
  return set_position(f, set->since);
}

/* A name, or the companion of one with who is present. */
static bool is_followable(struct coho__view name) {
  return coho__topic_name_valid(coho__topic_base(name));
}

static bool is_member(const coho_follow_options *set) {
  struct coho__view as = coho__view_of(set->as), info = coho__view_of(set->info);
  if (!set->as) return !set->info;
  return as.len > 0 && as.len <= COHO_HUB_MEMBER && coho__utf8_valid(as.data, as.len) &&
         (!set->info || (info.len <= INFO_MOST && coho__hub_is_json(info)));
}

static struct coho__map *map_of(coho_follow *f) {
  struct coho__follows *s = &f->client->follows;
  return f->is_pattern ? &s->patterns : &s->topics;
}

/* err: of making it. Begins to follow, or frees it. */
static int begin(coho_follow *f, int err, coho_follow **out) {
  if (!err) err = coho__map_add(map_of(f), coho__view_of(f->name), f);
  if (err) {
    if (f) free_follow(f);
    return err;
  }
  coho_client *c = f->client;
  coho__list_append(&c->follows.idle, &f->node);
  c->follows.count++;
  if (out) *out = f;
  coho__hub_client_pump(c);
  return 0;
}

static bool fits(struct coho__view name, const coho_follow_options *set) {
  return is_followable(name) && is_member(set) &&
         (!set->on_presence || coho__topic_is_companion(name));
}

int coho_client_follow_sized(coho_client *c, const char *topic, const coho_follow_options *opt,
                             size_t size, coho_follow **out) {
  coho_follow_options set;
  coho_follow *f = NULL;
  if (c->freed || c->state == COHO_CLIENT_CLOSED) return COHO_ECLOSED;
  int err = coho__sized_read(&set, sizeof set, opt, size);
  if (!err && !fits(coho__view_of(topic), &set)) err = COHO_EINVAL;
  if (!err) err = follow_new(c, topic, &set, &f);
  return begin(f, err, out);
}

int coho_client_follow_pattern_sized(coho_client *c, const char *pattern,
                                     const coho_pattern_options *opt, size_t size,
                                     coho_follow **out) {
  coho_pattern_options match;
  coho_follow *f = NULL;
  if (c->freed || c->state == COHO_CLIENT_CLOSED) return COHO_ECLOSED;
  int err = coho__sized_read(&match, sizeof match, opt, size);
  if (!err && !coho__pattern_valid(coho__view_of(pattern))) err = COHO_EINVAL;
  coho_follow_options set = {.user = NULL};
  if (!err)
    set = (coho_follow_options){
        .on_start = match.on_start, .on_error = match.on_error, .user = match.user};
  if (!err) err = follow_new(c, pattern, &set, &f);
  if (f) f->is_pattern = true;
  if (f) f->match = match;
  return begin(f, err, out);
}

void coho_client_unfollow(coho_follow *f) {
  if (!f || f->gone) return;
  coho_client *c = f->client;
  f->gone = true;
  (void)coho__map_remove(map_of(f), coho__view_of(f->name));
  if (!coho__hub_client_open(c) || !(f->active || f->ask.asked)) {
    bury(f);
    return;
  }
  /* An answer to the subscription may still come, to which nobody listens. */
  coho__hub_client_forget(c, &f->ask);
  coho__list_remove(&f->node);
  coho__list_append(&c->follows.leaving, &f->node);
  coho__hub_client_pump(c);
}

void coho__follows_init(struct coho__follows *s) {
  uint64_t seed[2];
  coho__random(seed, sizeof seed);
  coho__map_init(&s->topics, seed);
  coho__map_init(&s->patterns, seed);
  struct coho__list *lists[] = {&s->idle,   &s->running, &s->refused,
                                &s->denied, &s->leaving, &s->left};
  for (size_t i = 0; i < COHO_COUNT(lists); i++)
    coho__list_init(lists[i]);
}

coho_follow *coho__follows_find(const struct coho__follows *s,
                                const struct coho__hub_frame *frame) {
  if (!frame->pattern.len) return (coho_follow *)coho__map_get(&s->topics, frame->topic);
  coho_follow *f = (coho_follow *)coho__map_get(&s->patterns, frame->pattern);
  bool fits =
      f && is_followable(frame->topic) && coho__pattern_matches(frame->pattern, frame->topic);
  return fits ? f : NULL;
}

static void bury_all(struct coho__list *list) {
  while (!coho__list_empty(list))
    bury(COHO_LIST_ENTRY(list->next, coho_follow, node));
}

void coho__follows_free(coho_client *c) {
  struct coho__follows *s = &c->follows;
  struct coho__list *lists[] = {&s->idle,   &s->running, &s->refused,
                                &s->denied, &s->leaving, &s->left};
  for (size_t i = 0; i < COHO_COUNT(lists); i++)
    bury_all(lists[i]);
  coho__map_free(&s->topics);
  coho__map_free(&s->patterns);
}

/* ---- asking --------------------------------------------------------------------------------- */

static struct coho__hub_sub sub_of(const coho_follow *f) {
  return f->is_pattern ? (struct coho__hub_sub){.pattern = f->name}
                       : (struct coho__hub_sub){.topic = f->name, .as = f->as, .info = f->info};
}

static int ask(coho_follow *f, const struct coho__hub_sub *sub,
               int (*put)(struct coho__buf *out, uint64_t id, const struct coho__hub_sub *sub)) {
  struct coho__buf frame = COHO_BUF(FRAME_MOST);
  f->ask.id = coho__hub_client_id(f->client);
  int err = put(&frame, f->ask.id, sub);
  if (!err)
    err = coho__hub_client_ask(f->client, &f->ask, (struct coho__view){frame.data, frame.len});
  coho__buf_release(&frame);
  return err;
}

static int ask_sub(coho_follow *f) {
  char since[COHO_POS_MAX];
  struct coho__hub_sub sub = sub_of(f);
  if (f->known) sub.since = coho_pos_text(f->pos, since, sizeof since);
  if (f->from_start) sub.since = "0";
  return ask(f, &sub, coho__hub_put_sub);
}

static int ask_unsub(coho_follow *f) {
  struct coho__hub_sub sub = sub_of(f);
  return ask(f, &sub, coho__hub_put_unsub);
}

/* Asks for each of `from`, which then is in `to`. */
static int pump(struct coho__list *from, struct coho__list *to, int (*ask_one)(coho_follow *f)) {
  while (!coho__list_empty(from)) {
    struct coho__list *node = from->next;
    int err = ask_one(COHO_LIST_ENTRY(node, coho_follow, node));
    if (err) return err;
    coho__list_remove(node);
    coho__list_append(to, node);
  }
  return 0;
}

int coho__follows_pump(coho_client *c) {
  struct coho__follows *s = &c->follows;
  int err = pump(&s->leaving, &s->left, ask_unsub); /* the same name may be asked for again */
  if (err || c->refusals_wait) return err;
  return pump(&s->idle, &s->running, ask_sub);
}

void coho__follows_lost(coho_client *c) {
  struct coho__follows *s = &c->follows;
  bury_all(&s->leaving);
  bury_all(&s->left);
  for (struct coho__list *n = s->running.next; n != &s->running; n = n->next) {
    coho_follow *f = COHO_LIST_ENTRY(n, coho_follow, node);
    f->broken = f->broken || f->active;
    f->active = false;
    coho__hub_client_forget(c, &f->ask);
  }
  coho__list_splice(&s->idle, &s->running);
  coho__follows_retry(c, false);
}

void coho__follows_retry(coho_client *c, bool token) {
  coho__list_splice(&c->follows.idle, &c->follows.refused);
  if (token) coho__list_splice(&c->follows.idle, &c->follows.denied);
}

/* ---- what the hub says ---------------------------------------------------------------------- */

/* From now on: what came while nobody followed is missing. */
static void started_pattern(coho_follow *f) {
  bool broken = f->broken;
  f->broken = false;
  if (f->set.on_start) f->set.on_start(f);
  if (!broken || f->gone || f->client->freed || !f->match.on_gap) return;
  f->match.on_gap(f, NULL, COHO_LOST_UNKNOWN, (coho_pos){0, 0});
}

static int started(coho_follow *f, const struct coho__hub_frame *frame) {
  if (!f->is_pattern && !frame->has_pos) return COHO_EHUBFRAME;
  f->active = true;
  if (f->is_pattern) {
    started_pattern(f);
    return 0;
  }
  if (!f->known) f->pos = frame->pos;
  f->known = true;
  f->from_start = false;
  if (f->set.on_start) f->set.on_start(f);
  return 0;
}

static void refused(coho_follow *f, const struct coho__hub_frame *frame) {
  struct coho__follows *s = &f->client->follows;
  char text[COHO_HUB_TEXT];
  int err = frame->err;
  bool for_now = coho__hub_frame_for_now(frame);
  coho__list_remove(&f->node);
  coho__list_append(for_now ? &s->refused : &s->denied, &f->node);
  if (for_now) coho__hub_client_again(f->client);
  (void)snprintf(text, sizeof text, "%.*s", (int)COHO_MIN(frame->text.len, sizeof text),
                 frame->text.data);
  if (f->set.on_error) f->set.on_error(f, err, text);
}

void coho__follows_ended(const struct coho__follows *s, const struct coho__hub_frame *frame) {
  bool pattern = frame->pattern.len > 0;
  if (pattern == (frame->topic.len > 0)) return;
  coho_follow *f = (coho_follow *)coho__map_get(pattern ? &s->patterns : &s->topics,
                                                pattern ? frame->pattern : frame->topic);
  if (!f || !f->active) return; /* of an earlier subscription to it */
  f->active = false;
  f->broken = true;
  refused(f, frame);
}

int coho__follow_answer(coho_follow *f, const struct coho__hub_frame *frame) {
  if (f->gone) {
    bury(f);
    return 0;
  }
  if (frame->op == COHO_HUB_OK) return started(f, frame);
  refused(f, frame);
  return 0;
}

/* A gap that nobody told: another life of the topic, without a word. */
static bool is_other_life(coho_follow *f, coho_pos pos) {
  if (pos.epoch == f->pos.epoch) return false;
  f->pos = (coho_pos){pos.epoch, pos.offset ? pos.offset - 1 : 0};
  if (f->set.on_gap) f->set.on_gap(f, COHO_LOST_UNKNOWN, f->pos);
  return true;
}

static void deliver(coho_follow *f, const struct coho__hub_frame *frame) {
  struct coho__hub_member m;
  if (!f->set.on_presence) {
    if (f->set.on_message) f->set.on_message(f, frame->pos, frame->msg);
    return;
  }
  int err = coho__hub_member_read(&m, frame->msg);
  if (!err) f->set.on_presence(f, frame->pos, m.event, m.id, m.info);
  coho__hub_member_free(&m);
}

void coho__follow_message(coho_follow *f, const struct coho__hub_frame *frame) {
  if (!f->active) return; /* of an earlier subscription to it */
  if (f->is_pattern) {
    if (f->match.on_message) f->match.on_message(f, frame->topic.data, frame->pos, frame->msg);
    return;
  }
  if (is_other_life(f, frame->pos) && (f->gone || f->client->freed)) return;
  if (frame->pos.offset <= f->pos.offset) return;
  f->pos = frame->pos;
  deliver(f, frame);
}

void coho__follow_gap(coho_follow *f, const struct coho__hub_frame *frame) {
  bool same = frame->pos.epoch == f->pos.epoch;
  if (!f->active) return;
  if (f->is_pattern) {
    if (f->match.on_gap) f->match.on_gap(f, frame->topic.data, frame->lost, frame->pos);
    return;
  }
  /* Where nothing can be missing. */
  if (same && frame->lost != COHO_LOST_UNKNOWN && frame->pos.offset <= f->pos.offset) return;
  f->pos = frame->pos;
  if (f->set.on_gap) f->set.on_gap(f, frame->lost, frame->pos);
}

/* ---- what programs may ask ------------------------------------------------------------------ */

coho_follow *coho_client_find(const coho_client *c, const char *topic) {
  return c->freed ? NULL : (coho_follow *)coho__map_get(&c->follows.topics, coho__view_of(topic));
}

coho_follow *coho_client_find_pattern(const coho_client *c, const char *pattern) {
  if (c->freed) return NULL;
  return (coho_follow *)coho__map_get(&c->follows.patterns, coho__view_of(pattern));
}

int coho_follow_pos(const coho_follow *f, coho_pos *pos) {
  if (!f->known) return COHO_ENOTFOUND;
  *pos = f->pos;
  return 0;
}

const char *coho_follow_topic(const coho_follow *f) { return f->name; }
void *coho_follow_user(const coho_follow *f) { return f->set.user; }
coho_client *coho_follow_client(const coho_follow *f) { return f->client; }
