#include "pings.h"

#include "base/check.h"
#include "base/clock.h"

#include <string.h>

static struct ping *at(struct pings *p, uint64_t number) { return &p->ring[number % PINGS_MOST]; }

void pings_add(struct pings *p, struct coho__view data) {
  if (p->end - p->first == PINGS_MOST) p->first++;
  struct ping *fresh = at(p, p->end++);
  fresh->sent_ns = coho__clock_ns();
  fresh->len = COHO_MIN(data.len, (size_t)PING_BYTES);
  if (fresh->len) memcpy(fresh->data, data.data, fresh->len);
}

bool pings_match(struct pings *p, struct coho__view data, uint64_t *ns) {
  for (uint64_t i = p->first; i < p->end; i++) {
    const struct ping *one = at(p, i);
    if (!coho__view_eq((struct coho__view){one->data, one->len}, data)) continue;
    *ns = coho__clock_ns() - one->sent_ns;
    p->first = i + 1;
    return true;
  }
  return false;
}
