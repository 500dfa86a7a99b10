#include "proto/url.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "base/view.h"
#include "proto/chars.h"
#include "proto/host.h"

#include <coho/error.h>
#include <stdio.h>
#include <string.h>

enum {
  MAX_NAME = 253, /* RFC 1035 2.3.4 */
  MAX_LABEL = 63,
  MAX_FILE = 107, /* what the address of a unix socket has room for */
  PORT_MOST = sizeof ":65535"
};

/* The URL cut into views of its text. */
struct parts {
  struct coho__view authority;
  struct coho__view file; /* of a unix socket */
  struct coho__view rest; /* path and query as written */
  struct coho__host host;
  bool secure;
};

/* ---- checks: NULL, or what is wrong --------------------------------------------------------- */

/* What no part of a URL may have. */
static const char *check_bytes(struct coho__view text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c < 0x20 || c == 0x7f) return "a control character does not belong into a URL";
    if (c == ' ') return "a space in a URL is written as %20";
    if (c == '#') return "a WebSocket URL has no fragment; the character # is written as %23";
  }
  return NULL;
}

/* Letters, digits, hyphens and underscores between single dots; a dot may end the whole. */
static const char *check_labels(struct coho__view name) {
  static const char wrong[] = "the host name has an empty or too long part between its dots";
  if (name.len > 1 && name.data[name.len - 1] == '.') name.len--;
  if (name.len > MAX_NAME) return "the host name is longer than 253 characters";
  while (name.data) {
    struct coho__view label = coho__view_split(&name, '.');
    if (label.len == 0 || label.len > MAX_LABEL) return wrong;
  }
  return NULL;
}

/* A name whose last part is a number would be taken for an address by some resolvers. */
static bool ends_in_number(struct coho__view name) {
  if (name.len > 1 && name.data[name.len - 1] == '.') name.len--;
  struct coho__view last = {NULL, 0};
  while (name.data)
    last = coho__view_split(&name, '.');
  bool hex = last.len >= 2 && last.data[0] == '0' && (last.data[1] | 0x20) == 'x';
  for (size_t i = hex ? 2 : 0; i < last.len; i++) {
    int digit = coho__hex_digit(last.data[i]);
    if (digit < 0 || (digit > 9 && !hex)) return false;
  }
  return last.len > 0;
}

