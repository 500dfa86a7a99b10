#include "topics/badge.h"

#include "base/alloc.h"

int coho__badge_enter(struct coho__badge *b, const struct coho__mount *m,
                      const struct coho__who *who, struct coho__view topic, struct coho__view as,
                      struct coho__view info) {
  struct coho__view id;
  *b = (struct coho__badge){.hub = NULL};
  if (!as.data) return 0;
  if (!coho__who_id(m, who, as, &id)) return COHO_EFORBIDDEN;
  b->topic = coho__strndup(topic.data, topic.len);
  b->id = coho__strndup(id.data, id.len);
  char *text = coho__strndup(info.data ? info.data : "", info.len);
  int err = b->topic && b->id && text ? 0 : COHO_ENOMEM;
  if (!err) err = coho_presence_enter(m->hub, b->topic, b->id, text);
  coho__free_str(text);
  b->hub = m->hub;
  if (!err) return 0;
  b->hub = NULL;
  coho__badge_leave(b);
  return err == COHO_EINVAL ? COHO_EREQUEST : err;
}

void coho__badge_leave(struct coho__badge *b) {
  if (b->hub) (void)coho_presence_leave(b->hub, b->topic, b->id);
  coho__free_str(b->topic);
  coho__free_str(b->id);
  *b = (struct coho__badge){.hub = NULL};
}
