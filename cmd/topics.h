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
  uint64_t max_message; /* of --demo, too */
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

#define TOPICS_MESSAGE_TEXT                                                                      \
  "largest message of a topic (64k by default); a POST of more is answered 413, a message of "   \
  "more by WebSocket closes with 1009 or is refused; above 64k what history-bytes lets a topic " \
  "keep has to have room for it, and --limit queue, too"

extern const struct option topics_rule_parts[]; /* of the section topics */
#define TOPICS_RULES_TEXT                                                                         \
  "serve topics, as --topics does, with these rules for them; of a topic the first counts whose " \
  "pattern matches; topics: [] serves them without any"

/* has_rules, has_auth: the sections, by which their place is known; NULL: not in the file. demo: it has
   topics of its own. 0, or EXIT_USAGE after sentences. */
int topics_check(const struct command *c, struct topics_options *t, const void *has_rules,
                 const void *has_auth, bool demo);
/* Whether a message of that size has room: max_queue of --limit, 0 for none. The same. */
int topics_check_room(const struct command *c, const struct topics_options *t, uint64_t max_queue);

/* What all topics of a server share. */
struct topics_common {
  const coho_options *conn; /* Origins, limits */
  coho_rate http_rate;      /* 0 is the default */
  uint64_t max_message;
};
/* The rest is for the caller. What it points to is lent. */
coho_topics_options topics_options_of(const struct topics_common *common);

/* After the check, when there are any; t stays until topics_update() or topics_settle(). 0 or an error, after a
   sentence on standard error. */
int topics_start(const struct topics_options *t, coho_server *s,
                 const struct topics_common *common);
/* Of topics that are served: other tokens and patterns, and what is shared, for who comes from now on. What
   the log says of keys comes by itself, that of a URL some 10 seconds later at most: until then the old keys
   count. On the server's first loop, or before it runs; t as above, in place of the one before. 0 or an
   error: nothing has changed but perhaps the keys. */
int topics_update(const struct topics_options *t, coho_server *s,
                  const struct topics_common *common);
/* What was lent to the last of both is not used any more, and nothing changes by itself; keys stay as they
   are. Before the server is freed in any case. */
void topics_settle(void);
void topics_stop(void);     /* after the server was freed; also when they did not start */
coho_hub *topics_hub(void); /* NULL: there are none */

#endif
