#include "ws/options.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/sized.h"
#include "base/strlist.h"
#include "io/tls.h"
#include "proto/close_code.h"
#include "proto/deflate_terms.h"
#include "proto/http1.h"
#include "ws/rtt.h"

#include <string.h>

enum {
  KIB = 1024,
  MIB = 1024 * 1024,
  SECOND = 1000, /* ms */
  MINUTE = 60 * SECOND,
  THREADS_MOST = 256,
  FIELDS_MOST = 256,
  QUEUE_LEAST = MIB,
#ifdef COHO_HARD
  CORK_MOST = 64
#else
  /* Large enough that a burst costs few writes, small enough that it stays in the cache. */
  CORK_MOST = 128 * KIB
#endif
};

static const uint32_t FLAGS = COHO_STREAM | COHO_PROTOCOL_REQUIRED | COHO_NO_SIGNALS |
                              COHO_NO_AUTO_PAUSE | COHO_ORIGIN_REQUIRED | COHO_CONNECT_TOGETHER |
                              COHO_RATE_CLOSE;

static void default_size(uint64_t *field, uint64_t value) {
  if (!*field) *field = value;
}

static void default_number(uint32_t *field, uint32_t value) {
  if (!*field) *field = value;
}

static uint64_t times_four(uint64_t n) { return n > UINT64_MAX / 4 ? UINT64_MAX : n * 4; }

static void set_defaults(coho_options *o) {
  default_size(&o->max_message, MIB);
  default_size(&o->max_frame, o->max_message);
  /* A small limit for what comes in says nothing about what goes out. */
  default_size(&o->max_queue, COHO_MAX(times_four(o->max_message), (uint64_t)QUEUE_LEAST));
  default_size(&o->low_mark, o->max_queue / 4);
  default_number(&o->threads, 1);
  default_number(&o->connect_timeout_ms, 15 * SECOND);
  default_number(&o->message_timeout_ms, 2 * MINUTE);
  default_number(&o->ping_interval_ms, 20 * SECOND);
  default_number(&o->pong_timeout_ms, 10 * SECOND);
  default_number(&o->close_timeout_ms, 5 * SECOND);
  default_number(&o->write_timeout_ms, 30 * SECOND);
  default_number(&o->max_fragments, UINT32_MAX);
  default_number(&o->idle_timeout_ms, UINT32_MAX);
  default_number(&o->rate_messages.burst, o->rate_messages.per_second);
  default_number(&o->rate_frames.burst, o->rate_frames.per_second);
  default_number(&o->rate_bytes.burst, o->rate_bytes.per_second);
}

/* Tokens, each once (RFC 6455 4.1). */
static bool protocols_valid(const char *const *list) {
  for (const char *const *p = list; p && *p; p++) {
    if (!coho__http1_is_token(coho__view_of(*p))) return false;
    for (const char *const *q = list; q < p; q++)
      if (strcmp(*p, *q) == 0) return false;
  }
  return true;
}

static bool values_valid(const char *const *list) {
  for (; list && *list; list++)
    if (!**list || !coho__http1_is_field_value(coho__view_of(*list))) return false;
  return true;
}

static bool valid(const coho_options *o) {
  return !(o->flags & ~FLAGS) && o->low_mark < o->max_queue && o->threads <= THREADS_MOST &&
         protocols_valid(o->protocols) && values_valid(o->origins) && values_valid(o->headers) &&
         (!o->origin || coho__http1_is_field_value(coho__view_of(o->origin)));
}

static void derive(struct coho__options *o, coho_role role) {
  const coho_options *s = &o->set;
  o->engine = (struct coho__engine_conf){.max_message = s->max_message,
                                         .max_frame = s->max_frame,
                                         .max_fragments = s->max_fragments,
                                         .message_timeout_ms = s->message_timeout_ms,
                                         .ping_interval_ms = s->ping_interval_ms,
                                         .pong_timeout_ms = s->pong_timeout_ms,
                                         .close_timeout_ms = s->close_timeout_ms,
                                         .role = (uint8_t)role,
                                         .metered = true,
                                         .stamp = coho__rtt_stamp,
                                         .stream = (s->flags & COHO_STREAM) != 0};
  uint64_t largest = s->max_message > UINT64_MAX - (uint64_t)COHO_FRAME_HEADER_MAX
                         ? UINT64_MAX
                         : s->max_message + (uint64_t)COHO_FRAME_HEADER_MAX;
  uint64_t room = s->max_queue > largest ? s->max_queue - largest : 0;
  o->pause_mark = COHO_MIN(s->low_mark, room);
  o->cork_mark = (size_t)COHO_MIN(o->pause_mark, (uint64_t)CORK_MOST);
}

