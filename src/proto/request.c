#include "proto/request.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/chars.h"
#include "proto/host.h"

#include <string.h>

struct coho__list_text {
  struct coho__list_text *next;
  size_t size; /* of the whole block */
  char text[];
};

void coho__request_init(struct coho_request *r, const struct coho__http1_limits *limits) {
  *r = (struct coho_request){.path = "/", .query = "", .protocol = ""};
  coho__http1_init(&r->head, COHO_HTTP1_REQUEST, limits);
}

static void free_kept(struct coho_request *r) {
  while (r->decoded) {
    struct coho__list_text *first = r->decoded;
    r->decoded = first->next;
    coho__free(first, first->size);
  }
}

void coho__request_reset(struct coho_request *r) {
  free_kept(r);
  coho__http1_reset(&r->head);
  r->authority = (struct coho__view){NULL, 0};
  r->path = "/";
  r->query = r->protocol = "";
  r->param_count = 0;
  r->keep_alive = false;
}

void coho__request_free(struct coho_request *r) {
  coho__request_reset(r);
  coho__http1_free(&r->head);
  coho__free(r->text, r->text_len);
  r->text = NULL;
  r->text_len = 0;
}

char *coho__request_keep(struct coho_request *r, const char *data, size_t len) {
  size_t size = sizeof(struct coho__list_text) + len + 1;
  struct coho__list_text *kept = (struct coho__list_text *)coho__alloc(size);
  if (!kept) return NULL;
  if (len > 0) memcpy(kept->text, data, len);
  kept->text[len] = '\0';
  kept->size = size;
  kept->next = r->decoded;
  r->decoded = kept;
  return kept->text;
}

/* ---- taking it apart ------------------------------------------------------------------------ */

ptrdiff_t coho__percent_decode(char *dst, const char *data, size_t len, bool plus_is_space) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    int c = data[i] == '+' && plus_is_space ? ' ' : data[i];
    if (c == '%') {
      c = coho__percent_escape(data + i, len - i);
      if (c < 0) return -1;
      i += 2;
    }
    if (c == '\0') return -1;
    dst[n++] = (char)c;
  }
  dst[n] = '\0';
  return (ptrdiff_t)n;
}

static int set_path(struct coho_request *r, struct coho__view raw) {
  if (raw.len + 1 > r->text_len) {
    char *text = (char *)coho__realloc(r->text, r->text_len, raw.len + 1);
    if (!text) return COHO_ENOMEM;
    r->text = text;
    r->text_len = raw.len + 1;
  }
  if (coho__percent_decode(r->text, raw.data, raw.len, false) < 0) return COHO_ETARGET;
  r->path = r->text;
  return 0;
}

/* Path and query; what is left of a target once the authority is gone. */
static int parse_path(struct coho_request *r, struct coho__view rest) {
  const char *mark = rest.len ? (const char *)memchr(rest.data, '?', rest.len) : NULL;
  struct coho__view path = rest;
  if (mark) {
    path.len = (size_t)(mark - rest.data);
    r->query = mark + 1;
  }
  return path.len > 0 ? set_path(r, path) : 0;
}

/* RFC 9112 3.2.2; a URL without a host is invalid (RFC 9110 4.2.1). */
static int parse_absolute(struct coho_request *r, struct coho__view rest) {
  struct coho__host host;
  size_t end = 0;
  while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
    end++;
  r->authority = (struct coho__view){rest.data, end};
  if (!coho__host_parse(r->authority, &host)) return COHO_ETARGET;
  return parse_path(r, (struct coho__view){rest.data + end, rest.len - end});
}

static int parse_target(struct coho_request *r) {
  struct coho__view target = coho__http1_target(&r->head);
  struct coho__view method = coho__http1_method(&r->head);
  if (coho__view_eq(method, VIEW("CONNECT"))) return COHO_ETARGET;
  if (target.data[0] == '/') return parse_path(r, target);
  struct coho__view rest = target;
  if (coho__view_take_nocase(&rest, VIEW("http://")) ||
      coho__view_take_nocase(&rest, VIEW("https://")))
    return parse_absolute(r, rest);
  bool asterisk = coho__view_eq(target, VIEW("*")) && coho__view_eq(method, VIEW("OPTIONS"));
  return asterisk ? 0 : COHO_ETARGET;
}

static int parse_host(struct coho_request *r) {
  size_t i = coho__http1_find(&r->head, "Host", 0);
  struct coho__host host;
  if (i == SIZE_MAX) return r->head.minor == 0 ? 0 : COHO_EHOST;
  struct coho__view value = coho__http1_value(&r->head, i);
  if (!coho__host_parse(value, &host)) return COHO_EHOST;
  if (coho__http1_find(&r->head, "Host", i + 1) != SIZE_MAX) return COHO_EHOST;
  if (!r->authority.data) r->authority = value;
  return 0;
}

int coho__request_parse(struct coho_request *r) {
  COHO_ASSERT(r->head.complete);
  int err = parse_target(r);
  if (!err) err = parse_host(r);
  if (err) return err;
  bool close = coho__http1_has_token(&r->head, "Connection", "close");
  bool asked = coho__http1_has_token(&r->head, "Connection", "keep-alive");
  r->keep_alive = !close && (asked || r->head.minor > 0);
  return 0;
}

void coho__request_forget(struct coho_request *r) {
  coho__http1_forget(&r->head);
  struct coho__view target = coho__http1_target(&r->head);
  const char *mark = (const char *)memchr(target.data, '?', target.len);
  r->query = mark ? mark + 1 : "";
  r->authority = (struct coho__view){NULL, 0};
}

/* ---- core.h: what stands in the request ----------------------------------------------------- */

const char *coho_request_method(const coho_request *r) {
  return r->head.complete ? coho__http1_method(&r->head).data : "";
}

const char *coho_request_path(const coho_request *r) { return r->path; }

const char *coho_request_query_string(const coho_request *r) { return r->query; }

const char *coho_request_protocol(const coho_request *r) { return r->protocol; }

const char *coho_request_header(const coho_request *r, const char *name) {
  size_t i = coho__http1_find(&r->head, name, 0);
  return i == SIZE_MAX ? NULL : coho__http1_value(&r->head, i).data;
}

const char *coho_request_param(const coho_request *r, const char *name) {
  struct coho__view wanted = coho__view_of(name);
  for (size_t i = 0; i < r->param_count; i++)
    if (coho__view_eq(r->params[i].name, wanted)) return r->params[i].value;
  return NULL;
}
