#include "http/forwarded.h"

/* What the elements seen so far come to, from the left. */
struct found {
  struct coho__ip ip;
  uint16_t port;
  bool known; /* ip is the client, or the farthest proxy there is word of */
};

static void look(struct found *f, const struct coho__cidrs *trusted, struct coho__view element) {
  struct found next = {.known = true};
  if (!coho__ip_parse_node(&next.ip, &next.port, coho__view_trim(element))) {
    f->known = false; /* whatever it hides, what is left of it is no better */
  } else if (!f->known || !coho__cidrs_has(trusted, &next.ip)) {
    *f = next;
  }
}

/* Split at every comma: quotes are no part of this field, and one that a client opens must not hide
   what our proxy adds behind it. */
bool coho__forwarded_find(const struct coho__http1 *head, const struct coho__cidrs *trusted,
                          struct coho__ip *ip, uint16_t *port) {
  static const char name[] = "X-Forwarded-For";
  struct found f = {.known = false};
  for (size_t i = 0; (i = coho__http1_find(head, name, i)) != SIZE_MAX; i++) {
    struct coho__view rest = coho__http1_value(head, i);
    while (rest.data)
      look(&f, trusted, coho__view_split(&rest, ','));
  }
  *ip = f.ip;
  *port = f.port;
  return f.known;
}

static bool is_proxy(const struct coho__http_conn *c, struct coho__addr *addr) {
  const struct coho__admission *a = c->http->conf->admission;
  return a->trusted && coho__stream_addr(c->stream, addr) && coho__admission_trusts(a, addr);
}

int coho__forwarded_enter(struct coho__http_conn *c) {
  struct coho__admission *a = c->http->conf->admission;
  struct coho__addr addr;
  struct coho__ip ip;
  uint16_t port;
  if (!is_proxy(c, &addr)) return 0;
  if (!coho__forwarded_find(&c->request.head, a->trusted, &ip, &port)) return 0;
  coho__addr_of_ip(&addr, &ip, port);
  c->client = coho__addr_pack(&addr);
  int err = coho__admission_client(a, &addr, c->http->loop->now_ms, &c->address);
  if (err) coho__http_complain(c->http, COHO_HTTP_LIMIT_ADDRESS);
  return err;
}

bool coho__forwarded_untold(const struct coho__http_conn *c) {
  struct coho__addr addr;
  return c->client.family == AF_UNSPEC && is_proxy(c, &addr);
}

void coho__forwarded_leave(struct coho__http_conn *c) {
  if (c->client.family == AF_UNSPEC) return;
  coho__admission_client_leave(c->http->conf->admission, c->address, c->http->loop->now_ms);
  c->address = NULL;
  c->client.family = AF_UNSPEC;
}

void coho__forwarded_give(struct coho__http_conn *c) {
  struct coho__addr addr;
  if (coho__addr_unpack(&addr, &c->client)) coho__stream_set_addr(c->stream, &addr);
}

const char *coho__http_conn_peer(const struct coho__http_conn *c, char *buf, size_t cap) {
  struct coho__addr addr;
  if (coho__addr_unpack(&addr, &c->client)) return coho__addr_format(&addr, buf, cap);
  return coho__stream_peer(c->stream, buf, cap);
}
