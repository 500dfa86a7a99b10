#include "topic_url.h"

#include "address.h"

#include "hub/pattern.h"

#include <stdlib.h>
#include <string.h>

static const char MOUNT[] = "/t/";

static int out_of_memory(const struct command *c) {
  fprintf(stderr, "coho %s: out of memory\n", c->name);
  return EXIT_PEER;
}

bool topic_is_companion(const char *topic) {
  return coho__topic_is_companion(coho__view_of(topic));
}

bool topic_is_pattern(const char *topic) { return strpbrk(topic, "+#") != NULL; }

int topic_check(const struct command *c, const char *topic) {
  if (coho__topic_name_valid(coho__topic_base(coho__view_of(topic)))) return 0;
  return usage_error(c,
                     "'%s' is no name of a topic: letters, digits and _.~- in segments separated "
                     "by slashes, such as room/tea",
                     topic);
}

int topic_check_pattern(const struct command *c, const char *pattern) {
  if (coho__pattern_valid(coho__view_of(pattern))) return 0;
  return usage_error(
      c,
      "'%s' is no pattern of topics: segments as names have them, + for any one, # as "
      "the last for the rest, such as room/+ or room/#",
      pattern);
}

/* Up to the topic, behind the first /t/ of the path. 0: there is none. */
static size_t hub_len(const char *text) {
  const char *host = strstr(text, "://");
  const char *mount = strstr(host ? host + 3 : text, MOUNT);
  size_t len = mount ? (size_t)(mount - text) + sizeof MOUNT - 1 : 0;
  return len && text[len] ? len : 0;
}

bool topic_url_names(const char *typed) { return hub_len(typed) > 0; }

/* False: no topic is named. */
static bool cut(struct topic_url *u) {
  size_t len = hub_len(u->text);
  if (!len) return false;
  u->hub = (char *)malloc(len + 1);
  if (!u->hub) return true;
  memcpy(u->hub, u->text, len);
  u->hub[len] = '\0';
  u->topic = u->text + len;
  return true;
}

/* The whole of it, with a slash at its end. */
static void take_all(struct topic_url *u) {
  size_t len = strlen(u->text);
  u->hub = (char *)malloc(len + 2);
  if (!u->hub) return;
  bool slash = len && u->text[len - 1] == '/';
  (void)snprintf(u->hub, len + 2, "%s%s", u->text, slash || strchr(u->text, '?') ? "" : "/");
}

int topic_url_read(const struct command *c, const char *typed, bool named, const char *beside,
                   struct topic_url *out) {
  *out = (struct topic_url){.text = address_url(typed)};
  if (!out->text) return out_of_memory(c);
  if (named)
    take_all(out);
  else if (!cut(out))
    return usage_error(
        c, "'%s' names no topic; a topic is a URL such as ws://localhost:8080/t/room/tea, or %s",
        typed, beside);
  if (!out->hub) return out_of_memory(c);
  if (out->topic && strchr(out->topic, '?'))
    return usage_error(c, "'%s' has more than a topic behind /t/; since is --since", typed);
  return 0;
}

void topic_url_free(struct topic_url *u) {
  free(u->hub);
  free(u->text);
}
