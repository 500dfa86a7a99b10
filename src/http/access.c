#define _GNU_SOURCE /* memmem, memrchr */
#include "http/access.h"

#include "base/buf.h"
#include "base/log.h"
#include "http/http.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
  METHOD_SHOWN = 32, /* characters of the method, escapes included */
  NAME_MOST = 64     /* a longer parameter name is none of those that are secret */
};

/* What a query must not show: whoever reads the log could use it. */
static const char *const secrets[] = {"token", "access_token", "ticket", "sid"};

/* The name is decoded first, as the program does that will read it. */
static bool is_secret(struct coho__view name) {
  char decoded[NAME_MOST + 1];
  if (name.len > NAME_MOST) return false;
  ptrdiff_t len = coho__percent_decode(decoded, name.data, name.len, true);
  if (len < 0) return false;
  for (size_t i = 0; i < COHO_COUNT(secrets); i++) {
    struct coho__view seen = {decoded, (size_t)len};
    if (coho__view_eq_nocase(seen, coho__view_of(secrets[i]))) return true;
  }
  return false;
}

struct shown {
  char text[COHO_ACCESS_TARGET +
            1]; /* one more than is shown, so that escaping sees that it is cut */
  size_t len;
};

static void show(struct shown *s, struct coho__view v) {
  size_t n = COHO_MIN(v.len, sizeof s->text - s->len);
  if (n) memcpy(s->text + s->len, v.data, n);
  s->len += n;
}

static void show_query(struct shown *s, struct coho__view query) {
  struct coho__view rest = query;
  while (rest.data && s->len < sizeof s->text) {
    struct coho__view parameter = coho__view_split(&rest, '&');
    struct coho__view value = parameter;
    struct coho__view name = coho__view_split(&value, '=');
    if (value.data && is_secret(name)) {
      show(s, name);
      show(s, VIEW("=*"));
    } else {
      show(s, parameter);
    }
    if (rest.data) show(s, VIEW("&"));
  }
}

/* The path, and of an absolute target what stands before it; a name and password in there are
   nobody's business, least of all when the request is refused for having them (RFC 9110 4.2.4). */
static void show_path(struct shown *s, struct coho__view path) {
  const char *authority = path.len ? (const char *)memmem(path.data, path.len, "://", 3) : NULL;
  if (!authority) {
    show(s, path);
    return;
  }
  authority += 3;
  struct coho__view rest = {authority, (size_t)(path.data + path.len - authority)};
  const char *slash = rest.len ? (const char *)memchr(rest.data, '/', rest.len) : NULL;
  size_t len = slash ? (size_t)(slash - authority) : rest.len;
  const char *at = len ? (const char *)memrchr(authority, '@', len) : NULL;
  show(s, (struct coho__view){path.data, (size_t)(authority - path.data)});
  if (!at) {
    show(s, rest);
    return;
  }
  show(s, VIEW("*"));
  show(s, (struct coho__view){at, (size_t)(rest.data + rest.len - at)});
}

const char *coho__access_target(char dst[COHO_ACCESS_TARGET], struct coho__view target) {
  struct shown s = {.len = 0};
  struct coho__view query = target;
  struct coho__view before = coho__view_split(&query, '?');
  show_path(&s, before);
  if (query.data) {
    show(&s, VIEW("?"));
    show_query(&s, query);
  }
  return coho__escape(dst, COHO_ACCESS_TARGET, s.text, s.len);
}

const char *coho__access_request(char dst[COHO_ACCESS_REQUEST], struct coho__view method,
                                 struct coho__view target) {
  char verb[METHOD_SHOWN], path[COHO_ACCESS_TARGET];
  (void)snprintf(dst, COHO_ACCESS_REQUEST, "%s %s",
                 coho__escape(verb, sizeof verb, method.data, method.len),
                 coho__access_target(path, target));
  return dst;
}

const char *coho_access_text(const coho_access *a, char *buf, size_t cap) {
  (void)snprintf(buf, cap, "%.*s \"%s %s\" %u %" PRIu64 " %" PRIu64 "ms", COHO_ADDR_MAX, a->peer,
                 a->method, a->target, a->status ? a->status : a->code, a->bytes, a->duration_ms);
  return buf;
}

bool coho__http_logs(const struct coho__http *h) {
  const struct coho__http_conf *conf = h->conf;
  if (!conf->access_log && !conf->access) return false;
  return !atomic_load_explicit(&conf->access_off, memory_order_relaxed);
}

void coho__http_access(const struct coho__http *h, const struct coho__access *a) {
  const struct coho__http_conf *conf = h->conf;
  char verb[METHOD_SHOWN], path[COHO_ACCESS_TARGET], line[COHO_ACCESS_MAX];
  if (!coho__http_logs(h)) return;
  const coho_access told = {.peer = a->peer,
                            .method =
                                coho__escape(verb, sizeof verb, a->method.data, a->method.len),
                            .target = coho__access_target(path, a->target),
                            .bytes = a->bytes,
                            .duration_ms = a->duration_ms,
                            .status = a->status,
                            .code = a->code};
  if (conf->access) conf->access(conf->access_log_ctx, &told);
  if (conf->access_log)
    conf->access_log(conf->access_log_ctx, coho_access_text(&told, line, sizeof line));
}
