/* Who is here: members of topics, and what is told about them. Public functions are in coho/hub.h. */
#ifndef COHO_HUB_PRESENCE_H
#define COHO_HUB_PRESENCE_H

#include "hub/hub.h"

enum {
#ifdef COHO_HARD
  COHO_PRESENT_MOST = 3,
  COHO_LEAVES_MOST = 2,
#else
  COHO_PRESENT_MOST = 64, /* members copied in one go */
  COHO_LEAVES_MOST = 256, /* that are told in one go: far fewer than a history holds */
#endif
  COHO_PRESENT_BYTES = 8 * 1024 /* of them, at least those of one */
};

struct coho__present {
  uint64_t number;       /* of its arrival */
  const char *id, *info; /* terminated, in the page */
};

/* Some of the members of a topic, copied, so that nobody waits while they are looked at. */
struct coho__presence_page {
  size_t here;   /* members of the topic */
  uint64_t last; /* the arrival of the last of them */
  size_t count;  /* those that follow */
  bool more;     /* others came after them */
  struct coho__present members[COHO_PRESENT_MOST];
  size_t used;
  char text[COHO_PRESENT_BYTES];
};

/* Those who came after this number, from 0, in order. *pos (may be NULL): where the companion is. 0, or
   COHO_EFULL or COHO_ENOMEM: it cannot be anywhere. */
int coho__presence_look(coho_hub *hub, struct coho__view topic, uint64_t after,
                        struct coho__presence_page *page, coho_pos *pos);

/* Locked: members of this topic whose time has come leave, at most so many; returns how many did. */
size_t coho__presence_let_go(struct coho__topic *t, uint64_t now_ms, size_t most);

#endif
