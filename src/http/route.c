#include "http/route.h"

#include "base/alloc.h"
#include "proto/upgrade_server.h"

#include <string.h>

/* How much a segment of a pattern leaves open; the smaller, the more specific. */
enum rank { RANK_END, RANK_LITERAL, RANK_NAME, RANK_REST };

static enum rank rank_of(struct coho__view segment) {
  if (!segment.data) return RANK_END;
  if (coho__view_eq(segment, VIEW("*"))) return RANK_REST;
  return segment.len && segment.data[0] == ':' ? RANK_NAME : RANK_LITERAL;
}

/* Text behind the leading slash, to be split into segments. */
static struct coho__view segments_of(const char *path) { return coho__view_of(path + 1); }

static struct coho__view next_segment(struct coho__view *rest) {
  return rest->data ? coho__view_split(rest, '/') : (struct coho__view){NULL, 0};
}

static int compare_text(struct coho__view a, struct coho__view b) {
  size_t common = COHO_MIN(a.len, b.len);
  int order = common ? memcmp(a.data, b.data, common) : 0;
  return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The order of patterns: negative when a is to be tried first, 0 when both match the same paths. */
static int compare(const char *a, const char *b) {
  struct coho__view rest_a = segments_of(a), rest_b = segments_of(b);
  for (;;) {
    struct coho__view in_a = next_segment(&rest_a), in_b = next_segment(&rest_b);
    enum rank rank_a = rank_of(in_a), rank_b = rank_of(in_b);
    if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
    if (rank_a == RANK_END) return 0;
    int order = rank_a == RANK_LITERAL ? compare_text(in_a, in_b) : 0;
    if (order) return order;
  }
}

/* ---- adding ---------------------------------------------------------------------------------- */

static bool segment_ok(struct coho__view segment, bool last) {
  if (rank_of(segment) == RANK_REST) return last;
  if (rank_of(segment) == RANK_NAME && segment.len == 1) return false;
  for (size_t i = 0; i < segment.len; i++) {
    unsigned char c = (unsigned char)segment.data[i];
    if (c < 0x20 || c == 0x7f || c == '*' || c == '?' || c == '#') return false;
  }
  return true;
}

/* No other segment of the pattern before this one has the same name. */
static bool name_is_new(const char *pattern, struct coho__view name) {
  struct coho__view rest = segments_of(pattern);
  while (rest.data) {
    struct coho__view segment = next_segment(&rest);
    if (segment.data == name.data) break;
    if (coho__view_eq(segment, name)) return false;
  }
  return true;
}

static bool pattern_ok(const char *pattern) {
  if (pattern[0] != '/') return false;
  struct coho__view rest = segments_of(pattern);
  size_t params = 0;
  while (rest.data) {
    struct coho__view segment = next_segment(&rest);
    if (!segment_ok(segment, rest.data == NULL)) return false;
    if (rank_of(segment) == RANK_LITERAL) continue;
    if (++params > COHO_REQUEST_PARAMS || !name_is_new(pattern, segment)) return false;
  }
  return true;
}

static bool same_service(const struct coho__route *a, const struct coho__route *b) {
  return a->kind == b->kind && (a->kind == COHO_ROUTE_WS || strcmp(a->method, b->method) == 0);
}

static struct coho__route *route_at(struct coho__list *node) {
  return COHO_LIST_ENTRY(node, struct coho__route, node);
}

static void route_free(struct coho__route *route) {
  coho__free_str(route->pattern);
  coho__free_str(route->method);
  coho__free(route, sizeof *route);
}

static struct coho__route *route_new(const char *pattern, const struct coho__route *from) {
  struct coho__route *route = (struct coho__route *)coho__zalloc(sizeof *route);
  if (!route) return NULL;
  *route = *from;
  coho__list_init(&route->node);
  route->pattern = coho__strdup(pattern);
  route->method = from->method ? coho__strdup(from->method) : NULL;
  if (!route->pattern || (from->method && !route->method)) {
    route_free(route);
    return NULL;
  }
  return route;
}

void coho__routes_init(struct coho__routes *rs) { coho__list_init(&rs->list); }

void coho__routes_free(struct coho__routes *rs) {
  struct coho__list *node;
  while ((node = coho__list_pop(&rs->list))) {
    struct coho__route *route = route_at(node);
    if (route->free_ctx) route->free_ctx(route->ctx);
    route_free(route);
  }
}

int coho__routes_add(struct coho__routes *rs, const char *pattern,
                     const struct coho__route *route) {
  if (!pattern || !pattern_ok(pattern) || !route->serve) return COHO_EINVAL;
  if (route->kind == COHO_ROUTE_HTTP &&
      (!route->method || !coho__http1_is_token(coho__view_of(route->method)))) {
    return COHO_EINVAL;
  }
  struct coho__list *before = rs->list.next;
  for (; before != &rs->list; before = before->next) {
    int order = compare(pattern, route_at(before)->pattern);
    if (order < 0) break;
    if (order == 0 && same_service(route, route_at(before))) return COHO_EEXISTS;
  }
  struct coho__route *added = route_new(pattern, route);
  if (!added) return COHO_ENOMEM;
  coho__list_append(before, &added->node);
  return 0;
}

const struct coho__route *coho__routes_get(const struct coho__routes *rs, const char *pattern,
                                           void (*serve)(coho_request *r, void *ctx)) {
  for (struct coho__list *n = rs->list.next; n != &rs->list; n = n->next)
    if (route_at(n)->serve == serve && !strcmp(route_at(n)->pattern, pattern)) return route_at(n);
  return NULL;
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *path) {
  struct coho__view rest = segments_of(pattern), have = segments_of(path);
  while (rest.data) {
    struct coho__view segment = next_segment(&rest);
    enum rank rank = rank_of(segment);
    if (rank == RANK_REST) return true;
    if (!have.data) return false;
    struct coho__view part = next_segment(&have);
    if (rank == RANK_NAME ? part.len == 0 : !coho__view_eq(segment, part)) return false;
  }
  return !have.data;
}

/* The request's parameters, from a pattern that matches its path. */
static int capture(coho_request *r, const char *pattern) {
  struct coho__view rest = segments_of(pattern), have = segments_of(r->path);
  r->param_count = 0;
  while (rest.data) {
    struct coho__view name = next_segment(&rest), value = have;
    enum rank rank = rank_of(name);
    if (rank != RANK_REST) value = next_segment(&have);
    if (rank == RANK_LITERAL) continue;
    if (rank == RANK_NAME) {
      name.data++;
      name.len--;
    }
    const char *kept = coho__request_keep(r, value.data ? value.data : "", value.len);
    if (!kept) return COHO_ENOMEM;
    r->params[r->param_count].name = name;
    r->params[r->param_count++].value = kept;
  }
  return 0;
}

/* How well a route's method fits: 0 not at all. */
static int fit(const struct coho__route *route, struct coho__view method) {
  if (route->kind != COHO_ROUTE_HTTP) return 0;
  struct coho__view served = coho__view_of(route->method);
  if (coho__view_eq(served, method)) return 3;
  if (coho__view_eq(served, VIEW("GET")) && coho__view_eq(method, VIEW("HEAD"))) return 2;
  return coho__view_eq(served, VIEW("*")) ? 1 : 0;
}

/* Adds to a list of methods unless it is there or there is no room. */
static void allow(struct coho__match *m, const char *method) {
  struct coho__view rest = coho__view_of(m->allow);
  while (rest.data) {
    if (coho__view_eq(coho__view_trim(coho__view_split(&rest, ',')), coho__view_of(method))) {
      return;
    }
  }
  size_t len = strlen(m->allow), more = strlen(method);
  if (len + more + 3 > sizeof m->allow) return;
  if (len) {
    memcpy(m->allow + len, ", ", 2);
    len += 2;
  }
  memcpy(m->allow + len, method, more + 1);
}

/* Among the routes with the pattern of first: who serves this method, or what would be served. */
static void choose(const struct coho__routes *rs, struct coho__list *first,
                   struct coho__view method, struct coho__match *m) {
  int best = 0;
  bool is_get = coho__view_eq(method, VIEW("GET"));
  for (struct coho__list *node = first; node != &rs->list; node = node->next) {
    const struct coho__route *route = route_at(node);
    if (compare(route->pattern, route_at(first)->pattern) != 0) break;
    bool ws = route->kind == COHO_ROUTE_WS;
    m->ws_known = m->ws_known || (ws && is_get);
    allow(m, ws ? "GET" : route->method);
    if (!ws && strcmp(route->method, "GET") == 0) allow(m, "HEAD");
    if (fit(route, method) > best) {
      best = fit(route, method);
      m->route = route;
    }
  }
  allow(m, "OPTIONS");
}

static bool encoded_slash(const coho_request *r) {
  struct coho__view target = coho__http1_target(&r->head);
  struct coho__view path = coho__view_split(&target, '?');
  for (size_t i = 0; i + 2 < path.len; i++) {
    if (path.data[i] == '%' && path.data[i + 1] == '2' && (path.data[i + 2] | 0x20) == 'f') {
      return true;
    }
  }
  return false;
}

/* The first of HTTP for the path, whatever the method; NULL. */
static const struct coho__route *of_path(const struct coho__routes *rs, const char *path) {
  for (struct coho__list *node = rs->list.next; node != &rs->list; node = node->next) {
    const struct coho__route *route = route_at(node);
    if (route->kind == COHO_ROUTE_HTTP && matches(route->pattern, path)) return route;
  }
  return NULL;
}

int coho__routes_find(const struct coho__routes *rs, coho_request *r, struct coho__match *m) {
  *m = (struct coho__match){0};
  if (encoded_slash(r)) {
    m->slashed = of_path(rs, r->path);
    return 0;
  }
  bool upgrade = coho__upgrade_wanted(r);
  struct coho__list *first = NULL;
  for (struct coho__list *node = rs->list.next; node != &rs->list; node = node->next) {
    const struct coho__route *route = route_at(node);
    if (!matches(route->pattern, r->path)) continue;
    if (upgrade && route->kind == COHO_ROUTE_WS) {
      m->route = route;
      m->path_known = true;
      return capture(r, route->pattern);
    }
    if (!first) first = node;
    if (!upgrade) break;
  }
  if (!first) return 0;
  m->path_known = true;
  choose(rs, first, coho__http1_method(&r->head), m);
  return m->route ? capture(r, m->route->pattern) : 0;
}
