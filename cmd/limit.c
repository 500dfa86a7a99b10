#include "limit.h"

#include "base/check.h"
#include "base/view.h"

#include <string.h>

enum { NAMES_TEXT = 160, MIB = 1024 * 1024, MOST_MS = 999999000, HEAD_LEAST = 256 };

struct row {
  const char *name; /* "limit head": what is in front is the option */
  enum option_kind kind;
  size_t offset, size; /* in struct limits */
  uint64_t max, min;   /* min 0: 1 */
};

#define TIB       ((uint64_t)1 << 40)
#define AT(field) offsetof(struct limits, field), sizeof(((struct limits *)NULL)->field)

/* clang-format off */
static const struct row rows[] = {
    {"limit connections", OPTION_NUMBER, AT(server.max_connections), UINT32_MAX, 0},
    {"limit per-address", OPTION_NUMBER, AT(server.max_per_address), UINT32_MAX, 0},
    {"limit frame", OPTION_SIZE, AT(conn.max_frame), TIB, 0},
    {"limit fragments", OPTION_NUMBER, AT(conn.max_fragments), UINT32_MAX, 0},
    {"limit queue", OPTION_SIZE, AT(conn.max_queue), TIB, 0},
    {"limit head", OPTION_SIZE, AT(server.max_head), 64 * 1024 - 1, HEAD_LEAST},
    {"limit fields", OPTION_NUMBER, AT(server.max_fields), 256, 0},
    {"limit body", OPTION_SIZE, AT(server.max_body), TIB, 0},
    {"limit memory", OPTION_SIZE, AT(memory), 0, MIB},
    {"limit contexts", OPTION_SIZE, AT(contexts), 0, 0},
    {"rate messages", OPTION_NUMBER, AT(conn.rate_messages), UINT32_MAX, 0},
    {"rate frames", OPTION_NUMBER, AT(conn.rate_frames), UINT32_MAX, 0},
    {"rate bytes", OPTION_SIZE, AT(conn.rate_bytes), UINT32_MAX, 0},
    {"rate handshakes", OPTION_NUMBER, AT(server.address_rate), UINT32_MAX, 0},
    {"rate requests", OPTION_NUMBER, AT(requests), UINT32_MAX, 0},
    {"timeout proxy", OPTION_SECONDS, AT(server.proxy_timeout_ms), MOST_MS, 0},
    {"timeout tls", OPTION_SECONDS, AT(server.tls_timeout_ms), MOST_MS, 0},
    {"timeout head", OPTION_SECONDS, AT(server.head_timeout_ms), MOST_MS, 0},
    {"timeout body", OPTION_SECONDS, AT(server.body_timeout_ms), MOST_MS, 0},
    {"timeout idle", OPTION_SECONDS, AT(server.keepalive_timeout_ms), MOST_MS, 0},
    {"timeout reply", OPTION_SECONDS, AT(server.write_timeout_ms), MOST_MS, 0},
    {"timeout message", OPTION_SECONDS, AT(conn.message_timeout_ms), MOST_MS, 0},
    {"timeout ping", OPTION_SECONDS, AT(conn.ping_interval_ms), MOST_MS, 0},
    {"timeout pong", OPTION_SECONDS, AT(conn.pong_timeout_ms), MOST_MS, 0},
    {"timeout silence", OPTION_SECONDS, AT(conn.idle_timeout_ms), MOST_MS, 0},
    {"timeout write", OPTION_SECONDS, AT(conn.write_timeout_ms), MOST_MS, 0},
    {"timeout close", OPTION_SECONDS, AT(conn.close_timeout_ms), MOST_MS, 0},
    {"timeout stop", OPTION_SECONDS, AT(server.drain_timeout_ms), MOST_MS, 0},
};
/* clang-format on */

/* The row's own name, when it is of this option; else NULL. */
static const char *name_in(const struct row *r, const char *option) {
  size_t len = strlen(option);
  return !strncmp(r->name, option, len) && r->name[len] == ' ' ? r->name + len + 1 : NULL;
}

static const struct row *find(const char *option, const char *name, size_t len) {
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    const char *own = name_in(&rows[i], option);
    if (own && strlen(own) == len && !strncmp(own, name, len)) return &rows[i];
  }
  return NULL;
}

/* "a, b, c" */
static const char *names_of(const char *option, char dst[NAMES_TEXT]) {
  size_t len = 0;
  dst[0] = '\0';
  for (size_t i = 0; i < COHO_COUNT(rows) && len < NAMES_TEXT; i++) {
    const char *own = name_in(&rows[i], option);
    if (!own) continue;
    int n = snprintf(dst + len, NAMES_TEXT - len, "%s%s", len ? ", " : "", own);
    len += n > 0 ? (size_t)n : 0;
  }
  return dst;
}

/* about: the value that text is, or is a part of. */
static int read_amount(const struct command *c, const struct row *r, const void *about,
                       const char *text, uint64_t *out) {
  const struct option o = {
      .name = r->name, .kind = r->kind, .min = COHO_MAX(r->min, (uint64_t)1), .max = r->max};
  return option_amount_about(c, &o, about, text, out);
}