static const char *check_name(struct coho__view name) {
  for (size_t i = 0; i < name.len; i++) {
    char c = name.data[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if ((unsigned char)c > 0x7f)
      return "a host name is written in ASCII; write other letters in their xn-- form";
    if (!letter && !coho__is_digit(c) && c != '-' && c != '.' && c != '_')
      return "the host name has a character that no host name has";
  }
  if (ends_in_number(name))
    return coho__host_is_ipv4(name) ? NULL : "the host looks like an IPv4 address but is none";
  return check_labels(name);
}

static bool is_listen(enum coho__url_mode mode) {
  return mode == COHO_URL_LISTEN || mode == COHO_URL_LISTEN_ANY;
}

static const char *check_port(const struct coho__host *host, enum coho__url_mode mode) {
  if (host->has_port && host->port == 0 && !is_listen(mode)) return "port 0 does not exist";
  return NULL;
}

/* ":port" or nothing, where a host may be missing. */
static const char *check_all_addresses(struct parts *p) {
  struct coho__view port = p->authority;
  uint64_t number = 0;
  if (port.len < 2) return NULL;
  port.data++;
  port.len--;
  if (!coho__view_number(port, 65535, &number)) return "a port is a number up to 65535";
  p->host.port = (uint16_t)number;
  p->host.has_port = true;
  return NULL;
}

static const char *check_authority(struct parts *p, enum coho__url_mode mode) {
  struct coho__view a = p->authority;
  if (a.len > 0 && memchr(a.data, '@', a.len))
    return "a WebSocket URL has no user name; send an Authorization field instead";
  if (a.len == 0 || a.data[0] == ':')
    return is_listen(mode) ? check_all_addresses(p) : "the host is missing";
  if (coho__host_parse(a, &p->host)) {
    const char *why = p->host.ipv6 ? NULL : check_name(p->host.name);
    return why ? why : check_port(&p->host, mode);
  }
  if (a.data[0] == '[') return "an IPv6 address or its port is malformed, as in [::1]:8080";
  const char *colon = (const char *)memchr(a.data, ':', a.len);
  const char *why =
      check_name((struct coho__view){a.data, colon ? (size_t)(colon - a.data) : a.len});
  return why ? why : "a port is a number up to 65535";
}

static const char *check_target(struct coho__view target) {
  for (size_t i = 0; i < target.len; i++) {
    unsigned char c = (unsigned char)target.data[i];
    if (c > 0x7f || (coho__chars[c] & COHO_CHAR_URL) != 0) continue;
    if (c != '%') return "the characters \" < > [ ] \\ ^ ` { | } are written as % and two digits";
    if (coho__percent_escape(target.data + i, target.len - i) < 0)
      return "a % is followed by two hexadecimal digits; the character % is written as %25";
  }
  return coho__utf8_valid(target.data, target.len) ? NULL : "the URL is not valid UTF-8";
}

/* "/PATH" or "/PATH:/TARGET". */
static const char *cut_file(struct parts *p, struct coho__view in) {
  p->rest = in;
  p->file = coho__view_split(&p->rest, ':');
  p->host.name = VIEW("localhost");
  if (p->file.len < 2 || p->file.data[0] != '/')
    return "the path of a unix socket is absolute, as in ws+unix:/run/coho.sock";
  if (p->file.len > MAX_FILE) return "the path of a unix socket is longer than 107 bytes";
  if (memchr(p->file.data, '?', p->file.len))
    return "a query comes behind a colon and a path, as in ws+unix:/run/coho.sock:/?query";
  if (p->rest.data && (p->rest.len == 0 || p->rest.data[0] != '/'))
    return "behind the path of a unix socket and a colon comes the path of a request";
  return NULL;
}

static const char *cut_tcp(struct parts *p, struct coho__view in, enum coho__url_mode mode) {
  size_t end = 0;
  while (end < in.len && in.data[end] != '/' && in.data[end] != '?')
    end++;
  p->authority = (struct coho__view){in.data, end};
  p->rest = (struct coho__view){in.data + end, in.len - end};
  return check_authority(p, mode);
}

static const char *cut(struct parts *p, const char *text, enum coho__url_mode mode) {
  struct coho__view in = coho__view_of(text);
  bool any = mode == COHO_URL_CONNECT_ANY || mode == COHO_URL_LISTEN_ANY;
  *p = (struct parts){.secure = false};
  const char *why = check_bytes(in);
  if (why) return why;
  p->secure = coho__view_take_nocase(&in, VIEW("wss://"));
  if (p->secure || coho__view_take_nocase(&in, VIEW("ws://"))) {
    why = cut_tcp(p, in, mode);
  } else {
    p->secure = coho__view_take_nocase(&in, VIEW("wss+unix:"));
    bool file = p->secure || coho__view_take_nocase(&in, VIEW("ws+unix:"));
    if (!file) return "a WebSocket URL begins with ws:// or wss://";
    why = any ? cut_file(p, in) : "a unix socket cannot be used here";
  }
  if (why) return why;
  if (is_listen(mode) && p->rest.len > 0 && memchr(p->rest.data, '?', p->rest.len))
    return "an address to listen on has no query";
  return check_target(p->rest);
}

/* ---- the parts made ready ------------------------------------------------------------------- */

/* The path and query as they are sent: at least "/", no empty query, ASCII. Returns the length;
   dst may be NULL. */
static size_t write_target(char *dst, struct coho__view rest) {
  static const char hex[] = "0123456789ABCDEF";
  size_t len = 0;
  if (rest.len == 0 || rest.data[0] == '?') {
    if (dst) dst[len] = '/';
    len++;
  }
  const char *query = rest.len ? (const char *)memchr(rest.data, '?', rest.len) : NULL;
  if (query && query + 1 == rest.data + rest.len) rest.len--;
  for (size_t i = 0; i < rest.len; i++) {
    unsigned char c = (unsigned char)rest.data[i];
    size_t width = c > 0x7f ? 3 : 1;
    const char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
    if (dst) memcpy(dst + len, width == 3 ? escape : rest.data + i, width);
    len += width;
  }
  if (dst) dst[len] = '\0';
  return len;
}

static uint16_t default_port(bool secure) { return secure ? 443 : 80; }

int coho__url_parse(struct coho__url *url, const char *text, enum coho__url_mode mode,
                    const char **why) {
  struct parts p;
  *url = (struct coho__url){.text = NULL};
  *why = cut(&p, text, mode);
  if (*why) return COHO_EURL;
  struct coho__view name = p.host.name;
  *why = "out of memory";
  size_t file_room = p.file.len ? p.file.len + 1 : 0;
  char *host = (char *)coho__alloc(name.len + 1 + write_target(NULL, p.rest) + 1 + file_room);
  if (!host) return COHO_ENOMEM;
  *why = NULL;
  for (size_t i = 0; i < name.len; i++) {
    char c = name.data[i];
    host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
  }
  host[name.len] = '\0';
  char *target = host + name.len + 1;
  char *file = target + write_target(target, p.rest) + 1;
  if (file_room) {
    memcpy(file, p.file.data, p.file.len);
    file[p.file.len] = '\0';
  }
  uint16_t port = p.host.has_port ? p.host.port : default_port(p.secure);
  *url = (struct coho__url){.text = host,
                            .file = file_room ? file : NULL,
                            .host = host,
                            .target = target,
                            .port = port,
                            .secure = p.secure,
                            .ipv6 = p.host.ipv6};
  return 0;
}

void coho__url_free(struct coho__url *url) {
  size_t file_room = url->file ? strlen(url->file) + 1 : 0;
  if (url->text) coho__free(url->text, strlen(url->host) + 1 + strlen(url->target) + 1 + file_room);
  *url = (struct coho__url){.text = NULL};
}

const char *coho__url_authority(const struct coho__url *url, char *dst) {
  size_t len = strlen(url->host);
  char *end = dst;
  if (url->ipv6) *end++ = '[';
  memcpy(end, url->host, len);
  end += len;
  if (url->ipv6) *end++ = ']';
  *end = '\0';
  if (url->port != default_port(url->secure)) (void)snprintf(end, PORT_MOST, ":%u", url->port);
  return dst;
}
