#include "topics/access.h"

#include "base/clock.h"
#include "topics/bearer.h"
#include "topics/cors.h"
#include "topics/throttle.h"
#include "topics/tickets.h"
#include "topics/token.h"

#include <string.h>

/* ---- tokens ---------------------------------------------------------------------------------- */

/* One line for each, as far as there is room in the log; nothing of the token. */
static void tell(const struct coho__mount *m, const char *peer, int err) {
  coho__throttle_log(m->guesses, peer, coho__clock_ms(), err);
}

/* Whether it may have been tried out. One that was signed with a right key is no guess, but somebody
   who comes back late, or whose issuer made a mistake. */
static bool is_guess(int err) {
  return err != COHO_EEXPIRED && err != COHO_ENOTYET && err != COHO_EAUDIENCE &&
         err != COHO_ECLAIMS && err != COHO_EFORBIDDEN && err != COHO_ENOMEM;
}

static int is_expired(const struct coho__claims *c) {
  bool ended = c->until != COHO_CLAIMS_NEVER && coho__clock_wall_ms() >= c->until;
  return ended ? COHO_EEXPIRED : 0;
}

static int redeem(const struct coho__mount *m, const struct coho__bearer *b,
                  struct coho__claims **out) {
  if (b->kind == COHO_BEARER_TOKEN)
    return coho__token_verify(m->opt.keys, b->text, coho__clock_wall_ms(), out);
  struct coho__claims *claims = coho__tickets_take(m->tickets, b->text, coho__clock_ms());
  if (!claims) return COHO_ETICKET;
  int err = is_expired(claims);
  if (err)
    coho__claims_unref(claims);
  else
    *out = claims;
  return err;
}

/* Whatever was found: found is what went wrong with finding it. */
static int examine(const struct coho__mount *m, int found, const struct coho__bearer *b,
                   const char *peer, struct coho__claims **out) {
  struct coho__view from = coho__view_of(peer);
  if (!coho__throttle_open(m->guesses, from, coho__clock_ms())) {
    tell(m, peer, COHO_ETOKENRATE);
    return COHO_ETOKENRATE;
  }
  int err = found ? found : redeem(m, b, out);
  if (!err) return 0;
  if (is_guess(err)) (void)coho__throttle_take(m->guesses, from, coho__clock_ms());
  tell(m, peer, err);
  return err;
}

int coho__who_of(const struct coho__mount *m, coho_request *r, struct coho__who *who) {
  char peer[COHO_ADDR_MAX];
  struct coho__bearer b;
  *who = (struct coho__who){NULL};
  if (!m->opt.keys) return 0;
  /* A browser sends cookies along with what any page asks for. */
  int err = coho__bearer_find(r, coho__cors_trusts(m, r) ? m->cookie : NULL, &b);
  if (!err && b.kind == COHO_BEARER_NONE) return 0;
  return examine(m, err, &b, coho_request_peer(r, peer, sizeof peer), &who->claims);
}

/* A connection stays somebody's: what it did under a name, such as being present, nobody else takes
   over. */
static int check_same(const struct coho__who *who, const struct coho__claims *fresh) {
  bool same = !who->claims || coho__view_eq(who->claims->subject, fresh->subject);
  return same ? 0 : COHO_EFORBIDDEN;
}

int coho__who_becomes(const struct coho__mount *m, struct coho__who *who, struct coho__view token,
                      const char *peer) {
  const struct coho__bearer b = {COHO_BEARER_TOKEN, token};
  struct coho__claims *fresh;
  if (!m->opt.keys) return 0;
  int err = examine(m, 0, &b, peer, &fresh);
  if (err) return err;
  err = check_same(who, fresh);
  if (err) {
    tell(m, peer, err);
    coho__claims_unref(fresh);
    return err;
  }
  coho__who_free(who);
  who->claims = fresh;
  return 0;
}

void coho__who_free(struct coho__who *who) {
  coho__claims_unref(who->claims);
  who->claims = NULL;
}

/* ---- rights ---------------------------------------------------------------------------------- */

static const char *const *open_list(const struct coho__mount *m, enum coho__action action) {
  return action == COHO_MAY_SUBSCRIBE ? m->opt.open_subscribe : m->opt.open_publish;
}

static bool is_open(const struct coho__mount *m, enum coho__action action, struct coho__view name) {
  if (!coho__topic_name_valid(name)) return false;
  for (const char *const *each = open_list(m, action); *each; each++)
    if (coho__pattern_matches(coho__view_of(*each), name)) return true;
  return false;
}

static bool is_open_pattern(const struct coho__mount *m, struct coho__view pattern) {
  if (!coho__pattern_valid(pattern)) return false;
  for (const char *const *each = m->opt.open_subscribe; *each; each++)
    if (coho__pattern_covers(coho__view_of(*each), pattern)) return true;
  return false;
}

/* What is not open to everybody. Without keys no token helps. */
static int check_claims(const struct coho__mount *m, const struct coho__who *who) {
  if (!m->opt.keys) return COHO_EFORBIDDEN;
  return who->claims ? is_expired(who->claims) : COHO_ENOTOKEN;
}

int coho__who_may(const struct coho__mount *m, const struct coho__who *who,
                  enum coho__action action, struct coho__view name) {
  if (is_open(m, action, name)) return 0;
  int err = check_claims(m, who);
  if (err) return err;
  return coho__claims_may(who->claims, action, name) ? 0 : COHO_EFORBIDDEN;
}

int coho__who_may_pattern(const struct coho__mount *m, const struct coho__who *who,
                          struct coho__view pattern) {
  if (is_open_pattern(m, pattern)) return 0;
  int err = check_claims(m, who);
  if (err) return err;
  return coho__claims_may_pattern(who->claims, pattern) ? 0 : COHO_EFORBIDDEN;
}

bool coho__who_needs_token(const struct coho__mount *m, const struct coho__who *who) {
  return m->opt.keys && !who->claims && !*m->opt.open_subscribe && !*m->opt.open_publish;
}

bool coho__who_id(const struct coho__mount *m, const struct coho__who *who, struct coho__view asked,
                  struct coho__view *id) {
  bool named = who->claims && who->claims->subject.len;
  *id = named ? who->claims->subject : asked;
  if (!m->opt.keys) return true;
  bool guest = id->len && id->data[0] == '~';
  return named != guest && (!asked.data || coho__view_eq(asked, *id));
}

uint64_t coho__who_until(const struct coho__who *who) {
  return who->claims ? who->claims->until : COHO_CLAIMS_NEVER;
}
