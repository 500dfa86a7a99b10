#include "ws/retry.h"

#include "base/check.h"
#include "base/random.h"
#include "http/date.h"

enum {
  FIRST_MS = 1000,
  MOST_MS = 30 * 1000,
  LATER_TIMES = 5 /* first_ms that a server is left alone that asks for it */
};

/* ---- what an end means ---------------------------------------------------------------------- */

/* No proxy or server changes its mind about these, but 408 and 425 (RFC 9110 15.5.9, RFC 8470 5.2). */
static enum coho__retry judge_status(uint32_t status) {
  if (status == 401) return COHO_RETRY_TOKEN;
  if (status == 429 || status == 503) return COHO_RETRY_LATER;
  if (status >= 300 && status < 500 && status != 408 && status != 425) return COHO_RETRY_NEVER;
  return COHO_RETRY_SOON;
}

static enum coho__retry judge_code(uint32_t code) {
  switch (code) {
  case 1008: /* too many bad requests, for one */
  case 1012:
  case 1013:
  case 4429: return COHO_RETRY_LATER;
  case 4401: return COHO_RETRY_TOKEN;
  case 4403: return COHO_RETRY_NEVER;
  default: return COHO_RETRY_SOON;
  }
}

enum coho__retry coho__retry_judge(const coho_ending *how) {
  if (how->err == COHO_ENOPROTOCOL || how->err == COHO_EANSWERPROTOCOL) return COHO_RETRY_NEVER;
  return how->err == COHO_ESTATUS ? judge_status(how->status) : judge_code(how->code);
}

/* ---- how long ------------------------------------------------------------------------------- */

int coho__retry_read(coho_retry *out, const coho_retry *conf) {
  if (conf)
    *out = *conf;
  else
    *out = (coho_retry){.first_ms = 0};
  if (!out->most_ms) out->most_ms = COHO_MAX(out->first_ms, (uint32_t)MOST_MS);
  if (!out->first_ms) out->first_ms = COHO_MIN(out->most_ms, (uint32_t)FIRST_MS);
  return out->first_ms <= out->most_ms ? 0 : COHO_EOPTION;
}

static uint64_t window_of(const coho_retry *conf, uint32_t failures) {
  uint64_t window = conf->first_ms;
  for (uint32_t i = 1; i < failures && window < conf->most_ms; i++)
    window *= 2;
  return COHO_MIN(window, (uint64_t)conf->most_ms);
}

/* 0 to window. */
static uint64_t part_of(uint64_t window, uint32_t chance) { return (window + 1) * chance >> 32; }

static uint32_t bounded(uint64_t ms) { return (uint32_t)COHO_MIN(ms, (uint64_t)UINT32_MAX - 1); }

uint32_t coho__retry_wait(const coho_retry *conf, const struct coho__retry_case *c) {
  uint64_t window = window_of(conf, c->failures);
  if (c->kind != COHO_RETRY_LATER) return bounded(part_of(window, c->chance));
  if (c->after_ms)
    return bounded(COHO_MIN(c->after_ms, (uint64_t)COHO_RETRY_AFTER_MOST) +
                   part_of(window, c->chance));
  uint64_t least = COHO_MIN((uint64_t)conf->first_ms * LATER_TIMES, (uint64_t)conf->most_ms);
  return bounded(least + part_of(COHO_MAX(conf->most_ms - least, window), c->chance));
}

uint64_t coho__retry_after(struct coho__view value, int64_t now) {
  uint64_t seconds;
  int64_t date;
  if (coho__view_number(value, UINT32_MAX, &seconds)) return seconds * 1000;
  if (!coho__date_parse(value, &date) || date <= now) return 0;
  return COHO_MIN((uint64_t)(date - now), (uint64_t)UINT32_MAX) * 1000;
}

int64_t coho_retry_ms(const coho_retry *r, uint32_t failures, const coho_ending *how) {
  coho_retry conf;
  struct coho__retry_case c = {.kind = coho__retry_judge(how),
                               .failures = failures,
                               .after_ms = how->retry_after_ms,
                               .chance = 0};
  if (coho__retry_read(&conf, r)) return COHO_EOPTION;
  bool worn_out = conf.attempts && failures >= conf.attempts;
  if (c.kind == COHO_RETRY_TOKEN || c.kind == COHO_RETRY_NEVER || worn_out)
    return how->err ? how->err : COHO_ECLOSED;
  coho__random(&c.chance, sizeof c.chance);
  return coho__retry_wait(&conf, &c);
}
