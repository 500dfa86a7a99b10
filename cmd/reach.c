#include "reach.h"

#include "proto/http1.h"
#include "proto/url.h"

const char REACH_WRONG_FIELD[] = "--header and --origin cannot set an empty Origin, one twice, or "
                                 "what the handshake sets itself, "
                                 "such as Host, Upgrade or Sec-WebSocket-Protocol";

static int check_url(const struct command *c, const char *typed, const char *url, bool *secure) {
  struct coho__url parsed;
  const char *why = "out of memory";
  if (coho__url_parse(&parsed, url, COHO_URL_CONNECT_ANY, &why))
    return usage_error(c, "'%s' is no URL to connect to: %s", typed, why);
  *secure = parsed.secure;
  coho__url_free(&parsed);
  return 0;
}

static int check_headers(const struct command *c, const struct option_list *headers) {
  for (size_t i = 0; i < headers->count; i++) {
    struct coho__view value = coho__view_of(headers->items[i]);
    struct coho__view name = coho__view_split(&value, ':');
    if (!value.data || !coho__http1_is_token(name) || !coho__http1_is_field_value(value))
      return usage_error(c, "--header takes 'Name: value', not '%s'", headers->items[i]);
  }
  return 0;
}

int reach_check(const struct command *c, const struct reach *r, const char *typed,
                const char *url) {
  coho_deflate deflate = {.mode = 0};
  bool secure = false;
  int status = check_url(c, typed, url, &secure);
  if (!status) status = tls_client_check(c, &r->tls, secure);
  if (!status) status = deflate_option(c, r->deflate, &deflate);
  return status ? status : check_headers(c, &r->header);
}

int reach_open(const struct command *c, const struct reach *r, coho_options *opt) {
  opt->headers = r->header.items;
  opt->origin = r->origin;
  opt->connect_timeout_ms = (uint32_t)r->connect_timeout;
  int status = deflate_option(c, r->deflate, &opt->deflate);
  return status ? status : tls_client_open(c, &r->tls, &opt->tls);
}

void reach_free(struct reach *r) { option_list_free(&r->header); }
