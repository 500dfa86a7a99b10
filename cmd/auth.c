#include "auth.h"

#include "jwks_fetch.h"
#include "logger.h"

#include "base/view.h"
#include "hub/pattern.h"
#include "proto/http1.h"

#include <coho/error.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = 512 };

struct issuer {
  const char *name, *jwks, *secret_file, *public_key;
};

/* clang-format off */
static const struct option issuer_parts[] = {
    {.name = "issuer",
     .kind = OPTION_STRING,
     .offset = offsetof(struct issuer, name),
     .value = "ISSUER",
     .text = "who signs: what \"iss\" of their tokens has to be, such as https://id.example; several "
             "items may have the same; without it, tokens without \"iss\""},
    {.name = "jwks",
     .kind = OPTION_STRING,
     .offset = offsetof(struct issuer, jwks),
     .files = OPTION_FILE,
     .value = "FILE or URL",
     .text = "their keys, a JSON Web Key Set: a file, or an https:// URL, which is fetched again when "
             "it is stale and when a token has an unknown key, once a minute at most"},
    {.name = "public-key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct issuer, public_key),
     .files = OPTION_FILE,
     .value = "FILE",
     .text = "instead: a public key in PEM, of RSA (RS256) or P-256 (ES256)"},
    {.name = "secret-file",
     .kind = OPTION_STRING,
     .offset = offsetof(struct issuer, secret_file),
     .files = OPTION_FILE,
     .value = "FILE",
     .text = "instead: a secret of 32 bytes and more (HS256), which whoever signs tokens has, too"},
    {.name = NULL}};

const struct option auth_parts[] = {
    {.name = "issuers",
     .kind = OPTION_ROWS,
     .offset = offsetof(struct auth_options, issuers),
     .parts = issuer_parts,
     .row_size = sizeof(struct issuer),
     .text = "whose tokens count, and the keys that they are verified with; files and URLs are read again "
             "on SIGHUP"},
    {.name = "audience",
     .kind = OPTION_LIST,
     .offset = offsetof(struct auth_options, audience),
     .value = "NAME",
     .text = "\"aud\" of a token has to have one of these; without it, it is not looked at"},
    {.name = "cookie",
     .kind = OPTION_STRING,
     .offset = offsetof(struct auth_options, cookie),
     .value = "NAME",
     .usual = "coho_token",
     .text = "the cookie that brings a token (coho_token by default)"},
    {.name = "open-subscribe",
     .kind = OPTION_LIST,
     .offset = offsetof(struct auth_options, open_subscribe),
     .value = "PATTERN",
     .text = "topics that may be followed without a token, as names and patterns; none by default"},
    {.name = "open-publish",
     .kind = OPTION_LIST,
     .offset = offsetof(struct auth_options, open_publish),
     .value = "PATTERN",
     .text = "topics that may be published to without a token; none by default"},
    {.name = NULL}};
/* clang-format on */

static const struct issuer *issuer_at(const struct auth_options *a, size_t i) {
  return (const struct issuer *)a->issuers.items + i;
}

static bool is_url(const char *text) { return strstr(text, "://") != NULL; }
static bool is_fetched(const struct issuer *i) { return i->jwks && is_url(i->jwks); }

/* ---- what is wrong -------------------------------------------------------------------------- */

static size_t count_sources(const struct issuer *i) {
  return (size_t)(i->jwks != NULL) + (i->public_key != NULL) + (i->secret_file != NULL);
}

static bool same_name(const struct issuer *a, const struct issuer *b) {
  return a->name && b->name && !strcmp(a->name, b->name);
}

/* What is fetched takes the place of all keys of its issuer. */
static int check_fetched(const struct command *c, const struct auth_options *a, size_t at) {
  const struct issuer *i = issuer_at(a, at);
  const char *objection = jwks_url_objection(i->jwks);
  if (objection) return usage_error_about(c, i->jwks, "jwks %s: %s", i->jwks, objection);
  if (!i->name || !*i->name)
    return usage_error_about(c, i->jwks, "a jwks that is fetched needs an issuer");
  for (size_t other = 0; other < a->issuers.count; other++)
    if (other != at && same_name(i, issuer_at(a, other)))
      return usage_error_about(
          c, i->jwks, "a jwks that is fetched has all keys of %s; there is another one", i->name);
  return 0;
}

static coho_key_source source_of(const struct issuer *i) {
  coho_key_source s = {.issuer = i->name};
  s.kind = i->jwks ? COHO_KEY_JWKS : i->public_key ? COHO_KEY_PEM : COHO_KEY_SECRET;
  s.file = i->jwks ? i->jwks : i->public_key ? i->public_key : i->secret_file;
  return s;
}

