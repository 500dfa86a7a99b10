#include "load/ages.h"

#include "load/link.h"

#include <stdlib.h>

static struct message {
  uint64_t published_ns, first_ns, last_ns; /* who got it first and last */
} * messages;                               /* by number */
static size_t messages_most, published, first_measured = SIZE_MAX;
static bool may_miss;
static struct ages ages;

void ages_prepare(size_t most, bool conflates) {
  messages_most = most;
  may_miss = conflates;
  messages = (struct message *)calloc(most + 1, sizeof *messages);
  if (!messages) link_die("calloc");
}

const struct ages *ages_of(void) { return &ages; }

void ages_begin(void) { first_measured = published + 1; }

size_t ages_publish(uint64_t now_ns, uint64_t due_ns) {
  if (published == messages_most) link_fail("more is published than was planned");
  messages[++published].published_ns = now_ns;
  if (published >= first_measured) histogram_add(&ages.late, now_ns - due_ns);
  return published;
}

size_t ages_published(void) { return published; }

uint64_t ages_published_ns(size_t number) { return messages[number].published_ns; }

void ages_arrive(size_t before, size_t number, uint64_t now_ns, uint64_t looked_ns) {
  if (!number || number > published) link_fail("a message came that was not published");
  if (number <= before) link_fail("a message came twice, or out of order");
  if (number != before + 1 && !may_miss) link_fail("a message is missing");
  struct message *m = &messages[number];
  if (!m->first_ns) m->first_ns = now_ns;
  m->last_ns = now_ns;
  if (number < first_measured) return;
  size_t oldest = before + 1 < first_measured ? first_measured : before + 1;
  uint64_t since = messages[oldest].published_ns;
  histogram_add(&ages.age, now_ns - m->published_ns);
  histogram_add(&ages.wait, now_ns - since);
  histogram_add(&ages.held, m->first_ns - since);
  uint64_t looked = looked_ns > m->published_ns ? looked_ns : m->published_ns;
  histogram_add(&ages.own, now_ns - looked);
}

void ages_end(void) {
  for (size_t i = first_measured; i <= published; i++)
    if (messages[i].first_ns)
      histogram_add(&ages.spread, messages[i].last_ns - messages[i].first_ns);
}
