#include "io/tls_complain.h"

#include "base/log.h"

static const struct coho__bucket_rate lines = {.per_second = 1, .burst = 16};

void coho__tls_complain_init(struct coho__wire_buffers *b, uint64_t now_ms) {
  coho__bucket_init(&b->failures, lines, now_ms);
  coho__bucket_init(&b->knocks, lines, now_ms);
}

static bool may_tell(struct coho__bucket *b, uint64_t now_ms) {
  coho__bucket_fill(b, lines, now_ms);
  if (!coho__bucket_tokens(b)) return false;
  coho__bucket_take(b, 1);
  return true;
}

void coho__tls_complain(const struct coho__wire *w, bool knock, int err, const char *trouble) {
  char peer[COHO_ADDR_MAX];
  int level = knock ? COHO_LOG_DEBUG : COHO_LOG_INFO;
  struct coho__bucket *b = knock ? &w->shared->knocks : &w->shared->failures;
  if (!coho__log_wants(level) || !may_tell(b, coho__loop_time(w->inner->loop))) return;
  coho__log(level, "%s %s: %s", coho__stream_peer(w->inner, peer, sizeof peer), coho_errname(err),
            trouble ? trouble : coho_strerror(err));
}