static int check_issuer(const struct command *c, const struct auth_options *a, size_t at,
                        coho_keys *keys) {
  const struct issuer *i = issuer_at(a, at);
  char why[WHY] = "";
  if (count_sources(i) != 1)
    return usage_error_about(c, i, "each of issuers has one of jwks, public-key and secret-file");
  if (is_fetched(i)) return check_fetched(c, a, at);
  const coho_key_source source = source_of(i);
  if (!coho_keys_add(keys, &source, why, sizeof why)) return 0;
  return usage_error_plain(c, source.file, "%s: %s",
                           i->jwks         ? "jwks"
                           : i->public_key ? "public-key"
                                           : "secret-file",
                           why);
}

static int check_issuers(const struct command *c, const struct auth_options *a) {
  coho_keys *keys;
  size_t fetched = 0;
  int status = 0, err = coho_keys_new(NULL, &keys);
  if (err) return usage_error_plain(c, NULL, "%s", coho_strerror(err));
  for (size_t i = 0; i < a->issuers.count; i++) {
    status |= check_issuer(c, a, i, keys);
    fetched += is_fetched(issuer_at(a, i));
  }
  coho_keys_free(keys);
  if (fetched > JWKS_SOURCES_MOST)
    status |= usage_error(c, "auth fetches from %d issuers at most", JWKS_SOURCES_MOST);
  return status;
}

static int check_patterns(const struct command *c, const char *name,
                          const struct option_list *list) {
  int status = 0;
  for (size_t i = 0; i < list->count; i++)
    if (!coho__pattern_valid(coho__view_of(list->items[i])))
      status |= usage_error_about(
          c, list->items[i],
          "%s takes names of topics, and patterns such as news/# or room/+, not '%s'", name,
          list->items[i]);
  return status;
}

int auth_check(const struct command *c, const struct auth_options *a, const void *section) {
  int status = check_issuers(c, a);
  if (!a->issuers.count)
    status |= usage_error_about(c, section, "auth needs issuers: without them nobody gets in");
  if (!coho__http1_is_token(coho__view_of(a->cookie)))
    status |=
        usage_error_about(c, a->cookie, "cookie takes the name of a cookie, not '%s'", a->cookie);
  status |= check_patterns(c, "open-subscribe", &a->open_subscribe);
  return status | check_patterns(c, "open-publish", &a->open_publish);
}

/* ---- the same ------------------------------------------------------------------------------- */

/* What else there is changes without other keys. */
static bool is_of_keys(const struct option *o) {
  return !strcmp(o->name, "issuers") || !strcmp(o->name, "audience");
}

bool auth_same(const struct auth_options *a, const struct auth_options *b) {
  for (const struct option *o = auth_parts; o->name; o++)
    if (is_of_keys(o) && !option_same(o, a, b)) return false;
  return true;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static int read_files(const struct auth_options *a, coho_keys *keys, char *why, size_t cap) {
  int err = 0;
  for (size_t i = 0; i < a->issuers.count && !err; i++) {
    const coho_key_source source = source_of(issuer_at(a, i));
    if (!is_fetched(issuer_at(a, i))) err = coho_keys_add(keys, &source, why, cap);
  }
  return err;
}

static int fetch(const struct auth_options *a, struct auth *out) {
  struct jwks_source sources[JWKS_SOURCES_MOST];
  size_t count = 0;
  for (size_t i = 0; i < a->issuers.count && count < JWKS_SOURCES_MOST; i++) {
    const struct issuer *one = issuer_at(a, i);
    if (is_fetched(one)) sources[count++] = (struct jwks_source){one->name, one->jwks};
  }
  const struct jwks_options o = {.sources = sources, .count = count};
  return count ? jwks_fetch_start(out->keys, &o, &out->fetch) : 0;
}

int auth_begin(const struct auth_options *a, struct auth *out, char *why, size_t cap) {
  const coho_keys_options o = {.audiences = a->audience.count ? a->audience.items : NULL};
  *out = (struct auth){NULL, NULL};
  if (cap) *why = '\0';
  int err = coho_keys_new(&o, &out->keys);
  if (!err) err = read_files(a, out->keys, why, cap);
  if (!err) err = fetch(a, out);
  if (err && cap && !*why) (void)snprintf(why, cap, "%s", coho_strerror(err));
  return err;
}

bool auth_ready(const struct auth *a) { return !a->fetch || jwks_fetch_tried(a->fetch); }

int auth_start(const struct auth_options *a, struct auth *out, char *why, size_t cap) {
  int err = auth_begin(a, out, why, cap);
  if (!err && out->fetch) jwks_fetch_wait(out->fetch);
  return err;
}

void auth_stop(struct auth *a) {
  jwks_fetch_stop(a->fetch);
  coho_keys_free(a->keys);
  *a = (struct auth){NULL, NULL};
}

void auth_reload(const struct auth *a) {
  char why[WHY], line[WHY + 64];
  if (a->fetch) jwks_fetch_again(a->fetch);
  if (coho_keys_reload(a->keys, why, sizeof why))
    (void)snprintf(line, sizeof line, "coho: the keys of tokens stay as they were: %s", why);
  else
    (void)snprintf(line, sizeof line, "coho: the keys of tokens were read again");
  logger_line(line);
}
