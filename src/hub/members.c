#include "hub/members.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>
#include <string.h>

/* In order of arrival: a place, or twice as many while their roll grows. */
enum { PLACES = 2 * sizeof(struct coho__roll_place) };

static struct coho__member *of_leaving(struct coho__list *node) {
  return COHO_LIST_ENTRY(node, struct coho__member, leaving);
}

static struct coho__view id_of(const struct coho__member *m) {
  return (struct coho__view){m->id, m->id_len};
}

static size_t own_size(size_t id_len) { return sizeof(struct coho__member) + id_len + 1; }

static size_t size_of(const struct coho__member *m) {
  return own_size(m->id_len) + m->info_len + 1 + coho__map_entry_size(m->id_len) + PLACES;
}

void coho__members_init(struct coho__members *ms, const uint64_t seed[2]) {
  *ms = (struct coho__members){.room = UINT64_MAX};
  coho__map_init(&ms->map, seed);
  coho__list_init(&ms->leaving);
}

void coho__member_free(struct coho__member *m) {
  if (!m) return;
  if (m->info) coho__free(m->info, m->info_len + 1);
  coho__free(m, own_size(m->id_len));
}

void coho__members_free(struct coho__members *ms) {
  for (size_t i = 0; i < ms->all.used; i++)
    coho__member_free(ms->all.places[i].who);
  coho__roll_free(&ms->all);
  coho__list_init(&ms->leaving);
  coho__map_free(&ms->map);
  ms->bytes = 0;
}

size_t coho__members_count(const struct coho__members *ms) { return ms->map.count; }

size_t coho__members_after(const struct coho__members *ms, uint64_t number,
                           struct coho__member **out, size_t max) {
  return coho__roll_after(&ms->all, number, out, max);
}

/* ---- entering -------------------------------------------------------------------------------- */

/* A terminated copy; it may hold NUL. */
static char *copy(struct coho__view v) {
  char *p = (char *)coho__alloc(v.len + 1);
  if (!p) return NULL;
  if (v.len) memcpy(p, v.data, v.len);
  p[v.len] = '\0';
  return p;
}

static struct coho__member *new_member(struct coho__view id, struct coho__view info) {
  struct coho__member *m = (struct coho__member *)coho__alloc(own_size(id.len));
  if (!m) return NULL;
  *m = (struct coho__member){.info = copy(info), .info_len = info.len, .id_len = id.len};
  coho__list_init(&m->leaving);
  memcpy(m->id, id.data, id.len);
  m->id[id.len] = '\0';
  if (m->info) return m;
  coho__member_free(m);
  return NULL;
}

static int add(struct coho__members *ms, struct coho__view id, struct coho__view info) {
  uint64_t bytes = own_size(id.len) + info.len + 1 + coho__map_entry_size(id.len) + PLACES;
  if (coho__members_count(ms) >= COHO_MEMBERS_MOST || bytes > ms->room) return COHO_EFULL;
  struct coho__member *m = new_member(id, info);
  int err = m ? coho__map_add(&ms->map, id, m) : COHO_ENOMEM;
  if (!err) {
    err = coho__roll_add(&ms->all, ms->arrivals + 1, m);
    if (err) (void)coho__map_remove(&ms->map, id);
  }
  if (err) {
    coho__member_free(m);
    return err;
  }
  m->number = ++ms->arrivals;
  m->presences = 1;
  ms->bytes += size_of(m);
  return 0;
}

static int inform(struct coho__members *ms, struct coho__member *m, struct coho__view info) {
  if (info.len > m->info_len && info.len - m->info_len > ms->room) return COHO_EFULL;
  char *text = copy(info);
  if (!text) return COHO_ENOMEM;
  coho__free(m->info, m->info_len + 1);
  ms->bytes = ms->bytes - m->info_len + info.len;
  m->info = text;
  m->info_len = info.len;
  return 0;
}

int coho__members_enter(struct coho__members *ms, struct coho__view id, struct coho__view info,
                        bool *is_new, bool *changed) {
  *is_new = *changed = false;
  if (!id.len || id.len > COHO_MEMBER_ID_MAX || info.len > COHO_MEMBER_INFO_MAX) return COHO_EINVAL;
  struct coho__member *m = (struct coho__member *)coho__map_get(&ms->map, id);
  if (!m) {
    int err = add(ms, id, info);
    *is_new = !err;
    return err;
  }
  if (m->presences == UINT32_MAX) return COHO_EFULL;
  if (!coho__view_eq((struct coho__view){m->info, m->info_len}, info)) {
    int err = inform(ms, m, info);
    if (err) return err;
    *changed = true;
  }
  m->presences++;
  coho__list_remove(&m->leaving);
  return 0;
}

/* ---- leaving --------------------------------------------------------------------------------- */

/* Times come nearly in order, so it is the last place, or one next to it. */
static void queue(struct coho__members *ms, struct coho__member *m) {
  struct coho__list *before = ms->leaving.prev;
  while (before != &ms->leaving && of_leaving(before)->goes_ms > m->goes_ms)
    before = before->prev;
  coho__list_append(before->next, &m->leaving);
}

bool coho__members_leave(struct coho__members *ms, struct coho__view id, uint64_t goes_ms) {
  struct coho__member *m = (struct coho__member *)coho__map_get(&ms->map, id);
  if (!m || !m->presences) return false;
  if (--m->presences) return true;
  m->goes_ms = goes_ms;
  queue(ms, m);
  return true;
}

struct coho__member *coho__members_gone(struct coho__members *ms, uint64_t now_ms) {
  if (coho__list_empty(&ms->leaving)) return NULL;
  struct coho__member *m = of_leaving(ms->leaving.next);
  if (m->goes_ms > now_ms) return NULL;
  coho__list_remove(&m->leaving);
  coho__roll_remove(&ms->all, m->number);
  (void)coho__map_remove(&ms->map, id_of(m));
  ms->bytes -= size_of(m);
  return m;
}

/* ---- invariants ------------------------------------------------------------------------------ */

static size_t check_leaving(const struct coho__members *ms) {
  size_t n = 0;
  uint64_t before = 0;
  for (struct coho__list *node = ms->leaving.next; node != &ms->leaving; node = node->next) {
    const struct coho__member *m = of_leaving(node);
    COHO_ASSERT(m->presences == 0 && m->goes_ms >= before);
    before = m->goes_ms;
    n++;
  }
  return n;
}

void coho__members_check(const struct coho__members *ms) {
  size_t n = 0, leaving = 0;
  uint64_t bytes = 0;
  coho__roll_check(&ms->all);
  for (size_t i = 0; i < ms->all.used; i++) {
    const struct coho__member *m = ms->all.places[i].who;
    if (!m) continue;
    COHO_ASSERT(m->number == ms->all.places[i].number && m->number <= ms->arrivals);
    COHO_ASSERT(coho__map_get(&ms->map, id_of(m)) == m);
    COHO_ASSERT(coho__list_empty(&m->leaving) == (m->presences > 0));
    COHO_ASSERT(m->id[m->id_len] == '\0' && m->info[m->info_len] == '\0');
    leaving += !m->presences;
    bytes += size_of(m);
    n++;
  }
  COHO_ASSERT(n == ms->map.count && leaving == check_leaving(ms) && bytes == ms->bytes);
  coho__map_check(&ms->map);
}
