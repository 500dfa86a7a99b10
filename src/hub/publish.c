#include "base/clock.h"
#include "base/sized.h"
#include "hub/hub.h"
#include "hub/receipts.h"

#include <string.h>

enum { KEY_MOST = 255 };

int coho__hub_publish(coho_hub *hub, struct coho__view topic, struct coho__message *m,
                      struct coho__view key, coho_pos *pos) {
  struct coho__topic *t;
  bool repeated = false;
  int err = coho__hub_need(hub, topic, &t);
  if (!err && !coho__topic_holds(t, coho__message_size(m))) err = COHO_ETOOBIG;
  if (!err) err = hub->backplane->ops->publish(hub->backplane, t, m, key, pos, &repeated);
  if (err == COHO_EFULL) hub->stats.refused++;
  if (!err && !repeated) hub->stats.published++;
  if (repeated) hub->stats.repeated++;
  return err;
}

static bool fits(struct coho__view key, size_t max) { return key.len <= max; }

int coho_publish_with_sized(coho_hub *hub, const char *topic, coho_msg m,
                            const coho_publish_options *opt, coho_pos *pos, size_t size) {
  coho_publish_options o;
  struct coho__view name;
  coho_pos ignored;
  int err = coho__sized_read(&o, sizeof o, opt, size);
  if (err) return err;
  if (!coho__hub_read_name(topic, &name) || m.type > COHO_BINARY || m.flags & ~(uint32_t)COHO_PLAIN)
    return COHO_EINVAL;
  struct coho__view key = coho__view_of(o.key), idem = coho__view_of(o.idempotency_key);
  if (!fits(key, KEY_MOST) || !fits(idem, COHO_RECEIPT_KEY_MAX)) return COHO_EINVAL;
  struct coho__message *message = coho__message_new(&m, key);
  if (!message) return COHO_ENOMEM;
  coho__hub_lock(hub);
  err = coho__hub_publish(hub, name, message, idem, pos ? pos : &ignored);
  /* Where no loop has a part nobody else looks after the hub. */
  coho__hub_sweep(hub, coho__clock_ms());
  coho__hub_unlock(hub);
  coho__message_unref(message);
  return err;
}

int coho_publish(coho_hub *hub, const char *topic, coho_msg m) {
  return coho_publish_with_sized(hub, topic, m, NULL, NULL, sizeof(coho_publish_options));
}
