#include "closing.h"

#include "base/check.h"

#include <stddef.h>

static const struct {
  uint32_t code;
  const char *words;
} table[] = {
    {1000, "normal closure"},     {1001, "going away"},       {1002, "protocol error"},
    {1003, "unsupported data"},   {1005, "no code"},          {1006, "no Close frame"},
    {1007, "invalid data"},       {1008, "policy violation"}, {1009, "message too big"},
    {1010, "extension required"}, {1011, "internal error"},   {1012, "service restart"},
    {1013, "try again later"},    {1014, "bad gateway"},      {3000, "unauthorized"},
    {3003, "forbidden"},          {3008, "timeout"},
};

const char *closing_hub_words(uint32_t code) {
  switch (code) {
  case 4401: return "the token is missing or not good any more";
  case 4403: return "no right";
  case 4408: return "too slow";
  case 4429: return "too many requests";
  default: return NULL;
  }
}

const char *closing_words(uint32_t code) {
  for (size_t i = 0; i < COHO_COUNT(table); i++)
    if (table[i].code == code) return table[i].words;
  if (code >= 4000) return "private use";
  return code >= 3000 ? "of a registered library" : "unassigned";
}

bool closing_is_good(uint32_t code) { return code == 1000 || code == 1001 || code == 1005; }
