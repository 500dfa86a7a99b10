#include "serve_parts.h"

#include "base/check.h"

void serve_parts_set(struct serve_parts *p, const struct serve_values *v) {
  *p = (struct serve_parts){.server = v->limits.server, .conn = v->limits.conn};
  p->server.drain_spread_ms = (uint32_t)v->drain;
  p->server.drain_code = (uint32_t)v->drain_code;
  p->conn.origins = v->origin.items;
  p->conn.deflate = v->compression;
  p->topics = (struct topics_common){
      .conn = &p->conn, .http_rate = v->limits.requests, .max_message = v->topics.max_message};
  p->demo = (struct demo_options){.common = &p->topics, .max_message = v->max_message};
}

int serve_log_level(const struct serve_values *v) {
  return COHO_LOG_WARN + (int)COHO_MIN(v->verbose, (uint64_t)2);
}
