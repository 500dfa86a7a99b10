#include "terms.h"

#include "head.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* ---- grammar: RFC 6455 9.1 ------------------------------------------------------------------ */

enum { PARAMS = 16, VALUE_BYTES = 32 };

struct param {
  const char *name;
  size_t name_len;
  bool has_value;
  char value[VALUE_BYTES]; /* unquoted; what is longer is cut, and no valid value is as long */
};

struct element {
  const char *name;
  size_t name_len;
  struct param params[PARAMS];
  size_t count;
};

static const char not_grammar[] = "Sec-WebSocket-Extensions does not follow its grammar";

static void skip_blanks(const char **at) { *at += strspn(*at, " \t"); }

static size_t token_length(const char *at) {
  size_t len = 0;
  while (at[len] && head_is_token(at + len, 1))
    len++;
  return len;
}

static bool read_token(const char **at, const char **token, size_t *len) {
  skip_blanks(at);
  *token = *at;
  *len = token_length(*at);
  *at += *len;
  skip_blanks(at);
  return *len > 0;
}

static void keep(struct param *p, size_t *len, char c) {
  if (*len + 1 < sizeof p->value) p->value[(*len)++] = c;
  p->value[*len] = '\0';
}

/* What is quoted has to be a token once it is unquoted. */
static bool read_quoted(const char **at, struct param *p) {
  size_t kept = 0;
  size_t count = 0;
  for (++*at; **at && **at != '"'; ++*at, count++) {
    if (**at == '\\' && (*at)[1]) ++*at;
    if (!head_is_token(*at, 1)) return false;
    keep(p, &kept, **at);
  }
  if (**at != '"' || !count) return false;
  ++*at;
  skip_blanks(at);
  return true;
}

static bool read_value(const char **at, struct param *p) {
  p->has_value = true;
  skip_blanks(at);
  if (**at == '"') return read_quoted(at, p);
  const char *token;
  size_t len;
  size_t kept = 0;
  if (!read_token(at, &token, &len)) return false;
  for (size_t i = 0; i < len; i++)
    keep(p, &kept, token[i]);
  return true;
}

static bool read_params(const char **at, struct element *e) {
  while (**at == ';') {
    ++*at;
    if (e->count == PARAMS) return false;
    struct param *p = &e->params[e->count++];
    *p = (struct param){.name = NULL};
    if (!read_token(at, &p->name, &p->name_len)) return false;
    if (**at != '=') continue;
    ++*at;
    if (!read_value(at, p)) return false;
  }
  return true;
}

/* 1: one element, 0: the end, -1: not the grammar. */
static int next_element(const char **at, struct element *e) {
  *at += strspn(*at, " \t,");
  if (!**at) return 0;
  e->count = 0;
  if (!read_token(at, &e->name, &e->name_len) || !read_params(at, e)) return -1;
  return **at == ',' || !**at ? 1 : -1;
}

/* ---- parameters: RFC 7692 7.1 --------------------------------------------------------------- */

static bool is(const char *name, size_t len, const char *text) {
  return len == strlen(text) && !memcmp(name, text, len);
}

/* 8 to 15 without leading zeros; 0: no such number. */
static int read_bits(const char *value) {
  if (value[0] == '1' && value[1] >= '0' && value[1] <= '5' && !value[2])
    return 10 + value[1] - '0';
  return (value[0] == '8' || value[0] == '9') && !value[1] ? value[0] - '0' : 0;
}

static const char *set_flag(bool *flag, const struct param *p) {
  if (*flag) return "a parameter of permessage-deflate comes twice";
  if (p->has_value) return "a no_context_takeover has a value";
  *flag = true;
  return NULL;
}

static const char *set_bits(int *bits, const struct param *p, bool needs_value) {
  if (*bits) return "a parameter of permessage-deflate comes twice";
  if (!p->has_value && needs_value) return "a max_window_bits has no value";
  *bits = p->has_value ? read_bits(p->value) : -1;
  return *bits ? NULL : "a max_window_bits is not 8 to 15";
}