/* N or N/BURST; where there is a default also none. */
static int read_rate(const struct command *c, const struct row *r, const void *about,
                     const char *text, coho_rate *out) {
  char number[32];
  uint64_t per_second, burst = 0;
  size_t len = strcspn(text, "/");
  if (r->offset == offsetof(struct limits, requests) && !strcmp(text, "none")) {
    *out = (coho_rate){UINT32_MAX, 0};
    return 0;
  }
  (void)snprintf(number, sizeof number, "%.*s", (int)COHO_MIN(len, sizeof number), text);
  int status = read_amount(c, r, about, number, &per_second);
  if (!status && text[len]) status = read_amount(c, r, about, text + len + 1, &burst);
  if (!status) *out = (coho_rate){(uint32_t)per_second, (uint32_t)burst};
  return status;
}

static int no_such_name(const struct command *c, const char *option, const char *text) {
  char names[NAMES_TEXT];
  struct coho__view rest = coho__view_of(text);
  if (!strcmp(option, "limit") && coho__view_eq(coho__view_split(&rest, '='), VIEW("max-message")))
    return usage_error_about(c, text, "the limit of a message is --max-message");
  return usage_error_about(c, text, "--%s takes NAME=VALUE, where NAME is one of %s; not '%s'",
                           option, names_of(option, names), text);
}

static int read_value(const struct command *c, const struct row *r, const void *about,
                      const char *text, uint64_t *out) {
  if (r->kind != OPTION_SECONDS || strcmp(text, "never") != 0)
    return read_amount(c, r, about, text, out);
  *out = UINT32_MAX;
  return 0;
}

static int read_one(const struct command *c, struct limits *l, const char *option,
                    const char *text) {
  size_t len = strcspn(text, "=");
  const struct row *r = find(option, text, len);
  if (!r) return no_such_name(c, option, text);
  if (!text[len])
    return usage_error_about(c, text, "--%s takes NAME=VALUE, and '%s' has no value", option, text);
  const char *value = text + len + 1;
  if (strchr(value, ','))
    return usage_error_about(c, text, "--%s takes one NAME=VALUE and may be repeated; not '%s'",
                             option, text);
  char *field = (char *)l + r->offset;
  if (!strcmp(option, "rate")) return read_rate(c, r, text, value, (coho_rate *)(void *)field);
  uint64_t n;
  int status = read_value(c, r, text, value, &n);
  if (status) return status;
  if (r->size == sizeof(uint32_t))
    *(uint32_t *)(void *)field = (uint32_t)n;
  else
    *(uint64_t *)(void *)field = n;
  return 0;
}

/* All of them, so that all that is wrong is told. */
static int read_list(const struct command *c, struct limits *l, const char *option,
                     const struct option_list *list) {
  int status = 0;
  for (size_t i = 0; i < list->count && (!status || c->faults); i++)
    status |= read_one(c, l, option, list->items[i]);
  return status;
}

int limit_read(const struct command *c, struct limits *l) {
  int status = read_list(c, l, "limit", &l->limit);
  if (!status || c->faults) status |= read_list(c, l, "rate", &l->rate);
  if (!status || c->faults) status |= read_list(c, l, "timeout", &l->timeout);
  if (status || !l->rate_close) return status;
  const coho_options *o = &l->conn;
  if (!o->rate_messages.per_second && !o->rate_frames.per_second && !o->rate_bytes.per_second)
    return usage_error(c, "--rate-close needs a --rate of messages, frames or bytes");
  l->conn.flags |= COHO_RATE_CLOSE;
  return 0;
}

/* clang-format off */
const struct option_pair limit_pairs[] = {
    {"connections", "N", NULL}, {"per-address", "N", NULL}, {"frame", "BYTES", NULL},
    {"fragments", "N", NULL},   {"queue", "BYTES", NULL},   {"head", "BYTES", "16k"},
    {"fields", "N", "64"},      {"body", "BYTES", "64k"},   {"memory", "BYTES", NULL},
    {"contexts", "BYTES", "128M"}, {NULL, NULL, NULL}};

const struct option_pair rate_pairs[] = {
    {"messages", "N[/BURST]", NULL}, {"frames", "N[/BURST]", NULL}, {"bytes", "N[/BURST]", NULL},
    {"handshakes", "N[/BURST]", NULL}, {"requests", "N[/BURST]", "1000/2000"}, {NULL, NULL, NULL}};

const struct option_pair timeout_pairs[] = {
    {"proxy", "SECONDS", "3"},
    {"tls", "SECONDS", "5"},      {"head", "SECONDS", "10"},    {"body", "SECONDS", "30"},
    {"idle", "SECONDS", "15"},    {"reply", "SECONDS", "10"},   {"message", "SECONDS", "120"},
    {"ping", "SECONDS", "20"},    {"pong", "SECONDS", "10"},    {"silence", "SECONDS", "never"},
    {"write", "SECONDS", "30"},   {"close", "SECONDS", "5"},    {"stop", "SECONDS", "5"},
    {NULL, NULL, NULL}};
/* clang-format on */

void limit_set_process(const struct limits *l) {
  coho_set_memory_limit(l->memory);
  coho_set_context_limit(l->contexts);
}

void limit_free(struct limits *l) {
  option_list_free(&l->limit);
  option_list_free(&l->rate);
  option_list_free(&l->timeout);
}
