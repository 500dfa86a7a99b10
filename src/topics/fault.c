#include "topics/fault.h"

#include "base/check.h"

#include <coho/error.h>
#include <stdbool.h>
#include <stddef.h>

static const struct row {
  int err;
  struct coho__fault fault;
} rows[] = {
    {COHO_EREQUEST, {"bad-request", 400, 1008, "a field is missing or wrong"}},
    {COHO_EPOSITION, {"bad-since", 400, 1008, "since is no position"}},
    {COHO_ENOTOKEN, {"unauthorized", 401, 4401, "a token is required"}},
    {COHO_EFORBIDDEN, {"forbidden", 403, 4403, "no right to do this"}},
    {COHO_EORIGIN, {"forbidden", 403, 4403, "the Origin is not allowed"}},
    {COHO_ENAME, {"bad-name", 404, 1008, "no name of a topic, or no pattern"}},
    {COHO_ENOTFOUND, {"not-subscribed", 404, 1008, "not subscribed"}},
    {COHO_EEXISTS, {"exists", 409, 1008, "subscribed already"}},
    {COHO_ETOOBIG, {"too-big", 413, 1009, "the message is too large"}},
    {COHO_ETOOMANY, {"too-many", 429, 4429, "too many subscriptions or requests"}},
    {COHO_ETOKENRATE, {"too-many", 429, 4429, "too many bad tokens; come back later"}},
    {COHO_EFULL, {"full", 503, 1013, "no room now"}},
};

const struct coho__fault *coho__fault_of(int err) {
  static const struct coho__fault unavailable = {"unavailable", 503, 1013, "not possible now"};
  static const struct coho__fault token = {"unauthorized", 401, 4401, "the token is not valid"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    if (rows[i].err == err) return &rows[i].fault;
  bool about_token =
      err == COHO_ECLAIMS || err == COHO_ETICKET || (err <= COHO_ENOTOKEN && err > COHO_EFORBIDDEN);
  return about_token ? &token : &unavailable;
}
