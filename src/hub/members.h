/*
 * Who is present in a topic. A member is an id with some information, as often as somebody brought it
 * in: it begins to leave when the last has gone, and is gone after the grace time, unless it comes back.
 *
 * Invariants: leaving has exactly the members with no presence, by the time at which they go; all has
 * every member.
 */
#ifndef COHO_HUB_MEMBERS_H
#define COHO_HUB_MEMBERS_H

#include "base/list.h"
#include "base/map.h"
#include "hub/roll.h"

enum {
  COHO_MEMBER_ID_MAX = 255,
  COHO_MEMBER_INFO_MAX = 1024,
  COHO_MEMBERS_MOST = 10000 /* of one topic */
};

#define COHO_MEMBERS_BYTES ((uint64_t)64 * 1024 * 1024) /* of all topics of a hub */

struct coho__member {
  struct coho__list leaving; /* in members->leaving */
  uint64_t number;           /* in order of arrival */
  uint64_t goes_ms;          /* while leaving */
  uint32_t presences;
  size_t info_len;
  char *info; /* terminated */
  size_t id_len;
  char id[]; /* terminated */
};

struct coho__members {
  struct coho__map map;
  struct coho__roll all; /* by number */
  struct coho__list leaving;
  uint64_t arrivals; /* the number of who came last; at first 0 */
  uint64_t bytes;    /* that they take from memory */
  uint64_t room;     /* that they may take besides; at first any number */
};

void coho__members_init(struct coho__members *ms, const uint64_t seed[2]);
void coho__members_free(struct coho__members *ms);
/* One presence more. *is_new: it was not there, not even leaving. Other information than before counts
   from now on (*changed). 0, COHO_EINVAL (length), COHO_EFULL, COHO_ENOMEM; of an error nothing has
   changed. */
int coho__members_enter(struct coho__members *ms, struct coho__view id, struct coho__view info,
                        bool *is_new, bool *changed);
/* One less; with the last it leaves at goes_ms. False: there is no such presence. */
bool coho__members_leave(struct coho__members *ms, struct coho__view id, uint64_t goes_ms);
/* One whose time has come, taken out and the caller's; NULL: none. */
struct coho__member *coho__members_gone(struct coho__members *ms, uint64_t now_ms);
void coho__member_free(struct coho__member *m);
size_t coho__members_count(const struct coho__members *ms);
/* Borrows those who came after this number, at most max, in order of arrival; returns how many. */
size_t coho__members_after(const struct coho__members *ms, uint64_t number,
                           struct coho__member **out, size_t max);
void coho__members_check(const struct coho__members *ms);

#endif