static const char *read_terms(const struct element *e, bool answer, struct terms *t) {
  *t = (struct terms){.agreed = true};
  for (size_t i = 0; i < e->count; i++) {
    const struct param *p = &e->params[i];
    const char *why = NULL;
    if (is(p->name, p->name_len, "server_no_context_takeover"))
      why = set_flag(&t->server_no_takeover, p);
    else if (is(p->name, p->name_len, "client_no_context_takeover"))
      why = set_flag(&t->client_no_takeover, p);
    else if (is(p->name, p->name_len, "server_max_window_bits"))
      why = set_bits(&t->server_bits, p, true);
    else if (is(p->name, p->name_len, "client_max_window_bits"))
      why = set_bits(&t->client_bits, p, answer);
    else
      why = "there is a parameter of permessage-deflate that does not exist";
    if (why) return why;
  }
  return NULL;
}

/* Whether the answer is one that this offer allows. */
static const char *compare(const struct terms *offer, const struct terms *t) {
  if (offer->server_no_takeover && !t->server_no_takeover)
    return "the answer lacks server_no_context_takeover, which was asked for";
  if (offer->server_bits > 0 && !t->server_bits)
    return "the answer lacks server_max_window_bits, which was asked for";
  if (offer->server_bits > 0 && t->server_bits > offer->server_bits)
    return "the answer has a larger server_max_window_bits than was asked for";
  if (t->client_bits && !offer->client_bits)
    return "the answer has client_max_window_bits, which was not offered";
  return NULL;
}

/* ---- headers -------------------------------------------------------------------------------- */

static bool is_deflate(const struct element *e) {
  return is(e->name, e->name_len, "permessage-deflate");
}

const char *terms_read_offer(const char *header, struct terms *t) {
  struct element e;
  int more;
  *t = (struct terms){.agreed = false};
  while ((more = next_element(&header, &e)) > 0) {
    struct terms one;
    if (!t->agreed && is_deflate(&e) && !read_terms(&e, false, &one)) *t = one;
  }
  return more < 0 ? not_grammar : NULL;
}

/* NULL when one of the offers allows these terms, else why the last of them does not. */
static const char *find_offer(const char *offered, const struct terms *t) {
  const char *why = "the answer has permessage-deflate, which was not offered";
  struct element e;
  while (offered && next_element(&offered, &e) > 0) {
    struct terms offer;
    if (!is_deflate(&e) || read_terms(&e, false, &offer)) continue;
    why = compare(&offer, t);
    if (!why) return NULL;
  }
  return why;
}

const char *terms_read_answer(const char *header, const char *offered, struct terms *t) {
  struct element e;
  int more = 0;
  *t = (struct terms){.agreed = false};
  while (header && (more = next_element(&header, &e)) > 0) {
    if (!is_deflate(&e)) return "the answer has an extension that was not offered";
    if (t->agreed) return "the answer has permessage-deflate twice";
    const char *why = read_terms(&e, true, t);
    if (!why) why = find_offer(offered, t);
    if (why) return why;
  }
  return more < 0 ? not_grammar : NULL;
}

void terms_print(const struct terms *t, char *text, size_t cap) {
  char server[40] = "";
  char client[40] = "";
  if (t->server_bits > 0)
    (void)snprintf(server, sizeof server, "; server_max_window_bits=%d", t->server_bits);
  if (t->client_bits > 0)
    (void)snprintf(client, sizeof client, "; client_max_window_bits=%d", t->client_bits);
  else if (t->client_bits < 0)
    (void)snprintf(client, sizeof client, "; client_max_window_bits");
  (void)snprintf(text, cap, "permessage-deflate%s%s%s%s",
                 t->server_no_takeover ? "; server_no_context_takeover" : "",
                 t->client_no_takeover ? "; client_no_context_takeover" : "", server, client);
}
