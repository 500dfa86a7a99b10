#include "ingress.h"

#include "base/ip.h"

#include <string.h>

enum { MODE_DIGITS = 3 };

/* -1: it is none. */
static int mode_of(const char *text) {
  int mode = 0;
  size_t len = strlen(text);
  if (len > 0 && text[0] == '0') {
    text++;
    len--;
  }
  if (len != MODE_DIGITS || strspn(text, "01234567") != len) return -1;
  for (size_t i = 0; i < len; i++)
    mode = mode * 8 + (text[i] - '0');
  return mode;
}

static int check_networks(const struct command *c, const char *name,
                          const struct option_list *list) {
  int status = 0;
  for (size_t i = 0; i < list->count; i++) {
    struct coho__cidr network;
    const char *text = list->items[i];
    if (strcmp(text, "unix") == 0 || coho__cidr_parse(&network, coho__view_of(text))) continue;
    status |= usage_error_about(c, text,
                                "%s takes a network such as 10.0.0.0/8 or 2001:db8::/32, an "
                                "address, or 'unix'; not '%s'",
                                name, text);
  }
  return status;
}

int ingress_check(const struct command *c, const struct ingress *in) {
  int status = check_networks(c, "--proxy-protocol", &in->proxies);
  status |= check_networks(c, "--trust-proxy", &in->trusted);
  if (in->unix_mode && mode_of(in->unix_mode) <= 0)
    status |= usage_error_about(c, in->unix_mode,
                                "--unix-mode takes three octal digits such as 660, not '%s'",
                                in->unix_mode);
  return status;
}

void ingress_set(const struct ingress *in, coho_server_options *so) {
  so->proxy_protocol = in->proxies.count ? in->proxies.items : NULL;
  so->trusted_proxies = in->trusted.count ? in->trusted.items : NULL;
  if (in->unix_mode) so->unix_mode = (uint32_t)mode_of(in->unix_mode);
}
