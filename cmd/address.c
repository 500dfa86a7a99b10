#include "address.h"

#include "base/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *join(const char *a, const char *b) {
  size_t cap = strlen(a) + strlen(b) + 1;
  char *text = (char *)malloc(cap);
  if (text) (void)snprintf(text, cap, "%s%s", a, b);
  return text;
}

char *address_url(const char *typed) {
  static const char *const schemes[][2] = {{"http://", "ws://"}, {"https://", "wss://"}};
  for (size_t i = 0; i < COHO_COUNT(schemes); i++) {
    size_t len = strlen(schemes[i][0]);
    if (!strncasecmp(typed, schemes[i][0], len)) return join(schemes[i][1], typed + len);
  }
  if (!strncasecmp(typed, "ws+unix:", 8) || !strncasecmp(typed, "wss+unix:", 9))
    return join("", typed);
  if (typed[0] == ':') return join("ws://localhost", typed);
  /* A query may hold an address of its own. */
  const char *scheme = strstr(typed, "://");
  bool has_scheme = scheme && (size_t)(scheme - typed) < strcspn(typed, "/?") + 1;
  return join(has_scheme ? "" : "ws://", typed);
}
