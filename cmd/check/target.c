#include "target.h"

#include "base/check.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static unsigned count_addresses(const struct addrinfo *a) {
  unsigned count = 0;
  for (; a; a = a->ai_next)
    count++;
  return count;
}

/* The first address that answers, each in its share of the time; the last reason when none does. */
static int find_good(struct target *t, struct wire *w, uint64_t deadline, char *why, size_t cap) {
  int failed = -1;
  for (const struct addrinfo *a = t->addresses; a && failed; a = a->ai_next) {
    uint64_t now = now_ms();
    uint64_t share = deadline > now ? (deadline - now) / count_addresses(a) : 0;
    failed = wire_connect(w, a, &t->tls, now + share, why, cap);
    if (!failed) t->good = a;
  }
  return failed;
}

/* The address is found before there are several threads, by the probe. */
static int open_wire(struct link *l, struct wire *w, uint64_t deadline, char *why, size_t cap) {
  struct target *t = COHO_CONTAINER_OF(l, struct target, link);
  if (!t->good) return find_good(t, w, deadline, why, cap);
  return wire_connect(w, t->good, &t->tls, deadline, why, cap);
}

static int look_up(struct target *t, char *why, size_t cap) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  char port[8];
  (void)snprintf(port, sizeof port, "%u", t->url.port);
  int error = getaddrinfo(t->url.host, port, &hints, &t->addresses);
  if (!error) return 0;
  (void)snprintf(why, cap, "the host '%s' is not found: %s", t->url.host, gai_strerror(error));
  return -1;
}

static void set_fields(struct target *t, const struct option_list *fields) {
  for (size_t i = 0; i < fields->count; i++)
    bytes_printf(&t->fields, "%s\r\n", fields->items[i]);
  bytes_add_byte(&t->fields, 0);
}

int target_open(struct target *t, const struct target_conf *conf, char *why, size_t cap) {
  const char *wrong = "out of memory";
  *t = (struct target){.link = {.side = SIDE_CLIENT, .open = open_wire}};
  if (coho__url_parse(&t->url, conf->url, COHO_URL_CONNECT, &wrong)) {
    (void)snprintf(why, cap, "'%s' is no URL to connect to: %s", conf->url, wrong);
    return -1;
  }
  t->host = (char *)memory_new(strlen(t->url.host) + 9, 1);
  set_fields(t, conf->fields);
  t->link.host = coho__url_authority(&t->url, t->host);
  t->link.target = t->url.target;
  t->link.fields = (const char *)t->fields.data;
  t->link.protocols = conf->protocols;
  t->tls.name = memory_text("%s", t->url.host);
  t->tls.context = conf->tls;
  return look_up(t, why, cap);
}

void target_close(struct target *t) {
  if (t->addresses) freeaddrinfo(t->addresses);
  free(t->tls.name);
  bytes_free(&t->fields);
  free(t->host);
  coho__url_free(&t->url);
}