/* Replaces what belongs to the program by copies. */
static int own(struct coho__options *o) {
  const coho_options theirs = o->set;
  const char *const *lists[] = {theirs.protocols, theirs.origins, theirs.headers};
  int err = 0;
  for (size_t i = 0; !err && i < COHO_COUNT(lists); i++)
    err = coho__strlist_copy(&o->lists[i], lists[i]);
  if (!err && theirs.origin && !(o->origin = coho__strdup(theirs.origin))) err = COHO_ENOMEM;
  o->set.protocols = (const char *const *)o->lists[0];
  o->set.origins = (const char *const *)o->lists[1];
  o->set.headers = (const char *const *)o->lists[2];
  o->set.origin = o->origin;
  (void)coho__tls_ref(theirs.tls);
  return err;
}

static void free_options(struct coho__options *o) {
  for (size_t i = 0; i < COHO_COUNT(o->lists); i++)
    coho__strlist_free(o->lists[i]);
  coho__free_str(o->origin);
  coho__free_str(o->route);
  coho__tls_unref(o->set.tls);
  coho__free(o, sizeof *o);
}

int coho__options_new(coho_role role, const coho_options *opt, size_t size,
                      struct coho__options **out) {
  coho_options set;
  int err = coho__sized_read(&set, sizeof set, opt, size);
  if (err) return err;
  set_defaults(&set);
  err = coho__deflate_conf_read(role, &set.deflate, &set.deflate);
  if (err) return err;
  if (!valid(&set)) return COHO_EOPTION;

  struct coho__options *o = (struct coho__options *)coho__zalloc(sizeof *o);
  if (!o) return COHO_ENOMEM;
  atomic_init(&o->refs, 1);
  o->set = set;
  err = own(o);
  if (err) {
    free_options(o);
    return err;
  }
  derive(o, role);
  *out = o;
  return 0;
}

struct coho__options *coho__options_ref(struct coho__options *o) {
  atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
  return o;
}

void coho__options_unref(struct coho__options *o) {
  if (!o) return;
  if (atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) == 1) free_options(o);
}

int coho__server_options_read(coho_server_options *out, const coho_server_options *opt,
                              size_t size) {
  int err = coho__sized_read(out, sizeof *out, opt, size);
  if (err) return err;
  default_size(&out->max_body, 64 * KIB);
  default_number(&out->threads, 1);
  default_number(&out->max_head, 16 * KIB);
  default_number(&out->max_fields, 64);
  default_number(&out->head_timeout_ms, 10 * SECOND);
  default_number(&out->body_timeout_ms, 30 * SECOND);
  default_number(&out->keepalive_timeout_ms, 15 * SECOND);
  default_number(&out->write_timeout_ms, 10 * SECOND);
  default_number(&out->drain_timeout_ms, 5 * SECOND);
  default_number(&out->drain_code, 1001);
  default_number(&out->backlog, 4096);
  default_number(&out->tls_timeout_ms, 5 * SECOND);
  default_number(&out->proxy_timeout_ms, 3 * SECOND);
  default_number(&out->unix_mode, 0660);
  default_number(&out->address_rate.burst, out->address_rate.per_second);
  bool fine = out->threads <= THREADS_MOST && out->max_head < 64 * KIB &&
              !(out->flags & ~(uint64_t)COHO_KEEP_TARGETS) &&
              coho__close_code_sendable((int)out->drain_code, COHO_SERVER) &&
              out->max_fields <= FIELDS_MOST && out->backlog <= INT32_MAX &&
              out->unix_mode <= 0777 && !(out->loop && out->threads > 1);
  return fine ? 0 : COHO_EOPTION;
}
