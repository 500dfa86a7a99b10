/*
 * The topics of coho serve: --topics, and the sections topics and auth of the file.
 *
 *   topics:
 *     - {pattern: stocks/#, slow: conflate, interval: 0.25}
 *     - {pattern: chat/+, history-count: 200, history-age: 86400}
 *
 * The first rule whose pattern matches a topic counts.
 */
#ifndef COHO_CMD_TOPICS_H
#define COHO_CMD_TOPICS_H

#include "auth.h"

#include <coho/topics.h>

struct topics_rule {
  const char *pattern, *slow;
  uint64_t interval, history_count, history_bytes, history_age, block, grace, max_subscribers;
  bool no_history;
};

struct topics_options {
  bool asked; /* --topics */
  const char *path;
  struct option_rows rules;
  struct auth_options auth;
  /* What the check finds out: whether there are any, and whether tokens count. */
  bool on, closed;
};

#define TOPICS_TEXT                                                                              \
  "serve topics below --topics-path: whoever follows the URL of one, by WebSocket, Server-Sent " \
  "Events or long poll, gets what is published there; open to everybody, unless the file of "    \
  "--config says in auth who may"
#define TOPICS_PATH_TEXT "where topics are, such as /t/ (the default); begins and ends with '/'"

extern const struct option topics_rule_parts[]; /* of the section topics */
#define TOPICS_RULES_TEXT                                                                         \
  "serve topics, as --topics does, with these rules for them; of a topic the first counts whose " \
  "pattern matches; topics: [] serves them without any"

/* has_rules, has_auth: the sections, by which their place is known; NULL: not in the file. demo: it has
   topics of its own. 0, or EXIT_USAGE after sentences. */
int topics_check(const struct command *c, struct topics_options *t, const void *has_rules,
                 const void *has_auth, bool demo);

/* After the check, when there are any. base: what all connections share. 0 or an error, after a
   sentence on standard error. */
int topics_start(const struct topics_options *t, coho_server *s, const coho_options *base);
void topics_stop(void); /* after the server was freed; also when they did not start */
void topics_reload(void);
bool topics_have_keys(void);
coho_hub *topics_hub(void); /* NULL: there are none */

#endif
